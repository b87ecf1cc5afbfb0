"""What the items of im2016 compare, and that their measures tell what they say."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from agon import Compute, train
from agon.data.source import as_bytes
from agon.evaluation import extractors
from agon.experiment import Experiment, Part
from agon.metrics import nearest_neighbours
from agon.metrics.extractors import Features
from agon.papers import im2016
from agon.papers.im2016 import canvases, measuring, section3, section5, table1, table2
from agon.papers.item import Item, Rows
from agon.recipes.im2016.trainings import TRAININGS
from agon.recipes.scales import Scale
from agon.runs import Run
from agon.samples.making import load, sample

ITEMS = {item.name.removeprefix("im2016/"): item for item in im2016.ITEMS}
SECTIONS = ("section3", "section4", "section5")
FIGURES = (7, 8, 9, 10, 11, 12, 13, 14, 15, 26, 27, 28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40)
SCALES: tuple[Scale, ...] = ("quick", "paper")


def made(item: Item, scale: Scale) -> dict[str, Experiment]:
    return {label: recipe.experiment(scale=scale) for label, recipe in item.trainings.items()}


def generator(experiment: Experiment) -> dict[str, object]:
    assert isinstance(experiment.game, Part)
    made = experiment.game.settings["generator"]
    assert isinstance(made, Part)
    return dict(made.settings)


def but(experiment: Experiment, *names: str) -> dict[str, object]:
    """All of an experiment but these settings of its generator."""
    told = experiment.describe()
    game = dict(told["game"])
    game["generator"] = {name: value for name, value in game["generator"].items() if name not in names}
    return {**told, "game": game, "recipe": ""}


def test_there_is_an_item_for_every_table_and_figure_of_results() -> None:
    assert set(ITEMS) == {"table1", "table2", *SECTIONS, *(f"figure{figure}" for figure in FIGURES)}


@pytest.mark.parametrize("scale", SCALES)
def test_battles_are_between_grans_that_differ_in_their_time_steps_alone(scale: Scale) -> None:
    every = made(ITEMS["table1"], scale)
    for images in table1.SETS:
        siblings = [every[f"{images}: {gran}"] for gran in table1.GRANS]
        assert [generator(each)["steps"] for each in siblings] == [1, 3, 5]
        assert all(but(each, "steps") == but(siblings[0], "steps") for each in siblings)
    assert but(every["MNIST: GRAN1"]) != but(every["CIFAR-10: GRAN1"]), "sets differ"


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", ["figure13", "figure14", "figure33", "figure34", "section5"])
def test_new_noises_are_compared_with_the_same_gran_of_one_noise(name: str, scale: Scale) -> None:
    new, one = made(ITEMS[name], scale).values()
    assert (generator(new)["noise"], generator(one).get("noise", "once")) == ("every", "once")
    assert but(new, "noise") == but(one, "noise")


@pytest.mark.parametrize("scale", SCALES)
def test_a_long_training_is_longer_and_is_looked_at_often(scale: Scale) -> None:
    """Than GRAN3 of the other items; 24 looks at 256 samples."""
    for experiment in made(ITEMS["section5"], scale).values():
        assert experiment.steps >= 3 * TRAININGS["mnist-gran3"].experiment(scale=scale).steps
        assert (experiment.steps // experiment.sample_every, experiment.grid) == (24, 256)


def test_grans_and_autoencoders_see_the_same_images() -> None:
    for scale in SCALES:
        assert len({experiment.data for experiment in made(ITEMS["table2"], scale).values()}) == 1


def test_items_share_trainings() -> None:
    """None is a variant of a listed recipe: a run that one item trained is another's."""
    for item in ITEMS.values():
        assert all(TRAININGS[recipe.name.partition("/")[2]] is recipe for recipe in item.trainings.values())


@pytest.mark.parametrize(
    ("figure", "name"), [(15, "lsun-rooms-gran3"), (31, "lsun-church-gran5"), (40, "imagenet-gran3")]
)
def test_figures_show_what_their_captions_name(figure: int, name: str) -> None:
    (recipe,) = ITEMS[f"figure{figure}"].trainings.values()
    assert recipe.name == f"im2016/{name}"


