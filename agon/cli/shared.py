"""Types of arguments that several commands share, and functions on them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import tyro

from agon.errors import SettingError
from agon.terminal import say

SetOptions = Annotated[
    tuple[str, ...],
    tyro.conf.arg(
        name="set",
        metavar="PART.FIELD=VALUE",
        help="Change one setting, e.g. --set data.size=32.",
    ),
    tyro.conf.UseAppendAction,
]
DataOptions = Annotated[
    tuple[str, ...],
    tyro.conf.arg(
        metavar="[SET=]SOURCE",
        help="Read a set of images from here, e.g. mnist=FOLDER.",
    ),
    tyro.conf.UseAppendAction,
]
RunPaths = Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="[RUN ...]")]
RunPath = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]


def names(text: str) -> list[str]:
    """Split a text at its commas into names."""
    return [name for name in text.replace(" ", "").split(",") if name]


def assignments(settings: Sequence[str]) -> list[tuple[str, str]]:
    """Return the path and the value of each setting PART.FIELD=VALUE.

    Raises:
        SettingError: a setting is not written like this.
    """
    pairs = []
    for setting in settings:
        path, equals, value = setting.partition("=")
        if not equals or not path:
            raise SettingError(f"--set: expected PART.FIELD=VALUE, got '{setting}'; an example is batch=32")
        pairs.append((path, value))
    return pairs


def of_data(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the settings under the names that a source alone has: size for data.size."""
    return [(path.removeprefix("data."), value) for path, value in pairs]


def changed(owner: Any, pairs: Iterable[tuple[str, str]]) -> Any:
    """Return an experiment or a source with each setting changed."""
    from agon.experiment import changed as with_setting

    for path, value in pairs:
        owner = with_setting(owner, path, value)
    return owner


def source_named(text: str, settings: Iterable[tuple[str, str]]) -> Any:
    """Return the source that a word names with settings under their own names; a layout decides its kind."""
    from agon.data import named

    settings = list(settings)
    layout = {path: value for path, value in settings if path == "layout"}
    return changed(named(text, **layout), settings)


def spread(paths: Sequence[Path]) -> list[Path]:
    """Return the run directories at these paths; a directory of many seeds stands for the runs of its seeds."""
    from agon.runs.layout import REPLICATES
    from agon.training.replicates import Folder

    runs: list[Path] = []
    for path in paths:
        runs += [run.path for run in Folder(path).runs] if (path / REPLICATES).is_file() else [path]
    return runs


def write_report(runs: Sequence[Path], out: Path) -> None:
    """Write the page, and print its path."""
    from agon.reports import write

    say(write(runs, out))
