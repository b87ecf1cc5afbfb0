"""Time steps: memory for time, and what else must leave shared weights and each step's statistics what they are."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from agon.averaging import Average, Averaging, restate
from agon.dynamics import Turns, Unrolled
from agon.games import Adversarial, Batch, parameters_of
from agon.networks import cnn, gran
from agon.networks.synchronised import SynchronisedBatchNorm, synchronise
from agon.objectives import Hinge
from agon.runs import Checkpoint, checkpoints
from agon.training.replicates.batched_game import batched_game, stack_batches

SHAPE = (2, 8, 8)
MEMORY = pytest.mark.parametrize("checkpoint", [False, True], ids=["kept", "recomputed"])
State = dict[str, Tensor]


def generator(seed: int = 0, **settings: Any) -> gran.Generator:
    torch.manual_seed(seed)
    return gran.Generator(shape=SHAPE, latent=3, hidden=5, kernels=(6, 4), **settings).double()


def game(seed: int = 0, **settings: Any) -> Adversarial:
    own = generator(seed, **settings)
    critic = cnn.Critic(shape=SHAPE, layers=((5, 2, 3), (5, 2, 4))).double()
    return Adversarial(generator=own, critic=critic, objective=Hinge())


def batch(seed: int = 0) -> Batch:
    rng = torch.Generator().manual_seed(seed)
    return Batch(torch.rand(8, *SHAPE, generator=rng).double(), torch.randn(8, 3, generator=rng).double(), {})


def played(network: gran.Generator) -> State:
    """Samples, gradients and statistics after one pass and its backward pass."""
    x = network(batch().latent)
    x.square().sum().backward()
    found = {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}
    return {"x": x.detach(), **found, **{name: buffer.clone() for name, buffer in network.named_buffers()}}


def assert_same(one: State, other: State) -> None:
    assert one.keys() == other.keys()
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=1e-10, atol=1e-12, msg=lambda m, n=name: f"{n}: {m}")


def careless(module: nn.Module, play: Callable[..., Tensor], *given: object) -> Tensor:
    """What one writes first: the second pass moves the statistics again, and plays what is there by then."""
    made: Tensor = checkpoint(play, *given, use_reentrant=False)
    return made


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("training", [True, False])
def test_recomputing_gives_the_same_gradients_and_statistics(
    training: bool, tied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = played(generator(steps=5, tied=tied).train(training))
    assert_same(played(generator(steps=5, tied=tied, checkpoint=True).train(training)), kept)
    assert kept["decoder.norms.0.norms.0.num_batches_tracked"] == training
    monkeypatch.setattr(gran, "recomputed", careless)
    if training:
        with pytest.raises(AssertionError, match="norms"):
            assert_same(played(generator(steps=5, tied=tied, checkpoint=True)), kept)


def test_recomputing_plays_what_was_there_in_the_first_pass() -> None:
    """Flags, parameters and statistics may change before the backward pass; they stay changed after it."""
    network = generator(checkpoint=True).eval()
    x = network(batch().latent)
    network.train()
    own = network.code.weight
    network.code._parameters["weight"] = other = nn.Parameter(torch.zeros_like(own))
    network.decoder.norms[0].norms[1].running_mean.add_(1.0)
    x.square().sum().backward()
    expected = played(generator().eval())
    torch.testing.assert_close(own.grad, expected["code.weight"], rtol=1e-10, atol=1e-12)
    assert other.grad is None
    assert network.code.weight is other
    assert all(module.training for module in network.modules())
    assert not network.decoder.norms[0].norms[1].num_batches_tracked


@contextmanager
def counted() -> Iterator[list[int]]:
    """Bytes that are kept for the backward pass, each memory once."""
    kept: dict[int, int] = {}
    total = [0]

    def pack(tensor: Tensor) -> Tensor:
        memory = tensor.untyped_storage()
        kept[memory.data_ptr()] = memory.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield total
    total[0] = sum(kept.values())


def bytes_kept(steps: int, checkpoint: bool) -> int:
    """Between the passes; ΔC, which goes from step to step, is among them in both."""
    network = gran.Generator(shape=(1, 28, 28), steps=steps, kernels=(16, 8), checkpoint=checkpoint)
    with counted() as total:
        network(torch.randn(16, 60))
    return total[0]


def test_recomputing_keeps_little() -> None:
    """An eighth at most; a step more is an increment more."""
    increment = 16 * 28 * 28 * 4
    assert bytes_kept(5, True) < bytes_kept(5, False) / 8
    assert bytes_kept(9, True) - bytes_kept(5, True) == 4 * increment
    assert bytes_kept(9, False) - bytes_kept(5, False) > 4 * 8 * increment


LOOKING = {
    "at the critic": {"generator": ("critic",)},
    "at the generator": {"critic": ("generator",)},
    "at both": {"generator": ("critic", "generator")},
}


def unrolled(dynamics: Unrolled, **settings: Any) -> State:
    """Weights and statistics after two rounds."""
    own = game(**settings)
    optimisers = {p: torch.optim.Adam(parameters_of(own, p), lr=1e-2) for p in own.players}
    for seed in range(2):
        dynamics.step(own, optimisers, lambda seed=seed: batch(seed))
    return {name: value.clone() for name, value in own.state_dict().items()}


@pytest.mark.parametrize("looks", LOOKING)
def test_it_is_looked_ahead_at_and_looks_ahead(looks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """K = 2; steps recomputed after the look-ahead's weights have changed are those of that time."""
    ahead = {"looks_ahead": LOOKING[looks], "steps": 2}
    kept = unrolled(Unrolled(**ahead))
    assert_same(unrolled(Unrolled(**ahead), checkpoint=True), kept)
    assert_same(unrolled(Unrolled(checkpoint=True, **ahead), checkpoint=True), kept)
    assert kept["generator.code.weight"].ne(unrolled(Unrolled(steps=0))["generator.code.weight"]).any()
    monkeypatch.setattr(gran, "recomputed", careless)
    with pytest.raises(AssertionError):
        assert_same(unrolled(Unrolled(**ahead), checkpoint=True), kept)


