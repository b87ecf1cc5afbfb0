"""Table 5.1, figures 5.11 and 5.12: the Inception score's formula by a classifier of the data's own classes."""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from statistics import fmean
from typing import Any

from agon.data import Source
from agon.errors import RunError
from agon.evaluate import evaluate
from agon.experiment import Experiment
from agon.figures.colours import REAL
from agon.figures.curves import Curve, Panel, curves_png
from agon.metrics import Score
from agon.papers.classified import CLASSIFIER, classifier_score
from agon.papers.expectation import Expectation
from agon.papers.item import Item, Rows, Scores, firsts, of_each
from agon.recipes.scales import Scale
from agon.recipes.yamazaki2017 import images
from agon.recipes.yamazaki2017.settings import titled
from agon.runs import Run, read
from agon.samples.reading import real_samples

SAMPLES: Mapping[Scale, int] = {"smoke": 50, "quick": 10_000, "paper": 50_000}  # of a model at its end
SCORE = "classifier-score"
LATE = 4  # the last quarter of the looks
THEIRS = "Inception score"
REAL_ROWS = {"mnist": ("MNIST train", "9.97 ± 0.010"), "cifar10": ("CIFAR-10 train", "12.00 ± 0.10")}


def final(run: Run, scale: Scale) -> Scores:
    """The score of samples at the end."""
    return evaluate(run, metrics=["is"], n=SAMPLES[scale], extractor=CLASSIFIER)


@cache
def of_real(source: Source, n: int) -> Scores:
    """The score of n training images: what a perfect generator would have."""
    return classifier_score(real_samples(source, n), source)


def table(runs: Mapping[str, Run], scale: Scale) -> Rows:
    """A row a model, then one for the training images of each set."""
    rows = {label: final(run, scale) for label, run in runs.items()}
    for name, (label, _) in REAL_ROWS.items():
        some = runs[next(iter(images.models(name, True)))]
        rows[label] = of_real(Experiment.from_json(some.experiment).data, SAMPLES[scale])
    return rows


def looks(run: Run, scale: Scale) -> dict[int, float]:
    """Step -> the score of the same latents, taken while the run trained.

    Raises:
        RunError: nothing was.
    """
    n = images.LOOKS[scale].n
    if not (found := recorded(run, n)):
        raise RunError(
            f"{run.metrics} has no {SCORE} of {n} samples from the time of the training; "
            "agon reproduce takes them while it trains"
        )
    return found


def recorded(run: Run, n: int) -> dict[int, float]:
    """Step -> the score of n samples, in order of the steps."""
    taken: list[dict[str, Any]] = [
        each for each in read(run.metrics) if each.get("name") == SCORE and each.get("asked") == n
    ]
    return {each["step"]: each["value"] for each in sorted(taken, key=lambda each: each["step"])}


