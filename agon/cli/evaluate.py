"""agon evaluate: score runs, or any folder of samples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agon.arguments import PROCESSES, check_count, check_samples, check_seed
from agon.cli.catalogue import check_metrics
from agon.cli.checks import check_scored, check_source, refuse_idle
from agon.cli.evaluations import FEATURED
from agon.cli.shared import (
    CpusOption,
    GpusOption,
    MinutesOption,
    OnOption,
    ProgressOption,
    RunPaths,
    ScriptOption,
    SetOptions,
    SizeOption,
    assignments,
    image_settings,
    names,
    of_data,
    place_of,
    run_script,
    source_named,
    spread,
)
from agon.errors import AgonError, SettingError
from agon.places import refuse_no_samples
from agon.runs.named import local
from agon.terminal import say


@dataclass
class Evaluate:
    """Score the samples of runs, record the scores in the runs, and say which run is best; or score any images."""

    runs: RunPaths = ()
    """Run directories, or folders of them. Runs that differ in their seed alone are also summarised over seeds."""
    metrics: str = ""
    """Comma-separated metrics, out of is, fid, fid-shrunk, kid, pr, prdc, classifier, modes, pairwise, neighbours,
    reconstruction, paths, class-accuracy, intra-kid, intra-fid-shrunk. By default those that the data allow."""
    n: int = 10_000
    """Number of generated samples, and largest number of real ones."""
    seed: int = 0
    """Seed of the latents; with --samples, of the choice of n samples out of more."""
    extractor: str = "auto"
    """Feature extractor of is, fid, kid, pr, prdc: efficientnet, random, inception (for published numbers), classifier,
    pixels, or your package.module:Name. By default efficientnet, or random where its package is not installed."""
    weights: Path | None = None
    """File of the weights of Inception or EfficientNet; by default the one in torch's cache, or the package's."""
    download: bool = False
    """Download the Inception network's weights (96 MB) if they are not there."""
    step: int | None = None
    """Step of a checkpoint that the runs have kept; by default the last one."""
    samples: Path | None = None
    """Score these samples instead of runs: a folder of images or an array file, made by any program."""
    data: str | None = None
    """With --samples: the real data; a folder, a file, a Hub name, or the name of a toy distribution. For runs, too: a
    .npz file of mu and sigma as pytorch-fid, clean-fid and --statistics write it, for fid alone."""
    size: SizeOption = None
    """With --data: crop the real images at the centre and resize them to this side, or to HEIGHTxWIDTH."""
    skip_corrupt: bool = False
    """With --data: leave out real images that cannot be read."""
    values: tuple[float, float] | None = None
    """With --samples: the values of black and white in arrays of floats, e.g. -1 1."""
    out: Path | None = None
    """Folder for metrics.jsonl and pictures: with --samples, or for a run that must not be changed."""
    statistics: Path | None = None
    """With --samples, which are real ones: write mu and sigma of their features to this .npz file, for --data."""
    set_: SetOptions = ()
    """With --data: change one setting of the data, e.g. --set data.size=32."""
    jobs: int = 1
    """Number of processes that score several runs at a time; it changes no digit."""
    on: OnOption = PROCESSES
    cpus_per_job: CpusOption = None
    gpus_per_job: GpusOption = None
    minutes_per_job: MinutesOption = None
    minutes_without_progress: ProgressOption = None
    trust: bool = False
    """Allow imports of classes from outside agon, which runs their code."""
    from_: ScriptOption = None
    """Run this script of yours, up to its first training, for the classes that the runs have from it."""

    def __call__(self) -> None:
        metrics = names(self.metrics)
        check_metrics(metrics, self.extractor)
        if bool(self.runs) == (self.samples is not None):
            raise SettingError("agon evaluate: expected run directories, or --samples FOLDER; give one of both")
        reference = self._reference()
        misplaced = [
            option
            for option in ("data", "values", "set_")
            if getattr(self, option) and not (reference and option == "data")
        ]
        if self.samples is None and misplaced:
            raise SettingError(f"--{misplaced[0].rstrip('_')}: expected with --samples alone; a run has its own")
        chosen = image_settings(self.size, self.skip_corrupt)
        if self.data is None and (self.set_ or chosen):
            option = "--set" if self.set_ else "--size" if self.size else "--skip-corrupt"
            raise SettingError(f"{option}: expected with --data, whose settings it changes; name the real images")
        settings = of_data([*chosen, *assignments(self.set_)])
        check_source(self.data)
        check_samples(self.n)
        check_seed(self.seed, "--seed")
        check_count(self.jobs, "--jobs")
        if self.as_jobs and (self.samples is not None or self.out is not None):
            raise SettingError("--jobs, --on, limits of jobs: expected runs, and no --samples or --out; leave them out")
        self.runs = tuple(map(local, self.runs))
        check_scored(self.runs)
        if self.samples is not None:
            refuse_no_samples(self.samples)
        from agon.evaluation import ExtractorSpec, compare_features, statistics_of

        if metrics and self.statistics is None and not compare_features(metrics):
            given = {"--extractor": self.extractor != "auto", "--weights": self.weights, "--download": self.download}
            refuse_idle({option: bool(it) for option, it in given.items()}, FEATURED)
        run_script(self.from_)
        spec = ExtractorSpec(self.extractor, self.weights, self.download, self.trust)
        if self.samples is not None and self.statistics is not None:
            statistics_of(self.samples, self.statistics, extractor=spec, n=self.n, values=self.values)
        elif self.samples is not None:
            self._samples(self.samples, settings, metrics, spec, reference)
        else:
            self._runs(metrics, spec, reference)

    @property
    def as_jobs(self) -> bool:
        """Whether runs are to be scored by other processes."""
        return self.jobs > 1 or place_of(self) != PROCESSES

    def _reference(self) -> Any:
        """Return the statistics that --data names; None if it names anything else."""
        if self.statistics is not None and (self.samples is None or self.data is not None):
            raise SettingError("--statistics: expected with --samples FOLDER alone, whose statistics it writes")
        if self.data is None or not self.data.endswith(".npz"):
            return None
        from agon.metrics import is_statistics, read_statistics

        return read_statistics(Path(self.data)) if is_statistics(Path(self.data)) else None

    def _runs(self, metrics: list[str], spec: Any, reference: Any) -> None:
        """Score every run, even where others fail, and raise the errors last."""
        from agon.arena import ranked
        from agon.evaluation import IncompleteError, score_runs
        from agon.runs import Run

        runs = [Run.open(path) for path in spread(self.runs)]
        if self.out is not None and len(runs) > 1:
            raise SettingError(f"--out: expected one run, whose scores the folder is for, got {len(runs)}")
        failed: list[AgonError] = []
        options = {name: getattr(self, name) for name in ("n", "seed", "step", "trust")}
        options |= {"metrics": metrics, "extractor": spec, "reference": reference}
        faults = score_runs(runs, options, processes=self.jobs, on=place_of(self)) if self.as_jobs else {}
        failed += faults.values()
        runs = [run for run in runs if run.path not in faults]
        scores = {run.path: self._scores(run, options, failed, name=len(runs) > 1) for run in runs}
        if len(runs) > 1:
            say(*summary(scores, apart=len(self.runs) == len(runs), step=self.step))
        if len(runs) > 1 and "reconstruction" in metrics and not failed:
            errors = [next(score for score in scores[run.path] if score.name == "reconstruction") for run in runs]
            for run, score in zip(runs, ranked(runs, errors), strict=True):
                say(f"{run.path}: {score}")
        if failed:
            raise failed[0] if len(failed) == 1 else IncompleteError([], failed)

    def _scores(self, run: Any, options: dict[str, Any], failed: list[AgonError], name: bool) -> Sequence[Any]:
        from agon.evaluation import IncompleteError, evaluate

        if name:
            say(f"{run.path}:")
        scores: Sequence[Any] = ()
        try:
            scores = evaluate(run, **options, out=self.out)
        except IncompleteError as error:
            scores = error.scores
            failed.append(error)
        except AgonError as error:
            failed.append(error)
        say(*scores)
        if scores and self.out is None:
            from agon.reports.trained import renew

            renew(run.path)
        return scores

    def _samples(
        self, samples: Path, settings: list[tuple[str, str]], metrics: list[str], spec: Any, reference: Any
    ) -> None:
        from agon.evaluation import IncompleteError, evaluate_samples

        source = None if self.data is None or reference else source_named(self.data, settings).settled()
        split = any(path == "holdout" for path, _ in settings)
        options: dict[str, Any] = {
            "n": self.n,
            "seed": self.seed,
            "extractor": spec,
            "values": self.values,
            "reference": reference,
        }
        options["compared"] = None if source is None or split else whole(source)
        try:
            self._report(evaluate_samples(samples, source, metrics=metrics, **options))
        except IncompleteError as error:
            self._report(error.measured)
            raise

    def _report(self, measurements: Mapping[str, Any]) -> None:
        """Print the scores, and write them to --out."""
        from agon.evaluation import write

        for measurement in measurements.values():
            say(*measurement.scores)
        if self.out is not None:
            write(measurements, self.out)


