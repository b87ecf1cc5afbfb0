"""Pictures of runs: Gaussians with their critics, still and animated, and the digits of two figures."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from agon.figures.animation import gif
from agon.figures.curves import Curve, Panel, curves_png, histogram_curve
from agon.figures.tiles import panels_png
from agon.metrics import optimal_critic
from agon.papers.item import TrainedRuns, first_seeds
from agon.papers.pictures import sample_panels
from agon.papers.tabak2016.measuring import POINTS, gaussian, probabilities
from agon.papers.tabak2016.panels import DIGIT, DIGITS, ONE, PAIRS, TWO
from agon.papers.tabak2016.window import Window
from agon.recipes.scales import Scale
from agon.runs import Run, image_snapshots, last_images, point_snapshots, read
from agon.samples.making import load, sample

JUDGED = 1_000  # most samples for the density estimate in D*
BINS = 60  # of a histogram
FRAME = 250  # ms
IN_PANEL, BESIDE = 16, 64  # images in a panel of figure 3, of figure 4
COLOURS = {"data": "#2f9e6e", "generator": "#d1495b", "D": "#3b7dd8", "D*": "#7d6bc0"}


def gaussians(runs: TrainedRuns, scale: Scale) -> Mapping[str, bytes]:
    """Draw figure 2 with a row for each seed, and the animation of the first seed."""
    count = min(map(len, runs.values()))
    panels = []
    for seed in range(count):
        for label, seeds in runs.items():
            training, window = load(seeds[seed]), Window.of(gaussian(seeds[seed]))
            critic = Curve("D", _numbers(window.x), _numbers(probabilities(training, window.x)), COLOURS["D"])
            title = f"{label}, seed {seed}" if count > 1 else label
            panels.append(_panel(title, window, sample(training, POINTS[scale]), critic))
    return {".png": curves_png(panels, columns=len(runs)), ".gif": animation(first_seeds(runs))}


def animation(runs: Mapping[str, Run]) -> bytes:
    """Draw a frame for each step with kept points; it has the critic if the run recorded one at that step."""
    points = {label: point_snapshots(run) for label, run in runs.items()}
    critics = {label: recorded_critics(run) for label, run in runs.items()}
    windows = {label: Window.of(gaussian(run)) for label, run in runs.items()}
    frames = []
    for step in next(iter(points.values())):
        panels = [
            _panel(f"{label}, step {step:,}", windows[label], points[label][step], critics[label].get(step))
            for label in runs
        ]
        frames.append(curves_png(panels, columns=len(panels)))
    return gif(frames, milliseconds=FRAME)


def recorded_critics(run: Run) -> Mapping[int, Curve]:
    """Step -> the critic's curve, from the scores recorded during training; the last one of each step."""
    window = Window.of(gaussian(run))
    low, high = float(window.x[0]), float(window.x[-1])
    critics = {}
    for record in read(run.metrics):
        if record["name"] == "critic-gap":
            curves = record["detail"]["curves"]
            inside = [(x, y) for x, y in zip(curves["x"], curves["learned critic"], strict=True) if low <= x <= high]
            critics[record["step"]] = Curve("D", [x for x, _ in inside], [y for _, y in inside], COLOURS["D"])
    return critics


def _panel(title: str, window: Window, samples: Float[Tensor, "n 1"], critic: Curve | None) -> Panel:
    """A panel with data, samples and the optimal critic, and the learned critic if it is known."""
    source, x = window.source, _numbers(window.x)
    best = optimal_critic(window.x, source.log_density, samples[:JUDGED])
    curves = [
        histogram_curve("generator", samples, float(window.x[0]), float(window.x[-1]), BINS, COLOURS["generator"]),
        Curve("data", x, _numbers(source.log_density(window.x).exp()), COLOURS["data"]),
        Curve("D*", x, _numbers(best), COLOURS["D*"]),
        critic or Curve("D", [], [], COLOURS["D"]),
    ]
    return Panel(title, curves, limits=(0.0, window.top))


def _numbers(values: Tensor) -> list[float]:
    return [float(value) for value in values.flatten()]


TITLES = {
    **{f"{panel} {DIGIT}": f"{panel} {DIGIT}: {end}, D of {depth} layers" for panel, (end, depth, _) in PAIRS.items()},
    **{f"(a) {digit}": f"{digit} as (a)" for digit in DIGITS if digit != DIGIT},
}
digits = sample_panels(across=4, count=IN_PANEL, columns=len(PAIRS), titles=TITLES)  # three of one, then the others


def epochs(runs: TrainedRuns, scale: Scale) -> Mapping[str, bytes]:
    """Draw figure 4's two panels and the perceptrons' digits in turn, all of the first seed."""
    convolutional, *perceptrons = first_seeds(runs).values()
    one, two = list(image_snapshots(convolutional).values())[-2:]
    by_digit = [last_images(run) for run in perceptrons]
    mixed = torch.stack(by_digit, dim=1).flatten(0, 1)  # one of each digit, then the next of each
    panels = {f"(a) {ONE}": one, f"(b) {TWO}": two, "vectors, a network a digit": mixed}
    return {".png": panels_png({title: tiles[:BESIDE] for title, tiles in panels.items()}, columns=3)}
