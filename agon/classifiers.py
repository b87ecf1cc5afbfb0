"""A set's classifier: trained once, kept by the content it was made from, and found again ever after.

Under "classifiers" in the cache folder it has a folder KEY with a checkpoint (safetensors and JSON with their
checksums); KEY is a SHA-256 of the data's content and of the whole experiment, so that other data, or another
classifier, have their own. What is damaged is trained again. The folder can be deleted at any time.
"""

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from jaxtyping import Float
from torch import Tensor

from agon.data.cache import default_folder
from agon.data.source import Opened, Source
from agon.dynamics import Turns
from agon.errors import DataError, RunError
from agon.experiment import Experiment, part
from agon.games import Classification
from agon.games.classification import NO_LABELS, UNLABELLED
from agon.metrics import Score, accuracy
from agon.networks.classifier import Classifier
from agon.networks.layers import evaluation_mode
from agon.replicates.trial import aside
from agon.runs import Checkpoint, checkpoints, writing
from agon.training import train

VERSION = 1  # of what is kept: a change makes other keys
FOLDER = "classifiers"
STEPS = 1_000
CHUNK = 500  # images that pass at a time


@dataclass(frozen=True)
class SetClassifier:
    """The trained classifier of one set of images.

    Attributes:
        game: whose network it is, in evaluation mode.
        names: of the classes, in the order of their numbers.
        accuracy: on the set's whole test split.
        key: of the cache: the same key is the same classifier.
    """

    game: Classification
    names: Sequence[str]
    accuracy: Score
    key: str

    @torch.no_grad()
    def probabilities(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n k"]:
        """p(class | image) for images in the source's range, wherever they lie; each row sums to 1."""
        weight = next(self.game.parameters())
        parts = [self.game.logits(chunk.to(weight)).softmax(1) for chunk in torch.split(images, CHUNK)]
        return torch.cat(parts).to(images.device)


def experiment(source: Source, *, steps: int = STEPS) -> Experiment:
    """What a classifier of the source is trained by.

    Args:
        source: images with classes.
        steps: batches of 64.

    Raises:
        DataError: the source has no classes.
    """
    if not source.classes:
        raise DataError(NO_LABELS)
    return Experiment(
        game=part(Classification, classifier=part(Classifier, shape=source.shape, classes=len(source.classes))),
        data=source,
        dynamics=Turns((("classifier",),)),
        optimisers=part(torch.optim.Adam, lr=1e-3),
        steps=steps,
        checkpoint_every=steps,
    )


def classifier_of(
    source: Source,
    *,
    steps: int = STEPS,
    folder: Path | None = None,
    device: torch.device | str = "cpu",
    show: bool = True,
) -> SetClassifier:
    """The classifier of a set of images: found in the cache, or trained now and left there.

    Nothing random is drawn from torch's own stream, whether it is found or not.

    Args:
        source: images with classes and a test split.
        steps: of its training.
        folder: of the cache; by default the user's.
        device: where it lies afterwards; it is trained on the best one.
        show: whether to say on standard error that it is being trained.

    Raises:
        DataError: no classes, no test split, or images that cannot be read.
        RunError: the cache cannot be written.
    """
    from filelock import FileLock

    wanted = experiment(source, steps=steps)
    key = _key(wanted)
    place = (default_folder() if folder is None else folder) / FOLDER / key
    with writing(place):
        place.mkdir(parents=True, exist_ok=True)
    with aside(), FileLock(place.with_suffix(".lock")):  # who comes second waits, and finds it
        game = wanted.build()
        assert isinstance(game, Classification)
        found = _found(place)
        if found is None:
            found = _trained(wanted, game, place, show)
            checkpoints.save(place, found)
        game.load_state_dict(found.tensors)
    return SetClassifier(game.eval().to(device), tuple(source.classes), Score(**found.state["accuracy"]), key)


@torch.no_grad()
def accuracy_of(game: Classification, source: Source, chunk: int = CHUNK) -> Score:
    """The share of the source's whole test split whose most probable class is their own.

    Args:
        game: whose classifier it is; left in the mode that it has.
        source: with classes.
        chunk: images that pass at a time; the score does not depend on it.

    Raises:
        DataError: no classes, no test split, or one whose size nobody knows.
    """
    (test, count), weight = _tested(source), next(game.parameters())
    right, chunk = [], min(chunk, count)
    with evaluation_mode(game):
        for index in range(-(-count // chunk)):
            real, label = test.draw(chunk, index, 0, 1)
            if label is None:
                raise DataError(NO_LABELS)
            hit, left = game.logits(real.to(weight)).argmax(1).cpu() == label, count - index * chunk
            right.append(hit[:left][label[:left] != UNLABELLED])  # the last batch straddles two epochs
    return accuracy(torch.cat(right), "share of the whole test split in their own class")


def _tested(source: Source) -> tuple[Opened, int]:
    """The test split, opened, and its size."""
    test = source.open(seed=0, split="test")
    if test.count is None:
        raise DataError("a classifier: expected a test split of a known size, got a stream; set data.streaming=false")
    return test, test.count


def _key(wanted: Experiment) -> str:
    """Of the experiment, with the content of both splits in the place of where they are."""
    described = wanted.describe()
    content = [wanted.data.open(seed=0).fingerprint, _tested(wanted.data)[0].fingerprint]
    text = json.dumps([VERSION, content, {**described, "data": ""}], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _found(place: Path) -> Checkpoint | None:
    """What was kept, or None where nothing is or it has other bytes than were written."""
    try:
        return checkpoints.last_good(place)[0]
    except RunError:
        return None


def _trained(wanted: Experiment, game: Classification, place: Path, show: bool) -> Checkpoint:
    """The weights after a whole training, with their accuracy."""
    if show:
        shape, classes = "x".join(map(str, wanted.data.shape)), len(wanted.data.classes)
        told = f"training a classifier of images {shape} in {classes} classes, once; it is kept in {place}"
        print(told, file=sys.stderr)
    with TemporaryDirectory(dir=place.parent) as scratch:
        last, _ = train(wanted, Path(scratch) / "run", show=show).last_good()
    assert last is not None  # a training that ends has saved its end
    prefix = "game/"
    tensors = {name.removeprefix(prefix): t for name, t in last.tensors.items() if name.startswith(prefix)}
    game.load_state_dict(tensors)
    return Checkpoint(wanted.steps, tensors, {"accuracy": accuracy_of(game, wanted.data).record()})
