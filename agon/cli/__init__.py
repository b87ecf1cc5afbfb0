"""The command line: parses, looks names up, calls one function; what is heavy is imported by the command that runs."""

import os
import sys
from collections.abc import Callable, Sequence

from agon.cli.arguments import parsed
from agon.cli.battle import Battle
from agon.cli.catalogue import recipes
from agon.cli.evaluate import Evaluate
from agon.cli.report import report, reproduce
from agon.cli.samples import data, sample
from agon.cli.train import Train, resume
from agon.errors import AgonError, Interrupted, as_agon_error
from agon.terminal import let_go, usable_streams, warn

INTERNAL = 70  # EX_SOFTWARE of sysexits.h

COMMANDS: dict[str, Callable[..., object]] = {
    "recipes": recipes,
    "data": data,
    "train": Train,
    "resume": resume,
    "sample": sample,
    "evaluate": Evaluate,
    "battle": Battle,
    "report": report,
    "reproduce": reproduce,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; users' errors are one sentence on standard error and a non-zero status."""
    with usable_streams():
        try:
            parsed(COMMANDS, sys.argv[1:] if arguments is None else arguments)()
        except AgonError as error:
            return _told(error)
        except KeyboardInterrupt:
            return 130
        except BrokenPipeError:  # agon ... | head
            let_go()
        except Exception as error:
            return _unforeseen(error)
        return 0


def _told(error: AgonError) -> int:
    """Say what a user can mend, once for all processes of a training; the first one alone says that it was stopped."""
    if os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0")) in ("", "0"):
        warn(f"agon: {error.typed}")
    if isinstance(error, Interrupted):
        from agon.training import is_main_process

        return error.status if is_main_process() else 0
    return error.status


def _unforeseen(error: Exception) -> int:
    """What the system refused, as any user's error; or a bug of ours: no traceback unless it is asked for."""
    if "AGON_DEBUG" in os.environ:
        raise error
    known = as_agon_error(error)
    if known is not None:
        return _told(known)
    warn(f"agon: internal error: {error!r}; please report it with what AGON_DEBUG=1 shows")
    return INTERNAL
