"""Battles of runs: run directories and folders -> samples and critics -> a record in each run."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from agon import __version__
from agon.data import Images, Source
from agon.errors import DataError
from agon.evaluate.evidence import Measured
from agon.evaluate.recorded import keep, stamped
from agon.games import Game
from agon.metrics import Battle, Score
from agon.metrics import battle as fight
from agon.metrics import one_sided as ask
from agon.metrics.gam.critic import DEFAULT, Statistics, judges, needs_held
from agon.metrics.gam.entrants import mapped
from agon.metrics.gam.verdict import TIE
from agon.runs import Run, names, read
from agon.samples.making import load, sample
from agon.samples.reading import checked, chosen, read_samples
from agon.training import Training

N = 10_000
BYTES = (0.0, 255.0)


class Asked(NamedTuple):
    """How a battle is fought.

    Attributes:
        n: real test samples, at most all there are; as many generated ones of each as are tested.
        seed: of the latents, of what is held out, and of the bootstrap.
        statistics: by which batch normalisation in a critic normalises, as in `agon.metrics.battle`.
        calibrate: a threshold for every critic, whether its objective states a boundary or not.
        tie: r_test counts as 1 within |log r_test| <= log tie.
    """

    n: int = N
    seed: int = 0
    statistics: Statistics = DEFAULT
    calibrate: bool = False
    tie: float = TIE


class Contender(NamedTuple):
    """A run in a battle: the training at its last checkpoint, and the name that it has there."""

    run: Run
    training: Training
    name: str

    @property
    def game(self) -> Game:
        return self.training.game

    @property
    def source(self) -> Source:
        return self.training.experiment.data

    @property
    def range(self) -> tuple[float, float]:
        """Of its images; points are compared as they are."""
        return self.source.range or BYTES

    @property
    def place(self) -> str:
        """Where its run is: two runs can have one name."""
        return str(self.run.path.resolve())

    @property
    def told(self) -> dict[str, Any]:
        """As an opponent, in the other's record."""
        return {"opponent_path": self.place, "opponent_step": self.training.step}


def battle(first: Run, second: Run, *, asked: Asked = Asked(), trust: bool = False) -> Battle | Score:  # noqa: B008
    """GAM of two runs of the same data; where one has no critic, the other's error on its samples.

    Samples are made as `agon sample` makes them, from averaged weights where there are any; the critics are those
    that the trainings ended with. The score is appended to the metrics.jsonl of both, each time from that run's side;
    nobody else writes the scores of either meanwhile, but they may go on training.

    Args:
        first: M_1.
        second: M_2.
        asked: how.
        trust: whether classes that are not agon's may be imported.

    Raises:
        DataError: other data than the other's, no critic in either, or too few samples.
        RunError: a run without a checkpoint, or one whose scores another process writes.
    """
    with _locked(first, second) as runs:
        called = names([run.path for run in runs])
        one, two = (Contender(run, load(run, trust=trust), name) for run, name in zip(runs, called, strict=True))
        _check_data(one, two)
        if not judges(one.game):
            return _without_critic(two, one, asked)
        if not judges(two.game):
            return _without_critic(one, two, asked)
        found = _fought(one, two, asked)
        _keep(one, found.score(), asked, **two.told)
        _keep(two, found.swapped.score(), asked, **one.told)
    return found


def against(
    run: Run,
    samples: Path,
    *,
    values: tuple[float, float] | None = None,
    asked: Asked = Asked(),  # noqa: B008 - frozen
    trust: bool = False,
) -> Score:
    """The error of a run's critic on a folder or a file of any program's samples, appended to the run.

    Where the run's data cannot be had, or have changed, the critic's error on real samples is left out; a critic whose
    threshold or statistics must be calibrated on them cannot be asked then.

    Args:
        run: whose critic is asked.
        samples: as `agon.samples.reading.read_samples` takes them; of more than n, n random ones are judged.
        values: (low, high) of pixels that are no bytes.
        asked: how; without a tie rule.
        trust: whether classes that are not agon's may be imported.

    Raises:
        DataError: a run without a critic, samples that cannot be read, or of another shape than the run's.
        RunError: a run without a checkpoint, or one that another process writes.
    """
    with run.scoring(0):
        judge = Contender(run, load(run, trust=trust), *names([run.path]))
        found = chosen(read_samples(samples, values), asked.n, asked.seed)
        found = mapped(found.float(), BYTES, judge.range) if found.dtype == torch.uint8 else found
        score = _judged(judge, found, str(samples), asked)
        _keep(judge, score, asked, judge_path=judge.place, opponent_path=str(samples.resolve()))
    return score


