"""Section 3: what a fixed encoder's gradient paints step by step, beside a GRAN's canvases.

| the paper | here |
|---|---|
| equation 18: x - Σ η_t ∂J/∂x; η_t is not stated | Polyak's rate, see `samples.inversion` |
| the objective |f_x - f_I|², without style; which layer is open | the input of the critic's last layer |
| "a (fixed) convolutional network", trained on other images for classes | D of the same training, MNIST |
| the reference content image I | held-out images, one for each canvas |
| x^(0) is not stated | grey, where a GRAN starts |
| no number, no picture of it | 3 steps beside a GRAN's, then 10, 20, 30 |

D keeps its last weights; its batch normalisation has the statistics of held-out and generated images, as in a battle.
What is expected, and why:

* "This optimization yields a rendering of the content image (in a quality that depends on the chosen feature layer)":
  the gradient of features that were learned paints what is nearer to the reference image ("rendering-error") than that
  of the same network before its first update, which can invert a picture, too.
* "An iterative convolutional network that is trained to accumulate updates onto a visual canvas should be good at
  generating images in general, not just those shown as reference images": a GRAN, which is given no image, comes nearer
  to training images in three steps than the gradient in three ("feature-distance", by the set's own classifier at equal
  contrast).

Not expected, because the gradient of an untrained D meets it: that thirty steps render the image.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from agon.figures.tiles import tiles_png
from agon.games import Adversarial
from agon.metrics.gam.critic import DEFAULT, judge_of
from agon.metrics.pixels import fineness, relative_detail, rendering_error
from agon.networks import cnn
from agon.papers.expectation import Expectation
from agon.papers.im2016.canvases import Canvases, Reference, canvases, levelled, step_row
from agon.papers.im2016.measuring import UNTRAINED, at_first
from agon.papers.item import Item, Rows, Scores, TrainedRuns, first_seeds
from agon.recipes.im2016.trainings import TRAININGS
from agon.recipes.scales import Scale
from agon.runs import Run
from agon.samples.inversion import Encode, invert_features
from agon.samples.making import load
from agon.samples.reading import real_samples
from agon.training import Training

GRAN, GRADIENT = "GRAN3", "gradient"
SHOWN = (1, 2, 3, 10, 20, 30)  # gradient steps
RENDERED = {"smoke": 20, "quick": 1_000, "paper": 5_000}  # images, and samples of the GRAN
DRAWN, TILES = 200, 8  # images that the picture's networks take their statistics from, and those in a panel
CHUNK = 250


class Painted(NamedTuple):
    """What one network paints in either way.

    Attributes:
        canvases: the GRAN's, after each time step.
        gradient: those of the gradient of its critic's features, after each step in `SHOWN`.
        content: the images that these should render.
    """

    canvases: Canvases
    gradient: Canvases
    content: UInt8[Tensor, "n c h w"]


def painted(training: Training, n: int, reference: Reference | None = None) -> Painted:
    """Paint n latents by a training's generator, and n held-out images by the gradient of its critic's features."""
    source = training.experiment.data
    content = real_samples(source, n, split=source.held_out)
    by_gran = canvases(training, n, reference)
    encode = _encoder(training, content, by_gran.images[-1])
    parts = torch.split(content.float().to(training.device) / 255, CHUNK)
    chosen = torch.cat([_steps(encode, part) for part in parts], dim=1)
    return Painted(by_gran, levelled(chosen, reference), content)


def _encoder(training: Training, content: UInt8[Tensor, "n c h w"], samples: UInt8[Tensor, "m c h w"]) -> Encode:
    """The critic's features of images with pixels in [0, 1]."""
    low, high = training.experiment.data.range or (-1.0, 1.0)

    def ranged(images: Tensor) -> Tensor:
        return low + (high - low) * images

    real, fake = (ranged(images.float() / 255) for images in (content, samples))
    game = judge_of(training.game, real, fake, DEFAULT).game
    assert isinstance(game, Adversarial)
    critic = game.critic
    assert isinstance(critic, cnn.Critic)
    return lambda images: critic.features(ranged(images))


