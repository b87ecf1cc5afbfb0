"""Several runs by their reconstructions of the same images: who comes nearest, and where they differ most."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from agon import metrics
from agon.errors import RunError
from agon.evaluate.evidence import Measured
from agon.evaluate.recorded import FOLDER, keep, recorded, stamped
from agon.figures.pictures import grid_png
from agon.metrics import Score
from agon.runs import Run, naming
from agon.runs.arrays import arrays
from agon.runs.limits import SAMPLES

SHOWN = 10  # images of the picture, as in metz2017's figure 4


class Found(NamedTuple):
    """One run's reconstructions.

    Attributes:
        targets: "n *shape", images as bytes.
        images: "n *shape", the nearest ones that were found.
        errors: "n", mean squared errors.
    """

    targets: Tensor
    images: Tensor
    errors: Tensor


def ranked(runs: Sequence[Run], scores: Sequence[Score]) -> list[Score]:
    """Per cent of the images on which each run comes nearest, recorded in each, with the images that differ most.

    Args:
        runs: two or more whose reconstructions were measured.
        scores: the "reconstruction" score of each, in the same order.

    Raises:
        RunError: a run's reconstructions are not where they were left, or are of other images.
    """
    names = naming.names([run.path for run in runs])
    if len(set(names)) < len(names):
        raise RunError(f"expected different runs, got {max(names, key=names.count)} twice; give each once")
    found = {name: reconstructions(run, score) for name, run, score in zip(names, runs, scores, strict=True)}
    first = found[names[0]]
    for name, each in found.items():
        if not torch.equal(each.targets, first.targets):
            raise RunError(f"{name}: expected reconstructions of the images that {names[0]} has, got others; use one n")
    shares = metrics.best_rank({name: each.errors for name, each in found.items()})
    pictures = {"reconstructions": _picture(found)} if first.targets.ndim == 4 else {}
    told = []
    for name, run, score in zip(names, runs, scores, strict=True):
        passport = {key: value for key, value in score.passport.items() if key not in ("pictures", "arrays", "torch")}
        passport |= {"metric": "best-rank", "among": names}
        told += recorded(run, passport) or keep(stamped(Measured([shares[name]], pictures), passport), run)
    return told


def reconstructions(run: Run, score: Score) -> Found:
    """What was found for each image when a run's "reconstruction" score was taken.

    Raises:
        RunError: the file is not where it was left.
    """
    name = f"{FOLDER}/{Path(str(score.passport.get('arrays'))).name}"
    try:
        found = arrays(run.files.read(name, SAMPLES), SAMPLES)
        return Found(*(torch.from_numpy(found[each]) for each in Found._fields))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"{run.path / name} cannot be read ({error}); delete the score's line in {run.metrics} and ask again"
        ) from error


def _picture(found: Mapping[str, Found]) -> bytes:
    """A row an image: the target, then every run's, in their order; those of the largest difference first."""
    first, *_, last = found.values()
    order = metrics.by_fractional_difference(first.errors, last.errors)[:SHOWN]
    columns = [first.targets[order], *(each.images[order] for each in found.values())]
    return grid_png(torch.stack(columns, 1).flatten(0, 1), len(columns))
