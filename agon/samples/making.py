"""Make samples from the last good checkpoint of a finished or stopped run."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import torch
from jaxtyping import Shaped
from torch import Tensor

from agon.data import Source
from agon.data.source import Known
from agon.errors import RunError, SettingError
from agon.experiment import Experiment
from agon.runs import Run
from agon.runs.layout import ARITHMETIC
from agon.training import Compute, Training
from agon.training.memory import enough_memory
from agon.training.randomness import stream
from agon.training.released import refuse_averaged_alone
from agon.training.restoring import restore_last
from agon.training.state import restore_model


def load(
    run: Run | Path | str,
    *,
    trust: bool = False,
    experiment: Experiment | None = None,
    weights: Literal["averaged", "live"] = "averaged",
) -> Training:
    """Load a run at its last good checkpoint, for samples and metrics; the data are not needed.

    The game has one set of weights: the averaged ones, if the run averages any, with their own statistics, as in
    `agon sample`; or those of the last step.

    Args:
        run: the run, or its directory.
        trust: whether a user's classes may be imported.
        experiment: the experiment of the run, if its classes cannot be imported.
        weights: which weights to load.

    Raises:
        SettingError: `weights` has another value.
        RunError: there is no intact checkpoint, or experiment.json was changed by hand.
    """
    if weights not in ("averaged", "live"):
        raise SettingError(f"weights: expected 'averaged' or 'live', got {weights!r}")
    run = Run.of(run)
    experiment = experiment or Experiment.from_json(run.experiment, trust)
    experiment = replace(experiment, data=_with_recorded_shape(run, experiment.data))
    compute = Compute.read({**run.compute, "device": "auto", "devices": 1, "compile": "off"}).resolved()
    with enough_memory():
        training = Training(experiment, compute, torch.device(compute.device))
    checkpoint, _ = restore_last(training, run, restore_model)
    if checkpoint is None:
        raise RunError(f"{run.path} has no checkpoint yet; agon resume {run.path} makes one")
    training.begun = str(checkpoint.state.get("fingerprint", ""))
    if weights == "live":
        refuse_averaged_alone(checkpoint, experiment)
    training.use_weights(weights)
    return training


def _with_recorded_shape(run: Run, source: Source) -> Source:
    """Return the source with the shape and classes that the run recorded; runs of earlier versions recorded none."""
    record = run.compute.get("source")
    shape, classes = (record.get(name) for name in ("shape", "classes")) if isinstance(record, dict) else (None, None)
    if not isinstance(shape, list) or not isinstance(classes, list) or not shape:
        return source
    if any(type(side) is not int or side < 1 for side in shape) or any(type(name) is not str for name in classes):
        raise RunError(f"{run.path / ARITHMETIC}: expected the shape and the classes of its source; put it back")
    return source.knowing(Known(tuple(shape), tuple(classes)))


def sample(training: Training, n: int, seed: int = 0) -> Shaped[Tensor, "n *shape"]:
    """Generate n samples "n *shape" in the data's range, from the latents of a seed.

    Raises:
        SettingError: n is under 1, or the run's game generates nothing.
    """
    return training.samples(latents(training, n, seed))


def interpolate(training: Training, paths: int, steps: int, seed: int = 0) -> Shaped[Tensor, "n *shape"]:
    """Generate samples "paths·steps *shape" along paths between random latents, spherical for normal latents."""
    if steps < 1:
        raise SettingError(f"--interpolate: expected at least 1 sample along each path, got {steps}")
    training.refuse_more("--interpolate", paths * steps)
    ends = latents(training, 2 * paths, seed)
    walk = [training.experiment.latent.path(ends[2 * i], ends[2 * i + 1], steps) for i in range(paths)]
    return training.samples(torch.cat(walk))


def latents(training: Training, n: int, seed: int) -> Shaped[Tensor, "n *shape"]:
    """Draw n latents of a seed.

    Raises:
        SettingError: n is under 1, or the run's game generates nothing.
    """
    if n < 1:
        raise SettingError(f"--n: expected at least 1 sample, got {n}")
    if not training.game.generating_players:
        raise SettingError(
            f"expected a run whose game generates samples, got a {type(training.game).__name__.lower()}, which "
            "generates none; agon evaluate scores it"
        )
    training.refuse_more("--n", n)
    return training.experiment.latent.sample(n, training.game.latent_shape, stream(seed, "samples"))
