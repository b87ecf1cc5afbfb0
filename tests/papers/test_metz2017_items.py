"""Items of metz2017: one experiment under several K, what the paper prints, and what the numbers tell apart."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from torch import Tensor

from agon.arena.reconstructions import Reconstructions as Found
from agon.dynamics import Unrolled
from agon.figures import reconstructions
from agon.figures.pictures import grid_png
from agon.metrics.extractors import Features
from agon.papers import find_item
from agon.papers.intervals import judge
from agon.papers.metz2017 import drawing, measuring
from agon.papers.metz2017.models import AHEAD
from agon.recipes import Recipe, Scale
from agon.runs import Run

CIFAR = ("table1", "figure3", "figure4", "figure5", *(f"figure{k}" for k in range(6, 11)))
ALL = pytest.mark.parametrize("name", ["figure1", "figure2", *CIFAR])


@ALL
def test_the_rows_differ_in_the_look_ahead_alone(name: str) -> None:
    """Whatever differs between two rows is K: data, networks, budget and rates are the same."""
    trainings = find_item(f"metz2017/{name}").trainings
    for scale in get_args(Scale):
        made = {label: recipe.experiment(scale=scale) for label, recipe in trainings.items()}
        plain = made["K = 0"]
        for label, experiment in made.items():
            if label != "K = 0":
                assert isinstance(experiment.dynamics, Unrolled)
                assert experiment.dynamics.steps == int(label.removeprefix("K = "))
                assert experiment.dynamics.looks_ahead == {"generator": ("critic",)}
                assert experiment.dynamics.turns == plain.dynamics
            assert replace(experiment, dynamics=plain.dynamics, recipe=plain.recipe) == plain


def test_items_on_cifar10_share_their_trainings() -> None:
    first: dict[str, Recipe] = dict(find_item("metz2017/table1").trainings)
    assert list(first) == ["K = 0", "K = 1", "K = 5", "K = 10"]
    for name in CIFAR:
        assert dict(find_item(f"metz2017/{name}").trainings) == first
        assert find_item(f"metz2017/{name}").seeds == 5


@pytest.mark.parametrize(("name", "steps"), [("figure2", 150_000), ("table1", 100_000)])
def test_the_papers_steps_are_updates_of_one_network(name: str, steps: int) -> None:
    """Appendices B and C: "one step consists of just 1 network update"; figure 2 has columns enough at any scale."""
    item = find_item(f"metz2017/{name}")
    for recipe in item.trainings.values():
        assert recipe.experiment(scale="paper").steps * item.updates == steps
        quick = recipe.experiment(scale="quick")
        assert quick.steps // quick.sample_every >= 10


def test_table_1_is_printed_as_in_the_paper() -> None:
    """Its percentages add up to more than a hundred: that is how they stand there."""
    published = find_item("metz2017/table1").published
    errors = [row["paper: average MSE"] for row in published.values()]
    assert errors == ["0.0231 ± 0.0024", "0.0195 ± 0.0021", "0.0200 ± 0.0023", "0.0181 ± 0.0018"]
    shares = [float(row["paper: percent best rank"].rstrip("%")) for row in published.values()]
    assert shares == [6.3, 22.97, 15.31, 61.09]
    assert sum(shares) == pytest.approx(105.67)


@ALL
def test_expectations_are_about_rows_that_there_are(name: str) -> None:
    item = find_item(f"metz2017/{name}")
    for each in item.expects:
        assert each.row in item.trainings
        for bound in (each.above, each.below, each.direction):
            assert not isinstance(bound, str) or bound in set(item.trainings) - {each.row}


def test_the_rings_claim_is_about_both_rows() -> None:
    expected = find_item("metz2017/figure1").expects
    assert {each.score for each in expected} == {"modes", "quality", "mode-divergence", "modes-held"}


def test_what_covers_the_data_reaches_an_absolute_number() -> None:
    """Real samples hold it, and what is merely better than the standard GAN holds it partly."""
    for name, score, real, better, worse in (
        ("figure1", "modes", 8.0, 3.0, 1.0),
        ("figure1", "quality", 0.989, 0.3, 0.01),
        ("figure2", "classes", 10.0, 4.0, 1.0),
    ):
        (claim,) = [each for each in find_item(f"metz2017/{name}").expects if each.score == score]
        for value, verdict in ((real, "held"), (better, "partly"), (worse, "contradicted")):
            rows = [
                {"label": label, "seeds": [{"scores": {score: {"value": one, "error": None}}}] * 2}
                for label, one in ((claim.row, value), ("K = 0", worse))
            ]
            assert judge(claim, rows)["verdict"] == verdict, (name, score)


class Brightness:
    """Ten classes by the mean of the pixels: 0 to 25, 26 to 51, ..."""

    name, hash, resizer, precision = "brightness", "0" * 64, "none", "float32"

    def __call__(self, images: Tensor) -> Features:
        of = (images.float().flatten(1).mean(1) / 25.6).long()
        return Features(of[:, None].float(), torch.eye(10)[of])


def kept_run(path: Path, shades: dict[int, list[int]]) -> Run:
    """A run that kept images of these shades at these steps."""
    run = Run.create(path)
    run.describe(find_item("metz2017/figure2").trainings["K = 0"].experiment(scale="smoke").to_json(), {})
    for step, shade in shades.items():
        images = torch.tensor(shade, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 4, 4)
        run.picture(f"{step:08d}.png", grid_png(images.contiguous()))
    return run


def test_a_generator_that_cycles_has_one_class_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over its whole training it makes as many classes as one that spreads; at each step it has a single one."""
    monkeypatch.setattr(measuring, "classifier_of", lambda source: Brightness())
    cycling = kept_run(tmp_path / "cycling", {step: [26 * step + 5] * 10 for step in range(10)})
    spread = kept_run(tmp_path / "spread", {step: [26 * shade + 5 for shade in range(10)] for step in range(10)})
    found = [measuring.fullest_over_time(run) for run in (cycling, spread)]
    assert [[scores[0].value for scores in each.values()] for each in found] == [[1.0] * 10, [0.1] * 10]
    histograms = [torch.stack(list(measuring.digits_over_time(run).values())) for run in (cycling, spread)]
    touched = [each.sum(0).count_nonzero() for each in histograms]
    assert touched == [10, 10]


