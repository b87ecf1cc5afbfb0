"""agon compare: the recorded scores of two experiments' runs, side by side, with how sure each difference is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from agon.cli.checks import check_scored
from agon.cli.shared import RunPaths, names
from agon.errors import SettingError
from agon.runs.named import local
from agon.terminal import say


@dataclass
class CompareCommand:
    """Compare two experiments by every score that their runs have on record: which is better, and how surely."""

    runs: RunPaths = ()
    """Runs of the first experiment, or folders of its seeds."""
    with_: Annotated[tuple[Path, ...], tyro.conf.arg(name="with", metavar="RUN ...")] = ()
    """Runs of the second experiment, or folders of its seeds. Runs of one seed are compared in pairs."""
    metrics: str = ""
    """Comma-separated metrics or scores to compare, e.g. kid,recall. By default all on record."""
    out: Path | None = None
    """File for a picture of the differences with their intervals, NAME.png, or for the result, NAME.json."""
    json: bool = False
    """Print the result as JSON instead of a table."""

    def __call__(self) -> None:
        if not self.runs or not self.with_:
            raise SettingError(
                "agon compare: expected runs, and --with other runs to compare them with, got "
                f"{len(self.runs)} and {len(self.with_)}"
            )
        check_written(self.out)
        first, second = (tuple(map(local, side)) for side in (self.runs, self.with_))
        check_scored((*first, *second))
        from agon.arena import compare, write_comparison
        from agon.terminal.waiting import stage, waiting

        with waiting(), stage("comparison"):
            result = compare(first, second, metrics=names(self.metrics))
        say(*(result.json.splitlines() if self.json else result.lines))
        if self.out is not None:
            write_comparison(result, self.out)
            if not self.json:
                say(self.out)


def check_written(out: Path | None) -> None:
    """Raise a SettingError for a file that is neither a picture nor JSON."""
    if out is not None and out.suffix not in (".png", ".json"):
        raise SettingError(f"--out: expected a file NAME.png or NAME.json, got {out}")
