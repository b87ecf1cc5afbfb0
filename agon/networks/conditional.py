"""Class-conditional networks, made from any others: generators by normalisation or by their latents, and critics.

| network | from | how it takes the label y |
|---|---|---|
| `NormalisedGenerator` | a generator with batch normalisation | each class has its own scales and shifts |
| `ConcatenatedGenerator` | any generator | G(z, e(y)), with a learned vector e(y) |
| `ProjectionCritic` | a critic with `features` and `logits` | ψ(φ(x)) + ⟨e(y), φ(x)⟩ |

They are parts around parts:

>>> from agon import part
>>> from agon.networks import dcgan
>>> inner = part(dcgan.Generator, shape=(1, 8, 8), width=8)
>>> part(NormalisedGenerator, generator=inner, classes=10).build().latent_shape
(100,)
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.parametrizations import spectral_norm

from agon.errors import SettingError
from agon.networks.labels import ClassNorm, ClassTable
from agon.networks.layers import positive

PLAIN = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


class NormalisedGenerator(nn.Module):
    """G(z, y): a generator whose batch normalisation has a scale and a shift for each class.

    Args:
        generator: a generator with batch normalisation; its layers are replaced by `ClassNorm`.
        classes: number of classes, from 1.
        spread: standard deviation of the classes' first scales and shifts, from 0. With 0, as in the source, the
            classes begin equal, and Adam with a rate of 2e-4 needs thousands of steps to tell them apart.

    Raises:
        SettingError: the generator has no batch normalisation, or one that is not torch's.

    Source: Miyato and Koyama 2018, section 5; de Vries et al. 2017.
    """

    def __init__(self, *, generator: nn.Module, classes: int, spread: float = 0.3) -> None:
        super().__init__()
        positive(classes=classes)
        if not 0 <= spread < math.inf:
            raise SettingError(f"spread: expected a number from 0, got {spread}; use 0.3")
        name = type(generator).__name__
        layers = {place: layer for place, layer in generator.named_modules() if isinstance(layer, _BatchNorm)}
        if not layers or any(type(layer) not in PLAIN for layer in layers.values()):
            kinds = sorted({type(layer).__name__ for layer in layers.values()})
            raise SettingError(
                f"a generator with conditional normalisation: expected one with torch's batch normalisation, got "
                f"{name} with {', '.join(kinds) or 'none'}; use networks.conditional.ConcatenatedGenerator"
            )
        self.classes, self.latent_shape = classes, getattr(generator, "latent_shape", None)
        self.generator = generator
        for place, layer in layers.items():
            generator.set_submodule(place, ClassNorm(layer, classes, spread))  # type: ignore[arg-type]  # one of PLAIN

    def forward(self, latent: Float[Tensor, "n ..."], label: Int[Tensor, " n"]) -> Float[Tensor, "n ..."]:
        with given(self.generator, label):
            return self.generator(latent)  # type: ignore[no-any-return]


@contextmanager
def given(network: nn.Module, label: Int[Tensor, " n"]) -> Iterator[None]:
    """Within the context, the network's class-conditional layers have these labels."""
    layers = [layer for layer in network.modules() if isinstance(layer, ClassNorm)]
    for layer in layers:
        layer.label = label
    try:
        yield
    finally:
        for layer in layers:
            layer.label = None


class ConcatenatedGenerator(nn.Module):
    """G(z, y) = G((z, e(y))): the last coordinates of a generator's latent are a learned vector for each class.

    Args:
        generator: any generator; of the last dimension of its `latent_shape`, `size` numbers are the vector's.
        classes: number of classes, from 1.
        size: length of e(y), less than the last dimension of the generator's latent.

    Raises:
        SettingError: the latent has no room for the vector.

    Source: Mirza and Osindero 2014, figure 1; Odena et al. 2017.
    """

    def __init__(self, *, generator: nn.Module, classes: int, size: int = 32) -> None:
        super().__init__()
        positive(classes=classes, size=size)
        *before, last = getattr(generator, "latent_shape", ()) or (0,)
        if size >= last:
            raise SettingError(
                f"size of a class's vector: expected less than the {last} numbers of {type(generator).__name__}'s "
                f"latent, of which it takes a part, got {size}"
            )
        self.classes, self.latent_shape = classes, (*before, last - size)
        self.generator, self.table = generator, ClassTable(classes, size)

    def forward(self, latent: Float[Tensor, "n ..."], label: Int[Tensor, " n"]) -> Float[Tensor, "n ..."]:
        vectors = self.table(label)  # n size
        vectors = vectors.view(len(vectors), *[1] * (latent.ndim - 2), -1).expand(*latent.shape[:-1], -1)
        return self.generator(torch.cat([latent, vectors], -1))  # type: ignore[no-any-return]


class ProjectionCritic(nn.Module):
    """D(x, y) = ψ(φ(x)) + ⟨e(y), φ(x)⟩, with a critic's features φ, its last layer ψ, and a vector e(y) for each class.

    The optimal logit of a logistic objective is log p(x|y) p(y) / q(x|y) q(y), which is a sum of this form if the log
    odds of the classes are linear in φ under both p and q.

    Args:
        critic: a critic with the methods `features`, "n *shape" -> "n d", and `logits`, "n d" -> "n", and the attribute
            `feature_count`, d; in agon those of `dcgan`, `cnn`, `resnet` and `mlp`.
        classes: number of classes, from 1.
        spectral: whether to normalise the largest singular value of the table of vectors to 1, as the paper does; set
            the critic's own `spectral`, too.

    Raises:
        SettingError: the critic lacks one of these.

    Source: Miyato and Koyama 2018, section 3.
    """

    def __init__(self, *, critic: nn.Module, classes: int, spectral: bool = False) -> None:
        super().__init__()
        positive(classes=classes)
        count = getattr(critic, "feature_count", None)
        if type(count) is not int or not callable(getattr(critic, "features", None)):
            raise SettingError(
                f"a projection critic: expected a critic with features(x), logits(features) and feature_count, got "
                f"{type(critic).__name__}; use dcgan.Critic, cnn.Critic, resnet.Critic or mlp.Critic, or give it these"
            )
        self.classes, self.critic = classes, critic
        self.table = ClassTable(classes, count)
        nn.init.normal_(self.table.weight, 0.0, count**-0.5)  # vectors of length 1, about
        if spectral:
            spectral_norm(self.table)

    def forward(self, x: Float[Tensor, "n ..."], label: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
        features: Tensor = self.critic.features(x)  # type: ignore[operator]
        logits: Tensor = self.critic.logits(features)  # type: ignore[operator]
        projections: Tensor = (self.table(label) * features).sum(1)
        return logits + projections