def _steps(encode: Encode, part: Float[Tensor, "n c h w"]) -> Float[Tensor, "t n c h w"]:
    """The canvases after the gradient steps that are shown."""
    steps = enumerate(invert_features(encode, part, SHOWN[-1]), start=1)
    return torch.stack([images.cpu() for step, images in steps if step in SHOWN])


class Measured(NamedTuple):
    """The scores of what one network paints: of its canvases after each time step, and of each shown gradient step."""

    gran: list[Scores]
    gradient: list[Scores]


def painted_rows(runs: Mapping[str, Run], scale: Scale) -> Rows:
    """A row for each of a GRAN's time steps and for each shown step of the gradient; the same of it untrained."""
    rows: dict[str, Scores] = {}
    for label, run in runs.items():
        reference = Reference(load(run).experiment.data, RENDERED[scale])
        measured = _measured(load(run), scale, reference)  # a run at step 0 is its own network before its first update
        first = measured if run.kept == [0] else _measured(at_first(run), scale, reference)
        for suffix, each in (("", measured), (UNTRAINED, first)):
            rows |= {step_row(label + suffix, step): scores for step, scores in enumerate(each.gran, 1)}
            shown = zip(SHOWN, each.gradient, strict=True)
            rows |= {step_row(GRADIENT + suffix, step): scores for step, scores in shown}
    return rows


def _measured(training: Training, scale: Scale, reference: Reference) -> Measured:
    found = painted(training, RENDERED[scale], reference)
    errors = [rendering_error(images, found.content) for images in found.gradient.images]
    return Measured(
        gran=[_scores(found.canvases, step, reference) for step in range(len(found.canvases.images))],
        gradient=[[*_scores(found.gradient, index, reference), error] for index, error in enumerate(errors)],
    )


def _scores(by_step: Canvases, step: int, reference: Reference) -> Scores:
    return [
        relative_detail(by_step.images[step], reference.detail),
        fineness(by_step.roughness[step], reference.roughness),
        *reference.nearness(by_step.level[step]),
    ]


def both(runs: TrainedRuns, scale: Scale) -> Mapping[str, bytes]:
    """Draw the GRAN's canvases above those of the gradient, trained and untrained; a column for each step."""
    ((label, run),) = first_seeds(runs).items()
    rows = {}
    for suffix, opened in (("", load), (UNTRAINED, at_first)):
        found = painted(opened(run), DRAWN)
        by_gran = [images[:TILES] for images in found.canvases.images]
        empty = [None] * (len(SHOWN) + 1 - len(by_gran))
        rows[label + suffix] = [*by_gran, *empty]
        rows[GRADIENT + suffix] = [*(images[:TILES] for images in found.gradient.images), found.content[:TILES]]
    return {".png": tiles_png(rows, [*(f"step {step}" for step in SHOWN), "to render"], across=2)}


SECTION_3 = Item(
    name="im2016/section3",
    paper="Im et al. 2016, section 3, and supplement, equations 18 to 20",
    claim="the gradient of a fixed encoder's features paints an image step by step, and a GRAN learns to",
    trainings={GRAN: TRAININGS["mnist-gran3"]},
    measure=painted_rows,
    draw=both,
    expects=(
        Expectation(
            says="the gradient of learned features renders the image, better than that of an untrained network",
            score="rendering-error",
            row=step_row(GRADIENT, SHOWN[-1]),
            below=step_row(GRADIENT + UNTRAINED, SHOWN[-1]),
        ),
        Expectation(
            says="in three steps a GRAN comes nearer to training images than the gradient in three",
            score="feature-distance",
            row=step_row(GRAN, 3),
            below=step_row(GRADIENT, 3),
        ),
    ),
    seeds=3,
)
