"""What a battle gave: error rates, their ratios, and the verdicts."""

from dataclasses import dataclass, replace
from typing import Any

from agon.metrics.gam.critic import Threshold
from agon.metrics.gam.rates import ErrorRate, Ratio
from agon.metrics.gam.verdict import Verdict, Winner, verdict, winner
from agon.metrics.score import Score


@dataclass(frozen=True, kw_only=True)
class Side:
    """How one critic judged.

    Attributes:
        name: of its game.
        test: ε(D(x_test)): real samples that nobody was trained on.
        foreign: ε(D(G'(z))): the opponent's samples.
        own: ε(D(G(z))): its own generator's.
        train: ε(D(x_train)), if training samples were given.
        threshold: of its decision.
        protocol: how its statistics and its threshold came about, in words.
    """

    name: str
    test: ErrorRate
    foreign: ErrorRate
    own: ErrorRate
    train: ErrorRate | None
    threshold: Threshold
    protocol: str

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        rates = {kind: getattr(self, kind) for kind in ("test", "foreign", "own", "train")}
        told = {kind: {"value": r.value, **r._asdict()} for kind, r in rates.items() if r is not None}
        return {"name": self.name, **told, "threshold": self.threshold._asdict(), "protocol": self.protocol}


@dataclass(frozen=True, kw_only=True)
class Battle:
    """What a battle gave; its text is a row of im2016's Table 1, with the verdict and its uncertainty below.

    Attributes:
        first: how the first game's critic judged.
        second: how the second's did.
        test: r_test, whose intervals rest on pairs: both critics saw the same samples.
        sample: r_sample.
        tie: the tie rule's bound.
        protocol: in words.
    """

    first: Side
    second: Side
    test: Ratio
    sample: Ratio
    tie: float
    protocol: str

    @property
    def names(self) -> tuple[str, str]:
        return self.first.name, self.second.name

    @property
    def winner(self) -> Winner:
        """By the paper's rule, equation 11."""
        return winner(self.test.value, self.sample.value, self.tie)

    @property
    def verdict(self) -> Verdict:
        """The verdict with an interval."""
        return verdict(self.test, self.sample, self.names, self.tie)

    @property
    def swapped(self) -> "Battle":
        """The same battle told from the other side."""
        test, sample = self.test.inverse, self.sample.inverse
        return replace(self, first=self.second, second=self.first, test=test, sample=sample)

    def words(self, outcome: str) -> str:
        """A verdict in words: "GRAN3 wins", "tie", "unfair" or "undecided"."""
        known = dict(zip(("first", "second"), self.names, strict=True))
        return f"{known[outcome]} wins" if outcome in known else outcome

    def score(self) -> Score:
        """As a record of the first game: "battle", r_sample, below 1 where the first game is the better one."""
        detail = {
            "opponent": self.second.name,
            "winner": self.words(self.winner),
            "verdict": self.words(self.verdict.outcome),
            "reason": self.verdict.reason,
            "r_test": self.test.value,
            "r_test_interval": list(self.test.interval),
            "r_test_accuracies": self.test.accuracies,
            "r_sample_accuracies": self.sample.accuracies,
            "winner_accuracies": self.words(_by_accuracies(self.sample)),
            "smoothed": [name for name, r in (("r_test", self.test), ("r_sample", self.sample)) if r.smoothed],
            "tie": self.tie,
            "critics": [self.first.plain(), self.second.plain()],
        }
        return Score(
            name="battle",
            value=self.sample.value,
            error=self.sample.error,
            interval=self.sample.interval,
            n=self.first.foreign.n,
            n_real=self.first.test.n,
            protocol=self.protocol,
            detail=detail,
        )

    def __str__(self) -> str:
        battler = " vs. ".join(self.names)
        width = max(len(battler), len("Battler"))
        outcome, reason = self.verdict
        known = dict(zip(("first", "second"), self.names, strict=True))
        name = known.get(self.winner, self.winner)
        return "\n".join(
            [
                f"{'Battler':{width}}  r_test  r_sample  Winner",
                f"{battler:{width}}  {self.test.value:6.4g}  {self.sample.value:8.4g}  {name}",
                f"{self.words(outcome)}: {reason}",
                *(_told(side) for side in (self.first, self.second)),
            ]
        )


def _by_accuracies(sample: Ratio) -> Winner:
    """The author's code: the critic that is right more often about the other's samples wins."""
    if sample.accuracies == 1:
        return "tie"
    return "first" if sample.accuracies > 1 else "second"


def _told(side: Side) -> str:
    """A critic's error rates in a line."""
    kinds = {"real": side.test, "the other's": side.foreign, "its own": side.own, "training": side.train}
    rates = ", ".join(f"{kind} {rate.value:.4g} (n {rate.n})" for kind, rate in kinds.items() if rate is not None)
    return f"errors of {side.name}'s critic: {rates}; {side.protocol}, threshold {side.threshold.value:.4g}"
