"""Pictures of first seeds: points, losses and outputs, scores over a training, samples and their neighbours."""

from collections.abc import Mapping, Sequence

from agon.evaluation.evidence import ALL
from agon.experiment import Experiment
from agon.figures.clouds import clouds_png
from agon.figures.colours import REAL, colour
from agon.figures.curves import Curve, Panel, curves_png, under_each_other
from agon.figures.tiles import interleaved, panels_png
from agon.metrics import nearest_neighbours
from agon.metrics.courses import probability
from agon.papers.item import Renderer, TrainedRuns, first_seeds
from agon.papers.second_judge import DISTANCE, snapshot_distances
from agon.papers.yamazaki2017.measuring import (
    COMPARED,
    SAMPLES,
    SCORE,
    first_trained,
    real_scores,
    recorded_scores,
    shown_steps,
    source_and_samples,
    training_points,
    watched_scores,
)
from agon.recipes.scales import Scale
from agon.recipes.yamazaki2017 import images
from agon.recipes.yamazaki2017.settings import titled
from agon.runs import Run, point_snapshots, read
from agon.samples.reading import real_samples

ACROSS = 5  # clouds in a line: the paper's rows have two lines each
PAIRS = 5  # pairs of a sample and its neighbour in a row of figure 5.15
SHOWN = 100  # samples in figure 5.15, section 5.2.1
BLUE, ORANGE = colour(0), colour(1)  # as in the paper: critic's loss and real data; generator's loss and samples
Course = Mapping[int, float]  # iteration -> score
NORMALISED = (("batch normalisation in both networks", True), ("none in the critic", False))


def clouds_of(labels: Sequence[str]) -> Renderer:
    """Draw two lines for each of these trainings: the points of fixed latents at ten steps, on the training set."""

    def draw(runs: TrainedRuns, scale: Scale) -> Mapping[str, bytes]:
        rows, behind, columns = {}, {}, [""]
        for label, run in _of(labels, runs).items():
            clouds = point_snapshots(run)
            steps = shown_steps(list(clouds))
            columns = [f"{step:,}" for step in steps]
            name = label.replace(" without", "\nwithout").replace(": ", ":\n").replace(" against", "\nagainst")
            rows[name] = [clouds[step].double().numpy() for step in steps]
            behind[name] = training_points(run).double().numpy()
        return {".png": clouds_png(rows, columns, real=behind, corner="iteration", across=ACROSS)}

    return draw


def losses_above_outputs(labels: Sequence[str], columns: int) -> Renderer:
    """Draw each training's losses above its outputs, `columns` trainings in a row."""

    def draw(runs: TrainedRuns, scale: Scale) -> Mapping[str, bytes]:
        pairs = [_losses_and_outputs(label, run) for label, run in _of(labels, runs).items()]
        return {".png": curves_png(under_each_other(pairs, columns), columns=columns)}

    return draw


def losses_beside_outputs(labels: Sequence[str]) -> Renderer:
    """Draw a row for each of these trainings: its losses, then its outputs."""

    def draw(runs: TrainedRuns, scale: Scale) -> Mapping[str, bytes]:
        pairs = [_losses_and_outputs(label, run) for label, run in _of(labels, runs).items()]
        return {".png": curves_png([panel for pair in pairs for panel in pair], columns=2)}

    return draw


def _of(labels: Sequence[str], runs: TrainedRuns) -> Mapping[str, Run]:
    """The first seed's runs of these trainings, in the order of `runs`."""
    return {label: run for label, run in first_seeds(runs).items() if label in labels}


def _losses_and_outputs(label: str, run: Run) -> tuple[Panel, Panel]:
    records = read(run.log)
    steps = [record["step"] for record in records]
    losses = [
        Curve("generator's loss", steps, [record["loss/generator"] for record in records], ORANGE),
        Curve("critic's loss", steps, [record["loss/critic"] for record in records], BLUE),
    ]
    outputs = [
        Curve("output for generated data", steps, [probability(record["logit/fake"]) for record in records], ORANGE),
        Curve("output for training data", steps, [probability(record["logit/real"]) for record in records], BLUE),
    ]
    return (
        Panel(f"{label}: losses", losses, x_label="iteration"),
        Panel(f"{label}: outputs", outputs, x_label="iteration", limits=(0.0, 1.0)),
    )


def score_curves(name: str) -> Renderer:
    """Draw two panels with the same scale: batch normalisation in both networks, and none in the critic.

    Of photographs there are two more below, by the second judge.
    """

    def draw(runs: TrainedRuns, scale: Scale) -> Mapping[str, bytes]:
        shown = first_seeds(runs)
        scores = {label: watched_scores(run, scale) for label, run in shown.items()}
        panels = _course_panels(name, scores, SCORE, least=1.0)
        if name == "cifar10":
            distances = {label: snapshot_distances(run, scale) for label, run in shown.items()}
            panels += _course_panels(name, distances, DISTANCE, least=0.0)
        return {".png": curves_png(panels, columns=2)}

    return draw


def _course_panels(name: str, courses: Mapping[str, Course], word: str, least: float) -> list[Panel]:
    """Two panels of a score over iterations: batch normalisation in both networks, and none in the critic."""
    most = max(value for course in courses.values() for value in course.values())
    panels = []
    for title, normalise in NORMALISED:
        labels = zip(images.models(name, True), images.models(name, normalise), strict=True)
        shown = [(plain, courses[at]) for plain, at in labels if at in courses]
        lines = [Curve(titled(plain, True), list(course), list(course.values())) for plain, course in shown]
        panels.append(Panel(title, lines, x_label="iteration", y_label=word, limits=(least, 1.05 * most)))
    return panels


def scores_by_depth(runs: TrainedRuns, scale: Scale) -> Mapping[str, bytes]:
    """Draw final scores over depth, a panel for each set; a grey line is the score of training images."""
    n, panels, shown = SAMPLES[scale], [], first_seeds(runs)
    ends = {label: list(recorded_scores(run, n).values())[-1] for label, run in shown.items()}
    for name, setting in images.SETS.items():
        run = first_trained(shown, name)
        if run is None:
            continue
        depths = list(range(len(setting.scored)))
        lines = [_by_depth(title, ends, list(images.models(name, normalise))) for title, normalise in NORMALISED]
        real = float(real_scores(Experiment.from_json(run.experiment).data, n)[0])
        lines.append(Curve("training images", depths, [real] * len(depths), REAL))
        panels.append(Panel(setting.data.title, lines, x_label="residual blocks a stage", y_label=SCORE))
    return {".png": curves_png(panels, columns=2)}


def _by_depth(title: str, ends: Mapping[str, float], labels: Sequence[str]) -> Curve:
    """The final scores of those models that were trained."""
    depths = [depth for depth, label in enumerate(labels) if label in ends]
    return Curve(title, depths, [ends[labels[depth]] for depth in depths])


def neighbours(runs: TrainedRuns, scale: Scale) -> Mapping[str, bytes]:
    """Draw two panels of samples, each with its nearest training image on its right."""
    panels = {}
    for label, run in first_seeds(runs).items():
        source, samples = source_and_samples(run, min(SHOWN, COMPARED[scale]))
        train = real_samples(source, ALL)
        near = train[nearest_neighbours(samples, train).indices[:, 0]]
        panels[f"{label}: samples, and the nearest training image"] = interleaved(samples, near)
    return {".png": panels_png(panels, columns=2, across=2 * PAIRS)}
