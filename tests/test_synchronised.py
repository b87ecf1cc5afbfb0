"""Batch normalisation over processes is that of the whole batch, and differentiable twice."""

import copy
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import Tensor, nn

from agon.networks.synchronised import DecomposedBatchNorm, SynchronisedBatchNorm, decompose, synchronise
from tests.training.programs import processes

CHANNELS = 3
PLANES = (8, CHANNELS, 4, 2)
Results = dict[str, Tensor]


def normal(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def filled(norm: nn.Module) -> nn.Module:
    """With parameters and statistics of its own."""
    with torch.no_grad():
        for k, (_, tensor) in enumerate(sorted(norm.state_dict().items())):
            if tensor.is_floating_point():
                tensor.copy_(normal(k, *tensor.shape).abs() + 0.5)
    return norm


def played(norm: nn.Module, x: Tensor, weight: Tensor) -> Results:
    """Outputs, gradients, gradients of gradients and running statistics, for a loss that is a sum."""
    x = x.clone().requires_grad_()
    y = norm(x)
    loss = (y.tanh() * weight).sum()
    inputs = [x, *norm.parameters()]
    (slope,) = torch.autograd.grad(loss, x, create_graph=True)
    gradients = torch.autograd.grad(loss, inputs, create_graph=True)
    twice = torch.autograd.grad((slope.square() * weight).sum(), inputs, allow_unused=True)
    results = {"y": y.detach()}
    for name, found in (("gradient", gradients), ("second", twice)):
        results |= {
            f"{name}/{n}": torch.zeros_like(i) if g is None else g.detach()
            for n, i, g in zip(("x", "scale", "shift"), inputs, found, strict=False)
        }
    return results | {name: buffer.clone() for name, buffer in norm.named_buffers()}


def assert_close(one: Results, other: Results) -> None:
    assert one.keys() == other.keys()
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=1e-12, atol=1e-12, msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.parametrize("settings", [{}, {"momentum": None}, {"affine": False}, {"track_running_stats": False}])
@pytest.mark.parametrize("training", [True, False])
def test_decomposed_it_is_torchs_own(settings: dict[str, object], training: bool) -> None:
    """Outputs, two derivatives and statistics; the third, which torch's own has not, is in test_unrolled_exact."""
    theirs = filled(nn.BatchNorm2d(CHANNELS, **settings)).double().train(training)  # type: ignore[arg-type]
    ours = decompose(nn.Sequential(copy.deepcopy(theirs)))[0]
    assert isinstance(ours, DecomposedBatchNorm)
    x, weight = normal(10, *PLANES), normal(11, *PLANES)
    assert_close(played(ours, x, weight), played(theirs, x, weight))


@pytest.mark.parametrize("settings", [{}, {"momentum": None}, {"affine": False}, {"track_running_stats": False}])
@pytest.mark.parametrize("training", [True, False])
def test_alone_it_is_torchs_own_bit_for_bit(settings: dict[str, object], training: bool) -> None:
    theirs = filled(nn.BatchNorm2d(CHANNELS, **settings)).train(training)  # type: ignore[arg-type]
    ours = synchronise(copy.deepcopy(theirs))
    assert type(ours) is SynchronisedBatchNorm
    assert ours.training is training
    for seed in range(3):
        x = normal(seed, *PLANES).float()
        assert torch.equal(ours(x), theirs(x))
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    assert all(torch.equal(v, theirs.state_dict()[k]) for k, v in ours.state_dict().items())


def test_state_dicts_are_interchangeable() -> None:
    network = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.BatchNorm1d(3), nn.ReLU()), nn.BatchNorm1d(3))
    filled(network)[2].eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    names = [name for name, _ in network.named_modules()]
    ours = synchronise(network)
    assert ours is network
    assert [name for name, _ in ours.named_modules()] == names
    assert sum(isinstance(m, SynchronisedBatchNorm) for m in ours.modules()) == 2
    assert not ours[2].training
    assert all(torch.equal(v, before[k]) for k, v in ours.state_dict().items())
    plain = nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.BatchNorm1d(3), nn.ReLU()), nn.BatchNorm1d(3))
    plain.load_state_dict(ours.state_dict())
    ours.load_state_dict(plain.state_dict())


def test_replacing_keeps_precision_and_what_is_frozen() -> None:
    norm = filled(nn.BatchNorm1d(3).double())
    norm.weight.requires_grad_(False)
    before = copy.deepcopy(norm.state_dict())
    ours = synchronise(norm)
    assert all(torch.equal(v, before[k]) and v.dtype is before[k].dtype for k, v in ours.state_dict().items())
    assert [p.requires_grad for p in ours.parameters()] == [False, True]


def join(rank: int, folder: str, world: int) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=world)


def part_of(rank: int, folder: str, world: int) -> None:
    """One process's part of the batch; what it finds is left in a file."""
    torch.set_num_threads(1)
    join(rank, folder, world)
    for name, shape in (("planes", PLANES), ("points", PLANES[:2])):
        x, weight = (normal(seed, *shape).chunk(world)[rank] for seed in (0, 1))
        norm = filled(SynchronisedBatchNorm(CHANNELS).double())
        torch.save(played(norm, x, weight), f"{folder}/{name}-{rank}")
    if world == 1:
        check_twice_differentiable()
    dist.destroy_process_group()


def check_twice_differentiable() -> None:
    norm = filled(SynchronisedBatchNorm(CHANNELS).double())
    inputs = (normal(0, 4, CHANNELS).requires_grad_(), norm.weight, norm.bias)

    def output(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        return torch.func.functional_call(norm, {"weight": scale, "bias": shift}, x)

    assert torch.autograd.gradcheck(output, inputs)
    assert torch.autograd.gradgradcheck(output, inputs)


@pytest.mark.parametrize("world", [1, 2])
def test_processes_with_parts_are_one_with_the_whole(world: int, tmp_path: Path) -> None:
    if world == 1:
        part_of(0, str(tmp_path), world)
    else:
        processes(part_of, (str(tmp_path), world), world)
    for name, shape, kind in (("planes", PLANES, nn.BatchNorm2d), ("points", PLANES[:2], nn.BatchNorm1d)):
        whole = played(filled(kind(CHANNELS).double()), normal(0, *shape), normal(1, *shape))
        parts = [torch.load(tmp_path / f"{name}-{rank}") for rank in range(world)]
        assert_close(joined(parts), whole)
        apart = [
            played(filled(kind(CHANNELS).double()), *(normal(s, *shape).chunk(2)[rank] for s in (0, 1)))
            for rank in range(2)
        ]
        with pytest.raises(AssertionError):  # the negative control: each by its own statistics
            assert_close(joined(apart), whole)


def joined(parts: list[Results]) -> Results:
    """Samples side by side, gradients of shared parameters added, statistics equal everywhere."""
    found = {}
    for name in parts[0]:
        each = [part[name] for part in parts]
        if name == "y" or name.endswith("/x"):
            found[name] = torch.cat(each)
        elif "/" in name:
            found[name] = torch.stack(each).sum(0)
        else:
            assert all(torch.equal(each[0], other) for other in each), name
            found[name] = each[0]
    return found
