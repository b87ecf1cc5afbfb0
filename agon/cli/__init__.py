"""The command line: parse, check the arguments, call one function. Each command imports what is heavy when it runs."""

import os
import sys
from collections.abc import Callable, Sequence

from agon.cli.arguments import parsed
from agon.cli.battle import BattleCommand
from agon.cli.compare import CompareCommand
from agon.cli.diagnose import DiagnoseCommand
from agon.cli.evaluate import Evaluate
from agon.cli.export import export
from agon.cli.play import play
from agon.cli.push import push
from agon.cli.recipes import recipes
from agon.cli.report import report, reproduce
from agon.cli.resume import resume
from agon.cli.samples import data, sample
from agon.cli.skill import SkillCommand
from agon.cli.sweep import SweepCommand
from agon.cli.tournament import TournamentCommand
from agon.cli.train import Train
from agon.errors import AgonError, Interrupted, LostError, StoppedError, as_agon_error, failed_alone
from agon.ranks import speaks
from agon.terminal import let_go, usable_streams, warn

INTERNAL = 70  # EX_SOFTWARE of sysexits.h

COMMANDS: dict[str, Callable[..., object]] = {
    "recipes": recipes,
    "data": data,
    "train": Train,
    "resume": resume,
    "sweep": SweepCommand,
    "sample": sample,
    "evaluate": Evaluate,
    "battle": BattleCommand,
    "tournament": TournamentCommand,
    "skill": SkillCommand,
    "compare": CompareCommand,
    "diagnose": DiagnoseCommand,
    "export": export,
    "play": play,
    "push": push,
    "report": report,
    "reproduce": reproduce,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; a user's error is one sentence on standard error."""
    with usable_streams():
        try:
            result = parsed(COMMANDS, sys.argv[1:] if arguments is None else arguments)()
        except AgonError as error:
            return _report(error)
        except KeyboardInterrupt:
            return 130
        except BrokenPipeError:  # agon ... | head
            let_go()
            return 0
        except Exception as error:
            return _report_unexpected(error)
        return result if type(result) is int else 0


def _report(error: AgonError) -> int:
    """Print the sentence of an error, once for all processes that have it, and return the exit status."""
    lost = isinstance(error, LostError)
    if speaks(each_node=lost) or (failed_alone(error) and not lost):
        warn(f"agon: {error.typed}")
    if isinstance(error, Interrupted | StoppedError):
        from agon.training import is_main_process

        return error.status if is_main_process() else 0
    return error.status


def _report_unexpected(error: Exception) -> int:
    """Print what the system refuses like a user's error, and a bug of agon as one line unless AGON_DEBUG is set."""
    if "AGON_DEBUG" in os.environ:
        raise error
    refusal = as_agon_error(error)
    if refusal is not None:
        refusal.__cause__ = error
        return _report(refusal)
    warn(f"agon: internal error: {error!r}; please report it with what AGON_DEBUG=1 shows")
    return INTERNAL
