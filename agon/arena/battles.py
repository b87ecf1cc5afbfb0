"""Battles of runs: run directories and folders -> samples and critics -> a record in each run."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from agon import __version__
from agon.arena.contenders import BYTES, BattleSettings, Contender, check_same_data
from agon.arena.results import BattleResult
from agon.errors import DataError
from agon.evaluation.evidence import Measurement
from agon.evaluation.recorded import keep, stamped
from agon.metrics import Battle, Score
from agon.metrics import battle as fight
from agon.metrics import one_sided as ask
from agon.metrics.gam.critic import judges
from agon.metrics.gam.entrants import mapped
from agon.runs import Run, names, read
from agon.samples.making import load, sample
from agon.samples.reading import chosen, read_samples


def battle(
    first: Run,
    second: Run,
    *,
    settings: BattleSettings = BattleSettings(),  # noqa: B008 - frozen
    trust: bool = False,
) -> BattleResult:
    """GAM of two runs of the same data; where one has no critic, the other's error on its samples.

    Samples are made as `agon sample` makes them, from averaged weights where there are any; the critics are those
    that the trainings ended with. The score is appended to the metrics.jsonl of both, each time from that run's side;
    nobody else writes the scores of either meanwhile, but they may go on training.

    Args:
        first: M_1.
        second: M_2.
        settings: how.
        trust: whether classes that are not agon's may be imported.

    Raises:
        DataError: other data than the other's, no critic in either, or too few samples.
        RunError: a run without a checkpoint, or one whose scores another process writes.
    """
    with _scoring(first, second) as runs:
        called = names([run.path for run in runs])
        one, two = (Contender(run, load(run, trust=trust), name) for run, name in zip(runs, called, strict=True))
        check_same_data(one, two)
        passports: Sequence[dict[str, Any]]
        if judges(one.game) and judges(two.game):
            result = BattleResult.of_both(_fought(one, two, settings))
            passports = two.as_opponent, one.as_opponent
        else:
            judge, other = (one, two) if judges(one.game) else (two, one)
            result = BattleResult.of_one(_error_on_run(judge, other, settings))
            paths = {"judge_path": judge.path, "opponent_path": other.path}
            passports = [{**paths, "opponent_step": contender.training.step} for contender in (two, one)]
        for contender, score, passport in zip((one, two), result.scores, passports, strict=True):
            _record(contender, score, settings, passport)
    return result


def against(
    run: Run,
    samples: Path,
    *,
    values: tuple[float, float] | None = None,
    settings: BattleSettings = BattleSettings(),  # noqa: B008 - frozen
    trust: bool = False,
) -> Score:
    """The error of a run's critic on a folder or a file of any program's samples, appended to the run.

    Where the run's data cannot be had, or have changed, the critic's error on real samples is left out; a critic whose
    threshold or statistics must be calibrated on them cannot be asked then.

    Args:
        run: whose critic is asked.
        samples: as `agon.samples.reading.read_samples` takes them; of more than n, n random ones are judged.
        values: (low, high) of pixels that are no bytes.
        settings: how; without a tie rule.
        trust: whether classes that are not agon's may be imported.

    Raises:
        DataError: a run without a critic, samples that cannot be read, or of another shape than the run's.
        RunError: a run without a checkpoint, or one that another process writes.
    """
    with run.scoring(0):
        judge = Contender(run, load(run, trust=trust), *names([run.path]))
        foreign = chosen(read_samples(samples, values), settings.n, settings.seed)
        foreign = mapped(foreign.float(), BYTES, judge.range) if foreign.dtype == torch.uint8 else foreign
        error = _error_on(judge, foreign, str(samples), settings)
        _record(judge, error, settings, {"judge_path": judge.path, "opponent_path": str(samples.resolve())})
    return error


@contextmanager
def _scoring(first: Run, second: Run) -> Iterator[tuple[Run, Run]]:
    """Both runs, whose scores nobody else writes meanwhile: a battle is recorded in both, or is not begun."""
    if first.path.resolve() == second.path.resolve():
        second = first  # whose lock lets it in again
    with first.scoring(0), second.scoring(0):
        yield first, second


def _fought(one: Contender, two: Contender, settings: BattleSettings) -> Battle:
    with ExitStack() as stack:
        return fight(
            one.game,
            two.game,
            one.test_samples(settings.n),
            names=(one.name, two.name),
            latents=(one.training.experiment.latent, two.training.experiment.latent),
            generate=(stack.enter_context(one.training.painting()), stack.enter_context(two.training.painting())),
            ranges=(one.range, two.range),
            seed=settings.seed,
            statistics=settings.statistics,
            calibrate=settings.calibrate,
            tie=settings.tie,
        )


def _error_on_run(judge: Contender, other: Contender, settings: BattleSettings) -> Score:
    if not judges(judge.game):
        kinds = " and ".join(type(contender.game).__name__.lower() for contender in (other, judge))
        raise DataError(f"a battle: expected at least one run with a critic, got {kinds}, in which nobody judges")
    samples = mapped(sample(other.training, settings.n, settings.seed), other.range, judge.range)
    return _error_on(judge, samples, other.name, settings)


def _error_on(judge: Contender, samples: Tensor, opponent: str, settings: BattleSettings) -> Score:
    """The error of a critic on samples "n *shape" in the range of its own data."""
    with judge.training.painting() as paint:
        score = ask(
            judge.game,
            samples,
            judge.test_samples_if_needed(settings),
            latent=judge.training.experiment.latent,
            generate=paint,
            seed=settings.seed,
            statistics=settings.statistics,
            calibrate=settings.calibrate,
        )
    return replace(score, detail={"judge": judge.name, "opponent": opponent, **score.detail})


def _record(contender: Contender, score: Score, settings: BattleSettings, passport: dict[str, Any]) -> None:
    """Append a score to a run, unless the very same one is there."""
    by = {"step": contender.training.step, "seed": settings.seed, "asked": settings.n, "metric": "battle"}
    how = {"statistics": settings.statistics, "calibrate": settings.calibrate}
    measured = stamped(Measurement([score]), {**by, **passport, **how, "version": __version__})
    if json.loads(json.dumps(measured.scores[0].record())) not in read(contender.run.metrics):
        keep(measured, contender.run)
