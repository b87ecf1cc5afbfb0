"""Residual networks of grouped convolutions without normalisation: a generator, and a critic that mirrors it.

| the paper (Huang et al. 2024, section 4.1, table 1 and appendix) | here |
|---|---|
| block: 1x1, grouped 3x3, 1x1, leaky ReLUs between, twice as wide within, 16 channels a group | the same; by choice |
| no normalisation; fix-up: last layer 0, the others' deviation times (number of blocks)^(-1/4) | the same |
| biases: one a channel before each activation, none elsewhere | the same |
| bilinear resampling, then (critic) or before it (generator) 1x1 where the width changes | the same |
| bilinear filter: not stated; the released code has (1, 2, 1) at the larger size | torch's, corners not aligned |
| starts from a learned 4x4 map that z scales channel by channel | the same, of the smallest size |
| ends in a 4x4 depthwise convolution and a linear layer | the same, of the smallest size |
| samples: a linear 1x1 convolution | the same with range None; tanh and sigmoid by choice |
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

from agon.errors import SettingError
from agon.networks.cnn import channels_of
from agon.networks.convolutions import Sides
from agon.networks.dcgan import stages
from agon.networks.layers import activation, positive, squash

M = TypeVar("M", nn.Conv2d, nn.Linear)

GAIN = (2 / (1 + 0.2**2)) ** 0.5  # keeps the second moment through a leaky ReLU of slope 0.2


class ResNeXtBlock(nn.Module):
    """x + W₃ φ(W₂ φ(W₁ x)): 1x1, grouped 3x3, 1x1; the identity at initialisation, because W₃ starts as 0.

    Args:
        width: channels of x.
        expansion: inner channels as a multiple of `width`.
        group: channels of a group of the 3x3 convolution.
        blocks: number of such blocks in the network; W₁ and W₂ have the standard deviation of He et al. 2015
            times blocks^(-1/4).

    Raises:
        SettingError: the groups do not divide the channels.

    Source: Xie et al. 2017, figure 3c; Zhang et al. 2019 (fix-up), section 3; Huang et al. 2024, section 4.1.
    """

    def __init__(self, *, width: int, expansion: int = 2, group: int = 16, blocks: int = 1) -> None:
        super().__init__()
        positive(width=width, expansion=expansion, group=group, blocks=blocks)
        within = width * expansion
        if within % group:
            raise SettingError(
                f"group of a block: expected a divisor of its {within} channels ({expansion} times {width}), got "
                f"{group}"
            )
        self.enter = nn.Conv2d(width, within, 1)
        self.grouped = nn.Conv2d(within, within, 3, padding=1, groups=within // group)
        self.leave = nn.Conv2d(within, width, 1, bias=False)
        self.between = activation("leaky-relu")
        for layer in (self.enter, self.grouped):
            _draw(layer, GAIN * blocks**-0.25)
        nn.init.zeros_(self.leave.weight)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        inner = self.between(self.enter(x))
        return x + self.leave(self.between(self.grouped(inner)))  # type: ignore[no-any-return]


class Resized(nn.Module):
    """Bilinear resampling to an exact height and width.

    It is two products with constant matrices, so it has derivatives of any order and is deterministic on every
    device; the derivative of torch's own is not deterministic on GPUs.

    Args:
        sides: (height, width) of the output.
    """

    def __init__(self, sides: Sides) -> None:
        super().__init__()
        self.sides = sides

    def forward(self, x: Float[Tensor, "n c a b"]) -> Float[Tensor, "n c h w"]:
        height, width = (_weights(before, after, x) for before, after in zip(x.shape[2:], self.sides, strict=True))
        return height.T @ (x @ width)


class Generator(nn.Module):
    """z -> image: a learned map, scaled by z channel by channel, then blocks at every size.

    Args:
        shape: (channels, height, width) of one sample; sides from 4.
        latent: number of coordinates of z.
        widths: channels at each size, from the smallest on; the last holds for all larger sizes, and surplus
            ones are ignored.
        blocks: blocks at each size.
        expansion: inner channels of a block, as a multiple of its outer ones.
        group: channels of a group of convolutions; divides a block's inner channels.
        smallest: most that the longer side of the first size may be.
        range: range of the samples; (-1, 1) ends in tanh, (0, 1) in a sigmoid, None in no activation.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, int, int],
        latent: int = 64,
        widths: Sequence[int] = (64,),
        blocks: int = 2,
        expansion: int = 2,
        group: int = 16,
        smallest: int = 4,
        range: tuple[float, float] | None = (-1.0, 1.0),  # noqa: A002 - the sources' word
    ) -> None:
        super().__init__()
        positive(latent=latent)
        plan = StagePlan(shape, widths, blocks, expansion, group, smallest)
        self.latent_shape = (latent,)
        self.basis = nn.Parameter(torch.randn(plan.widths[0], *plan.sides[0]))
        self.scale = _draw(nn.Linear(latent, plan.widths[0], bias=False))
        layers = plan.blocks(0)
        for i, (inputs, outputs) in enumerate(pairwise(plan.widths), 1):
            layers += [*_rewidened(inputs, outputs), Resized(plan.sides[i]), *plan.blocks(i)]
        end = _draw(nn.Conv2d(plan.widths[-1], channels_of(shape), 1, bias=False))
        self.layers = nn.Sequential(*layers, end, squash(range))

    def forward(self, latent: Float[Tensor, "n k"]) -> Float[Tensor, "n c h w"]:
        return self.layers(self.basis * self.scale(latent)[:, :, None, None])  # type: ignore[no-any-return]


