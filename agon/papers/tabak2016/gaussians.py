"""Figure 2: three Gaussians, with the generator's samples, the critic, and the optimal critic of both.

| the report | here |
|---|---|
| figure 2: data green, generated red, the decision boundary D(x) blue | the same, and D*(x) of equation 10 in violet |
| the generated density: a histogram's or another estimate is not stated | a histogram; for D* a kernel estimate |
| "somewhat less/more plausible at each run" | a row a seed |
| "decision boundaries are very close/equal to 0.5": no number | mean distance of D from 1/2 under 0.1 |
| "narrower": no number | the samples' standard deviation by the data's, under 1 |
| "never smooth enough to be indistinguishable": no number | Jensen-Shannon divergence over that of real samples |
| animations of training, in a supplement that we do not have | a frame at each step at which points were kept |
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from agon.data import Gaussian
from agon.evaluate import evaluate
from agon.experiment import Experiment
from agon.figures.animation import gif
from agon.figures.curves import Curve, Panel, curves_png
from agon.metrics import Score, jensen_shannon, optimal_critic, support
from agon.metrics.intervals import mean_score
from agon.papers.expectation import Expectation
from agon.papers.item import Item, Rows, Scores, firsts
from agon.recipes.scales import Scale
from agon.recipes.tabak2016 import RECIPES
from agon.runs import Run, read
from agon.runs import point_snapshots as kept
from agon.samples.making import load, sample
from agon.training import Training

SAMPLES = {"smoke": 200, "quick": 10_000, "paper": 10_000}
TOLD = ("jensen-shannon", "critic-gap")  # of the metric "modes": a single mode tells nothing else
NEAR = 0.1  # of D to 1/2: what "very close" is read as
JUDGED = 1_000  # samples whose density D* is drawn by, at most
WIDE = 6.0  # standard deviations of the data to each side that are shown
BINS, PLACES = 60, 240  # of a histogram, of a curve
HALF = 0.5
FRAME = 250  # ms
PANELS = ("(a) N(3, 0.5)", "(b) N(3, 0.2)", "(c) N(-2, 0.5)")
COLOURS = {"data": "#2f9e6e", "generator": "#d1495b", "D": "#3b7dd8", "D*": "#7d6bc0"}


class Window(NamedTuple):
    """What a panel shows of a distribution.

    Attributes:
        source: whose.
        x: "n 1", from its least to its greatest place.
        top: of the panel.
    """

    source: Gaussian
    x: Float[Tensor, "n 1"]
    top: float

    @classmethod
    def of(cls, source: Gaussian) -> "Window":
        reach = WIDE * source.std
        x = torch.linspace(source.mean - reach, source.mean + reach, PLACES, dtype=torch.float64)[:, None]
        return cls(source, x, 2.0 * max(HALF, float(source.log_density(x).exp().max())))


def _source(run: Run) -> Gaussian:
    source = Experiment.from_json(run.experiment).data
    assert isinstance(source, Gaussian)  # the recipes have no other
    return source


def _measure(runs: Mapping[str, Run], scale: Scale) -> Rows:
    """Every training's row, and one of as many real samples under it."""
    rows: dict[str, Scores] = {}
    for label, run in runs.items():
        source, training = _source(run), load(run)
        fake = sample(training, SAMPLES[scale])
        real = source.take(len(fake), seed=training.experiment.seed).real
        told = [score for score in evaluate(run, metrics=["modes"], n=len(fake)) if score.name in TOLD]
        rows[label] = [*_moments(fake, source), *told, _from_half(training, real, fake)]
        apart = jensen_shannon(real, source.log_density, support(real))
        rows[_real(label)] = [*_moments(real, source), apart]
    return rows


def _real(label: str) -> str:
    return f"{label}: real samples"


def _moments(samples: Float[Tensor, "n 1"], source: Gaussian) -> Scores:
    """The mean, and the standard deviation by the data's; the errors are those of independent samples."""
    n, values = len(samples), samples.double().flatten()
    away = (values - values.mean()).square()  # n
    variance = float(away.mean())
    error = float((away - variance).square().mean().sqrt()) / (2 * math.sqrt(n * variance)) / source.std
    ratio = math.sqrt(variance) / source.std
    return [
        mean_score("mean", values, "of the samples", n=n, bounds=(-math.inf, math.inf)),
        Score(name="std-ratio", value=ratio, error=error, n=n, protocol="standard deviation of samples by the data's"),
    ]


def _from_half(training: Training, real: Tensor, fake: Tensor) -> Score:
    """Mean |D(x) - 1/2|: 0 for a critic that cannot tell, 1/2 for one that is sure of everything."""
    away = (_critic(training, torch.cat([real, fake])) - HALF).abs()
    protocol = "mean distance of the critic's probability from 1/2 at as many real as generated samples"
    return mean_score("from-half", away, protocol, n=len(fake), n_real=len(real), bounds=(0.0, HALF))


