"""Draw run directories, sweeps, and tournaments of runs, as one self-contained HTML page."""

from collections.abc import Sequence
from pathlib import Path

from agon.errors import require
from agon.runs import Run


def write(
    runs: Run | Path | str | Sequence[Run | Path | str],
    out: Path | str | None = None,
    *,
    diagnosed: bool = False,
    trust: bool = False,
) -> Path:
    """Write one page about one run, or several side by side, or about a sweep or a tournament.

    The page is written atomically. It needs no network, and its content security policy forbids a browser to use one.

    Args:
        runs: a run or its directory, or several; they are only read. Or the folder of a sweep; or that of a
            tournament, and JSON files of comparisons. All are only read.
        out: the file to write, replaced if it exists; or an existing folder, in which `report.html` is written. By
            default the directory of the first run.
        diagnosed: whether to diagnose each run as well (`agon.diagnose`), which takes seconds; `agon report` does. Else
            the page has the alarms that were raised while it trained.
        trust: whether a user's classes may be imported for the diagnosis; nothing else of the page needs them.

    Returns:
        The file that was written.

    Raises:
        RunError: a run cannot be read, or the page cannot be written.
        NotInstalledError: the extra for reports is not installed.
    """
    require("jinja2", "markupsafe")
    from agon.reports.page import written  # which imports all that is drawn, when a training has begun long before

    runs = [runs] if isinstance(runs, Run | Path | str) else runs
    paths = [run.path if isinstance(run, Run) else Path(run) for run in runs]
    return written(paths, None if out is None else Path(out), diagnosed, trust)