@contextmanager
def _locked(first: Run, second: Run) -> Iterator[tuple[Run, Run]]:
    """Both runs, whose scores nobody else writes meanwhile: a battle is recorded in both, or is not begun."""
    if first.path.resolve() == second.path.resolve():
        second = first  # whose lock lets it in again
    with first.scoring(0), second.scoring(0):
        yield first, second


def _fought(one: Contender, two: Contender, asked: Asked) -> Battle:
    with ExitStack() as stack:
        return fight(
            one.game,
            two.game,
            _test(one.source, asked.n),
            names=(one.name, two.name),
            latents=(one.training.experiment.latent, two.training.experiment.latent),
            generate=(stack.enter_context(one.training.painting()), stack.enter_context(two.training.painting())),
            ranges=(one.range, two.range),
            seed=asked.seed,
            statistics=asked.statistics,
            calibrate=asked.calibrate,
            tie=asked.tie,
        )


def _without_critic(judge: Contender, other: Contender, asked: Asked) -> Score:
    if not judges(judge.game):
        kinds = " and ".join(type(each.game).__name__.lower() for each in (other, judge))
        raise DataError(f"a battle: expected at least one run with a critic, got {kinds}, in which nobody judges")
    samples = mapped(sample(other.training, asked.n, asked.seed), other.range, judge.range)
    score = _judged(judge, samples, other.name, asked)
    for mine, theirs in ((judge, other), (other, judge)):
        places = {"judge_path": judge.place, "opponent_path": other.place}
        _keep(mine, score, asked, **places, opponent_step=theirs.training.step)
    return score


def _judged(judge: Contender, samples: Tensor, opponent: str, asked: Asked) -> Score:
    with judge.training.painting() as paint:
        score = ask(
            judge.game,
            samples,
            _test_if_needed(judge, asked),
            latent=judge.training.experiment.latent,
            generate=paint,
            seed=asked.seed,
            statistics=asked.statistics,
            calibrate=asked.calibrate,
        )
    return replace(score, detail={"judge": judge.name, "opponent": opponent, **score.detail})


def _test(source: Source, n: int) -> Tensor:
    """At most n real samples that no training of it has seen."""
    count = source.count("test")
    return source.take(checked(n) if count is None else min(checked(n), count), split="test").real


def _test_if_needed(judge: Contender, asked: Asked) -> Tensor | None:
    try:
        judge.training.refuse_other_data()
        return _test(judge.source, asked.n)
    except DataError:
        if needs_held(judge.game, asked.statistics, asked.calibrate):
            raise
        return None


def _check_data(one: Contender, two: Contender) -> None:
    """Whether both know the same real samples, in whichever range."""
    shapes = [each.source.shape for each in (one, two)]
    if shapes[0] != shapes[1]:
        raise DataError(
            f"a battle: expected runs on samples of one shape, got {one.name} on {shapes[0]} and {two.name} on "
            f"{shapes[1]}; train both on the same data"
        )
    other = two.source
    if isinstance(one.source, Images) and isinstance(other, Images):
        other = replace(other, range=one.source.range)
    for each in (one, two):
        each.training.refuse_other_data()
    prints = [source.open(seed=0, split="test").fingerprint for source in (one.source, other)]
    if prints[0] != prints[1]:
        raise DataError(
            f"a battle: expected runs on the same data, got {one.name} and {two.name} with other test samples; "
            "train both on the same data"
        )


def _keep(mine: Contender, score: Score, asked: Asked, **passport: Any) -> None:
    """Append a score to a run, unless the very same one is there."""
    by = {"step": mine.training.step, "seed": asked.seed, "asked": asked.n, "metric": "battle"}
    how = {"statistics": asked.statistics, "calibrate": asked.calibrate}
    found = stamped(Measured([score]), {**by, **passport, **how, "version": __version__})
    if json.loads(json.dumps(found.scores[0].record())) not in read(mine.run.metrics):
        keep(found, mine.run)
