"""Residual networks without normalisation: identities at first, variances by depth, any size, the paper's counts."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from agon.dynamics import Unrolled
from agon.errors import SettingError
from agon.games import Adversarial, Batch, parameters_of
from agon.networks import resnext
from agon.objectives import Relativistic
from agon.penalties import R1, R2

NARROW = {"widths": (8, 4), "blocks": 1, "group": 4}
SHAPES = [(1, 28, 28), (3, 32, 32), (1, 8, 8), (3, 48, 48), (2, 13, 21), (1, 5, 4)]


def woken(network: nn.Module) -> nn.Module:
    """With last layers that are not 0 any more."""
    for block in (m for m in network.modules() if isinstance(m, resnext.ResNeXtBlock)):
        nn.init.normal_(block.leave.weight, 0.0, 0.1)
    return network


def test_a_block_begins_as_the_identity_and_does_not_stay_it() -> None:
    torch.manual_seed(0)
    block, x = resnext.ResNeXtBlock(width=8, group=4), torch.randn(2, 8, 5, 5)
    assert torch.equal(block(x), x)
    block(x).square().sum().backward()
    gradients = {name: p.grad for name, p in block.named_parameters()}
    assert gradients["leave.weight"].any()
    assert all(g.isfinite().all() for g in gradients.values())
    assert not gradients["enter.weight"].any()  # zero at the first step only
    assert not torch.equal(woken(block)(x), x)


def test_a_block_is_its_formula() -> None:
    torch.manual_seed(0)
    block, x = woken(resnext.ResNeXtBlock(width=4, expansion=3, group=6)), torch.randn(2, 4, 5, 5)

    def phi(y: Tensor) -> Tensor:
        return torch.where(y > 0, y, 0.2 * y)

    inner = phi(block.enter(x))
    halves = [
        nn.functional.conv2d(inner[:, g : g + 6], block.grouped.weight[g : g + 6], padding=1) for g in (0, 6)
    ]  # each group sees its own channels
    torch.testing.assert_close(block(x), x + block.leave(phi(torch.cat(halves, 1))), rtol=1e-4, atol=1e-5)


def test_channels_within_and_groups_are_counted() -> None:
    block = resnext.ResNeXtBlock(width=768, expansion=2, group=16)
    assert block.grouped.weight.shape == (1536, 16, 3, 3)
    assert block.grouped.groups == 96
    assert block.leave.bias is None
    with pytest.raises(SettingError, match=r"divisor of its 20 channels \(2 times 10\), got 16"):
        resnext.ResNeXtBlock(width=10)


@pytest.mark.parametrize("blocks", [1, 16])
def test_the_variance_falls_with_the_depth(blocks: int) -> None:
    """He's 2/((1 + 0.2²) fan-in), times blocks^(-1/2): fix-up's blocks^(-1/(2m - 2)) of a branch of m = 3 layers."""
    torch.manual_seed(0)
    block = resnext.ResNeXtBlock(width=64, blocks=blocks)
    for layer, fan in ((block.enter, 64), (block.grouped, 16 * 9)):
        n = layer.weight.numel()
        expected = 2 / 1.04 / fan * blocks**-0.5
        assert abs(layer.weight.var() / expected - 1) < 4 * (2 / n) ** 0.5
        assert not layer.bias.any()
    assert not block.leave.weight.any()


def test_all_blocks_of_a_network_count_into_its_depth() -> None:
    """4 sizes of 2 blocks: deviations 8^(-1/4) of a lone block's."""
    torch.manual_seed(0)
    critic = resnext.Critic(shape=(1, 32, 32), widths=(64,), blocks=2)
    blocks = [m for m in critic.modules() if isinstance(m, resnext.ResNeXtBlock)]
    assert len(blocks) == 8
    for block in blocks:
        assert abs(block.grouped.weight.std() / (resnext.GAIN / 12 * 8**-0.25) - 1) < 0.03


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_any_size_has_its_networks(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    generator = resnext.Generator(shape=shape, latent=3, **NARROW)
    critic = resnext.Critic(shape=shape, **NARROW)
    fake = generator(torch.randn(6, 3))
    assert fake.shape == (6, *shape)
    assert (fake.std(0) > 0).all()
    x = fake.detach().requires_grad_()
    logits = critic(x)
    assert logits.shape == (6,)
    (gradient,) = torch.autograd.grad(logits.sum(), x)
    assert (gradient.abs().amax(0) > 0).all()


def test_critic_and_generator_mirror_each_other() -> None:
    """The same blocks and changes of width, in reverse."""
    generator = resnext.Generator(shape=(1, 28, 28), widths=(8, 4, 2), blocks=1, group=4)
    critic = resnext.Critic(shape=(1, 28, 28), widths=(8, 4, 2), blocks=1, group=4)

    def told(network: nn.Module) -> list[tuple[int, ...]]:
        convolutions = [m for m in network.layers if isinstance(m, nn.Conv2d) and m.kernel_size == (1, 1)]
        sizes = [m.sides for m in network.layers if isinstance(m, resnext.Resized)]
        widths = [m.enter.in_channels for m in network.layers if isinstance(m, resnext.ResNeXtBlock)]
        return [*((c.in_channels, c.out_channels) for c in convolutions), *sizes, tuple(widths)]

    assert told(generator) == [(8, 4), (4, 2), (2, 1), (7, 7), (14, 14), (28, 28), (8, 4, 2, 2)]
    assert told(critic) == [(1, 2), (2, 4), (4, 8), (14, 14), (7, 7), (4, 4), (2, 2, 4, 8)]


def test_the_networks_of_cifar10_have_their_numbers_of_parameters() -> None:
    """768 channels, 1536 within, 16 a group, 8 blocks, counted by hand; built without memory."""
    block = 768 * 1536 + 1536 * 16 * 9 + 1536 * 768 + 2 * 1536
    with torch.device("meta"):
        generator = resnext.Generator(shape=(3, 32, 32), latent=64, widths=(768,))
        critic = resnext.Critic(shape=(3, 32, 32), widths=(768,))
    count = [sum(p.numel() for p in network.parameters()) for network in (generator, critic)]
    ends = 768 * 4 * 4 + 768 * 3
    assert count == [8 * block + ends + 64 * 768, 8 * block + ends + 768] == [20_732_160, 20_683_776]


@pytest.mark.parametrize(
    ("before", "after"), [((4, 4), (8, 8)), ((7, 5), (14, 9)), ((28, 14), (14, 7)), ((9, 3), (5, 2))]
)
def test_resampling_is_bilinear(before: tuple[int, int], after: tuple[int, int]) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, *before, dtype=torch.float64)
    expected = interpolate(x, size=after, mode="bilinear", align_corners=False)
    torch.testing.assert_close(resnext.Resized(after)(x), expected, rtol=1e-12, atol=1e-12)


def test_without_widths_there_is_no_network() -> None:
    with pytest.raises(SettingError, match="at least one number of channels"):
        resnext.Critic(shape=(1, 8, 8), widths=())


def test_it_trains_with_both_penalties_and_is_looked_ahead_at() -> None:
    """From zero layers on: finite, and every parameter has moved after two steps."""
    torch.manual_seed(0)
    generator = resnext.Generator(shape=(1, 8, 8), latent=3, **NARROW)
    game = Adversarial(
        generator=generator,
        critic=resnext.Critic(shape=(1, 8, 8), **NARROW),
        objective=Relativistic(),
        penalties=(R1(weight=0.1), R2(weight=0.1)),
    ).double()
    optimisers = {player: torch.optim.Adam(parameters_of(game, player)) for player in game.players}
    before = copy.deepcopy(dict(game.named_parameters()))
    drawn = Batch(torch.rand(4, 1, 8, 8, dtype=torch.float64), torch.randn(4, 3, dtype=torch.float64), {})
    for _ in range(3):
        Unrolled(steps=1).step(game, optimisers, lambda: drawn)
    after = dict(game.named_parameters())
    assert all(value.isfinite().all() for value in after.values())
    assert [name for name, value in before.items() if torch.equal(value, after[name])] == []
