"""Successive halving: train all trials a little, go on with the best third, and again."""

from dataclasses import dataclass

from agon.errors import SettingError


@dataclass(frozen=True)
class Halving:
    """After each rung, a step of the training, only the best 1/factor of the trials go on from their checkpoints.

    The rungs of a budget of T steps and a factor η are T/η^k, ..., T/η, T. This is the synchronous form: all trials
    reach a rung before one is promoted, so that the outcome depends on no machine's speed. Source: Jamieson and
    Talwalkar 2016; Li et al. 2020 compare it with the asynchronous form, ASHA.

    Attributes:
        factor: one of so many trials goes on; 2 or more.
        first: no rung is earlier than this step.

    Raises:
        SettingError: a number is too small.

    >>> Halving(3, first=100).rungs(1_000, trials=20)
    [111, 333, 1000]
    """

    factor: int = 3
    first: int = 1

    def __post_init__(self) -> None:
        if self.factor < 2 or self.first < 1:
            raise SettingError(
                f"halving: expected a factor from 2 and a first rung from 1, got {self.factor} and {self.first}"
            )

    def rungs(self, steps: int, trials: int) -> list[int]:
        """Return the steps at which trials are compared, the last being the budget; two trials or more reach that."""
        rungs = [steps]
        while self.kept(trials) > 1 and rungs[0] // self.factor >= self.first:
            trials = self.kept(trials)
            rungs.insert(0, rungs[0] // self.factor)
        return rungs

    def kept(self, trials: int) -> int:
        """Return how many of the trials at a rung go on."""
        return trials // self.factor
