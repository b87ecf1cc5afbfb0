"""What metrics need: generated samples, real samples and their features, each computed once, when first used."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import torch
from jaxtyping import Int, Shaped
from torch import Tensor

from agon.arguments import check_samples
from agon.classifiers import SetClassifier, StackedClassifier, classifier_of
from agon.data import Images, Source, Split
from agon.data.points import Toy
from agon.data.source import RealBatch
from agon.errors import Change, DataError, SettingError
from agon.evaluation.extractors import AUTO, CLASSIFIER, COORDINATES, Coordinates, ExtractorSpec, real_features
from agon.experiment import Experiment
from agon.figures.pictures import pictured
from agon.games import Game
from agon.metrics import Score, Statistics
from agon.metrics.extractors import Extractor, Features, extract
from agon.samples.making import labels_of, latents
from agon.samples.reading import CHUNK, as_compared, real_batch, real_samples
from agon.terminal.waiting import tracked
from agon.training import Training
from agon.training.randomness import derived
from agon.training.training import Paint

ALL = 100_000  # largest number of images of a split in which neighbours are searched


class Painter(NamedTuple):
    """A run's generator, which can make more samples.

    Attributes:
        experiment: the run's experiment, which states the latents.
        game: the game in evaluation mode, with averaged weights.
        paint: latents -> samples in the source's range, differentiable; a second argument has their labels, which are
            drawn if a generator needs some and gets none.
    """

    experiment: Experiment
    game: Game
    paint: Paint


class Measurement(NamedTuple):
    """The result of one metric.

    Attributes:
        scores: scores to record.
        pictures: PNGs by name, kept beside the scores.
        arrays: arrays by name, which comparisons of several runs need.
    """

    scores: Sequence[Score]
    pictures: Mapping[str, bytes] = {}
    arrays: Mapping[str, Tensor] = {}


@dataclass
class EvaluationContext:
    """The samples of a run or folder, the real samples to compare them with, and the features of both.

    Attributes:
        draw: generates the samples: bytes "n c h w", or points "n d".
        source: source of the real samples; None for metrics of samples alone.
        n: number of generated and of real samples; fewer real ones if the set has fewer.
        spec: which extractor to use for images; points are their own features.
        painter: the run's generator; None for samples from a folder.
        seed: seed of the latents.
        data_seed: seed of the real samples; the training's own where it makes them.
        compared: source of `real`; None for `source`.
        check: refuses a source whose content has changed.
        labels: labels from which the samples are generated; None if the generator takes none.
        reference: statistics of real features, with which the Fréchet distance compares in place of real samples.
        split: which split of its source `real` is.
    """

    draw: Callable[[], Tensor]
    source: Source | None
    n: int
    spec: ExtractorSpec
    painter: Painter | None = None
    seed: int = 0
    data_seed: int = 0
    compared: Source | None = None
    check: Callable[[], None] | None = None
    labels: Tensor | None = None
    reference: Statistics | None = None
    split: Split = "train"
    _features: dict[str, Features] = field(default_factory=dict, repr=False)  # of `fake`, by the extractor's hash

    @cached_property
    def fake(self) -> Shaped[Tensor, "n *shape"]:
        fake = self.draw()
        if self.source is not None and tuple(fake.shape[1:]) != self.source.shape:
            raise _shape_error(self.source, tuple(fake.shape[1:]))
        return fake

    @cached_property
    def real(self) -> Shaped[Tensor, "n *shape"]:
        """Real samples to compare with."""
        return self.real_batch.real

    @cached_property
    def real_batch(self) -> RealBatch:
        """The same, with their labels."""
        return real_batch(self.compared or self.data, self.n, split=self.split, seed=self.data_seed)

    @property
    def requested(self) -> Int[Tensor, " n"]:
        """The labels from which the samples are generated.

        Raises:
            SettingError: the generator takes none.
        """
        if self.labels is None:
            raise SettingError(
                "metrics of each class: expected a run whose generator takes labels, got samples without; train a "
                "class-conditional recipe such as miyato2018b/projection, or use --metrics classifier"
            )
        return self.labels

    @property
    def real_labels(self) -> Int[Tensor, " n"]:
        """The labels of the real samples, which data with classes have."""
        label = self.real_batch.label
        if label is None:
            raise SettingError("metrics of each class: expected real samples with labels, got none")
        return label

    @cached_property
    def train(self) -> Shaped[Tensor, "n *shape"]:
        """The whole training split, or the first `ALL` of it, in which copies are searched."""
        return real_samples(self.data, ALL, seed=self.data_seed)

    @cached_property
    def held(self) -> Shaped[Tensor, "n *shape"]:
        """The whole held-out split, or the first `ALL` of it: "validation" if the source has one, else "test"."""
        return real_samples(self.data, ALL, split=self.data.held_out, seed=self.data_seed)

    @property
    def data(self) -> Source:
        """The source, for metrics that need one.

        Raises:
            SettingError: there is none.
        """
        if self.source is None:
            raise SettingError("evaluate: expected real samples to compare with, got none; name them with --data")
        if self.check is not None:
            self.check()
        return self.source

    @cached_property
    def extractor(self) -> Extractor:
        if not self.images:
            return Coordinates()
        own = self._resolved.name == CLASSIFIER and self.source is not None
        return self.classifier if own else self._resolved.make(self.source)

    @cached_property
    def classifier(self) -> SetClassifier | StackedClassifier:
        """The classifier of the data's classes."""
        return classifier_of(self.data)

    @property
    def kind(self) -> str:
        """The word for the features in the names of scores."""
        return self._resolved.kind if self.images else COORDINATES

    @cached_property
    def _resolved(self) -> ExtractorSpec:
        if self.reference is not None and self.spec.name == AUTO:  # other programs write Inception's statistics
            return replace(self.spec, name=self.reference.kind or "inception")
        return self.spec.resolved()

    @cached_property
    def fake_features(self) -> Features:
        return self.extracted(self.extractor) if self.images else Features(self.fake.flatten(1).float())

    def extracted(self, extractor: Extractor) -> Features:
        """The features of the generated samples, which are computed once by each extractor."""
        if extractor.hash not in self._features:
            self._features[extractor.hash] = extract(extractor, self.fake)
        return self._features[extractor.hash]

    @cached_property
    def real_features(self) -> Features:
        return real_features(self.extractor, self.real) if self.images else Features(self.real.flatten(1).float())

    @property
    def images(self) -> bool:
        """Whether samples are images, not points."""
        return self.fake.dtype is torch.uint8 if self.source is None else len(self.source.shape) == 3

    def remember(self, other: "EvaluationContext") -> None:
        """Take over what stays the same between two evaluations of a training: real samples, features, extractor."""
        for name in ("real", "real_batch", "train", "held", "classifier", "extractor", "real_features"):
            if name in other.__dict__:
                self.__dict__[name] = other.__dict__[name]