class Critic(nn.Module):
    """Image -> logit: the generator's layers in reverse, ending in a learned map that weights each channel.

    Args:
        shape: (channels, height, width) of one sample; sides from 4.
        widths: channels at each size, from the smallest on; the last holds for all larger sizes, and surplus
            ones are ignored.
        blocks: blocks at each size.
        expansion: inner channels of a block, as a multiple of its outer ones.
        group: channels of a group of convolutions; divides a block's inner channels.
        smallest: sides are halved until the longer one is at most this.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, int, int],
        widths: Sequence[int] = (64,),
        blocks: int = 2,
        expansion: int = 2,
        group: int = 16,
        smallest: int = 4,
    ) -> None:
        super().__init__()
        plan = StagePlan(shape, widths, blocks, expansion, group, smallest)
        last = len(plan.sides) - 1
        layers = [_draw(nn.Conv2d(channels_of(shape), plan.widths[-1], 1, bias=False)), *plan.blocks(last)]
        for i in reversed(range(last)):
            layers += [Resized(plan.sides[i]), *_rewidened(plan.widths[i + 1], plan.widths[i]), *plan.blocks(i)]
        width = plan.widths[0]
        basis = _draw(nn.Conv2d(width, width, plan.sides[0], groups=width, bias=False))
        judge = _draw(nn.Linear(width, 1, bias=False))
        self.layers = nn.Sequential(*layers, basis, nn.Flatten(), judge, nn.Flatten(0))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, " n"]:
        return self.layers(x)  # type: ignore[no-any-return]


class StagePlan:
    """Sizes and widths of both networks, from the smallest size on.

    Attributes:
        sides: (height, width) of each size.
        widths: channels at each size.
    """

    def __init__(
        self, shape: tuple[int, ...], widths: Sequence[int], blocks: int, expansion: int, group: int, smallest: int
    ) -> None:
        channels_of(shape)
        positive(blocks=blocks, expansion=expansion, group=group, smallest=smallest)
        self.sides = list(stages(shape, smallest))[::-1]
        if not widths:
            raise SettingError("widths: expected at least one number of channels, got none; use (64,)")
        positive(**{f"widths[{i}]": width for i, width in enumerate(widths)})
        self.widths = [widths[min(i, len(widths) - 1)] for i, _ in enumerate(self.sides)]
        self._blocks, self._settings = blocks, {"expansion": expansion, "group": group}

    def blocks(self, size: int) -> list[nn.Module]:
        """Make the blocks of one size."""
        total = self._blocks * len(self.sides)
        return [ResNeXtBlock(width=self.widths[size], blocks=total, **self._settings) for _ in range(self._blocks)]


def _rewidened(inputs: int, outputs: int) -> list[nn.Module]:
    """A 1x1 convolution if the width changes, else nothing."""
    return [] if inputs == outputs else [_draw(nn.Conv2d(inputs, outputs, 1, bias=False))]


def _draw(layer: M, gain: float = 1.0) -> M:
    """Draw weights from N(0, gain² / (inputs of one output)), and set biases to 0."""
    nn.init.normal_(layer.weight, 0.0, gain / layer.weight[0].numel() ** 0.5)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def _weights(before: int, after: int, like: Tensor) -> Float[Tensor, "before after"]:
    """The matrix of linear resampling along one axis."""
    units = torch.eye(before, dtype=like.dtype, device=like.device)[None]  # 1 before before
    return interpolate(units, size=after, mode="linear", align_corners=False)[0]
