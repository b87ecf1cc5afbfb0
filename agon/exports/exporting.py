"""Export a run: choose the network, write it, check the file, and put it in its place."""

import keyword
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from agon.errors import RunError, require
from agon.experiment import Experiment
from agon.exports.checking import BATCHES, check
from agon.exports.formats import Format, format_of
from agon.exports.network import Exported, network_of
from agon.exports.programs import write_onnx, write_torch_export, write_torchscript
from agon.exports.source import WRITTEN, write_safetensors
from agon.runs import Run, write_atomically, writing
from agon.samples import load
from agon.training import Training
from agon.untrusted import kind_of, read_regular

BEGINNING = 1_000  # bytes of a Python file in which agon says that it wrote it
STEM = "network"  # of the files before they are checked
ELSEWHERE = "free some space there, or name a folder on another disk in TMPDIR"
WRITERS: Mapping[Format, Callable[[Exported, Path], None]] = {
    "safetensors": write_safetensors,
    "torchscript": write_torchscript,
    "onnx": write_onnx,
    "torch-export": write_torch_export,
}


class File(NamedTuple):
    """A written and checked file.

    Attributes:
        path: where it is.
        description: its metadata, as plain values.
        difference: largest difference between its outputs and the run's own; relative if these are over 1.
    """

    path: Path
    description: dict[str, Any]
    difference: float

    def __str__(self) -> str:
        ends = (self.description["input"], self.description["output"])
        arrow = " -> ".join(f"{end['name']} ({', '.join(map(str, end['shape']))})" for end in ends)
        scaled = next((f"; {end['units']}" for end in ends if "units" in end), "")
        return f"{self.path}: {arrow}; differs from the run by {self.difference:.2g} at most{scaled}"


def export(
    run: Run | Path | str,
    out: Path | str,
    to: Format | None = None,
    *,
    player: str = "generator",
    weights: Literal["average", "live"] = "average",
    trust: bool = False,
    experiment: Experiment | None = None,
) -> File:
    """Write a run's generator or critic as a file that needs no agon, and check it.

    The file takes any number of inputs. Its metadata "agon" say in JSON what goes in (name, shape, and the latents'
    distribution) and what comes out (shape and range of samples, or what a logit means). Before it is put in place, it
    is read by its own runtime and compared with the run's network: their outputs differ by at most 1e-4.

    Args:
        run: the run, or its directory.
        out: the file to write. With "safetensors", a Python file with the network stands beside it.
        to: "safetensors", "torchscript", "onnx" or "torch-export"; by default what the file's ending says.
        player: "generator", "critic" (samples to logits of realness) or "classifier".
        weights: "average" for the averaged weights, if the run averages any; "live" for those of the last step.
        trust: whether a user's classes may be imported.
        experiment: the experiment of the run, if its classes cannot be imported.

    Returns:
        The file's path, description and largest difference.

    Raises:
        SettingError: the game has no such player, or (as a NotExportableError) no file can hold its network.
        NotInstalledError: "onnx" without the extra `export`.
        RunError: there is no intact checkpoint, or the file cannot be written.
    """
    _refuse_missing(format_of(Path(out), to))
    return export_loaded(load(run, trust=trust, experiment=experiment, weights=weights), out, to, player)


def export_loaded(training: Training, out: Path | str, to: Format | None = None, player: str = "generator") -> File:
    """Write a network of a loaded run as `export` does."""
    to = format_of(Path(out), to)
    _refuse_missing(to)
    return write(network_of(training, player, max(BATCHES)), Path(out), to)


def _refuse_missing(to: Format) -> None:
    if to == "onnx":
        require("onnx", "onnxscript", "onnxruntime")


def write(exported: Exported, out: Path, to: Format) -> File:
    """Write and check a network.

    Raises:
        NotExportableError: the format cannot take the network.
        RunError: the file cannot be written.
    """
    if (kind := kind_of(out)) is not None:
        raise RunError(f"--out: {out} is {kind}; expected the name of a new file, or of one to replace")
    with tempfile.TemporaryDirectory() as folder, writing(Path(folder), instead=ELSEWHERE):
        path = Path(folder) / (STEM + out.suffix)
        WRITERS[to](exported, path)
        difference = check(exported, path, to)
        contents = {out: path.read_bytes()}
        if to == "safetensors":
            contents[python_file(out)] = path.with_suffix(".py").read_bytes()
            _refuse_own(python_file(out))
    with writing(out, then=""):
        out.parent.mkdir(parents=True, exist_ok=True)
    for file, content in contents.items():
        write_atomically(file, content, then="")
    return File(out, exported.description, difference)


def python_file(out: Path) -> Path:
    """The Python file beside weights, with a name that can be imported.

    >>> python_file(Path("runs/digits-7.safetensors")).name, python_file(Path("class.safetensors")).name
    ('digits_7.py', 'class_.py')
    """
    name = re.sub(r"\W|^(?=\d)", "_", out.stem)
    return out.with_name(f"{name}_.py" if keyword.iskeyword(name) else f"{name}.py")


def _refuse_own(path: Path) -> None:
    """Refuse to replace a Python file that agon did not write.

    Raises:
        RunError: it is one.
    """
    try:
        begins = read_regular(path)[:BEGINNING]
    except FileNotFoundError:
        return
    except OSError:
        begins = b""
    if WRITTEN.encode() not in begins:
        raise RunError(
            f"--out: {path}, which goes with the weights, is a file that agon did not write; choose another name"
        )
