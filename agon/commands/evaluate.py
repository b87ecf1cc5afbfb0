"""agon evaluate: scores of runs, or of any folder of samples."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agon.commands.shared import Runs, Set, changed, names
from agon.errors import SettingError


@dataclass
class Evaluate:
    """Score the samples of runs, or of any folder of images: scores with their errors, appended to their run."""

    runs: Runs = ()
    """Run directories."""
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
        from agon.evaluate import Choice

        metrics = names(self.metrics)
        choice = Choice(self.extractor, self.weights, self.download, self.trust)
        if bool(self.runs) == (self.samples is not None):
            raise SettingError("agon evaluate: expected run directories, or --samples FOLDER; give one of both")
        given = [option for option in ("data", "values", "set_") if getattr(self, option)]
        if self.samples is None and given:
            raise SettingError(f"--{given[0].rstrip('_')}: expected with --samples alone; a run has its own")
        if self.samples is not None:
            self._samples(self.samples, metrics, choice)
        else:
            self._runs(metrics, choice)

    def _runs(self, metrics: list[str], choice: Any) -> None:
        from agon.evaluate import IncompleteError, evaluate, ranked
        from agon.runs import Run

        runs = [Run.open(path) for path in self.runs]
        if self.out is not None and len(runs) > 1:
            raise SettingError(f"--out: expected one run, whose scores the folder is for, got {len(runs)}")
        told = []
        for run in runs:
            asked: dict[str, Any] = {"metrics": metrics, "n": self.n, "seed": self.seed, "extractor": choice}
            if len(runs) > 1:
                print(f"{run.path}:")
            try:
                told.append(evaluate(run, **asked, trust=self.trust, out=self.out))
            except IncompleteError as error:
                print(*error.scores, sep="\n")
                raise
            print(*told[-1], sep="\n")
        if len(runs) > 1 and "reconstruction" in metrics:
            found = [next(score for score in scores if score.name == "reconstruction") for scores in told]
            for run, score in zip(runs, ranked(runs, found), strict=True):
                print(f"{run.path}: {score}")

    def _samples(self, samples: Path, metrics: list[str], choice: Any) -> None:
        from agon.data import named
        from agon.evaluate import evaluate_samples, write

        if self.data is None and self.set_:
            raise SettingError("--set: expected with --data, whose settings it changes; name the real images")
        settings = [setting.removeprefix("data.") for setting in self.set_]
        source = None if self.data is None else changed(named(self.data), settings)
        how: dict[str, Any] = {"n": self.n, "seed": self.seed, "extractor": choice, "values": self.values}
        found = evaluate_samples(samples, source, metrics=metrics, **how)
        for measured in found.values():
            print(*measured.scores, sep="\n")
        if self.out is not None:
            write(found, self.out)
