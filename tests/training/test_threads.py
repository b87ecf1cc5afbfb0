"""Trainings in several threads of one process, and from ready instances, are what they are alone."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import nn

import agon
from agon.errors import SettingError
from agon.networks import mlp
from agon.runs import Checkpoint, Run
from agon.samples.making import load, sample
from tests.training.compare import assert_same
from tests.training.dropping import experiment
from tests.training.programs import points

ONE_THREAD = agon.Compute(threads=1, device="cpu")


def train(run: Path, described: agon.Experiment) -> Path:
    agon.train(described, run, compute=ONE_THREAD, show=False)
    return run


def last(run: Path) -> Checkpoint:
    checkpoint = Run.open(run).last_good()[0]
    assert checkpoint is not None
    return checkpoint


def test_trainings_in_threads_are_what_they_are_alone(tmp_path: Path) -> None:
    """With dropout, which draws from the one global stream that torch has."""
    alone = train(tmp_path / "alone", experiment(60))
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda name: train(tmp_path / name, experiment(60)), "abc"))
    for run in runs:
        assert_same(run, alone)


def test_sampling_and_resuming_beside_a_training_disturb_nothing(tmp_path: Path) -> None:
    alone, other = train(tmp_path / "alone", experiment(60)), train(tmp_path / "other", experiment(10))
    picture = sample(load(Run.open(other), experiment=experiment(10)), 4)

    def look() -> list[bool]:
        return [torch.equal(sample(load(Run.open(other), experiment=experiment(10)), 4), picture) for _ in range(5)]

    with ThreadPoolExecutor(3) as pool:
        trained = pool.submit(train, tmp_path / "run", experiment(60))
        looked = pool.submit(look)
        assert all(looked.result())
        longer = {"steps": 60, "experiment": experiment(60), "show": False}
        pool.submit(agon.resume, other, **longer).result()
        assert_same(trained.result(), alone)
    assert_same(other, alone)


def test_each_has_its_own_number_of_threads(tmp_path: Path) -> None:
    """Sums over parts of a batch depend on it in their last bits."""
    with ThreadPoolExecutor(2) as pool:
        two = agon.Compute(threads=2, device="cpu")
        one = pool.submit(agon.train, experiment(40), tmp_path / "one", compute=ONE_THREAD, show=False)
        other = pool.submit(agon.train, experiment(40), tmp_path / "two", compute=two, show=False)
        assert [run.result().compute["threads"] for run in (one, other)] == [1, 2]
    assert_same(tmp_path / "one", train(tmp_path / "alone", experiment(40)))


PLACES: dict[str, Callable[[], agon.Experiment]] = {
    "the game": lambda: points(10, game=points(10).build()),
    "a network": lambda: points(10, critic=mlp.Critic(shape=(2,), widths=(8,))),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_ready_instance_begins_every_training_as_it_is(place: str, tmp_path: Path) -> None:
    described = PLACES[place]()
    first = train(tmp_path / "first", described)
    assert_same(train(tmp_path / "second", described), first)
    beginning = described.build().state_dict()
    moved = [name for name, value in beginning.items() if not torch.equal(last(first).tensors[f"game/{name}"], value)]
    assert moved  # the negative control: the run has been trained, and the instance has not


def test_copies_share_what_instances_share() -> None:
    shared = nn.Linear(4, 4)
    game = agon.part(
        agon.Adversarial, generator=nn.Sequential(nn.Linear(4, 4), shared), critic=nn.Sequential(shared, nn.Flatten(0))
    )
    built = game.build()
    assert built.generator[1] is built.critic[0]
    assert built.critic[0] is not shared


def test_an_instance_that_cannot_be_copied_is_refused(tmp_path: Path) -> None:
    critic = mlp.Critic(shape=(2,), widths=(8,))
    critic.kept = nn.Parameter(torch.ones(2)) * 2  # type: ignore[assignment]
    with pytest.raises(SettingError, match="a ready instance that cannot be copied"):
        train(tmp_path / "run", points(10, critic=critic))
