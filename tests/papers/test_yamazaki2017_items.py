"""The items of yamazaki2017: what their trainings share, what the paper prints, what their own measures say."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from agon.data import Ring, SwissRoll
from agon.errors import RunError
from agon.experiment import Experiment
from agon.papers import ITEMS
from agon.papers.item import Item
from agon.papers.yamazaki2017 import measuring
from agon.papers.yamazaki2017.models import REAL_ROWS
from agon.papers.yamazaki2017.table51 import COLUMN
from agon.recipes import RECIPES
from agon.recipes.yamazaki2017 import images
from agon.runs import Run, append

FIGURES = [*(f"figure5.{k}" for k in range(1, 16)), "table5.1", *(f"figureC.{k}" for k in range(1, 5)), "appendixC"]


def item(name: str) -> Item:
    return ITEMS[f"yamazaki2017/{name}"]


def experiments(name: str, scale: str = "quick") -> dict[str, Experiment]:
    return {label: recipe.experiment(scale=scale) for label, recipe in item(name).trainings.items()}


def without(experiment: Experiment, *paths: str) -> str:
    """What an experiment is, but for these settings and its recipe's name."""
    told = experiment.describe()
    told.pop("recipe")
    for path in paths:
        *folders, name = path.split(".")
        place = told
        for folder in folders:
            place = place[folder]
        place.pop(name)
    return json.dumps(told, sort_keys=True)


def logged(path: Path, *, generator: Sequence[float], fake: Sequence[float]) -> Run:
    path.mkdir()
    run = Run(path)
    for step, (loss, logit) in enumerate(zip(generator, fake, strict=True)):
        append(
            run.log, {"step": step, "loss/generator": loss, "loss/critic": 0.5, "logit/fake": logit, "logit/real": 0}
        )
    return run


def values(found: Sequence[object]) -> dict[str, float]:
    return {score.name: score.value for score in found}  # type: ignore[attr-defined]


def test_every_figure_and_the_table_are_items() -> None:
    assert {name for name in ITEMS if name.startswith("yamazaki2017/")} == {f"yamazaki2017/{name}" for name in FIGURES}


@pytest.mark.parametrize("name", FIGURES)
def test_items_train_the_listed_recipes(name: str) -> None:
    """The very objects: two items that share a training do it once."""
    assert all(RECIPES[recipe.name] is recipe for recipe in item(name).trainings.values())


@pytest.mark.parametrize("name", [name for name in FIGURES if name != "figure5.15"])
def test_expectations_speak_of_rows_that_there_are(name: str) -> None:
    rows = {*item(name).trainings, *(label for label, _ in REAL_ROWS.values())}
    for expected in item(name).expects:
        other = expected.above if expected.above is not None else expected.below
        assert expected.row in rows
        assert not isinstance(other, str) or other in rows - {expected.row}


@pytest.mark.parametrize("scale", ["quick", "paper"])
def test_points_train_as_long_as_the_figures_show(scale: str) -> None:
    """10,000 points, 20,000 iterations, and a look at every one of section 5.1's."""
    for name in ("figure5.1", "figure5.2", "figureC.4"):
        for experiment in experiments(name, scale).values():
            assert (experiment.steps, experiment.data.count(), experiment.batch) == (20_000, 10_000, 64)
            assert measuring.shown_steps(range(0, experiment.steps + 1, experiment.sample_every)) == list(
                measuring.ITERATIONS
            )


def test_pairs_of_points_differ_in_what_the_claim_says() -> None:
    """Depth of either network, or the critic's batch normalisation; the data of a figure are one set."""
    trained = experiments("figure5.1")
    shallow, deep, weak = trained.values()
    assert without(deep, "game.critic.normalise") == without(weak, "game.critic.normalise")
    assert without(deep) != without(weak)
    assert without(shallow, "game.generator", "game.critic") == without(deep, "game.generator", "game.critic")
    assert {experiment.data for experiment in trained.values()} == {SwissRoll(points=10_000, noise=0.2)}
    assert {experiment.data for experiment in experiments("figure5.2").values()} == {Ring(points=10_000)}


def test_endless_points_are_all_that_differs() -> None:
    """Appendix C's item compares each training with one whose points never come back."""
    trained = experiments("appendixC")
    pairs = {label.removesuffix(", 10,000 points") for label in trained if label.endswith("10,000 points")}
    assert len(pairs) == 4
    for pair in pairs:
        finite, endless = (trained[f"{pair}, {amount} points"] for amount in ("10,000", "endless"))
        assert (finite.data.count(), endless.data.count()) == (10_000, None)
        assert without(finite, "data.points") == without(endless, "data.points")


def test_unbalanced_pairs_are_made_of_the_balanced_ones() -> None:
    """Appendix C: M0's generator against M1's critic, and the other way round."""
    parts = {
        name: RECIPES[f"yamazaki2017/ring-{name}"].experiment().describe()["game"]
        for name in ("m0", "m1", "g0d1", "g1d0")
    }
    assert parts["g0d1"] == {**parts["m0"], "critic": parts["m1"]["critic"]}
    assert parts["g1d0"] == {**parts["m1"], "critic": parts["m0"]["critic"]}
    assert "normalise" in parts["g0d1"]["critic"]


