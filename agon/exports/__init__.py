"""Write a run's generator or critic as a file that needs no agon: safetensors, TorchScript, ONNX, torch.export.

| module | content |
|---|---|
| formats | names of the formats, and endings of their files |
| network | what is written: one player's function, with a description of its input and output |
| programs, source | how each format is written |
| checking | how a written file is compared with the run |
| exporting | all of it together |

What needs torch is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from agon.exports.formats import FORMATS

if TYPE_CHECKING:
    from agon.exports.exporting import export

__all__ = ["FORMATS", "export"]


def __getattr__(name: str) -> Any:
    """The function that needs torch, at its first use."""
    if name != "export":
        raise AttributeError(f"module 'agon.exports' has no attribute '{name}'")
    globals()[name] = value = import_module("agon.exports.exporting").export
    return value
