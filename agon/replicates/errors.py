"""What goes wrong with some of many trainings."""

from collections.abc import Sequence

from agon.errors import RunError
from agon.runs import Run


class ReplicatesError(RunError):
    """Some replicates have failed; the others are done.

    Attributes:
        runs: those that exist, the failed ones among them.
    """

    def __init__(self, message: str, runs: Sequence[Run], status: int) -> None:
        super().__init__(message)
        self.runs, self.status = list(runs), status