@contextmanager
def evidence_of(
    training: Training, n: int, seed: int, extractor: ExtractorSpec, *, validation: bool = False
) -> Iterator[EvaluationContext]:
    """Yield the evaluation context of a training as it is; the averaged weights are in use meanwhile.

    Args:
        training: whose samples are measured.
        n: number of samples.
        seed: seed of the latents.
        extractor: extractor of the features.
        validation: whether to compare with the validation images of a source that keeps some out of training.
    """
    experiment = training.experiment
    source = experiment.data
    data_seed = derived(experiment.seed, "data") if isinstance(source, Toy) else 0  # a toy's points come from the seed
    with training.painting() as paint:
        painter = Painter(experiment, training.game, paint)
        labels = labels_of(training, check_samples(n), seed) if training.game.generated_classes else None
        draw, check = _drawing(training, paint, n, seed, labels), training.refuse_other_data
        yield EvaluationContext(
            draw,
            source,
            check_samples(n),
            extractor,
            painter,
            seed,
            data_seed,
            check=check,
            labels=labels,
            split="validation" if validation and source.held_out == "validation" else "train",
        )


def _drawing(training: Training, paint: Paint, n: int, seed: int, labels: Tensor | None) -> Callable[[], Tensor]:
    @torch.no_grad()
    def draw() -> Tensor:
        parts = torch.split(latents(training, n, seed), CHUNK)
        asked = [None] * len(parts) if labels is None else torch.split(labels, CHUNK)
        pairs = tracked(list(zip(parts, asked, strict=True)), "generated samples", n, lambda pair: len(pair[0]))
        samples = [paint(part, label).float().cpu() for part, label in pairs]
        return torch.cat([as_compared(part, training.experiment.data) for part in samples])

    return draw


def _shape_error(source: Source, shape: tuple[int, ...]) -> DataError:
    """Return the error for samples of another shape than the data's, with the settings that would make them equal."""
    expected = f"samples: expected the data's shape {source.shape}, got {shape}"
    if not isinstance(source, Images) or not pictured(shape):
        return DataError(f"{expected}; compare them with data of that shape")
    changes = []
    if shape[0] != source.shape[0]:
        changes.append(Change("data.channels", shape[0]))
    if shape[1:] != source.shape[1:]:
        changes.append(Change("data.size", shape[1] if shape[1] == shape[2] else list(shape[1:])))
    return DataError(f"{expected}; give the data theirs with {' and '.join(map(str, changes))}", *changes)
