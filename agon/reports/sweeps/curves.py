"""Curves of a sweep: the score and the losses over the steps, a line for each trial, its mean over seeds."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from agon.figures.colours import colour
from agon.reports.curves import FEW, GROUPS, Figure, Trace, safe, thin
from agon.runs import Run
from agon.runs.records import read_log
from agon.sweeps import SweepFolder, SweepRecord
from agon.untrusted import is_number

LOSS = "loss"
SHOWN = 24  # trials with curves; the best ones
Series = Mapping[int, float]  # step -> value


def figures(folder: SweepFolder, record: SweepRecord, trials: Sequence[str], score: str) -> list[Figure]:
    """Return a plot of the score, where it was measured at several steps, and one of each player's loss.

    Args:
        folder: the directory of the sweep.
        record: what its sweep.json holds.
        trials: names of the trials, the best first.
        score: name of the score that decides.
    """
    runs = {trial: [folder.trial(trial).run(seed) for seed in record.plan.seeds] for trial in trials[:SHOWN]}
    scored = {trial: [_scores(run, record, score) for run in of_trial] for trial, of_trial in runs.items()}
    found = [_figure(f"Score: {score}", scored)]
    logs = {trial: [read_log(run.log) for run in of_trial if run.begun] for trial, of_trial in runs.items()}
    keys = dict.fromkeys(key for of_trial in logs.values() for log in of_trial for it in log for key in it)
    for key in (key for key in keys if key.partition("/")[0] == LOSS):
        series = {trial: [_series(log, key) for log in of_trial] for trial, of_trial in logs.items()}
        found.append(_figure(f"{GROUPS[LOSS]}: {key.partition('/')[2]}", series))
    return [figure for figure in found if any(len(trace["x"]) > 1 for trace in figure.traces)]


def _scores(run: Run, record: SweepRecord, name: str) -> Series:
    if not run.begun:
        return {}
    scores = record.plan.scoring.recorded(run)
    return {it.step or 0: it.value for it in scores if it.name == name and it.value is not None and is_number(it.value)}


def _series(log: Iterable[Mapping[str, float]], key: str) -> Series:
    return {int(record["step"]): record[key] for record in log if key in record and is_number(record[key])}


def _figure(title: str, series: Mapping[str, Sequence[Series]]) -> Figure:
    traces = [_trace(index, trial, seeds) for index, (trial, seeds) in enumerate(series.items())]
    return Figure(title, [trace for trace in traces if trace["x"]], False, [])


def _trace(index: int, trial: str, seeds: Sequence[Series]) -> Trace:
    """The mean over the seeds at the steps that any of them has; of a diverged one up to where it came."""
    steps = sorted({step for seed in seeds for step in seed})
    means = [fmean(seed[step] for seed in seeds if step in seed) for step in steps]
    x, y = thin(steps, means)
    return {
        "name": safe(trial),
        "x": x,
        "y": y,
        "mode": "lines+markers" if len(x) <= FEW else "lines",
        "line": {"color": colour(index), "dash": "solid", "width": 1.6},
    }
