"""What judges an encoder's features: an autoregressor, which predicts them group by group, and a patch critic."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import pad

from agon.errors import SettingError, unknown
from agon.networks.layers import Initialisation, initialise, positive

FeatureShape = tuple[int, int, int]
By = Literal["space", "channels"]


def factorise(features: Float[Tensor, "n c h w"], by: By, group: int = 1) -> Float[Tensor, "n m d"]:
    """Features as a sequence of m groups of d numbers.

    Args:
        features: of an encoder.
        by: "space" scans the h·w positions row by row, all c channels of each; "channels" goes through the
            c channels, all h·w positions of each.
        group: how many neighbours in that order make one group; divides their number.

    Source: argan2018, figure 3.

    >>> import torch
    >>> factorise(torch.arange(8).view(1, 2, 2, 2).float(), "channels").tolist()
    [[[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]]]
    """
    parts = features.flatten(2)  # n c h·w
    parts = parts.transpose(1, 2) if by == "space" else parts
    return parts.reshape(len(parts), parts.shape[1] // group, group * parts.shape[2])


def assemble(groups: Float[Tensor, "n m d"], by: By, features: FeatureShape) -> Float[Tensor, "n c h w"]:
    """The inverse of `factorise`, for features of (channels, height, width)."""
    channels, height, width = features
    if by == "channels":
        return groups.reshape(-1, channels, height, width)
    return groups.reshape(-1, height * width, channels).transpose(1, 2).reshape(-1, channels, height, width)


class Autoregressor(nn.Module):
    """Features -> their predictions, of the same shape, each group's from the groups before it alone.

    f̂_i = W h_i + b,  h_i = LSTM(f_0, f_1, ..., f_{i-1}),  f_0 = 0,  i = 1, ..., m: the sequence starts with a
    group of zeros, so that the first group is predicted too, by a constant. The output has no distribution
    and is never sampled: it is the prediction error that counts.

    Args:
        features: (channels, height, width) of what the encoder makes.
        by: "space" or "channels", see `factorise`.
        group: how many positions or channels make one group; divides their number.
        hidden: units of each layer of the LSTM.
        layers: of the LSTM.
        initialisation: of the weights, see `layers.initialise`.
        gain: of the initialisation.

    Raises:
        SettingError: a size under 1, an unknown factorisation, or groups that do not come out even.

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
        numbers = {"space": height * width, "channels": channels}  # of what there is in the scan
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
        before = pad(groups, (0, 0, 1, -1))  # zeros first, and the last group, which nothing follows, left out
        states: Tensor = self.memory(before)[0]  # n m hidden
        return assemble(self.project(states), self.by, self.features)


class Patch(nn.Module):
    """Features -> a logit for each position, "n h w": a convolution with a kernel of 1 x 1.

    Args:
        features: (channels, height, width) of what the encoder makes.
        initialisation: of the weights, see `layers.initialise`.
        gain: of the initialisation.

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
        SettingError: there are not three.
    """
    if len(features) != 3:
        raise SettingError(f"features: expected (channels, height, width) of an encoder's output, got {features}")
    return dict(zip(("channels", "height", "width"), features, strict=True))


def _fits(module: nn.Module, features: Tensor, expected: FeatureShape) -> None:
    """Refuse features of another encoder: a recurrent network would read any number of positions."""
    if tuple(features.shape[1:]) != expected:
        raise SettingError(
            f"{type(module).__name__}: expected features of shape {expected}, got {tuple(features.shape[1:])}; "
            "give it the encoder's (channels, height, width)"
        )
