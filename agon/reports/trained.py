"""`train`, `resume` and `replicate`, which raise alarms, and leave a page in their directory, also if interrupted."""

from collections.abc import Callable
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import ParamSpec, TypeVar

from agon import training
from agon.diagnosis import Alarms
from agon.errors import (
    AgonError,
    DivergedError,
    Interrupted,
    NotInstalledError,
    NotMirroredError,
    StoppedError,
    command,
)
from agon.reports import write
from agon.runs import Run
from agon.runs.layout import REPLICATES, REPORT
from agon.runs.mirrors import catch_up, copied_from, copy_of
from agon.storage import is_address
from agon.terminal import warn
from agon.training import is_main_process, replicates
from agon.training.replicates import Folder, ReplicatesError

P = ParamSpec("P")
T = TypeVar("T")
STOPPED = (Interrupted, DivergedError, NotMirroredError, StoppedError, ReplicatesError)  # what ends a training


def raising_alarms(train: Callable[P, T]) -> Callable[P, T]:
    """Return the same function of a training, whose `alarms` warn by default."""

    @wraps(train)
    def train_and_warn(*args: P.args, **kwargs: P.kwargs) -> T:
        kwargs.setdefault("alarms", Alarms())
        return train(*args, **kwargs)

    return train_and_warn


def leaving_page(train: Callable[P, T]) -> Callable[P, T]:
    """Return the same function of a training, which also writes report.html into its `directory`.

    The page is written by the main process, when the training ends, or when it is interrupted or diverges. A page that
    cannot be written is one line on standard error.
    """

    @wraps(train)
    def train_and_write(*args: P.args, **kwargs: P.kwargs) -> T:
        given = signature(train).bind(*args, **kwargs).arguments["directory"]
        directory = copy_of(str(given)) if is_address(given) else Path(given)
        try:
            result = train(*args, **kwargs)
        except STOPPED:
            leave_page(directory)
            raise
        leave_page(directory)
        return result

    return train_and_write


def leave_page(directory: Path) -> None:
    """Write the page of a run, or of all seeds, into its directory; or say why it cannot be written."""
    if not is_main_process():
        return
    try:
        runs = Folder(directory).runs if (directory / REPLICATES).is_file() else [Run(directory)]
        write(runs, directory / REPORT)
        catch_up(directory)
    except NotInstalledError as error:
        warn(f"agon: no report: {error.typed}, then {command('report', directory)}")
    except AgonError as error:
        warn(f"agon: no report: {error.typed}")


def renew(directory: Path) -> None:
    """Write the page of a run again, if it has one, and mirror its new scores; or say that they are not mirrored."""
    if (directory / REPORT).is_file():
        leave_page(directory)
    else:
        catch_up(directory)
    if address := copied_from(directory):
        warn(f"agon: these scores stay on this machine, in {directory}, which is a copy of {address}")


train = leaving_page(raising_alarms(training.train))
resume = leaving_page(raising_alarms(training.resume))
replicate = leaving_page(raising_alarms(replicates.replicate))
resume_replicates = leaving_page(raising_alarms(replicates.resume))
