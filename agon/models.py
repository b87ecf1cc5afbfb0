"""A trained model: one object to sample, walk, score and export, from a run alone.

model = agon.load("runs/digits")
samples = model.sample(64)
walk = model.walk(paths=4, steps=16)
print(*model.score(metrics=["pairwise"]))
model.export("digits.safetensors")
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from agon.errors import SettingError
from agon.evaluation import ExtractorSpec, score
from agon.evaluation.evaluating import N
from agon.experiment import Experiment
from agon.exports.exporting import File, export_loaded
from agon.exports.formats import Format
from agon.metrics import Score
from agon.networks.layers import evaluation_mode
from agon.runs import Run
from agon.samples import interpolate, sample
from agon.samples.making import Weights, latents, load_as
from agon.terminal.waiting import waiting
from agon.training import Training


class Model(Training):
    """A run at one of its checkpoints, with one set of weights; made by `agon.load`.

    Its networks are ordinary modules in `game`, such as `model.game.generator`.

    Attributes:
        run: the run.
        weights: "average" if `game` has the averaged weights, "live" if it has those of the step itself.
    """

    run: Run
    weights: Weights

    def sample(
        self, n: int = 64, seed: int = 0, *, label: int | str | None = None, truncation: float | None = None
    ) -> Shaped[Tensor, "n *shape"]:
        """Generate n samples "n *shape" in the data's range, or in the units of a table; see `agon.sample`."""
        return sample(self, n, seed, label=label, truncation=truncation)

    def walk(
        self,
        paths: int = 8,
        steps: int = 8,
        seed: int = 0,
        *,
        label: int | str | None = None,
        truncation: float | None = None,
    ) -> Shaped[Tensor, "paths steps *shape"]:
        """Generate samples along paths between pairs of latents, spherical for normal latents; see `agon.sample`."""
        walked = interpolate(self, paths, steps, seed, label=label, truncation=truncation)
        return walked.reshape(paths, steps, *walked.shape[1:])

    def latents(self, n: int, seed: int = 0) -> Shaped[Tensor, "n *latent_shape"]:
        """The latents from which `sample` generates; `samples` generates from any latents.

        Raises:
            SettingError: n is under 1, or the run's game generates nothing.
        """
        return latents(self, n, seed)

    @torch.no_grad()
    def realness(self, x: Float[Tensor, "n ..."]) -> Float[Tensor, " n"]:
        """How real the run's critic finds samples "n *shape" in the data's range; higher is more real.

        Raises:
            SettingError: nobody in the run's game scores samples.
        """
        with evaluation_mode(self.game):
            realness = self.game.realness(x.to(self.device, self.compute.dtype))
        if realness is None:
            raise SettingError(f"expected a game with a critic, got {type(self.game).__name__}, which scores nothing")
        return realness.float().cpu()

    def score(
        self,
        metrics: Sequence[str] = (),
        n: int = N,
        seed: int = 0,
        extractor: ExtractorSpec = ExtractorSpec(),  # noqa: B008 - frozen
    ) -> list[Score]:
        """Score n samples as `agon.evaluate` does, of this step and by these weights.

        Scores are recorded in the run, except those of live weights where the run has averaged ones.

        Args:
            metrics: names of metrics; by default those that the data allow without pretrained weights.
            n: number of generated samples, and largest number of real ones.
            seed: seed of the latents.
            extractor: extractor of the features, for the metrics that compare features.

        Raises:
            SettingError: a metric is unknown, or does not apply to the run.
            DataError: the data cannot be read or have changed, or a metric cannot be computed of the samples.
        """
        kept = self.run if self.weights == "average" or self.experiment.averaging is None else None
        with waiting():
            return score(self, kept, metrics=metrics, n=n, seed=seed, extractor=extractor)

    def export(self, out: Path | str, to: Format | None = None, player: str = "generator") -> File:
        """Write a player's network, with these weights, as a file that needs no agon, and check it: see `agon.export`.

        Raises:
            SettingError: the game has no such player, or the format cannot take its network.
            NotInstalledError: "onnx" without the extra `export`.
            RunError: the file cannot be written.
        """
        return export_loaded(self, out, to, player)


def load(
    run: Run | Path | str,
    *,
    trust: bool = False,
    experiment: Experiment | None = None,
    data: Any = None,
    weights: Weights = "average",
    step: int | None = None,
) -> Model:
    """Load a run, for samples and scores; only scores that compare with real samples need the data.

    Args:
        run: the run, or its directory.
        trust: whether a user's classes may be imported, which runs their code.
        experiment: the experiment of the run, if its classes cannot be imported.
        data: the data that were handed over in Python when the run was begun, again, for scores that need them.
        weights: "average" for the averaged weights, if the run averages any, with statistics of their own, as in
            `agon sample`; "live" for those of the step itself.
        step: the step of a checkpoint that the run has kept; by default the last good one.

    Raises:
        SettingError: `weights` has another value, or the run's classes may not be imported.
        RunError: there is no run, no intact checkpoint or none of that step, or experiment.json was changed by hand.
    """
    model = load_as(Model, run, trust=trust, experiment=experiment, data=data, weights=weights, step=step)
    model.run = Run.of(run)
    model.weights = weights if model.experiment.averaging is not None else "live"
    return model
