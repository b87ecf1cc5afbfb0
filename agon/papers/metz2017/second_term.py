"""Section 2.4: the second term of the unrolled gradient against K.

| the paper | here |
|---|---|
| equation 12: df_K/dθ_G = ∂f/∂θ_G + ∂f/∂θ_D^K · dθ_D^K/dθ_G | both terms, float64, at the end of a training |
| "As K → ∞, θ_D^K goes to a local optimum of f [...] the second term in Eq. 12 goes to 0" | under 1e-6 at K = 100 |
| which game, which K: not stated, no number | a critic with one optimum, and figure 1's ring; K = 1 to 100 |

The small game is the ring's generator against a logistic regression of the point, which plain gradient steps of rate
1/2 bring to its only optimum. The ring's own critic has a hidden layer of 128 and Adam with a rate of 1e-4, which 100
steps do not bring anywhere near an optimum: what the paper says of K → ∞ need not be seen there, and whether it is, is
the second expectation. The first term is the generator's gradient at the critic after K real steps of its optimiser;
the second one is what the whole gradient, as `agon.unrolled_loss` computes it, has beside it.

Whether the networks were trained is no part of the claim, so that untrained ones meet it, too; the control is the rows,
or the sides of the ratio, exchanged. A gradient without its second term, and a critic that stands still, are in the
tests.
"""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from agon.dynamics.unrolled.loss import unrolled_loss
from agon.dynamics.unrolled.referee import Referee
from agon.experiment import Experiment
from agon.figures.curves import Curve, Panel, curves_png
from agon.games import Adversarial, Batch
from agon.games.adversarial import loss_by
from agon.metrics.second_term import critic_slope, second_term
from agon.papers.expectation import Expectation
from agon.papers.item import Item, Rows, TrainedRuns
from agon.papers.metz2017.models import UPDATES
from agon.recipes.metz2017.ring import RING_K10, RING_LOGISTIC
from agon.recipes.scales import Scale
from agon.runs import Run
from agon.training import Compute, Training
from agon.training.restoring import restore_last

AHEAD = (1, 2, 5, 10, 20, 50, 100)
BATCH = {"smoke": 16, "quick": 512, "paper": 512}
GONE = 1e-6  # of the whole gradient, that we read as "goes to 0"
SMALL, RING = "logistic regression", "figure 1's ring"
PLAIN = Compute(device="cpu", threads=1, compile="off", fused=False)


class Terms(NamedTuple):
    """Both terms of equation 12, and how far the critic is from an optimum.

    Attributes:
        first: ∂f/∂θ_G at the critic after K steps, of all of the generator's parameters.
        second: ∂f/∂θ_D^K · dθ_D^K/dθ_G.
        slope: ∂f/∂θ_D^K, of all of the critic's parameters.
    """

    first: Float[Tensor, " p"]
    second: Float[Tensor, " p"]
    slope: Float[Tensor, " q"]


def terms(training: Training, batch: Batch, steps: int) -> Terms:
    """The terms of a training's generator after K = `steps` steps of its critic."""
    game = training.game
    assert isinstance(game, Adversarial)
    critic, optimiser = game.critic, training.optimisers["critic"]
    parameters = list(game.generator.parameters())
    inner, outer = (partial(loss_by, game, batch, of) for of in ("critic", "generator"))
    surrogate = unrolled_loss(critic, optimiser, inner=inner, outer=outer, steps=steps)
    whole = _flat(torch.autograd.grad(surrogate, parameters))
    first, slope = (
        _flat(Referee(critic, optimiser, inner, outer, steps, of).first_order(steps))
        for of in (parameters, list(critic.parameters()))
    )
    return Terms(first, whole - first, slope)


def rows(runs: Mapping[str, Run], scale: Scale) -> Rows:
    """A row for each training and K."""
    measured = {}
    for label, run in runs.items():
        training = restored(run)
        n = BATCH[scale]
        batch = _batch(training, n)
        before = terms(training, batch, 0).slope
        for k in AHEAD:
            found = terms(training, batch, k)
            measured[_row(label, k)] = (second_term(found.first, found.second, n), critic_slope(found.slope, before, n))
    return measured


def draw(runs: TrainedRuns, scale: Scale) -> Mapping[str, bytes]:
    """A panel for each score: a line for each seed, against K."""
    of_seeds = [rows({label: seeds[seed] for label, seeds in runs.items()}, scale) for seed in range(_seeds(runs))]
    panels = [
        Panel(
            title,
            [
                Curve(label, AHEAD, [scores[_row(label, k)][place].value for k in AHEAD])
                for scores in of_seeds
                for label in runs
            ],
            x_label="K",
            log=True,
        )
        for place, title in enumerate(("second term / whole gradient", "critic's gradient / that at K = 0"))
    ]
    return {".png": curves_png(panels, columns=2)}


def restored(run: Run) -> Training:
    """A run's training in float64, its optimisers' moments included."""
    training = Training(Experiment.from_json(run.experiment), PLAIN.resolved(), torch.device("cpu"))
    restore_last(training, run)
    training.game.double()
    for optimiser in training.optimisers.values():
        optimiser.load_state_dict(optimiser.state_dict())  # which takes its parameters' precision
    return training


def _batch(training: Training, n: int) -> Batch:
    real = training.experiment.data.take(n).real.double()
    return Batch(real, training.fixed_latents(n).double(), {})


def _flat(gradients: Iterable[Tensor | None]) -> Float[Tensor, " p"]:
    return torch.cat([gradient.flatten() for gradient in gradients if gradient is not None])


def _seeds(runs: TrainedRuns) -> int:
    return min(map(len, runs.values()))


def _row(label: str, k: int) -> str:
    return f"{label}, K = {k}"


SECTION_2_4 = Item(
    name="metz2017/section2.4",
    paper="Metz et al. 2017, section 2.4 and equation 12",
    claim="the second term of the unrolled gradient goes to 0 as K grows and the critic comes to an optimum",
    trainings={SMALL: RING_LOGISTIC, RING: RING_K10},
    measure=rows,
    draw=draw,
    expects=(
        Expectation(
            says="as K grows, the critic comes to an optimum, and the second term goes to 0",
            score="second-term",
            row=_row(SMALL, AHEAD[-1]),
            below=GONE,
            direction=_row(SMALL, AHEAD[0]),
        ),
        Expectation(
            says="on the ring, too, less is left of it after more steps",
            score="second-term",
            row=_row(RING, AHEAD[-1]),
            below=_row(RING, 10),
        ),
    ),
    controls=("exchanged",),
    updates=UPDATES,
)
