"""Make samples from the last good checkpoint of a finished or stopped run."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar, get_args

import torch
from jaxtyping import Int, Shaped
from torch import Tensor

from agon.averaging import Average, Averaging
from agon.data import Source
from agon.data.given import given_again
from agon.data.source import Known
from agon.errors import RunError, SettingError, command, unknown
from agon.experiment import Experiment
from agon.experiment.scripts import stop_script
from agon.runs import Run
from agon.runs.layout import ARITHMETIC
from agon.terminal import warn
from agon.training import Compute, Training
from agon.training.labels import class_rows
from agon.training.memory import enough_memory
from agon.training.randomness import stream
from agon.training.released import refuse_averaged_alone
from agon.training.restoring import restore_last, restore_step
from agon.training.state import restore_model
from agon.untrusted import is_number

Weights = Literal["average", "live"]
WEIGHTS = get_args(Weights)
T = TypeVar("T", bound=Training)


def load(
    run: Run | Path | str,
    *,
    trust: bool = False,
    experiment: Experiment | None = None,
    data: Any = None,
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
        data: the data that were handed over in Python when the run was begun, again, for metrics that need them. The
            run that `train` returned still holds them.
        weights: "average" for the averaged weights, if the run averages any; "live" for those of the step itself.
        step: the step of a checkpoint that the run has kept; by default the last one.

    Raises:
        SettingError: `weights` has another value.
        RunError: there is no intact checkpoint, or none of that step, or experiment.json was changed by hand.
    """
    return load_as(Training, run, trust=trust, experiment=experiment, data=data, weights=weights, step=step)


def load_as(
    kind: type[T],
    run: Run | Path | str,
    *,
    trust: bool = False,
    experiment: Experiment | None = None,
    data: Any = None,
    weights: Weights = "average",
    step: int | None = None,
) -> T:
    """Load a run as `load` does, as an instance of a subclass of `Training`."""
    if weights not in WEIGHTS:
        raise SettingError(f"weights: expected 'average' or 'live', got {weights!r}")
    stop_script()
    run = Run.of(run)
    experiment = experiment or Experiment.from_json(run.experiment, trust)
    data = run.given if data is None else data
    source = experiment.data if data is None else given_again(experiment.data, data)
    experiment = replace(experiment, data=_with_recorded_shape(run, source))
    training = _built(kind, run, experiment)
    if step is None:
        checkpoint, skipped = restore_last(training, run, restore_model)
        if checkpoint is not None:
            _named(tuple(skipped), checkpoint.step)
    else:
        checkpoint = restore_step(training, run, step, restore_model)
    if checkpoint is None:
        raise RunError(f"{run.path} has no checkpoint yet; {command('resume', run.path)} makes one")
    training.begun = str(checkpoint.state.get("fingerprint", ""))
    if training.game.generated_classes:
        training.class_counts = _recorded_counts(run, training.game.generated_classes)
    if weights == "live":
        refuse_averaged_alone(checkpoint, experiment)
    training.use_weights(weights)
    return training


@lru_cache(maxsize=256)  # a command may load a run several times, and says it once
def _named(skipped: tuple[str, ...], step: int) -> None:
    """Say which newer checkpoints are damaged, and which one is used."""
    for line in skipped:
        warn(f"{line}; step {step} is used")


def untrained(run: Run, *, trust: bool = False) -> Training:
    """Build the training of a run as it began, before its first step, with settled statistics of its generators."""
    experiment = Experiment.from_json(run.experiment, trust)
    experiment = replace(experiment, averaging=None, data=_with_recorded_shape(run, experiment.data))
    training = _built(Training, run, experiment)
    if training.game.generated_classes:
        training.class_counts = _recorded_counts(run, training.game.generated_classes)
    for player in training.game.generating_players:
        training.average = Average(Averaging(player=player), training.game)  # of the first weights alone
        training.use_weights("average")  # which have their statistics found anew
    return training


def _built(kind: type[T], run: Run, experiment: Experiment) -> T:
    """Build a run's training on this machine, with the settings of the run that change the arithmetic."""
    compute = Compute.continued({**run.compute, "device": "auto", "devices": 1, "compile": "off"}).resolved()
    with enough_memory():
        return kind(experiment, compute, torch.device(compute.device))


def _with_recorded_shape(run: Run, source: Source) -> Source:
    """Return the source with the shape and classes that the run recorded; runs of earlier versions recorded none."""
    record = run.compute.get("source")
    shape, classes = (record.get(name) for name in ("shape", "classes")) if isinstance(record, dict) else (None, None)
    if not isinstance(shape, list) or not isinstance(classes, list) or not shape:
        return source
    if any(type(side) is not int or side < 1 for side in shape) or any(type(name) is not str for name in classes):
        raise RunError(f"{run.path / ARITHMETIC}: expected the shape and the classes of its source; put it back")
    return source.knowing(Known(tuple(shape), tuple(classes)))


def _recorded_counts(run: Run, classes: int) -> Tensor | None:
    """Return the number of real samples of each class that the run recorded, or None."""
    record = run.compute.get("source")
    counts = record.get("counts") if isinstance(record, dict) else None
    if counts is None:
        return None
    valid = isinstance(counts, list) and len(counts) == classes
    if not valid or not all(is_number(count) and count >= 0 for count in counts) or not sum(counts):
        raise RunError(f"{run.path / ARITHMETIC}: expected {classes} counts of its source's classes; put them back")
    return torch.tensor(counts, dtype=torch.float64)


