"""A battle's result: error rates, their ratios, and the verdicts."""

from dataclasses import dataclass, replace
from typing import Any

from agon.metrics.auroc import Area
from agon.metrics.gam.areas import AreaDuel, with_interval
from agon.metrics.gam.critic import Threshold
from agon.metrics.gam.rates import ErrorRate, Ratio
from agon.metrics.gam.verdict import BattleVerdict, Winner, fair, verdict, winner
from agon.metrics.score import Score


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """One critic's error rates in a battle.

    Attributes:
        name: its game's name.
        test: ε(D(x_test)): real samples that neither game was trained on.
        foreign: ε(D(G'(z))): the opponent's samples.
        own: ε(D(G(z))): its own generator's.
        train: ε(D(x_train)), if training samples were given.
        threshold: the threshold of its decision.
        protocol: how its statistics and its threshold were found, in words.
        seen: the area of training samples before test samples: how often it finds one of those that it was trained on
            at least as real as a test sample. 0.5 if it cannot tell them apart, 1 if it knows its training samples by
            heart. None without training samples.
    """

    name: str
    test: ErrorRate
    foreign: ErrorRate
    own: ErrorRate
    train: ErrorRate | None
    threshold: Threshold
    protocol: str
    seen: Area | None = None

    def plain(self) -> dict[str, Any]:
        """The error rates as JSON values."""
        rates = {kind: getattr(self, kind) for kind in ("test", "foreign", "own", "train")}
        values = {kind: {"value": r.value, **r._asdict()} for kind, r in rates.items() if r is not None}
        seen = {} if self.seen is None else {"seen": {"value": self.seen.value, "interval": list(self.seen.interval)}}
        return {"name": self.name, **values, "threshold": self.threshold._asdict(), "protocol": self.protocol, **seen}


@dataclass(frozen=True, kw_only=True)
class Battle:
    """A battle's result; its text is a row of im2016's Table 1, with the verdict and its uncertainty below.

    Attributes:
        first: the error rates of the first game's critic.
        second: the error rates of the second game's critic.
        test: r_test; its interval uses that both critics judge the same samples.
        sample: r_sample.
        areas: the areas of each critic on the other's generator, which need no threshold.
        tie: the bound of the tie rule.
        protocol: how the critics judged, in words.
        train: r_train, ε(D_1(x_train)) / ε(D_2(x_train)), if training samples were given: what r_test is to be read
            beside.
    """

    first: Judgement
    second: Judgement
    test: Ratio
    sample: Ratio
    areas: AreaDuel
    tie: float
    protocol: str
    train: Ratio | None = None

    @property
    def names(self) -> tuple[str, str]:
        return self.first.name, self.second.name

    @property
    def winner(self) -> Winner:
        """The winner by the paper's rule, equation 11."""
        return winner(self.test.value, self.sample.value, self.tie)

    @property
    def verdict(self) -> BattleVerdict:
        """The verdict that takes the intervals into account."""
        return verdict(self.test, self.sample, self.names, self.tie)

    @property
    def swapped(self) -> "Battle":
        """The same battle with the two games exchanged."""
        test, sample, areas = self.test.inverse, self.sample.inverse, self.areas.swapped
        train = None if self.train is None else self.train.inverse
        return replace(self, first=self.second, second=self.first, test=test, sample=sample, train=train, areas=areas)

    @property
    def disagreement(self) -> str:
        """A sentence if the paper's rule and the areas name different winners, or only one of them names any; or ""."""
        rule, areas = self.winner, self.areas.outcome
        sides = [outcome if outcome in ("first", "second") else None for outcome in (rule, areas)]
        if sides[0] == sides[1]:
            return ""
        unfair = self.verdict.outcome == "unfair" or not fair(self.test.value, self.tie)
        why = "one critic errs more on real samples, which areas allow for" if unfair else "areas weigh all thresholds"
        return f"the verdicts disagree: {self.words(rule)} by the paper's rule, {self.words(areas)} by areas; {why}"

    def words(self, outcome: str) -> str:
        """A verdict in words: "GRAN3 wins", "tie", "unfair" or "undecided"."""
        known = dict(zip(("first", "second"), self.names, strict=True))
        return f"{known[outcome]} wins" if outcome in known else outcome

    def score(self) -> Score:
        """The battle as a Score of the first game: "battle", r_sample; below 1 if the first game is better."""
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
            "areas": {
                **self.areas.plain(),
                "verdict": self.words(self.areas.outcome),
                "reason": self.areas.reason(self.names),
                "disagreement": self.disagreement,
            },
            "critics": [self.first.plain(), self.second.plain()],
        }
        if self.train is not None:
            detail |= {"r_train": self.train.value, "r_train_interval": list(self.train.interval)}
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
        battlers = " vs. ".join(self.names)
        width = max(len(battlers), len("Battler"))
        outcome, reason = self.verdict
        known = dict(zip(("first", "second"), self.names, strict=True))
        name = known.get(self.winner, self.winner)
        return "\n".join(
            [
                f"{'Battler':{width}}  r_test  r_sample  Winner",
                f"{battlers:{width}}  {self.test.value:6.4g}  {self.sample.value:8.4g}  {name}",
                f"{self.words(outcome)}: {reason}",
                f"by areas, {self.words(self.areas.outcome)}: {self.areas.reason(self.names)}",
                *([self.disagreement] if self.disagreement else []),
                *_training_line(self.first, self.second),
                *(_error_line(judgement) for judgement in (self.first, self.second)),
            ]
        )


def _by_accuracies(sample: Ratio) -> Winner:
    """The winner by the author's code: the critic that judges the other's samples correctly more often."""
    if sample.accuracies == 1:
        return "tie"
    return "first" if sample.accuracies > 1 else "second"


def _training_line(*judgements: Judgement) -> list[str]:
    """How surely each critic tells training from test samples, in a line of text; none without training samples."""
    areas = [
        f"{judgement.name}'s critic {with_interval(judgement.seen.value, judgement.seen.interval)}"
        for judgement in judgements
        if judgement.seen is not None
    ]
    if not areas:
        return []
    told = "how often it finds a training sample at least as real as a test sample; 0.5: it does not know them"
    return [f"overfitting, by areas: {', '.join(areas)}: {told}"]


def _error_line(judgement: Judgement) -> str:
    """A critic's error rates in one line of text."""
    kinds = {
        "real": judgement.test,
        "the other's": judgement.foreign,
        "its own": judgement.own,
        "training": judgement.train,
    }
    rates = ", ".join(f"{kind} {rate.value:.4g} (n {rate.n})" for kind, rate in kinds.items() if rate is not None)
    return (
        f"errors of {judgement.name}'s critic: {rates}; {judgement.protocol}, threshold {judgement.threshold.value:.4g}"
    )
