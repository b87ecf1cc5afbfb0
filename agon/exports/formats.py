"""Names of the formats, the endings of their files, and whom a file can hold. The command line asks here first."""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from agon.errors import AgonError, SettingError, as_agon_error, unknown
from agon.untrusted import sentence

Format = Literal["safetensors", "torchscript", "onnx", "torch-export"]
Role = Literal["generator", "critic", "classifier"]

FORMATS: Mapping[Format, str] = {  # format -> ending of its files
    "safetensors": ".safetensors",
    "torchscript": ".pt",
    "onnx": ".onnx",
    "torch-export": ".pt2",
}
ROLES: tuple[Role, ...] = ("generator", "critic", "classifier")


class NotExportableError(SettingError):
    """No file can hold this network, or none of this format; nothing is wrong with the run or with this machine."""


def format_of(out: Path, to: str | None = None) -> Format:
    """Return the format `to`, or if it is None the one of the file's ending.

    Raises:
        SettingError: there is no such format, or no format has this ending.

    >>> format_of(Path("generator.onnx")), format_of(Path("weights.bin"), "safetensors")
    ('onnx', 'safetensors')
    """
    if to is not None and to not in FORMATS:
        raise SettingError(unknown("format", to, FORMATS))
    for name, ending in FORMATS.items():
        if to == name or (to is None and out.suffix == ending):
            return name
    endings = ", ".join(f"{ending} ({name})" for name, ending in FORMATS.items())
    raise SettingError(f"--out: expected a name that ends in one of {endings}, or --to FORMAT, got {out}")


def check_role(player: str) -> None:
    """Raise a SettingError for a player that no file can hold."""
    if player not in ROLES:
        raise SettingError(unknown("player to export", player, ROLES))


@contextmanager
def refused(what: str, advice: str = "choose another format") -> Iterator[None]:
    """Turn what a format refuses into one sentence, and silence what it announces of its own future.

    What the system refuses (a full disk, too little memory) is no refusal of the format, and is raised as it is.

    Raises:
        NotExportableError: anything else was raised in the context.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except AgonError:
        raise
    except Exception as error:  # each of torch's compilers and exporters raises types of its own
        if (system := as_agon_error(error)) is not None:
            raise system from error
        reason = sentence(str(error).strip().partition("\n\n")[0], 300)
        refusal = f"{what} cannot take this network ({type(error).__name__}: {reason}); {advice}"
        raise NotExportableError(refusal) from error
