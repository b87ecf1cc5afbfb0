"""A convolutional classifier of images: what judges the samples of a set with classes."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from agon.errors import SettingError
from agon.networks.cnn import channels_of
from agon.networks.convolutions import Down, Flat, shrunk
from agon.networks.layers import Initialisation, flat, initialise, positive

POOLED = 2  # pixels a side that are pooled into one


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
