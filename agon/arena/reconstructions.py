"""Compare runs by their reconstructions of the same images: who comes nearest, and where they differ most."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from agon import metrics
from agon.errors import RunError
from agon.evaluation.evidence import Measurement
from agon.evaluation.recorded import keep, recorded, stamped
from agon.figures.pictures import grid_png
from agon.metrics import Score
from agon.runs import Run, naming
from agon.runs.scores import attached_arrays, attachment
from agon.untrusted import MALFORMED

SHOWN = 10  # images in the picture, as in figure 4 of metz2017


class Reconstructions(NamedTuple):
    """The reconstructions of images by one run's generator.

    Attributes:
        targets: "n *shape", images as bytes.
        images: "n *shape", the nearest generated images.
        errors: "n", mean squared errors.
    """

    targets: Shaped[Tensor, "n *shape"]
    images: Shaped[Tensor, "n *shape"]
    errors: Float[Tensor, " n"]


def ranked(runs: Sequence[Run], scores: Sequence[Score]) -> list[Score]:
    """Score each run by the share of images (in per cent) that it reconstructs best, and record the scores.

    Args:
        runs: two or more runs with a "reconstruction" score.
        scores: these scores, in the same order.

    Raises:
        RunError: a run's file of reconstructions is missing, or the runs reconstructed different images.
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
    """Read the reconstructions that belong to a run's "reconstruction" score.

    Raises:
        RunError: their file is missing or damaged.
    """
    file = score.passport.get("arrays")
    try:
        arrays = attached_arrays(run.path, file)
        return Reconstructions(*(torch.from_numpy(arrays[name]) for name in Reconstructions._fields))
    except (OSError, *MALFORMED) as error:
        raise RunError(
            f"{run.path / attachment(file)} cannot be read ({error}); delete the score's line in {run.metrics} and "
            "ask again"
        ) from error


def _picture(by_run: Mapping[str, Reconstructions]) -> bytes:
    """Draw a row for each image: the target, then each run's reconstruction; largest differences first."""
    first, *_, last = by_run.values()
    order = metrics.by_fractional_difference(first.errors, last.errors)[:SHOWN]
    columns = [first.targets[order], *(of_run.images[order] for of_run in by_run.values())]
    return grid_png(torch.stack(columns, 1).flatten(0, 1), len(columns))