Drawn = dict[str, Any]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], Drawn]:
    """What an item draws of three images and a number of seeds: images of run s of K are filled with 10 K + s."""

    def found(run: Run, score: object) -> Found:
        ahead, seed = (int(part) for part in run.path.parts[-2:])
        targets = torch.arange(3, dtype=torch.uint8).reshape(3, 1, 1, 1)
        errors = {0: [0.4, 0.2, 0.3], 10: [0.3, 0.1, 0.3]}.get(ahead, [0.9, 0.0, 0.5])
        return Found(targets, torch.full((3, 1, 1, 1), 10 * ahead + seed, dtype=torch.uint8), torch.tensor(errors))

    def draw(name: str, seeds: int) -> Drawn:
        told: Drawn = {}
        monkeypatch.setattr(
            reconstructions, "tiles_png", lambda rows, columns, **more: told.update(more, rows=rows) or b"png"
        )
        runs = {f"K = {k}": [Run(Path(str(k), str(seed))) for seed in range(seeds)] for k in AHEAD}
        find_item(f"metz2017/{name}").draw(runs, "quick")
        return told

    monkeypatch.setattr(drawing, "reconstruction_score", lambda run, scale: None)
    monkeypatch.setattr(drawing, "reconstructions", found)
    return draw


def test_figure_4_begins_where_the_two_models_differ_most(drawn: Callable[[str, int], Drawn]) -> None:
    """0.2 against 0.1 differs more than 0.4 against 0.3; what the models between do does not count."""
    told = drawn("figure4", 5)
    assert list(told["rows"]) == ["1, 2", "3"]
    (first, second) = told["rows"].values()
    assert [int(panel) for panel in first] == [1, 0, 10, 50, 100, 0, 0, 10, 50, 100]
    assert second[5:] == [None] * 5
    assert told["notes"][0] == ["", "0.2000", "0.0000", "0.0000", "0.1000", "", "0.4000", "0.9000", "0.9000", "0.3000"]
    assert told["notes"][1][5:] == [""] * 5


@pytest.mark.parametrize(("number", "seeds", "seed"), [(6, 5, 0), (8, 5, 2), (10, 5, 4), (10, 3, 2), (7, 1, 0)])
def test_appendix_d_has_a_figure_a_seed(number: int, seeds: int, seed: int, drawn: Callable[[str, int], Drawn]) -> None:
    """Or the last there is."""
    (first, _) = drawn(f"figure{number}", seeds)["rows"].values()
    assert int(first[1]) == seed
