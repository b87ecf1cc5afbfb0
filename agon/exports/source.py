"""A network as weights in safetensors, and a Python file with its operations that needs nothing but torch."""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import takewhile
from pathlib import Path
from pprint import pformat
from typing import TYPE_CHECKING, Any

from torch import Tensor

from agon.exports.formats import NotExportableError
from agon.exports.network import Exported
from agon.exports.programs import METADATA
from agon.runs.files import save_tensors

if TYPE_CHECKING:
    from torch.export import ExportedProgram

GLOBALS = {
    "torch": "",
    "device": "from torch import device",
    "inf": "from math import inf",
    "nan": "from math import nan",
}
WRITTEN = "Written by agon "
FILE = '''"""{title}

{written}{version}; it needs torch and safetensors alone.
"""

{imports}
aten = torch.ops.aten
DESCRIPTION = {description}
WEIGHTS = {{  # name -> shape, type, whether it is a parameter
{weights}
}}


class {name}(torch.nn.Module):
    def __init__(self, **description):
        super().__init__()
        for name, (shape, dtype, trained) in WEIGHTS.items():
            *path, last = name.split(".")
            module = self
            for part in path:
                if part not in module._modules:
                    module.add_module(part, torch.nn.Module())
                module = module.get_submodule(part)
            tensor = torch.empty(shape, dtype=getattr(torch, dtype))
            if trained:
                module.register_parameter(last, torch.nn.Parameter(tensor))
            else:
                module.register_buffer(last, tensor)

    def forward(self, {argument}):
        weights = {{**dict(self.named_parameters()), **dict(self.named_buffers())}}
{body}


def load(path):
    """The network with the weights of a .safetensors file, in evaluation mode."""
    network = {name}()
    network.load_state_dict(load_file(path))
    return network.eval()
'''


def weights_of(program: "ExportedProgram") -> tuple[dict[str, str], dict[str, Tensor], set[str]]:
    """Return variable -> name, name -> tensor, and the names of parameters, of all weights that the program uses.

    Names are those of the network's own class, such as "layers.0.weight".
    """
    used = {node.name for node in program.graph.nodes if node.op == "placeholder" and node.users}
    inputs = [spec for spec in program.graph_signature.input_specs if spec.target is not None and spec.arg.name in used]
    targets = {spec.arg.name: str(spec.target) for spec in inputs}
    short = _shortened(targets)
    stored: Mapping[str, Any] = {**program.constants, **program.state_dict}
    tensors = {short[variable]: stored[target].detach().clone() for variable, target in targets.items()}
    trained = {short[spec.arg.name] for spec in inputs if spec.kind.name == "PARAMETER"}
    return short, tensors, trained


def _shortened(targets: Mapping[str, str]) -> dict[str, str]:
    """Return the names without the modules that are around all of them: game, and the only network."""
    modules = [name.split(".")[:-1] for name in targets.values()]
    common = takewhile(lambda names: len(set(names)) == 1, zip(*modules, strict=False))
    around = min(len(list(common)), 2)
    return {variable: ".".join(name.split(".")[around:]) for variable, name in targets.items()}


def write_safetensors(exported: Exported, path: Path) -> None:
    """Write the weights, with the description as their metadata, and the Python file beside them."""
    _, tensors, _ = weights_of(exported.program)
    metadata = {"format": "pt", METADATA: json.dumps(exported.description)}
    save_tensors(path, {name: tensor.contiguous() for name, tensor in tensors.items()}, metadata)
    path.with_suffix(".py").write_text(source(exported), encoding="utf-8")


def source(exported: Exported) -> str:
    """The text of the Python file.

    Raises:
        NotExportableError: the program uses something that such a file cannot spell.
    """
    short, tensors, trained = weights_of(exported.program)
    written = exported.program.graph.python_code("self")
    body = "\n".join(f"        {line}" for line in _body(exported.program, written.src, short))
    used = {name for name in written.globals if re.search(rf"\b{name}\b", body)}
    unknown = sorted(used - GLOBALS.keys())
    if unknown:
        operations = ", ".join(unknown)
        raise NotExportableError(f"safetensors: the network uses {operations}, which no file can spell; choose onnx")
    weights = {
        name: (tuple(t.shape), str(t.dtype).removeprefix("torch."), name in trained) for name, t in tensors.items()
    }
    imports = ["import torch", "from safetensors.torch import load_file"]
    names = {GLOBALS[name] for name in used if GLOBALS[name]}
    return FILE.format(
        title=f"The {exported.role} of an adversarial game, as plain PyTorch: {_arrow(exported)}.",
        description=pformat(exported.description, sort_dicts=False, width=100),
        written=WRITTEN,
        version=exported.description["agon"],
        imports="\n".join([*sorted(names), *imports, ""]),
        weights="\n".join(f"    {name!r}: {weight}," for name, weight in weights.items()),
        name=exported.role.capitalize(),
        argument=_argument(exported.program),
        body=body,
    )


def _arrow(exported: Exported) -> str:
    ends = (exported.description["input"], exported.description["output"])
    return " -> ".join(f"{end['name']} ({', '.join(map(str, end['shape']))})" for end in ends)


def _type(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _argument(program: "ExportedProgram") -> str:
    """The variable of the network's input."""
    return next(str(spec.arg.name) for spec in program.graph_signature.input_specs if spec.kind.name == "USER_INPUT")


def _body(program: "ExportedProgram", code: str, short: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of `forward`: the weights by their names, then the operations, on the input's own device."""
    yield from (f"{variable} = weights[{name!r}]" for variable, name in short.items())
    lines = code.partition("):\n")[2] if "):\n" in code else code.partition(":\n")[2]
    for line in lines.splitlines():
        plain = line.strip().replace("torch.ops.aten.", "aten.")
        plain = plain.replace("device(type='cpu')", f"{_argument(program)}.device")
        plain = re.sub(r";  .*= None$", "", plain)
        returned = re.fullmatch(r"return \((\w+),\)", plain)
        if plain:
            yield f"return {returned[1]}" if returned else plain
