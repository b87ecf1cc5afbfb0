"""Arguments that several commands share, and what they do with them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import tyro

from agon.errors import SettingError
from agon.terminal import say

Set = Annotated[
    tuple[str, ...],
    tyro.conf.arg(name="set", metavar="PART.FIELD=VALUE", help="Change one setting; may be repeated."),
    tyro.conf.UseAppendAction,
]
Sets = Annotated[
    tuple[str, ...],
    tyro.conf.arg(metavar="[SET=]SOURCE", help="Read images from here; may be repeated."),
    tyro.conf.UseAppendAction,
]
Runs = Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="[RUN ...]")]
Where = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]


def names(text: str) -> list[str]:
    """Words with commas between."""
    return [name for name in text.replace(" ", "").split(",") if name]


def assignments(settings: Sequence[str]) -> list[tuple[str, str]]:
    """The path and the value of each setting PART.FIELD=VALUE.

    Raises:
        SettingError: one is written otherwise.
    """
    pairs = []
    for setting in settings:
        path, equals, value = setting.partition("=")
        if not equals or not path:
            raise SettingError(f"--set: expected PART.FIELD=VALUE, got '{setting}'; an example is batch=32")
        pairs.append((path, value))
    return pairs


def of_data(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The same settings, as a source alone names them: size for data.size."""
    return [(path.removeprefix("data."), value) for path, value in pairs]


def changed(owner: Any, pairs: Iterable[tuple[str, str]]) -> Any:
    """An experiment or a source with each setting changed."""
    from agon.experiment import changed as change

    for path, value in pairs:
        owner = change(owner, path, value)
    return owner


def spread(paths: Sequence[Path]) -> list[Path]:
    """The runs at these paths: in the place of a directory of seeds, those of its seeds."""
    from agon.runs.layout import REPLICATES
    from agon.training.replicates import Folder

    runs: list[Path] = []
    for path in paths:
        runs += [run.path for run in Folder(path).runs] if (path / REPLICATES).is_file() else [path]
    return runs


def write_report(runs: Sequence[Path], out: Path) -> None:
    """Write the page, and say where."""
    from agon.reports import write

    say(write(runs, out))
