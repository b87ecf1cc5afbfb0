"""Two processes with half the batch each have the unrolled gradient of one process with all of it."""

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn

from agon.dynamics import Dynamics, Extragradient, Turns, Unrolled, unrolled_loss
from agon.dynamics.unrolled import inner_step, unroll
from agon.errors import SettingError
from agon.games import Batch, parameters_of
from agon.networks.synchronised import synchronise
from tests.training.programs import processes

from ..test_synchronised import join
from .test_moves import SIMULTANEOUS, batch
from .test_unrolled_exact import game_of, optimisers_of

CASES: dict[str, Dynamics] = {
    "alternating": Unrolled(steps=3),
    "simultaneous": Unrolled(Turns(SIMULTANEOUS), steps=3),
    "checkpointed": Unrolled(steps=3, checkpoint=True),
    "both, recursively": Unrolled(
        Turns(SIMULTANEOUS), {"generator": ("critic", "generator"), "critic": ("generator",)}, steps=2
    ),
    "extragradient": Extragradient(),
}


def stepped(dynamics: Dynamics, rank: int, world: int) -> list[Tensor]:
    """All gradients along which a step moves the players, batch normalisation in both."""
    game = game_of("batch normalisation")
    optimisers = optimisers_of(game, "adam")  # with the same moments everywhere: on the whole batch
    if world > 1:
        synchronise(game)
    whole = batch(0)
    mine = Batch(whole.real.chunk(world)[rank], whole.latent.chunk(world)[rank], {})
    dynamics.step(game, optimisers, lambda: mine)
    return [p.grad for player in game.players for p in parameters_of(game, player)]


def refused(rank: int) -> list[Tensor]:
    """What is said of a critic whose layer is reached by a global variable, and of a wrapped one; as bytes."""
    global LAYER
    game = game_of()
    LAYER = game.critic[0]
    game.critic.register_forward_pre_hook(lambda module, given: (LAYER.weight.mean() + given[0],))
    with pytest.raises(SettingError) as error:
        CASES["alternating"].step(game, optimisers_of(game, "adam"), lambda: batch(rank))
    wrapped, generator = nn.parallel.DistributedDataParallel(game_of().critic), game.generator
    optimiser = torch.optim.SGD(wrapped.parameters(), lr=0.1)
    given = {name: lambda critic: critic(generator(batch(rank).latent)).mean() for name in ("inner", "outer")}
    with pytest.raises(SettingError) as other:
        unrolled_loss(wrapped, optimiser, **given, steps=1)
    return [torch.tensor(list(str(each.value).encode())) for each in (error, other)]


LAYER: nn.Module = nn.Identity()


def part_of(rank: int, folder: str) -> None:
    """One of two processes: what it finds is left in files, also with inner gradients of its own half alone."""
    torch.set_num_threads(1)
    alone = {name: stepped(dynamics, 0, 1) for name, dynamics in CASES.items()}
    join(rank, folder, 2)
    found = {name: stepped(dynamics, rank, 2) for name, dynamics in CASES.items()}
    inner_step.averaged = unroll.averaged = tuple  # type: ignore[assignment]
    found["refused"] = refused(rank)
    found["local"] = stepped(CASES["alternating"], rank, 2)
    torch.save((alone, found), f"{folder}/found-{rank}")
    dist.destroy_process_group()


def test_two_processes_are_one(tmp_path: Path) -> None:
    processes(part_of, (str(tmp_path),), 2)
    for rank in range(2):
        alone, found = torch.load(tmp_path / f"found-{rank}")
        for name in CASES:
            assert apart(found[name], alone[name]) < 1e-9, name
        reached, wrapped = (bytes(each.tolist()).decode() for each in found["refused"])
        assert "the live parameter critic.0.weight itself" in reached
        assert "got DistributedDataParallel" in wrapped
        assert "hand in the module that it was made of" in wrapped
        with pytest.raises(AssertionError):  # the negative control: each looks ahead by its own half
            assert apart(found["local"], alone["alternating"]) < 1e-9


def apart(found: list[Tensor], expected: list[Tensor]) -> float:
    one, other = (torch.cat([t.flatten() for t in each]) for each in (found, expected))
    return float((one - other).norm() / other.norm())
