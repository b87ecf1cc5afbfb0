"""What a battle of two runs gives, and how it reads."""

from collections.abc import Sequence
from dataclasses import dataclass

from agon.metrics import Battle, Score


@dataclass(frozen=True)
class BattleResult:
    """The score of each run, and what they rest on where both have a critic.

    Attributes:
        scores: of the first run and of the second: "battle", each from its own side; where one has no critic, for
            both the "error" of the other's on its samples.
        mutual: both critics' error rates, their ratios and the verdict; None where only one run has a critic.
    """

    scores: tuple[Score, Score]
    mutual: Battle | None = None

    @classmethod
    def of_both(cls, battle: Battle) -> "BattleResult":
        """Of two runs with critics."""
        return cls((battle.score(), battle.swapped.score()), battle)

    @classmethod
    def of_one(cls, error: Score) -> "BattleResult":
        """Of a critic's error on the samples of a run without one."""
        return cls((error, error))

    @property
    def lines(self) -> list[str]:
        """A row of im2016's Table 1 with the verdict below, or one of its Table 2."""
        if self.mutual is not None:
            return str(self.mutual).splitlines()
        error = self.scores[0]
        return [f"{error.detail['opponent']} has no critic, so the other's alone judges:", *error_table([error])]

    def __str__(self) -> str:
        return "\n".join(self.lines)


def error_table(errors: Sequence[Score]) -> list[str]:
    """Rows as in im2016's Table 2, with the uncertainty of each below them.

    Args:
        errors: scores of `one_sided`, whose details name the judge and the opponent.
    """
    battlers = [f"{error.detail['judge']} vs. {error.detail['opponent']}" for error in errors]
    width = max(map(len, ["Battler", *battlers]))
    rows = [f"{battler:{width}}  {error.value:.4g}" for battler, error in zip(battlers, errors, strict=True)]
    return [f"{'Battler':{width}}  Error", *rows, *map(str, errors)]