def test_the_printed_numbers() -> None:
    one, two = ITEMS["table1"].published, ITEMS["table2"].published
    assert len(one) == 8
    assert len(two) == 4
    assert one["MNIST: GRAN1 vs. GRAN3"] == dict(zip(table1.COLUMNS, ("0.79", "1.75", "GRAN3"), strict=True))
    assert one["CIFAR-10: GRAN1 vs. GRAN5"]["paper: r_sample"] == "1.011"
    assert one["LSUN church: GRAN3 vs. GRAN5"]["paper: r_sample"] == "2.38"
    assert two["GRAN1 vs. DRAW"] == {"paper: error": "0.347"}
    assert not any("MNIST: GRAN3" in row for row in one), "the paper has no such row"


def test_the_printed_numbers_meet_the_expectations() -> None:
    """What is expected is what the paper's own tables say, and no more."""
    for expectation in ITEMS["table1"].expects:
        data, one, other = expectation.row.replace(": ", " vs. ").split(" vs. ")
        row = table1.PRINTED[(data, one, other)]
        assert float(row[1]) > 1
        assert expectation.row.endswith(row[2])
    for expectation in ITEMS["table2"].expects:
        bound = expectation.below
        other = float(table2.PRINTED[bound]) if isinstance(bound, str) else bound
        assert other is not None
        assert float(table2.PRINTED[expectation.row]) < other


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """GRAN3 on the digits, at its first weights but for two steps."""
    experiment = replace(TRAININGS["mnist-gran3"].experiment(scale="smoke"), steps=2, sample_every=2)
    folder: Path = tmp_path_factory.mktemp("im2016")
    return train(experiment, folder / "run", compute=Compute(device="cpu", threads=1), show=False)


def test_the_last_canvas_is_the_sample(run: Run) -> None:
    """Of the same latents, bit by bit, and the others are not."""
    training = load(run)
    painted = canvases.canvases(training, 12).images
    made = as_bytes(sample(training, 12), training.experiment.data)
    assert painted.shape == (3, *made.shape)
    assert torch.equal(painted[-1], made)
    assert not torch.equal(painted[0], made)


def test_distance_tells_the_direction(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Training images are as far apart as training images; of half the contrast, half as far."""
    real = measuring.real_samples(load(run).experiment.data, 200)
    for factor, expected in ((1.0, 1.0), (0.5, 0.5)):
        made = (real.float() * factor).round().byte()
        monkeypatch.setattr(measuring, "as_bytes", lambda *_, made=made: made)
        found = measuring.sample_distance(load(run), 200)
        assert found.value == pytest.approx(expected, abs=0.01)
        assert found.error is not None
        assert 0 < found.error < 0.1


class Known:
    """An extractor that knows two classes, bright and dark, in place of a trained classifier."""

    name, hash, resizer, precision = "two classes", "0", "none", "float32"
    names = ("dark", "bright")

    def __call__(self, images: torch.Tensor) -> Features:
        levels = images.flatten(1).float() / 255
        bright = levels.mean(1, keepdim=True)
        return Features(levels[:, ::50], torch.cat([1 - bright, bright], 1))


@pytest.fixture
def classified(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(extractors.KINDS, "classifier", lambda *_: Known())


def _missing(item: Item, rows: Rows) -> list[str]:
    """The rows and scores that an item's expectations name and its measurement does not have."""
    named = [(row, each.score) for each in item.expects for row in (each.row, each.bound, each.direction)]
    asked = [(row, score) for row, score in named if isinstance(row, str)]
    return [f"{row}: {score}" for row, score in asked if score not in {one.name for one in rows.get(row, ())}]


@pytest.mark.usefixtures("classified")
@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("figure28", 1),
        ("figure33", 2),
        ("figure13", 2),
        ("figure27", 1),
        ("section3", 1),
        ("section5", 2),
        ("section4", 2),
    ],
)
def test_expectations_speak_of_rows_that_are_measured(run: Run, name: str, labels: int) -> None:
    """Figures 13 and 33 and section 5 have two trainings, for which one run stands here."""
    item = ITEMS[name]
    rows = item.measure(dict.fromkeys(item.trainings, run), "smoke")
    assert len(item.trainings) == labels
    assert not _missing(item, rows)
    assert _missing(item, {}), "the negative control"


