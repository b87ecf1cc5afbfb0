"""Classifiers of images, convolutional and residual, which score samples of sets with classes."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from agon.errors import SettingError
from agon.networks.cnn import channels_of
from agon.networks.convolutions import Down, Flat, after, shrunk
from agon.networks.layers import Initialisation, flat, initialise, positive
from agon.networks.resnet import STRIDE, Residual, Shrinking

POOLED = 2  # side of the pooling window in pixels
SIDE = 3  # side of a residual block's kernels in pixels


class Classifier(nn.Module):
    """Image -> class logits: convolutions that keep the size, each followed by 2x2 max pooling, and a hidden layer.

    p(k | x) = softmax(logits)_k. Not to be confused with a critic, whose one logit says whether x is real.

    Args:
        shape: (channels, height, width) of one sample; sides are halved rounding up.
        classes: number of classes, from 2.
        widths: channels of each convolution.
        kernel: side of the convolutions' kernels, in pixels.
        hidden: units of the linear layer before the logits.
        dropout: probability, below 1, of zeroing each hidden unit in training mode; drawn from torch's own stream.
        initialisation: how weights are drawn, see `layers.initialise`.
        gain: scale of the initialisation.

    Raises:
        SettingError: a size is below 1, there are fewer than 2 classes, or `dropout` is out of range.

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
        """The hidden units, from which `classes` computes the logits."""
        return self.layers[:-1](x)  # type: ignore[no-any-return]

    def classes(self, features: Float[Tensor, "n d"]) -> Float[Tensor, "n k"]:
        """Class logits of features, by the last layer."""
        return self.layers[-1](features)  # type: ignore[no-any-return]


class ResidualClassifier(nn.Module):
    """Image -> class logits: residual blocks, then the mean of the feature maps over all positions.

    A block is H(x) = S(x) + F(x), where F is batch normalisation, ReLU and a 3x3 convolution, twice. The first block
    of each stage except the first halves the sides, rounding up. p(k | x) = softmax(logits)_k.

    Args:
        shape: (channels, height, width) of one sample.
        classes: number of classes, from 2.
        widths: channels of each stage.
        blocks: blocks of each stage.
        stride: stride of the first convolution; 2 saves three quarters of the first stage's work.
        initialisation: how weights are drawn, see `layers.initialise`.
        gain: scale of the initialisation.

    Raises:
        SettingError: a size is below 1, or there are fewer than 2 classes.

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
        """The averaged feature maps, from which `classes` computes the logits."""
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
