"""Extractors by name: the Inception, the data's own classifier, pixels, or a user's."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import torch

from agon import metrics
from agon.classifiers import classifier_of
from agon.data import Source
from agon.errors import SettingError, unknown
from agon.metrics.extractors import Extractor, Features, ImageBytes, Pixels

COORDINATES = "coordinates"  # of points: no extractor


@dataclass(frozen=True)
class ExtractorSpec:
    """Which extractor, and what it is made with.

    Attributes:
        name: "inception", "classifier" (of the data's own classes), "pixels", or "package.module:Name" of a class
            or function of one's own that makes one (the contract is `agon.metrics.extractors.Extractor`).
        weights: the Inception's file; by default torch's cache is looked into.
        download: whether they may be fetched.
        trust: whether a module that is not agon's may be imported, which runs its code.
    """

    name: str = "inception"
    weights: Path | None = None
    download: bool = False
    trust: bool = False

    def __post_init__(self) -> None:
        if self.name not in KINDS and ":" not in self.name:
            raise SettingError(unknown("extractor", self.name, [*KINDS, "package.module:Name"]))

    @property
    def kind(self) -> str:
        """In a word, as scores are named by it; one's own cannot take the name of another."""
        short = self.name.partition(":")[2].lower()
        return self.name.replace(":", ".") if short in KINDS else short or self.name

    def make(self, source: Source | None) -> Extractor:
        """The extractor.

        Raises:
            SettingError: a classifier without data, a module without trust, or something that is no extractor.
            DataError: the Inception's weights are not there, or the data have no classes.
        """
        if self.name in KINDS:
            return KINDS[self.name](self, source)
        return _imported(self.name, self.trust)


class Coordinates:
    """Points as their own features; never asked for images."""

    name, resizer, precision = COORDINATES, "none", "float32"
    hash = hashlib.sha256(b"points as they are").hexdigest()

    def __call__(self, images: ImageBytes) -> Features:
        return Features(images.flatten(1).float())


def provenance(extractor: Extractor) -> dict[str, str]:
    """What a score of its features records of an extractor."""
    return {attribute: getattr(extractor, attribute) for attribute in ("name", "hash", "resizer", "precision")}


def _classifier(choice: ExtractorSpec, source: Source | None) -> Extractor:
    if source is None:
        raise SettingError("--extractor classifier: expected the data whose classes it knows; name them with --data")
    return classifier_of(source)


KINDS: dict[str, Callable[[ExtractorSpec, Source | None], Extractor]] = {
    "inception": lambda choice, _: metrics.Inception(choice.weights, choice.download, device=_best()),
    "classifier": _classifier,
    "pixels": lambda *_: Pixels(),
}


def _best() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _imported(name: str, trust: bool) -> Extractor:
    """A user's own extractor, by the place of what makes it."""
    if not trust:
        raise SettingError(
            f"--extractor {name}: expected a known extractor; to import yours, which runs it, add --trust"
        )
    module, _, attribute = name.partition(":")
    try:
        named = getattr(import_module(module), attribute)
    except Exception as error:  # whatever a user's module does when it is imported
        raise SettingError(f"--extractor {name}: cannot be imported ({error}); expected package.module:Name") from error
    makes_one = callable(named) and (isinstance(named, type) or not isinstance(named, Extractor))
    extractor = named() if makes_one else named
    if not isinstance(extractor, Extractor):
        raise SettingError(
            f"--extractor {name}: expected a function of images with name, hash, resizer and precision, got "
            f"{type(extractor).__name__}; see agon.metrics.extractors.Extractor"
        )
    return extractor
