"""EfficientNet-Lite0, a small network for photographs: inverted residual blocks without squeeze-and-excitation."""

from copy import deepcopy
from typing import NamedTuple

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

EPSILON = 1e-3  # of batch normalisation, as TensorFlow has it
STEM, HEAD, CLASSES = 32, 1280, 1000


class Stage(NamedTuple):
    """A stage of equal blocks; only its first block has the stride."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


PAIRS = (  # convolutions with their normalisations: of the stem and the head, and of a block
    ("conv_stem", "bn0"),
    ("conv_head", "bn1"),
    ("expand_conv", "bn0"),
    ("depthwise_conv", "bn1"),
    ("project_conv", "bn2"),
)
STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


class EfficientNetLite0(nn.Module):
    """EfficientNet-Lite0: a stem, 16 inverted residual blocks, a head of 1,280 channels, and 1,000 classes.

    It differs from EfficientNet-B0 by ReLU6 in place of swish, and by the absence of squeeze-and-excitation. Padding is
    TensorFlow's "SAME", where the odd pixel goes to the right and to the bottom. Parameters: 4,652,008.

    Source: Tan and Le 2019, table 1; TensorFlow's EfficientNet-Lite of 2020 for the changes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv_stem, self.bn0 = SamePadded(3, STEM, 3, stride=2), _normalisation(STEM)
        blocks, channels = [], STEM
        for stage in STAGES:
            for index in range(stage.blocks):
                blocks.append(InvertedResidual(channels, stage, stage.stride if index == 0 else 1))
                channels = stage.channels
        self.blocks = nn.ModuleList(blocks)
        self.conv_head, self.bn1 = SamePadded(channels, HEAD, 1), _normalisation(HEAD)
        self.fc = nn.Linear(HEAD, CLASSES)

    def forward(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 1000"]:
        """Compute the logits of the 1,000 classes of images whose bytes b are scaled to (b - 127) / 128."""
        return self.classes(self.features(images))

    def features(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 1280"]:
        """Compute the head's activations, averaged over positions: what the last layer takes."""
        x = F.relu6(self.bn0(self.conv_stem(images)))
        for block in self.blocks:
            x = block(x)
        return F.relu6(self.bn1(self.conv_head(x))).mean((2, 3))

    def classes(self, features: Float[Tensor, "n 1280"]) -> Float[Tensor, "n 1000"]:
        """Compute the logits from features; dropout is for training, which this network has behind it."""
        logits: Tensor = self.fc(features)
        return logits


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project: x + BN(project(relu6(BN(depthwise(relu6(BN(expand(x)))))))).

    The sum needs equal shapes: a block that changes them has no x in it. There is no expansion by 1.
    """

    def __init__(self, channels: int, stage: Stage, stride: int) -> None:
        super().__init__()
        wide = channels * stage.expansion
        self.same = stride == 1 and channels == stage.channels
        self.expands = stage.expansion > 1
        if self.expands:
            self.expand_conv, self.bn0 = SamePadded(channels, wide, 1), _normalisation(wide)
        self.depthwise_conv = SamePadded(wide, wide, stage.kernel, stride=stride, groups=wide)
        self.bn1 = _normalisation(wide)
        self.project_conv, self.bn2 = SamePadded(wide, stage.channels, 1), _normalisation(stage.channels)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d i j"]:
        wide = F.relu6(self.bn0(self.expand_conv(x))) if self.expands else x
        wide = F.relu6(self.bn1(self.depthwise_conv(wide)))
        narrow: Tensor = self.bn2(self.project_conv(wide))
        return narrow + x if self.same else narrow


class SamePadded(nn.Conv2d):
    """A convolution that gives ceil(h / stride) rows; an odd row of padding is at the bottom."""

    def __init__(self, channels: int, to: int, kernel: int, *, stride: int = 1, groups: int = 1) -> None:
        super().__init__(channels, to, kernel, stride=stride, groups=groups, bias=False)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d i j"]:
        kernel, stride = self.kernel_size[0], self.stride[0]
        (top, bottom), (left, right) = (_padding(side, kernel, stride) for side in x.shape[2:])
        padding = (top, left)
        if (top, left) != (bottom, right):
            x, padding = F.pad(x, (left, right, top, bottom)), (0, 0)
        return F.conv2d(x, self.weight, self.bias, self.stride, padding, groups=self.groups)


def _padding(side: int, kernel: int, stride: int) -> tuple[int, int]:
    """The zeros before and after a side."""
    total = max((-(-side // stride) - 1) * stride + kernel - side, 0)
    return total // 2, total - total // 2


def _normalisation(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=EPSILON)


def fused(network: EfficientNetLite0) -> EfficientNetLite0:
    """Return a copy in evaluation mode whose normalisations are part of the convolutions before them.

    Its values are the same up to rounding, in about two thirds of the time.
    """
    copy = deepcopy(network).eval()
    for module in copy.modules():
        for conv, norm in PAIRS:
            if isinstance(getattr(module, conv, None), SamePadded):
                setattr(module, conv, fuse_conv_bn_eval(getattr(module, conv), getattr(module, norm)))
                setattr(module, norm, nn.Identity())
    return copy
