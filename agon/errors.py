"""The few named errors: each is one sentence that says what was expected, what came, and what to do."""

from collections.abc import Iterable
from difflib import get_close_matches


class AgonError(Exception):
    """What a user can mend. At the command line it is one sentence and a non-zero exit status.

    Attributes:
        status: exit status of the command line, 1 to 255.
    """

    status = 2


class SettingError(AgonError):
    """A setting has an unknown name, a wrong type, or a value out of its range."""


class DataError(AgonError):
    """A source cannot be read as asked: missing, empty, corrupt, or of another shape."""


class RunError(AgonError):
    """A run directory cannot be used as asked: missing, locked, full, read-only, or another experiment's."""


class CheckpointError(RunError):
    """A checkpoint is damaged: its bytes do not have the checksum that was written with them."""


class DivergedError(AgonError):
    """A loss or a parameter is no longer a finite number."""

    status = 3


class Interrupted(AgonError):  # noqa: N818 - a request that was honoured, not a fault
    """SIGINT or SIGTERM was honoured: a checkpoint is written and the training can go on later.

    Attributes:
        status: 128 + the signal's number (130 for SIGINT, 143 for SIGTERM).
    """

    def __init__(self, message: str, signal: int) -> None:
        super().__init__(message)
        self.status = 128 + signal


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """A sentence for a name that is not in a table, with the nearest name that is.

    >>> unknown("recipe", "radford2015/dcgn", ["radford2015/dcgan", "agon/digits"])
    "there is no recipe 'radford2015/dcgn'; did you mean 'radford2015/dcgan'?"
    """
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    advice = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(names)}"
    return f"there is no {kind} '{name}'; {advice}"
