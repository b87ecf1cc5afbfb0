"""Several runs by their reconstructions of the same images: who comes nearest, and where they differ most."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from agon import metrics
from agon.errors import RunError
from agon.evaluation.evidence import Measurement
from agon.evaluation.recorded import keep, recorded, stamped
from agon.figures.pictures import grid_png
from agon.metrics import Score
from agon.runs import Run, naming
from agon.runs.scores import attached_arrays, attachment

SHOWN = 10  # images of the picture, as in metz2017's figure 4


class Reconstructions(NamedTuple):
    """What one run's generator can come nearest to.

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
    by_run = {name: reconstructions(run, score) for name, run, score in zip(names, runs, scores, strict=True)}
    first = by_run[names[0]]
    for name, of_run in by_run.items():
        if not torch.equal(of_run.targets, first.targets):
            raise RunError(f"{name}: expected reconstructions of the images that {names[0]} has, got others; use one n")
    shares = metrics.best_rank({name: of_run.errors for name, of_run in by_run.items()})
    pictures = {"reconstructions": _picture(by_run)} if first.targets.ndim == 4 else {}
    ranks = []
    for name, run, score in zip(names, runs, scores, strict=True):
        passport = {key: value for key, value in score.passport.items() if key not in ("pictures", "arrays", "torch")}
        passport |= {"metric": "best-rank", "among": names}
        ranks += recorded(run, passport) or keep(stamped(Measurement([shares[name]], pictures), passport), run)
    return ranks


def reconstructions(run: Run, score: Score) -> Reconstructions:
    """What was found for each image when a run's "reconstruction" score was taken.

    Raises:
        RunError: the file is not where it was left.
    """
    named = score.passport.get("arrays")
    try:
        arrays = attached_arrays(run.path, named)
        return Reconstructions(*(torch.from_numpy(arrays[name]) for name in Reconstructions._fields))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"{run.path / attachment(named)} cannot be read ({error}); delete the score's line in {run.metrics} and "
            "ask again"
        ) from error


def _picture(by_run: Mapping[str, Reconstructions]) -> bytes:
    """A row an image: the target, then every run's, in their order; those of the largest difference first."""
    first, *_, last = by_run.values()
    order = metrics.by_fractional_difference(first.errors, last.errors)[:SHOWN]
    columns = [first.targets[order], *(of_run.images[order] for of_run in by_run.values())]
    return grid_png(torch.stack(columns, 1).flatten(0, 1), len(columns))
