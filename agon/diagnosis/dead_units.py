"""Dead units: units of a network whose activation is the same for all samples, such as a ReLU that is always off.

**Statistic.** The live networks in evaluation mode get `N` latents, and `N` generated and real samples. A unit (a
channel, in a convolution) is dead if its activation varies over the samples by less than `TINY` = 1e-6 of its layer's
largest one, at every position. The share of dead units in the layer that has most of them.

**Normal.** None in 30 trainings of images, with leaky ReLUs or normalisation. A perceptron on points has ReLUs whose
kinks are outside of the samples: in 24 trainings of 600 steps at a rate of 1e-3, up to 0.06 of a layer of 32 units, and
up to 0.80 of the second of two layers of 128, of either network.

**Threshold.** `MOST` = 0.9 of one layer: of a generator of which three of 64 ReLUs live, 0.95 are dead. Learning
rates of 1 leave 0.1 to 0.9 of a small critic's, no more than healthy trainings of wide ones. A generator whose samples
are all the same has only dead units, and is `latent_use`'s.

Source: Lu et al. 2020, "Dying ReLU and initialization", section 1.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from agon.diagnosis.finding import Examination, Finding, Remedy, unseen
from agon.diagnosis.overfitting import BLOCK, realness, scores
from agon.diagnosis.painting import as_drawn, latents
from agon.diagnosis.remedies import SLOWER
from agon.diagnosis.view import RunView
from agon.networks.layers import evaluation_mode
from agon.training import Training

N = BLOCK // 2  # latents, and samples of each kind, which the critic is shown at once
TINY, MOST = 1e-6, 0.9
ATEN = torch.ops.aten
ACTIVATIONS = {
    getattr(ATEN, name).default
    for name in (
        "relu",
        "relu_",
        "leaky_relu",
        "leaky_relu_",
        "elu",
        "elu_",
        "tanh",
        "tanh_",
        "sigmoid",
        "sigmoid_",
        "gelu",
        "silu",
    )
}


class Activations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Within the context, the share of dead units of each activation that is computed, in `shares`.

    Args:
        but: shape of the output of a network, which is not looked at.

    >>> with Activations() as seen:
    ...     _ = torch.relu(torch.tensor([[1.0, -1.0], [2.0, -3.0]]))
    >>> seen.shares
    [0.5]
    """

    def __init__(self, but: tuple[int, ...] = ()) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.but = math.prod(but)
        self.shares: list[float] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in ACTIVATIONS and result.ndim > 1 and len(result) > 1 and result.numel() != self.but:
            self.shares.append(dead(result))
        return result


def dead(activation: Tensor) -> float:
    """The share of units whose activation is the same for all samples.

    Args:
        activation: "n u ...", n samples of u units at any number of positions.
    """
    varies = activation.amax(dim=0) - activation.amin(dim=0)  # "u ..."
    largest = varies.reshape(len(varies), -1).amax(dim=1)
    return float((largest <= TINY * activation.abs().max()).double().mean())


def examine(view: RunView) -> Examination:
    """Look for layers of which most units are dead."""
    training = view.live
    if isinstance(training, str):
        return unseen(training)
    if view.real is None or not training.game.generating_players:
        return unseen("it needs real samples and a game that generates")
    layers = {name: shares for name, shares in activations(view, training).items() if shares}
    if not layers:
        return unseen("its networks compute no activations that are known")
    evidence = {f"dead of {name}": max(shares) for name, shares in layers.items()}
    sick = {name: shares for name, shares in layers.items() if max(shares) > MOST}
    return Examination(findings=tuple(_finding(name, shares) for name, shares in sick.items()), evidence=evidence)


@torch.no_grad()
def activations(view: RunView, training: Training) -> dict[str, list[float]]:
    """Network -> the share of dead units of each of its activations, in the order in which they are computed.

    The generator's own output is left out: pixels that are black in all images are none that died.
    """
    assert view.real is not None
    z, labels = latents(training, N)
    with training.painting() as paint, Activations(but=(len(z), *training.shape)) as painting:
        fake = paint(z, labels)
    same = torch.equal(fake, fake[:1].expand_as(fake))  # which `latent_use` reports
    found = {"generator": [] if same else painting.shares}
    if scores(training.game):
        real = as_drawn(view, view.real[:N])
        x = torch.cat([real.to(fake), fake])
        label = None if labels is None else torch.cat([labels.repeat(len(real))[: len(real)], labels])
        with evaluation_mode(training.game), Activations() as judging:
            realness(training, x, label)
        found["critic"] = judging.shares
    return found


def _finding(network: str, shares: list[float]) -> Finding:
    worst = max(range(len(shares)), key=lambda i: shares[i])
    return Finding(
        sickness="dead-units",
        severity="serious",
        since_step=None,
        evidence={f"activation {i + 1}": share for i, share in enumerate(shares)},
        sentence=(
            f"{shares[worst]:.0%} of the units of activation {worst + 1} of {len(shares)} of the {network} are dead: "
            "they have one value for all samples"
        ),
        remedies=_remedies(network),
    )


def _remedies(network: str) -> tuple[Remedy, ...]:
    leaky = f"--set game.{network}.nonlinearity=leaky-relu"
    return (
        Remedy("use an activation with a slope on both sides", leaky, "radford2015, section 3"),
        Remedy("take smaller steps, which do not push units beyond all samples", SLOWER.option, SLOWER.source),
    )