def test_the_battles_of_table_1_have_the_scores_that_its_expectations_name(run: Run, tmp_path: Path) -> None:
    """One pair of the eight, by two copies of a run, which nobody wins; `make evidence` makes the whole table."""
    (row, (first, second)), *_ = table1.PAIRS.items()
    other = Run(Path(shutil.copytree(run.path, tmp_path / "other")))
    rows = measuring.battle_rows({row: (first, second)})({first: run, second: other}, "smoke")
    item = replace(ITEMS["table1"], expects=[each for each in ITEMS["table1"].expects if each.row == row])
    assert len(item.expects) == 2
    assert not _missing(item, rows)
    scores = {score.name: score.value for score in rows[row]}
    assert (scores["r_sample"], scores["won"]) == (pytest.approx(1, abs=0.3), 0)


@pytest.mark.usefixtures("classified")
def test_an_untrained_network_meets_the_old_statement_and_gains_nothing_over_itself(run: Run) -> None:
    """Its last canvas has more detail than its first, because contrast adds up."""
    rows = ITEMS["figure28"].measure({"GRAN3": run}, "smoke")
    untrained = {
        row.replace(measuring.UNTRAINED, ""): {score.name: score.value for score in scores}
        for row, scores in rows.items()
        if measuring.UNTRAINED in row
    }
    assert untrained["GRAN3, step 3"]["detail"] > 1.3 * untrained["GRAN3, step 1"]["detail"]
    assert abs(untrained["GRAN3, steps 2 to 3"]["fineness-gain"]) < 0.2
    assert untrained["GRAN3, step 1"]["redrawn"] == pytest.approx(1)
    assert untrained["GRAN3, step 3"]["redrawn"] < 0.2


def test_a_run_that_has_made_no_step_is_its_own_control(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    training = load(run)
    training.step = 0
    monkeypatch.setattr(measuring, "load", lambda _: training)
    assert measuring.at_first(run) is training
    training.step = 2
    assert measuring.at_first(run).step == 0


def test_copies_among_samples_are_counted(run: Run) -> None:
    """A tenth of the samples are training images but for a few levels, the others what they were."""
    training = load(run)
    samples = as_bytes(sample(training, 60), training.experiment.data)
    train = measuring.partition(training.experiment.data).train
    copying = measuring.with_copies(samples, train)
    assert torch.equal(copying[6:], samples[6:])
    distances = nearest_neighbours(copying[:6].flatten(1), train).distances
    assert 0 < float(distances.max()) <= measuring.PERTURBED * 28
    rows = measuring.copy_rows({"GRAN3": run}, "smoke")
    assert list(rows) == ["GRAN3", "GRAN3, 1 in 10 a copy", "held-out images"]
    assert all("copied" in {score.name for score in scores} for scores in rows.values())


@pytest.mark.usefixtures("classified")
def test_samples_that_collapse_late_are_told_from_those_that_do_not(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real images at every look, and the same but for the last quarter of the looks, in which all are one image."""
    real = measuring.real_samples(load(run).experiment.data, 64)
    steady = dict.fromkeys(range(8), real)
    scores = {}
    for name, last in (("steady", real), ("collapsed", real[:1].expand(64, -1, -1, -1) + torch.eye(28).byte())):
        monkeypatch.setattr(section5, "image_snapshots", lambda _, last=last: {**steady, 6: last, 7: last})
        scores[name] = {score.name: score.value for score in section5.course_scores(run, "smoke")}
    assert scores["steady"]["distance-kept"] == pytest.approx(1.0)
    assert scores["steady"]["late-alike"] < 0.1
    assert scores["collapsed"]["distance-kept"] < 0.1
    assert scores["collapsed"]["late-alike"] == 1.0


def test_the_gradient_paints_the_image_that_it_is_given(run: Run) -> None:
    """After thirty steps its canvases are nearer to their own images than after one, and than to one another's."""
    found = section3.painted(load(run), 12)
    assert found.gradient.images.shape == (len(section3.SHOWN), *found.content.shape)
    first, last = (section3.rendering_error(found.gradient.images[i], found.content).value for i in (0, -1))
    other = section3.rendering_error(found.gradient.images[-1], found.content.roll(1, 0)).value
    assert last < min(first, other)
    assert torch.equal(found.canvases.images, canvases.canvases(load(run), 12).images)
