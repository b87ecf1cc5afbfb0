"""Arguments that several commands share, and what they do with them."""

from collections.abc import Callable, Sequence
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
Runs = Annotated[tuple[Path, ...], tyro.conf.Positional]
Where = Annotated[Path, tyro.conf.Positional]


def names(text: str) -> list[str]:
    """Words with commas between."""
    return [name for name in text.replace(" ", "").split(",") if name]


def changed(owner: Any, settings: Sequence[str]) -> Any:
    """An experiment or a source with each setting PART.FIELD=VALUE."""
    from agon.experiment import changed as change

    for setting in settings:
        path, equals, value = setting.partition("=")
        if not equals or not path:
            raise SettingError(f"--set: expected PART.FIELD=VALUE, got '{setting}'; an example is batch=32")
        owner = change(owner, path, value)
    return owner


def spread(paths: Sequence[Path]) -> list[Path]:
    """The runs at these paths: in the place of a directory of seeds, those of its seeds."""
    from agon.runs.layout import REPLICATES as FILE
    from agon.training.replicates import Folder

    runs: list[Path] = []
    for path in paths:
        runs += [run.path for run in Folder(path).runs] if (path / FILE).is_file() else [path]
    return runs


def replicated(train: Callable[[], Sequence[Any]], directory: Path) -> None:
    """One page of all seeds, those that failed among them."""
    from agon.training.replicates import ReplicatesError

    try:
        runs = train()
    except ReplicatesError as error:
        if error.runs:
            report(error.runs, directory)
        raise
    report(runs, directory)


def report(runs: Sequence[Any], directory: Path) -> None:
    """The page of runs, in their directory."""
    from agon.runs.layout import REPORT

    page([run.path for run in runs], directory / REPORT)


def page(runs: Sequence[Path], out: Path) -> None:
    """Write the page, and say where."""
    from agon.report import write

    say(write(runs, out))


def source_of(run: Any, trust: bool) -> Any:
    """The data that a run is trained on."""
    from agon.experiment import Experiment

    return Experiment.from_json(run.experiment, trust).data
