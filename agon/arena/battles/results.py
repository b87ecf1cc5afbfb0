"""The result of a battle of two runs, and its tables."""

from collections.abc import Sequence
from dataclasses import dataclass

from agon.metrics import Battle, Score


@dataclass(frozen=True)
class BattleResult:
    """The scores of a battle, and the battle itself if both runs have a critic.

    Attributes:
        scores: the first and the second run's score "battle", each from its own side; if one has no critic, twice the
            "error" of the other's critic on its samples.
        mutual: both critics' error rates, their ratios and the verdict; None if only one run has a critic.
        budgets: that the runs were trained for different numbers of steps, as a sentence; else nothing.
    """

    scores: tuple[Score, Score]
    mutual: Battle | None = None
    budgets: str = ""

    @classmethod
    def of_both(cls, battle: Battle) -> "BattleResult":
        """Return the result of two runs with critics."""
        return cls((battle.score(), battle.swapped.score()), battle)

    @classmethod
    def of_one(cls, error: Score) -> "BattleResult":
        """Return the result of a critic's error on the samples of a run without a critic."""
        return cls((error, error))

    @property
    def lines(self) -> list[str]:
        """A row as in Table 1 of im2016 with the verdict below, or as in its Table 2; then what `budgets` says."""
        return [*self._table, *([self.budgets] if self.budgets else [])]

    @property
    def _table(self) -> list[str]:
        if self.mutual is not None:
            return str(self.mutual).splitlines()
        error = self.scores[0]
        return [f"{error.detail['opponent']} has no critic, so the other's alone judges:", *error_table([error])]

    def __str__(self) -> str:
        return "\n".join(self.lines)


def error_table(errors: Sequence[Score]) -> list[str]:
    """Return rows as in Table 2 of im2016, followed by the errors with their uncertainties.

    Args:
        errors: scores of `one_sided`, whose details name the judge and the opponent.
    """
    battlers = [f"{error.detail['judge']} vs. {error.detail['opponent']}" for error in errors]
    width = max(map(len, ["Battler", *battlers]))
    rows = [f"{battler:{width}}  {error.value:.4g}" for battler, error in zip(battlers, errors, strict=True)]
    return [f"{'Battler':{width}}  Error", *rows, *map(str, errors)]
