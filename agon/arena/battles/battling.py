"""Battles of runs: critics judge the samples of runs or folders, and the score is recorded in each run."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from agon import __version__
from agon.arena.battles.contenders import BYTES, BattleSettings, Contender, check_same_data
from agon.arena.battles.results import BattleResult
from agon.arena.budgets import unequal_budgets
from agon.errors import DataError
from agon.evaluation.evidence import Measurement
from agon.evaluation.recorded import keep, stamped
from agon.experiment import Experiment
from agon.metrics import Battle, Score, one_sided
from agon.metrics import battle as battle_of_games
from agon.metrics.gam.critic import judges
from agon.metrics.gam.entrants import mapped
from agon.runs import Run, names, read
from agon.samples.making import load, sample
from agon.samples.reading import chosen, read_samples
from agon.terminal.waiting import stage, waiting


def battle(
    first: Run | Path | str,
    second: Run | Path | str,
    *,
    settings: BattleSettings = BattleSettings(),  # noqa: B008 - frozen
    trust: bool = False,
    experiments: tuple[Experiment | None, Experiment | None] = (None, None),
    show: bool = True,
) -> BattleResult:
    """Compute GAM of two runs on the same data or, if one has no critic, the error of the other critic on its samples.

    Samples come from averaged weights where there are any, as in `agon sample`; the critics have the weights of the
    last step. The score is appended to the metrics.jsonl of both runs, each time from that run's side. No other
    process can write their scores meanwhile, but the runs may go on training.

    Args:
        first: the run M_1, or its directory.
        second: the run M_2, or its directory.
        settings: settings of the battle.
        trust: whether classes from outside agon may be imported.
        experiments: the experiments of the two runs, if their classes cannot be imported.
        show: whether to show the progress on standard error.

    Raises:
        DataError: the runs have different data or no critic, or there are too few samples.
        RunError: a run has no checkpoint, or another process writes its scores.
    """
    with waiting(show), stage("battle"), _scoring(Run.of(first), Run.of(second)) as runs:
        short_names = names([run.path for run in runs])
        one, two = (
            Contender(run, load(run, trust=trust, experiment=experiment), name)
            for run, experiment, name in zip(runs, experiments, short_names, strict=True)
        )
        check_same_data(one, two)
        passports: Sequence[dict[str, Any]]
        if judges(one.game) and judges(two.game):
            result = BattleResult.of_both(_mutual_battle(one, two, settings))
            passports = two.as_opponent, one.as_opponent
        else:
            judge, other = (one, two) if judges(one.game) else (two, one)
            result = BattleResult.of_one(_error_on_run(judge, other, settings))
            paths = {"judge_path": judge.path, "opponent_path": other.path}
            passports = [{**paths, "opponent_step": contender.training.step} for contender in (two, one)]
        for contender, score, passport in zip((one, two), result.scores, passports, strict=True):
            _record(contender, score, settings, passport)
    return replace(result, budgets=unequal_budgets({each.name: [each.training.step] for each in (one, two)}))


def against(
    run: Run,
    samples: Path,
    *,
    values: tuple[float, float] | None = None,
    settings: BattleSettings = BattleSettings(),  # noqa: B008 - frozen
    trust: bool = False,
    show: bool = True,
) -> Score:
    """Compute the error of a run's critic on any program's samples in a folder or file, and append it to the run.

    If the run's data are missing or have changed, the critic's error on real samples is left out; a critic whose
    threshold or statistics must be calibrated on real samples is then refused.

    Args:
        run: the run whose critic judges.
        samples: a path for `agon.samples.reading.read_samples`; of more than n samples, n random ones are judged.
        values: (low, high) of pixels that are not bytes.
        settings: settings of the battle; the tie rule is not used.
        trust: whether classes from outside agon may be imported.
        show: whether to show the progress on standard error.

    Raises:
        DataError: the run has no critic, or the samples cannot be read, or differ in shape from the run's.
        RunError: the run has no checkpoint, or another process writes it.
    """
    with waiting(show), stage(f"samples of {samples}"), run.scoring(0):
        judge = Contender(run, load(run, trust=trust), *names([run.path]))
        judged = chosen(read_samples(samples, values, judge.source), settings.n, settings.seed)
        pixels = judged.dtype == torch.uint8
        judged = mapped(judged.float(), BYTES, judge.range) if pixels else judge.source.scaled(judged).float()
        error = _error_on(judge, judged, str(samples), settings)
        _record(judge, error, settings, {"judge_path": judge.path, "opponent_path": str(samples.resolve())})
    return error


@contextmanager
def _scoring(first: Run, second: Run) -> Iterator[tuple[Run, Run]]:
    """Lock the scores of both runs, so that a battle is recorded in both, or refused before it begins."""
    if first.path.resolve() == second.path.resolve():
        second = first  # its lock can be taken twice
    with first.scoring(0), second.scoring(0):
        yield first, second


def _mutual_battle(one: Contender, two: Contender, settings: BattleSettings) -> Battle:
    with ExitStack() as stack:
        return battle_of_games(
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
            train=_trained_on(one, two, settings.n),
            tie=settings.tie,
        )


def _trained_on(one: Contender, two: Contender, n: int) -> tuple[Tensor, Tensor] | None:
    """At most n samples that each was trained on, in the first's range; None if one's data are endless."""
    first, second = one.train_samples(n), two.train_samples(n)
    if first is None or second is None:
        return None
    return first, mapped(second, two.range, one.range)


def _error_on_run(judge: Contender, other: Contender, settings: BattleSettings) -> Score:
    if not judges(judge.game):
        kinds = " and ".join(type(contender.game).__name__.lower() for contender in (other, judge))
        raise DataError(f"a battle: expected at least one run with a critic, got {kinds}, in which nobody judges")
    samples = judge.source.scaled(sample(other.training, settings.n, settings.seed)).float()
    samples = mapped(samples, other.range, judge.range)
    return _error_on(judge, samples, other.name, settings)


def _error_on(judge: Contender, samples: Tensor, opponent: str, settings: BattleSettings) -> Score:
    """Compute the error of a critic on samples "n *shape" in the range of its data."""
    with judge.training.painting() as paint:
        score = one_sided(
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
    """Append a score to a run, unless the same score is there."""
    identity = {"step": contender.training.step, "seed": settings.seed, "asked": settings.n, "metric": "battle"}
    options = {"statistics": settings.statistics, "calibrate": settings.calibrate}
    measurement = stamped(Measurement([score]), {**identity, **passport, **options, "version": __version__})
    if json.loads(json.dumps(measurement.scores[0].record())) not in read(contender.run.metrics):
        keep(measurement, contender.run)
