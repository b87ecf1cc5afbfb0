"""Networks on an encoder's features: an autoregressor, which predicts them group by group, and a patch critic."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad

from agon.errors import SettingError, unknown
from agon.networks.layers import Initialisation, initialise, positive

FeatureShape = tuple[int, int, int]
By = Literal["space", "channels"]


def factorise(features: Float[Tensor, "n c h w"], by: By, group: int = 1) -> Float[Tensor, "n m d"]:
    """Split features into a sequence of m groups of d numbers.

    Args:
        features: features of an encoder.
        by: "space" scans the h·w positions row by row, with all c channels of each; "channels" scans the c
            channels, with all h·w positions of each.
        group: positions or channels in one group; divides their number.

    Source: argan2018, figure 3.

    >>> import torch
    >>> factorise(torch.arange(8).view(1, 2, 2, 2).float(), "channels").tolist()
    [[[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]]]
    """
    parts = features.flatten(2)  # n c h·w
    parts = parts.transpose(1, 2) if by == "space" else parts
    return parts.reshape(parts.shape[0], parts.shape[1] // group, group * parts.shape[2])


def assemble(groups: Float[Tensor, "n m d"], by: By, features: FeatureShape) -> Float[Tensor, "n c h w"]:
    """The inverse of `factorise`, for features of (channels, height, width)."""
    channels, height, width = features
    if by == "channels":
        return groups.reshape(-1, channels, height, width)
    return groups.reshape(-1, height * width, channels).transpose(1, 2).reshape(-1, channels, height, width)


class Autoregressor(nn.Module):
    """Predict each group of features from the groups before it; the output has the features' shape.

    f̂_i = W h_i + b,  h_i = LSTM(f_0, f_1, ..., f_{i-1}),  f_0 = 0,  i = 1, ..., m: the sequence starts with a
    group of zeros, so the prediction of the first group is a constant. The output is not a distribution and is
    never sampled; only the prediction error matters.

    Args:
        features: (channels, height, width) of the encoder's output.
        by: "space" or "channels", see `factorise`.
        group: positions or channels in one group; divides their number.
        hidden: units of each layer of the LSTM.
        layers: number of layers of the LSTM.
        initialisation: how weights are drawn, see `layers.initialise`.
        gain: scale of the initialisation.

    Raises:
        SettingError: a size is below 1, the factorisation is unknown, or `group` does not divide the scan.

    Source: argan2018, equations 4 and 6, figures 2 and 3, Appendix A.
    """

    def __init__(
        self,
        *,
        features: FeatureShape,
        by: By = "space",
        group: int = 1,
        hidden: int = 512,
        layers: int = 1,
        initialisation: Initialisation = "torch",
        gain: float = 0.02,
    ) -> None:
        super().__init__()
        positive(**_sizes(features), group=group, hidden=hidden, layers=layers, gain=gain)
        channels, height, width = features
        numbers = {"space": height * width, "channels": channels}  # length of the scan
        if by not in numbers:
            raise SettingError(unknown("factorisation", by, numbers))
        if numbers[by] % group:
            raise SettingError(
                f"group of an Autoregressor by {by}: expected a divisor of {numbers[by]}, got {group}; 1 always is"
            )
        self.features, self.by, self.group = features, by, group
        size = channels * height * width // numbers[by] * group
        self.memory = nn.LSTM(size, hidden, layers, batch_first=True)
        self.project = nn.Linear(hidden, size)
        initialise(self, initialisation, gain)

    def forward(self, features: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        _fits(self, features, self.features)
        groups = factorise(features, self.by, self.group)
        before = pad(groups, (0, 0, 1, -1))  # prepend zeros, and drop the last group, which nothing follows
        states: Tensor = self.memory(before)[0]  # n m hidden
        return assemble(self.project(states), self.by, self.features)


class Patch(nn.Module):
    """Features -> a logit for each position, "n h w": a convolution with a kernel of 1 x 1.

    Args:
        features: (channels, height, width) of the encoder's output.
        initialisation: how weights are drawn, see `layers.initialise`.
        gain: scale of the initialisation.

    Source: argan2018, section 3.3 and Appendix A.
    """

    def __init__(
        self, *, features: FeatureShape, initialisation: Initialisation = "normal", gain: float = 0.02
    ) -> None:
        super().__init__()
        positive(**_sizes(features), gain=gain)
        self.features = features
        self.judge = nn.Conv2d(features[0], 1, 1)
        initialise(self, initialisation, gain)

    def forward(self, features: Float[Tensor, "n c h w"]) -> Float[Tensor, "n h w"]:
        _fits(self, features, self.features)
        return self.judge(features).squeeze(1)  # type: ignore[no-any-return]


def _sizes(features: tuple[int, ...]) -> dict[str, int]:
    """The three sizes by name.

    Raises:
        SettingError: there are not three sizes.
    """
    if len(features) != 3:
        raise SettingError(f"features: expected (channels, height, width) of an encoder's output, got {features}")
    return dict(zip(("channels", "height", "width"), features, strict=True))


def _fits(module: nn.Module, features: Tensor, expected: FeatureShape) -> None:
    """Refuse features of another shape, because a recurrent network would accept any number of positions."""
    if tuple(features.shape[1:]) != expected:
        raise SettingError(
            f"{type(module).__name__}: expected features of shape {expected}, got {tuple(features.shape[1:])}; "
            "give it the encoder's (channels, height, width)"
        )
