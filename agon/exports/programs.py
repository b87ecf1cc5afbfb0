"""Write a network as a graph: for torch.export, ONNX and TorchScript."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from agon.errors import require
from agon.exports.formats import refused
from agon.exports.network import TRACED, Exported

METADATA, JSON = "agon", "agon.json"


def write_torch_export(exported: Exported, out: Path) -> None:
    """Write what torch.export.load reads."""
    with refused("torch-export"):
        content = BytesIO()  # where a disk is full, what torch writes itself may end the process
        torch.export.save(exported.program, content, extra_files={JSON: json.dumps(exported.description)})
    out.write_bytes(content.getbuffer())


def write_onnx(exported: Exported, out: Path) -> None:
    """Write an ONNX model in one file.

    Raises:
        NotInstalledError: onnx or onnxscript is not installed.
        NotExportableError: an operation has no counterpart in ONNX.
    """
    require("onnx", "onnxscript", "onnxruntime")
    with refused("onnx"):
        names: dict[str, Any] = {"input_names": [exported.input_name], "output_names": [exported.output_name]}
        model = torch.onnx.export(exported.program, **names, dynamo=True, verbose=False)
        assert model is not None  # nothing is returned only where a file is written
        model.model.metadata_props[METADATA] = json.dumps(exported.description)
    model.save(out, external_data=False)


def write_torchscript(exported: Exported, out: Path) -> None:
    """Write what torch.jit.load reads, by recording one pass.

    Raises:
        NotExportableError: this version of torch has no TorchScript, or cannot record the pass.
    """
    with refused("torchscript", "choose another format, such as torch-export"), torch.no_grad():
        jit: Any = torch.jit  # deprecated, and still what many programs read
        traced = jit.trace(exported.network, (exported.inputs[:TRACED],), check_trace=False)
        content = BytesIO()  # as above
        jit.save(traced, content, _extra_files={JSON: json.dumps(exported.description)})
    out.write_bytes(content.getbuffer())