@torch.no_grad()
def _critic(training: Training, x: Float[Tensor, "n 1"]) -> Float[Tensor, " n"]:
    """D(x) as a probability."""
    logits = training.game.realness(x.to(next(training.game.parameters())))
    assert logits is not None  # the recipes have a critic
    return logits.double().cpu().sigmoid()


def _history(run: Run) -> Mapping[int, Scores]:
    """The moments of the points that were kept."""
    return {step: _moments(points, _source(run)) for step, points in kept(run).items()}


def _draw(runs: Mapping[str, Sequence[Run]], scale: Scale) -> Mapping[str, bytes]:
    """The figure, a row a seed; the animation, of the first seed."""
    count = min(map(len, runs.values()))
    panels = []
    for seed in range(count):
        for label, each in runs.items():
            training, window = load(each[seed]), Window.of(_source(each[seed]))
            known = Curve("D", _numbers(window.x), _numbers(_critic(training, window.x)), COLOURS["D"])
            title = f"{label}, seed {seed}" if count > 1 else label
            panels.append(_panel(title, window, sample(training, SAMPLES[scale]), known))
    return {".png": curves_png(panels, columns=len(runs)), ".gif": _animation(firsts(runs))}


def _animation(runs: Mapping[str, Run]) -> bytes:
    """A frame for each step at which points were kept; with the critic where it was looked at."""
    points = {label: kept(run) for label, run in runs.items()}
    critics = {label: _looked_at(run) for label, run in runs.items()}
    windows = {label: Window.of(_source(run)) for label, run in runs.items()}
    frames = []
    for step in next(iter(points.values())):
        panels = [
            _panel(f"{label}, step {step:,}", windows[label], points[label][step], critics[label].get(step))
            for label in runs
        ]
        frames.append(curves_png(panels, columns=len(panels)))
    return gif(frames, milliseconds=FRAME)


def _looked_at(run: Run) -> Mapping[int, Curve]:
    """Step -> the critic, from the scores that were taken while it trained; the last of each step."""
    window = Window.of(_source(run))
    low, high = float(window.x[0]), float(window.x[-1])
    found = {}
    for record in read(run.metrics):
        if record["name"] == "critic-gap":
            curves = record["detail"]["curves"]
            inside = [(x, y) for x, y in zip(curves["x"], curves["learned critic"], strict=True) if low <= x <= high]
            found[record["step"]] = Curve("D", [x for x, _ in inside], [y for _, y in inside], COLOURS["D"])
    return found


def _panel(title: str, window: Window, samples: Float[Tensor, "n 1"], critic: Curve | None) -> Panel:
    """Data and samples, and both critics; the learned one where it is known."""
    source, x = window.source, _numbers(window.x)
    best = optimal_critic(window.x, source.log_density, samples[:JUDGED])
    curves = [
        _histogram(samples, window),
        Curve("data", x, _numbers(source.log_density(window.x).exp()), COLOURS["data"]),
        Curve("D*", x, _numbers(best), COLOURS["D*"]),
        critic or Curve("D", [], [], COLOURS["D"]),
    ]
    return Panel(title, curves, limits=(0.0, window.top))


def _histogram(samples: Float[Tensor, "n 1"], window: Window) -> Curve:
    """The samples' density in the window, as steps; those outside of it count, and are not seen."""
    edges = torch.linspace(float(window.x[0]), float(window.x[-1]), BINS + 1, dtype=torch.float64)
    counts, _ = torch.histogram(samples.double().flatten(), edges)
    heights = counts / (len(samples) * (edges[1] - edges[0]))
    x = edges.repeat_interleave(2)[1:-1]
    return Curve("generator", _numbers(x), _numbers(heights.repeat_interleave(2)), COLOURS["generator"])


def _numbers(values: Tensor) -> list[float]:
    return [float(value) for value in values.flatten()]


def _expects() -> list[Expectation]:
    narrow, told, close = (
        [Expectation(says=says, score=score, row=row, **{side: bound(row)}) for row in PANELS]
        for says, score, side, bound in (
            ("generated distributions are narrower than the data", "std-ratio", "below", lambda row: 1.0),
            ("none is so smooth that it cannot be told from the data", "jensen-shannon", "above", _real),
            ("the decision boundary is very close to 0.5", "from-half", "below", lambda row: NEAR),
        )
    )
    fits = [
        Expectation(says="a narrower Gaussian is fitted better", score="jensen-shannon", row=PANELS[1], below=row)
        for row in (PANELS[0], PANELS[2])
    ]
    return [*narrow, *told, *close, *fits]


FIGURE_2 = Item(
    name="tabak2016/figure2",
    paper="Tabak 2016, figure 2 and section 3.1",
    claim="a tiny pair comes near a Gaussian, too narrow and never smooth, its critic near 1/2, and each run differs",
    trainings=dict(zip(PANELS, RECIPES[:3], strict=True)),
    measure=_measure,
    draw=_draw,
    history=_history,
    expects=_expects(),
    seeds=5,
)

ITEMS = (FIGURE_2,)
