"""What the items of im2016 compare, and that their measures tell what they say."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from agon import Compute, train
from agon.data.source import as_bytes
from agon.experiment import Experiment, Part
from agon.papers import im2016
from agon.papers.im2016 import canvases, measuring, table1, table2
from agon.papers.item import Item
from agon.recipes.im2016.trainings import TRAININGS
from agon.recipes.scales import Scale
from agon.runs import Run
from agon.samples.making import load, sample

ITEMS = {item.name.removeprefix("im2016/"): item for item in im2016.ITEMS}
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
    assert set(ITEMS) == {"table1", "table2", *(f"figure{figure}" for figure in FIGURES)}


@pytest.mark.parametrize("scale", SCALES)
def test_battles_are_between_grans_that_differ_in_their_time_steps_alone(scale: Scale) -> None:
    every = made(ITEMS["table1"], scale)
    for images in table1.SETS:
        siblings = [every[f"{images}: {gran}"] for gran in table1.GRANS]
        assert [generator(each)["steps"] for each in siblings] == [1, 3, 5]
        assert all(but(each, "steps") == but(siblings[0], "steps") for each in siblings)
    assert but(every["MNIST: GRAN1"]) != but(every["CIFAR-10: GRAN1"]), "sets differ"


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("figure", [13, 14, 33, 34])
def test_new_noises_are_compared_with_the_same_gran_of_one_noise(figure: int, scale: Scale) -> None:
    new, one = made(ITEMS[f"figure{figure}"], scale).values()
    assert (generator(new)["noise"], generator(one).get("noise", "once")) == ("every", "once")
    assert but(new, "noise") == but(one, "noise")


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