def summary(scores: Mapping[Path, Sequence[Any]], *, apart: bool, step: int | None = None) -> list[str]:
    """Return the lines that sum several runs up: means over seeds, a table with a mark at the best, and a sentence.

    Args:
        scores: run directory -> its scores.
        apart: whether each run was named by itself, and is compared even with another seed of its experiment.
        step: the step at which all were scored; None for the last of each.
    """
    from agon.arena import contestant, table, verdict
    from agon.arena.budgets import unequal_budgets
    from agon.runs.groups import by_experiment
    from agon.runs.naming import names as names_of

    groups = by_experiment(list(scores))
    lines = []
    for name, runs in groups.items():
        if len(runs) > 1:
            lines += [f"{name}, mean and 95 % interval over seeds:", *over_seeds([scores[run] for run in runs])]
    if len(groups) == 1 and not apart:
        return lines
    if len(groups) == 1:
        groups = dict(zip(names_of(list(scores)), [[run] for run in scores], strict=True))
        lines += ["", "Settings differ in the seed alone, so what differs below is chance:"]
    contestants = [contestant(name, [scores[run] for run in runs]) for name, runs in groups.items()]
    reached = {name: [_last_step(run) if step is None else step for run in runs] for name, runs in groups.items()}
    budgets = unequal_budgets(reached)
    return [*lines, "", *table(contestants), "", *([budgets] if budgets else []), verdict(contestants)]


def _last_step(run: Path) -> int | None:
    from agon.runs import Run

    return max(Run(run).kept, default=None)


def over_seeds(seeds: Sequence[Sequence[Any]]) -> list[str]:
    """Return a line for each score: its mean over the seeds that have it, with the mean's Student t interval."""
    from agon.arena.comparisons.table import contestant, text
    from agon.metrics.directions import direction_of

    scores = contestant("", seeds).scores
    width = max(map(len, scores), default=0)
    lines = []
    for name, values in scores.items():
        direction, count = direction_of(name), len(values)
        words = f", {direction.words}" if direction else ""
        mean = text(values, name) if count > 1 else f"{values[0].value:.4g}"
        lines.append(f"  {name:{width}}  {mean}{words}  ({count} {'seed' if count == 1 else 'seeds'})")
    return lines


def whole(source: Any) -> Any:
    """Return the source without held-out images, where it has no test split of its own."""
    if hasattr(source, "of"):
        return replace(source, of=whole(source.of))
    return replace(source, holdout=0.0) if hasattr(source, "holdout") else source