class Drawn(NamedTuple):
    """Samples of a run.

    Attributes:
        samples: "n *shape", in the data's range.
        labels: their labels "n"; None if the generator takes none.
        columns: samples in a row of a grid; None for one that is nearly square.
    """

    samples: Shaped[Tensor, "n *shape"]
    labels: Int[Tensor, " n"] | None
    columns: int | None = None


def draw(
    training: Training, n: int, seed: int = 0, label: int | str | None = None, truncation: float | None = None
) -> Drawn:
    """Generate samples as `sample` does, with their labels."""
    labels = labels_of(training, n, seed, label)
    samples = training.samples(latents(training, n, seed, truncation), labels)
    return Drawn(training.experiment.data.restored(samples), labels)


def by_class(training: Training, n: int, seed: int = 0, truncation: float | None = None) -> Drawn:
    """Generate at most n samples of which each row of a grid shows one class, or n samples without classes."""
    classes = training.game.generated_classes
    if not classes:
        return draw(training, n, seed, None, truncation)
    z = latents(training, n, seed, truncation)
    labels, columns = class_rows(n, classes)
    return Drawn(training.samples(z[: len(labels)], labels), labels, columns)


def sample(
    training: Training,
    n: int,
    seed: int = 0,
    *,
    label: int | str | None = None,
    truncation: float | None = None,
) -> Shaped[Tensor, "n *shape"]:
    """Generate n samples "n *shape" in the data's range, or in the units of a table, from the latents of a seed.

    Args:
        training: a loaded run.
        n: number of samples.
        seed: seed of the latents, and of the labels where the generator takes any.
        label: the class of all samples, by its name or its number; by default the labels are drawn as in `labels_of`.
        truncation: τ > 0 draws coordinates of normal latents only within τ standard deviations (`Latent.truncated`).

    Raises:
        SettingError: n is under 1, the run's game generates nothing, its generator takes no labels, there is no such
            class, or its latents are not normal.
    """
    return draw(training, n, seed, label, truncation).samples


def interpolate(
    training: Training,
    paths: int,
    steps: int,
    seed: int = 0,
    *,
    label: int | str | None = None,
    truncation: float | None = None,
) -> Shaped[Tensor, "n *shape"]:
    """Generate samples "paths·steps *shape" along paths between random latents, spherical for normal latents.

    All samples of a path have one label. The arguments are those of `sample`.
    """
    return walked(training, paths, steps, seed, label=label, truncation=truncation).samples


def walked(
    training: Training, paths: int, steps: int, seed: int, *, label: int | str | None, truncation: float | None
) -> Drawn:
    """What `interpolate` makes, with its labels, a path in each row of a grid."""
    if steps < 1:
        raise SettingError(f"--interpolate: expected at least 1 sample along each path, got {steps}")
    training.refuse_more("--interpolate", paths * steps)
    ends = latents(training, 2 * paths, seed, truncation)
    walk = [training.experiment.latent.path(ends[2 * i], ends[2 * i + 1], steps) for i in range(paths)]
    labels = labels_of(training, paths, seed, label)
    labels = None if labels is None else labels.repeat_interleave(steps)
    samples = training.samples(torch.cat(walk), labels)
    return Drawn(training.experiment.data.restored(samples), labels, steps)


def labels_of(training: Training, n: int, seed: int, label: int | str | None = None) -> Int[Tensor, " n"] | None:
    """Labels of n samples of a seed: one class, or drawn with the data's class frequencies; None without classes.

    Raises:
        SettingError: a label is given and the generator takes none, or there is no such class.
    """
    if label is None:
        return training.labels(n, stream(seed, "sample labels"))
    classes = training.game.generated_classes
    if not classes:
        raise SettingError(
            f"--class {label}: expected a run whose generator takes labels, got {type(training.game).__name__.lower()} "
            "with one that takes none; agon recipes lists class-conditional ones, such as miyato2018b/projection"
        )
    return torch.full((n,), class_number(label, training.experiment.data.classes))


def class_number(label: int | str, classes: Sequence[str]) -> int:
    """The number of a class given by its name or number; a name that is also a number is taken as a name.

    Raises:
        SettingError: there is no such class.

    >>> class_number("cat", ["ant", "cat"]), class_number("1", ["ant", "cat"]), class_number(2, ["1", "2", "3"])
    (1, 1, 1)
    """
    name = str(label)
    if name in classes:
        return list(classes).index(name)
    if name.isascii() and name.isdigit() and int(name) < len(classes):
        return int(name)
    raise SettingError(f"--class: {unknown('class', name, classes)}; or give a number from 0 to {len(classes) - 1}")


def latents(training: Training, n: int, seed: int, truncation: float | None = None) -> Shaped[Tensor, "n *shape"]:
    """Draw n latents of a seed.

    Raises:
        SettingError: n is under 1, the run's game generates nothing, or latents that are not normal shall be truncated.
    """
    if n < 1:
        raise SettingError(f"--n: expected at least 1 sample, got {n}")
    if not training.game.generating_players:
        raise SettingError(
            f"expected a run whose game generates samples, got a {type(training.game).__name__.lower()}, which "
            "generates none; agon evaluate scores it"
        )
    training.refuse_more("--n", n)
    latent, shape, rng = training.experiment.latent, training.game.latent_shape, stream(seed, "samples")
    return latent.sample(n, shape, rng) if truncation is None else latent.truncated(n, shape, rng, truncation)
