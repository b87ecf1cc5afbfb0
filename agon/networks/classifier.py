"""Classifiers of images, convolutional and residual: what judges the samples of a set with classes."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from agon.errors import SettingError
from agon.networks.cnn import channels_of
from agon.networks.convolutions import Down, Flat, after, shrunk
from agon.networks.layers import Initialisation, flat, initialise, positive
from agon.networks.resnet import STRIDE, Residual, Shrinking

POOLED = 2  # pixels a side that are pooled into one
SIDE = 3  # of a residual block's kernels, in pixels


class Classifier(nn.Module):
    """Image -> class logits: convolutions that keep the size, each pooled 2x2 by the maximum, and a hidden layer.

    p(k | x) = softmax(logits)_k. Not to be confused with a critic, which has one logit: is x real?

    Args:
        shape: (channels, height, width) of one sample; sides are halved rounding up.
        classes: how many, from 2.
        widths: channels of each convolution.
        kernel: of the convolutions, in pixels.
        hidden: units of the linear layer before the logits.
        dropout: chance of each hidden unit to be 0 in training mode, from 0 to below 1; drawn from torch's own stream.
        initialisation: of the weights, see `layers.initialise`.
        gain: of the initialisation.

    Raises:
        SettingError: a size under 1, fewer than 2 classes, or another chance.

    Source: yamazaki2017, Table B.1.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, int, int],
        classes: int = 10,
        widths: Sequence[int] = (32, 64),
        kernel: int = 5,
        hidden: int = 1024,
        dropout: float = 0.5,
        initialisation: Initialisation = "torch",
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        positive(kernel=kernel, hidden=hidden, gain=gain, **{f"widths[{i}]": w for i, w in enumerate(widths)})
        if classes < 2 or not 0 <= dropout < 1:
            raise SettingError(
                f"classes, dropout: expected 2 classes or more and a chance in [0, 1), got {classes} and {dropout}"
            )
        inputs = channels_of(shape)
        layers: list[nn.Module] = []
        for width in widths:
            layers += [Down(inputs, width, kernel, bias=True, stride=1), nn.ReLU(inplace=True)]
            layers.append(nn.MaxPool2d(POOLED, ceil_mode=True))
            inputs = width
        *_, sides = shrunk(shape[1:], [POOLED] * len(widths))
        features = flat((inputs, *sides))
        top = [Flat(), nn.Linear(features, hidden), nn.ReLU(inplace=True), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers, *top, nn.Linear(hidden, classes))
        initialise(self, initialisation, gain)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k"]:
        return self.layers(x)  # type: ignore[no-any-return]

    def features(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
        """The hidden units: what `classes` makes the logits of."""
        return self.layers[:-1](x)  # type: ignore[no-any-return]

    def classes(self, features: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        """Class logits of features, by the last layer."""
        return self.layers[-1](features)  # type: ignore[no-any-return]


class ResidualClassifier(nn.Module):
    """Image -> class logits: residual blocks, whose last feature maps are averaged over all places.

    A block is H(x) = S(x) + F(x), F twice batch normalisation, ReLU and a 3x3 convolution; the first block of each
    stage but the first halves the sides, rounding up. p(k | x) = softmax(logits)_k.

    Args:
        shape: (channels, height, width) of one sample.
        classes: how many, from 2.
        widths: channels of each stage.
        blocks: of each stage.
        stride: of the first convolution: 2 spares three quarters of the work of the first stage.
        initialisation: of the weights, see `layers.initialise`.
        gain: of the initialisation.

    Raises:
        SettingError: a size under 1, or fewer than 2 classes.

    Source: He et al. 2016, "Identity mappings in deep residual networks", figure 4 (e); its sizes are our own.
    """

    def __init__(
        self,
        *,
        shape: tuple[int, int, int],
        classes: int = 10,
        widths: Sequence[int] = (48, 96, 192),
        blocks: int = 1,
        stride: int = 2,
        initialisation: Initialisation = "torch",
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        positive(blocks=blocks, stride=stride, gain=gain, stages=len(widths))
        positive(**{f"widths[{i}]": w for i, w in enumerate(widths)})
        if classes < 2:
            raise SettingError(f"classes: expected 2 or more, got {classes}")
        layers: list[nn.Module] = [Down(channels_of(shape), widths[0], SIDE, bias=False, stride=stride)]
        inputs = widths[0]
        for i, width in enumerate(widths):
            for j in range(blocks):
                layers.append(block(inputs, width, STRIDE if i > 0 and j == 0 else 1))
                inputs = width
        top = [*after(inputs, True, nn.ReLU(inplace=True)), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        self.layers = nn.Sequential(*layers, *top, nn.Linear(inputs, classes))
        initialise(self, initialisation, gain)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k"]:
        return self.layers(x)  # type: ignore[no-any-return]

    def features(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
        """The averaged feature maps: what `classes` makes the logits of."""
        return self.layers[:-1](x)  # type: ignore[no-any-return]

    def classes(self, features: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        """Class logits of features, by the last layer."""
        return self.layers[-1](features)  # type: ignore[no-any-return]


def block(inputs: int, outputs: int, stride: int) -> Residual:
    """A residual block whose activations come before its convolutions."""
    layers = [
        *after(inputs, True, nn.ReLU(inplace=True)),
        Down(inputs, outputs, SIDE, bias=False, stride=stride),
        *after(outputs, True, nn.ReLU(inplace=True)),
        Down(outputs, outputs, SIDE, bias=False, stride=1),
    ]
    if stride == STRIDE:
        return Residual(nn.Sequential(*layers), Shrinking(inputs, outputs))
    project = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1, bias=False)
    return Residual(nn.Sequential(*layers), project)
