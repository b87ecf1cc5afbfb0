"""Read a written file as its user will, and compare what it computes with the run's own network."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from agon.errors import require
from agon.exports.formats import Format, NotExportableError, refused
from agon.exports.network import Exported

TOLERANCE = 1e-4  # in units of the outputs, relative to the largest where it is over 1
BATCHES = (1, 2, 5)  # none is the number of samples with which a network is recorded

Function = Callable[[Float[Tensor, "n ..."]], Float[Tensor, "n ..."]]


def check(exported: Exported, path: Path, to: Format) -> float:
    """Return the largest difference between the file's outputs and the run's own, relative if these are large.

    Raises:
        NotExportableError: the file cannot be used, or a difference is over `TOLERANCE`.
    """
    with torch.no_grad(), refused(to):
        function = READERS[to](path)
        expected = exported.outputs()
        differences = [_difference(function, exported.inputs[:n], expected[:n]) for n in BATCHES]
    scale = max(1.0, float(expected.abs().max()))
    worst = max(differences, key=lambda value: float("inf") if value != value else value) / scale
    if not worst <= TOLERANCE:
        raise NotExportableError(
            f"{to}: the written file computes other {exported.output_name} than the run (differences of {worst:.2g}, "
            f"expected at most {TOLERANCE:g}): the network depends on the number of samples or on their values; "
            "choose another format"
        )
    return worst


def _difference(function: Function, inputs: Tensor, expected: Tensor) -> float:
    outputs = function(inputs.clone())
    if outputs.shape != expected.shape:
        return float("inf")
    return float((outputs - expected).abs().max())


def _safetensors(path: Path) -> Function:
    """The network of the Python file that stands beside the weights."""
    described = importlib.util.spec_from_file_location(f"agon_export_{path.stem}", path.with_suffix(".py"))
    assert described is not None
    assert described.loader is not None
    module = importlib.util.module_from_spec(described)
    described.loader.exec_module(module)
    return module.load(path)  # type: ignore[no-any-return]


def _torchscript(path: Path) -> Function:
    jit: Any = torch.jit
    return jit.load(str(path))  # type: ignore[no-any-return]


def _torch_export(path: Path) -> Function:
    return torch.export.load(path).module()


def _onnx(path: Path) -> Function:
    require("onnxruntime")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = torch.get_num_threads()
    session: Any = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda x: torch.from_numpy(session.run(None, {name: x.numpy()})[0])


READERS: dict[Format, Callable[[Path], Function]] = {
    "safetensors": _safetensors,
    "torchscript": _torchscript,
    "torch-export": _torch_export,
    "onnx": _onnx,
}