def over_training(run: Run, scale: Scale) -> Scores:
    """Where the looks end, how high they came, and how they go up and down."""
    values = list(looks(run, scale).values())
    late, half = values[-max(1, len(values) // LATE) :], values[len(values) // 2 - 1 :]
    told = {
        "late-score": (fmean(late), "mean over the last quarter of the looks"),
        "best-score": (max(values), "greatest of the looks"),
        "score-oscillation": (
            fmean(abs(after - before) for before, after in pairwise(half)),
            "mean change from one look to the next over their second half",
        ),
    }
    n = images.LOOKS[scale].n
    return [
        Score(name=name, value=value, n=n, protocol=f"{SCORE} of the same latents every so many steps; {how}")
        for name, (value, how) in told.items()
    ]


def curves(name: str, runs: Mapping[str, Run], scale: Scale) -> bytes:
    """Two panels of one scale: with batch normalisation in both networks, and without it in the critic."""
    told = {label: looks(run, scale) for label, run in runs.items()}
    most = max(value for found in told.values() for value in found.values())
    panels = []
    for title, normalise in (("batch normalisation in both networks", True), ("none in the critic", False)):
        lines = [
            Curve(titled(plain, True), list(found), list(found.values()))
            for plain, label in zip(images.models(name, True), images.models(name, normalise), strict=True)
            for found in (told[label],)
        ]
        panels.append(Panel(title, lines, x_label="iteration", y_label=SCORE, limits=(1.0, 1.05 * most)))
    return curves_png(panels, columns=2)


def _table() -> Item:
    trainings = {
        label: recipe
        for name in images.SETS
        for normalise in (True, False)
        for label, recipe in images.models(name, normalise).items()
    }
    return Item(
        name="yamazaki2017/table5.1",
        paper="Yamazaki 2017, table 5.1",
        claim="depth raises the score up to a point; batch normalisation in the critic helps on MNIST, not on CIFAR-10",
        trainings=trainings,
        measure=table,
        draw=lambda runs, scale: {".png": _bars(runs, scale)},
        theirs=_theirs(),
        expects=(*_on_mnist(SCORE), *_on_cifar10(SCORE)),
        seeds=1,
    )


def _theirs() -> dict[str, dict[str, str]]:
    printed = {
        label: score
        for name, each in images.SETS.items()
        for normalise, scores in ((True, each.scored), (False, each.without))
        for label, score in zip(images.models(name, normalise), scores, strict=True)
    }
    return {label: {THEIRS: score} for label, score in (*printed.items(), *REAL_ROWS.values())}


def _bars(runs: Mapping[str, Sequence[Run]], scale: Scale) -> bytes:
    """The first seed's scores by depth, a panel a set, the training images' as a line."""
    n, panels = SAMPLES[scale], []
    ends = {label: list(recorded(run, n).values())[-1] for label, run in firsts(runs).items()}
    for name, setting in images.SETS.items():
        depths = list(range(len(setting.scored)))
        lines = [
            Curve(title, depths, [ends[label] for label in images.models(name, normalise)])
            for title, normalise in (("batch normalisation in both networks", True), ("none in the critic", False))
        ]
        some = firsts(runs)[next(iter(images.models(name, True)))]
        real = float(of_real(Experiment.from_json(some.experiment).data, n)[0])
        lines.append(Curve("training images", depths, [real] * len(depths), REAL))
        panels.append(Panel(setting.data.title, lines, x_label="residual blocks a stage", y_label=SCORE))
    return curves_png(panels, columns=2)


def _higher(row: str, other: str, score: str) -> Expectation:
    return Expectation(says=f"{row} scores above {other}", score=score, row=row, above=other)


def _on_mnist(score: str) -> tuple[Expectation, ...]:
    """Section 5.2: depth helps up to 3 blocks, and batch normalisation in the critic at every depth."""
    pairs = zip(images.models("mnist", True), images.models("mnist", False), strict=True)
    return (
        _higher("M3_B", "M0_B", score),
        _higher("M3_B", "M5_B", score),
        *(_higher(both, one, score) for both, one in pairs),
    )


def _on_cifar10(score: str) -> tuple[Expectation, ...]:
    """Section 5.2: depth helps up to 2 blocks a stage, if batch normalisation is left out of the critic."""
    best = titled("M2_C", False)
    others = ("M0_C", "M2_C", *(titled(f"M{depth}_C", False) for depth in (0, 1, 3)))
    return (_higher("M1_C", "M0_C", score), *(_higher(best, other, score) for other in others))


def _course(figure: str, name: str) -> Item:
    title = images.SETS[name].data.title
    on_mnist = name == "mnist"
    tail = (
        "batch normalisation in the critic raises them" if on_mnist else "they rise with depth if the critic has none"
    )
    expects = _on_mnist("late-score") if on_mnist else (*_on_cifar10("late-score"), *_steadied())
    return Item(
        name=f"yamazaki2017/figure{figure}",
        paper=f"Yamazaki 2017, figure {figure}",
        claim=f"{title}: the scores of deeper networks rise faster and higher up to a depth; {tail}",
        trainings={**images.models(name, True), **images.models(name, False)},
        measure=of_each(over_training),
        draw=lambda runs, scale: {".png": curves(name, firsts(runs), scale)},
        expects=expects,
        seeds=1,
    )


def _steadied() -> tuple[Expectation, ...]:
    """Section 5.2: without batch normalisation in the critic training is steadier."""
    deep, weak = "M3_C", titled("M3_C", False)
    says = f"the score of {deep} goes up and down more than that of {weak}"
    return (Expectation(says=says, score="score-oscillation", row=deep, above=weak),)


ITEMS = (_table(), _course("5.11", "mnist"), _course("5.12", "cifar10"))
