"""Make samples from the last good checkpoint of a finished or stopped run."""

from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeVar, get_args

import torch
from jaxtyping import Shaped
from torch import Tensor

from agon.data import Source
from agon.data.source import Known
from agon.errors import RunError, SettingError
from agon.experiment import Experiment
from agon.experiment.scripts import stop_script
from agon.runs import Run
from agon.runs.layout import ARITHMETIC
from agon.training import Compute, Training
from agon.training.memory import enough_memory
from agon.training.randomness import stream
from agon.training.restoring import restore_last, restore_step
from agon.training.state import restore_model

Weights = Literal["average", "live"]
WEIGHTS = get_args(Weights)
T = TypeVar("T", bound=Training)


def load(
    run: Run | Path | str,
    *,
    trust: bool = False,
    experiment: Experiment | None = None,
    weights: Weights = "average",
    step: int | None = None,
) -> Training:
    """Load a run at its last good checkpoint, for samples and metrics; the data are not needed.

    The game has one set of weights: the averaged ones, if the run averages any, with their own statistics, as in
    `agon sample`; or those of the step itself.

    Args:
        run: the run, or its directory.
        trust: whether a user's classes may be imported.
        experiment: the experiment of the run, if its classes cannot be imported.
        weights: "average" for the averaged weights, if the run averages any; "live" for those of the step itself.
        step: the step of a checkpoint that the run has kept; by default the last one.

    Raises:
        SettingError: `weights` has another value.
        RunError: there is no intact checkpoint, or none of that step, or experiment.json was changed by hand.
    """
    return load_as(Training, run, trust=trust, experiment=experiment, weights=weights, step=step)


def load_as(
    kind: type[T],
    run: Run | Path | str,
    *,
    trust: bool = False,
    experiment: Experiment | None = None,
    weights: Weights = "average",
    step: int | None = None,
) -> T:
    """Load a run as `load` does, as an instance of a subclass of `Training`."""
    if weights not in WEIGHTS:
        raise SettingError(f"weights: expected 'average' or 'live', got {weights!r}")
    stop_script()
    run = Run.of(run)
    experiment = experiment or Experiment.from_json(run.experiment, trust)
    experiment = replace(experiment, data=_with_recorded_shape(run, experiment.data))
    compute = Compute.continued({**run.compute, "device": "auto", "devices": 1, "compile": "off"}).resolved()
    with enough_memory():
        training = kind(experiment, compute, torch.device(compute.device))
    if step is None:
        checkpoint, _ = restore_last(training, run, restore_model)
    else:
        checkpoint = restore_step(training, run, step, restore_model)
    if checkpoint is None:
        raise RunError(f"{run.path} has no checkpoint yet; agon resume {run.path} makes one")
    training.begun = str(checkpoint.state.get("fingerprint", ""))
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