@MEMORY
def test_synchronised_normalisation_keeps_weights_shared(checkpoint: bool) -> None:
    network = synchronise(generator(tied=True, checkpoint=checkpoint))
    norms = [m for m in network.modules() if isinstance(m, SynchronisedBatchNorm)]
    assert len(norms) == 2 * 3 + 3 * 2
    assert len({id(norm.weight) for norm in norms}) == 2 + 3
    assert isinstance(network, gran.Generator)
    assert_same(played(network), played(generator(tied=True)))


def test_an_average_shares_what_is_shared_and_restates_each_step() -> None:
    own = game(tied=True)
    average = Average(Averaging(decay=0.5, ramp=False), own)
    with torch.no_grad():
        for parameter in own.generator.parameters():
            parameter.add_(1.0)
    average.update(own, step=0)
    (mean,) = average.modules.values()
    before = generator(tied=True)
    for one, first in zip(mean.parameters(), before.parameters(), strict=True):
        torch.testing.assert_close(one, first + 0.5)  # once, wherever it is used
    z = batch().latent
    with torch.no_grad():
        restate([mean], lambda: mean(z), batches=3)
    assert {int(b) for n, b in mean.named_buffers() if n.endswith("num_batches_tracked")} == {3}
    first, second, _ = mean.decoder.norms[1].norms
    assert (first.running_mean - second.running_mean).abs().max() > 1e-3


@pytest.mark.parametrize("tied", [False, True])
def test_it_is_written_to_a_checkpoint_and_read_back(tied: bool, tmp_path: Path) -> None:
    """Weights in several places have several names there; read back, they are still one."""
    one, other = generator(tied=tied), generator(1, tied=tied)
    played(one)
    path = checkpoints.save(tmp_path, Checkpoint(1, one.state_dict(), {}))
    count = len(list(other.parameters()))
    other.load_state_dict(checkpoints.load(path).tensors)
    assert len(list(other.parameters())) == count
    one.zero_grad()
    assert_same(played(other), played(one))


@MEMORY
def test_seeds_play_together_as_they_do_alone(checkpoint: bool) -> None:
    games = [game(seed, tied=True, checkpoint=checkpoint) for seed in range(2)]
    together = batched_game(games)
    optimisers = {p: torch.optim.Adam(parameters_of(together, p), lr=1e-2) for p in together.players}
    both = [batch(seed) for seed in range(2)]
    Turns().step(together, optimisers, lambda: stack_batches(both))
    for seed, own in enumerate(games):
        alone = {p: torch.optim.Adam(parameters_of(own, p), lr=1e-2) for p in own.players}
        Turns().step(own, alone, lambda seed=seed: both[seed])
        slices = {n: v[seed] for n, v in together.skeleton.state_dict().items()}
        assert_same(slices, dict(own.state_dict()))
