"""`sweep` and `resume`, which leave a page in the folder of the sweep, also where they are interrupted."""

from collections.abc import Callable
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import ParamSpec

from agon import sweeps
from agon.errors import AgonError, Interrupted, NotInstalledError, RunError, command
from agon.reports.pages import page_path, saved
from agon.reports.sweeps.page import is_sweep, page
from agon.runs.layout import REPORT
from agon.runs.mirrors import catch_up, copy_of
from agon.storage import is_address
from agon.sweeps import SweepResult
from agon.terminal import warn

P = ParamSpec("P")


def leaving_page(function: Callable[P, SweepResult]) -> Callable[P, SweepResult]:
    """Return the same function of a sweep, which also writes report.html into its `directory`."""

    @wraps(function)
    def run_and_write(*args: P.args, **kwargs: P.kwargs) -> SweepResult:
        given = signature(function).bind(*args, **kwargs).arguments["directory"]
        directory = copy_of(str(given)) if is_address(given) else Path(given)
        try:
            result = function(*args, **kwargs)
        except (Interrupted, RunError):
            if is_sweep([directory]):
                leave_page(directory)
            raise
        leave_page(directory)
        return result

    return run_and_write


def leave_page(folder: Path) -> list[Path]:
    """Write report.html into the folder of a sweep, and mirror it; say why where it cannot be written.

    Returns:
        The file that was written, if it was.
    """
    try:
        written = [saved(page(folder), page_path([folder], folder / REPORT))]
        catch_up(folder)
        return written
    except NotInstalledError as error:
        warn(f"agon: no report: {error.typed}, then {command('report', folder)}")
    except AgonError as error:
        warn(f"agon: no report: {error.typed}")
    return []


sweep = leaving_page(sweeps.sweep)
resume = leaving_page(sweeps.resume)