@pytest.mark.parametrize("scale", ["quick", "paper"])
@pytest.mark.parametrize("name", list(images.SETS))
def test_models_of_a_set_differ_in_depth_and_batch_normalisation_alone(name: str, scale: str) -> None:
    free = ("game.generator.blocks", "game.critic.blocks", "game.critic.normalise")
    both = {**images.models(name, True), **images.models(name, False)}
    made = [recipe.experiment(scale=scale) for recipe in both.values()]
    assert len({without(experiment, *free) for experiment in made}) == 1
    assert len({without(experiment) for experiment in made}) == len(both)
    depths = [experiment.describe()["game"]["generator"]["blocks"] for experiment in made]
    assert depths == 2 * list(range(len(both) // 2))


def test_paper_scale_is_the_paper_s() -> None:
    """Section 5.2: 30,000 and 80,000 iterations, scores of 5,000 samples every 100; table A.2's widths."""
    mnist, cifar10 = (images.OF[f"{name}-m0"].experiment(scale="paper") for name in ("mnist", "cifar10"))
    assert (mnist.steps, cifar10.steps) == (30_000, 80_000)
    assert mnist.describe()["game"]["generator"]["first"] == 128
    assert cifar10.describe()["game"]["critic"]["widths"] == [64, 128, 256]
    assert all(recipe.evaluations["paper"][:3] == (("is",), 100, 5_000) for recipe in images.GANS)


def test_the_table_is_the_paper_s() -> None:
    """Spot values of table 5.1; its best ones are M3_B's and M2_C's without batch normalisation in D."""
    printed = {row: columns[COLUMN] for row, columns in item("table5.1").published.items()}
    assert len(printed) == 22
    spots = {"M0_B": "9.14 ± 0.14", "M5_B without BN in D": "9.11 ± 0.14", "M2_C": "5.59 ± 0.18"}
    ends = {"M3_C without BN in D": "7.46 ± 0.21", "MNIST train": "9.97 ± 0.010", "CIFAR-10 train": "12.00 ± 0.10"}
    assert {row: printed[row] for row in spots | ends} == spots | ends
    for letter, best in (("B", "M3_B"), ("C", "M2_C without BN in D")):
        rows = {row: float(text.split()[0]) for row, text in printed.items() if row[2:4] == f"_{letter}"}
        assert max(rows, key=rows.__getitem__) == best


def test_what_the_table_expects_the_paper_s_own_numbers_show() -> None:
    """An expectation that the printed scores contradict would be misread."""
    printed = {row: float(columns[COLUMN].split()[0]) for row, columns in item("table5.1").published.items()}
    for expected in item("table5.1").expects:
        assert isinstance(expected.above, str)
        assert printed[expected.row] > printed[expected.above], expected.says


def test_a_short_training_shows_what_it_has() -> None:
    assert measuring.shown_steps([0, 10, 20]) == [0, 10, 20]
    assert len(measuring.shown_steps(range(0, 5_000, 100))) == len(measuring.ITERATIONS)


def test_measures_of_losses(tmp_path: Path) -> None:
    """A steady log, a growing one and a restless one of the same mean."""
    steady = logged(tmp_path / "steady", generator=[1.5] * 16, fake=[0.0] * 16)
    growing = logged(tmp_path / "growing", generator=[0.1 * k for k in range(16)], fake=[0.0] * 12 + [-9.0] * 4)
    restless = logged(tmp_path / "restless", generator=[1.0, 2.0] * 8, fake=[-1_000.0] * 16)
    still, up, wild = (values(measuring.loss_scores(run, "quick")) for run in (steady, growing, restless))
    assert still == pytest.approx({"loss-gap": 1.0, "loss-growth": 0.0, "loss-deviation": 0.0, "rejected": 0.0})
    assert up["loss-growth"] == pytest.approx(1.2)
    assert up["rejected"] == pytest.approx(0.25)
    expected = {"loss-gap": 1.0, "loss-growth": 0.0, "loss-deviation": 0.5, "rejected": 1.0}
    assert wild == pytest.approx(expected)


def test_an_empty_log_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="has no record"):
        measuring.loss_scores(Run(tmp_path), "quick")


def test_looks_are_those_of_the_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The score of the end, of more samples, is none of them; a run without any says what takes them."""
    monkeypatch.setattr(measuring, "_course_of_distances", lambda *_: [])  # which needs the run's images
    run = Run(tmp_path)
    with pytest.raises(RunError, match="agon reproduce"):
        measuring.watched_scores(run, "quick")
    for step, n, value in ((200, 1_000, 3.0), (100, 1_000, 2.0), (200, 10_000, 9.0)):
        append(run.metrics, {"name": measuring.SCORE, "step": step, "asked": n, "value": value})
    append(run.metrics, {"name": "classes", "step": 100, "asked": 1_000, "value": 10})
    assert measuring.watched_scores(run, "quick") == {100: 2.0, 200: 3.0}
    told = values(measuring.course_scores(run, "quick"))
    assert told == {"late-score": 3.0, "best-score": 3.0, "score-oscillation": 1.0}


def test_distance_to_training_images_is_of_pixels() -> None:
    """0 for a copy; of a grey level's difference everywhere, that level; real digits are in between."""
    digits = replace(images.SETS["mnist"].data("smoke"))
    train = measuring.real_samples(digits, measuring.ALL)
    copy = measuring.nearest_score(train[:3], digits)
    assert copy.value == 0.0
    brighter = (train[:3].int() + 1).clamp(max=255).byte()
    assert 0 < measuring.nearest_score(brighter, digits).value <= 1 / 255 + 1e-9
    held = measuring.nearest_score(measuring.real_samples(digits, 20, split="test"), digits)
    assert 1 / 255 < held.value < 0.3
