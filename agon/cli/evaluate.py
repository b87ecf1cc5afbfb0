"""agon evaluate: scores of runs, or of any folder of samples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agon.cli.catalogue import check_metrics
from agon.cli.shared import Runs, Set, assignments, changed, names, of_data, spread
from agon.errors import AgonError, SettingError
from agon.terminal import say


@dataclass
class Evaluate:
    """Score the samples of runs, or of any folder of images: scores with their errors, appended to their run."""

    runs: Runs = ()
    """Run directories, or those of many seeds, whose scores are summed up over the seeds."""
    metrics: str = ""
    """Some of is, fid, fid-shrunk, kid, pr, prdc, classifier, modes, pairwise, neighbours, reconstruction, paths, with
    commas between; by default what the data allow."""
    n: int = 10_000
    """How many samples, and at most as many real ones."""
    seed: int = 0
    """Of the latents; with --samples, of their choice where there are more than n."""
    extractor: str = "inception"
    """Of the features that is, fid, kid, pr and prdc compare: inception, classifier (the data's own), pixels, or
    package.module:Name."""
    weights: Path | None = None
    """The Inception's weights, where they are not in torch's cache."""
    download: bool = False
    """Fetch the Inception's weights, 96 MB, once."""
    samples: Path | None = None
    """A folder of images, or an array file, of another program's samples, in the place of runs."""
    data: str | None = None
    """With --samples, the real ones: a folder, a file, a Hub name, or the name of a toy."""
    values: tuple[float, float] | None = None
    """With --samples, the values of black and white in arrays that are no bytes."""
    out: Path | None = None
    """A folder for metrics.jsonl and the pictures: of --samples, or of one run that is only to be read."""
    set_: Set = ()
    """With --data, change one setting of it, e.g. --set data.size=32."""
    trust: bool = False
    """Allow the import of classes that are not agon's."""

    def __call__(self) -> None:
        metrics = names(self.metrics)
        check_metrics(metrics, self.extractor)
        if bool(self.runs) == (self.samples is not None):
            raise SettingError("agon evaluate: expected run directories, or --samples FOLDER; give one of both")
        given = [option for option in ("data", "values", "set_") if getattr(self, option)]
        if self.samples is None and given:
            raise SettingError(f"--{given[0].rstrip('_')}: expected with --samples alone; a run has its own")
        if self.data is None and self.set_:
            raise SettingError("--set: expected with --data, whose settings it changes; name the real images")
        settings = of_data(assignments(self.set_))
        from agon.evaluation import ExtractorSpec

        choice = ExtractorSpec(self.extractor, self.weights, self.download, self.trust)
        if self.samples is not None:
            self._samples(self.samples, settings, metrics, choice)
        else:
            self._runs(metrics, choice)

    def _runs(self, metrics: list[str], choice: Any) -> None:
        """Every run, whatever becomes of the others; what went wrong is told last."""
        from agon.arena import ranked
        from agon.evaluation import IncompleteError
        from agon.runs import Run

        groups = [[Run.open(path) for path in spread([path])] for path in self.runs]
        runs = [run for group in groups for run in group]
        if self.out is not None and len(runs) > 1:
            raise SettingError(f"--out: expected one run, whose scores the folder is for, got {len(runs)}")
        failed: list[AgonError] = []
        told = {run: self._scores(run, metrics, choice, failed, name=len(runs) > 1) for run in runs}
        for path, group in zip(self.runs, groups, strict=True):
            if len(group) > 1:
                say(f"{path}, mean and 95 % interval over seeds:", *over_seeds([told[run] for run in group]))
        if len(runs) > 1 and "reconstruction" in metrics and not failed:
            found = [next(score for score in told[run] if score.name == "reconstruction") for run in runs]
            for run, score in zip(runs, ranked(runs, found), strict=True):
                say(f"{run.path}: {score}")
        if failed:
            raise failed[0] if len(failed) == 1 else IncompleteError([], failed)

    def _scores(self, run: Any, metrics: list[str], choice: Any, failed: list[AgonError], name: bool) -> Sequence[Any]:
        from agon.evaluation import IncompleteError, evaluate

        if name:
            say(f"{run.path}:")
        scores: Sequence[Any] = ()
        how: dict[str, Any] = {"metrics": metrics, "n": self.n, "seed": self.seed, "extractor": choice}
        try:
            scores = evaluate(run, **how, trust=self.trust, out=self.out)
        except IncompleteError as error:
            scores = error.scores
            failed.append(error)
        except AgonError as error:
            failed.append(error)
        say(*scores)
        return scores

    def _samples(self, samples: Path, settings: list[tuple[str, str]], metrics: list[str], choice: Any) -> None:
        from agon.data import named
        from agon.evaluation import IncompleteError, evaluate_samples

        source = None if self.data is None else changed(named(self.data), settings)
        split = any(path == "holdout" for path, _ in settings)
        how: dict[str, Any] = {"n": self.n, "seed": self.seed, "extractor": choice, "values": self.values}
        how["compared"] = None if source is None or split else whole(source)
        try:
            self._tell(evaluate_samples(samples, source, metrics=metrics, **how))
        except IncompleteError as error:
            self._tell(error.measured)
            raise

    def _tell(self, found: Mapping[str, Any]) -> None:
        from agon.evaluation import write

        for measured in found.values():
            say(*measured.scores)
        if self.out is not None:
            write(found, self.out)


def over_seeds(seeds: Sequence[Sequence[Any]]) -> list[str]:
    """A line for each score: its mean over the seeds that have it, with the interval of the mean by Student's t."""
    from agon.papers.intervals import interval

    names = dict.fromkeys(score.name for scores in seeds for score in scores)
    width = max(map(len, names), default=0)
    lines = []
    for name in names:
        values = [float(score.value) for scores in seeds for score in scores if score.name == name]
        found = interval(values)
        half = "" if found.half is None else f" [{found.mean - found.half:.4g}, {found.mean + found.half:.4g}]"
        lines.append(f"  {name:{width}}  {found.mean:.4g}{half}  ({len(values)} seeds)")
    return lines


def whole(source: Any) -> Any:
    """A source without a part that is held out, where it has no test split of its own: of stacks, what they stack."""
    if hasattr(source, "of"):
        return replace(source, of=whole(source.of))
    return replace(source, holdout=0.0) if hasattr(source, "holdout") else source
