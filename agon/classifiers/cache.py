"""Classifiers trained once and kept.

Under "classifiers" in the cache folder each has a folder KEY with a checkpoint (safetensors and JSON with their
checksums); KEY is a SHA-256 of the data's content and of the whole experiment, so that other data, or another
classifier, have their own. What is damaged is trained again. The folder can be deleted at any time.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from agon.classifiers.classifier import SetClassifier, StackedClassifier
from agon.classifiers.evaluation import accuracy_of, settled, tested
from agon.classifiers.settings import experiment
from agon.data.cache import default_folder
from agon.data.images import Images
from agon.data.source import Source
from agon.data.stacked import Stacked
from agon.errors import RunError
from agon.experiment import Experiment
from agon.games import Classification
from agon.metrics import Score
from agon.replicates.trial import aside
from agon.runs import Checkpoint, checkpoints, writing
from agon.runs.files import remove
from agon.terminal import warn
from agon.training import train

VERSION = 1  # of what is kept: a change makes other keys
FOLDER = "classifiers"
RANGE = (-1.0, 1.0)  # of the pixels that a classifier is trained on


def classifier_of(
    source: Source,
    *,
    steps: int | None = None,
    folder: Path | None = None,
    device: torch.device | str = "cpu",
    show: bool = True,
) -> SetClassifier | StackedClassifier:
    """The classifier of a set of images: found in the cache, or trained now and left there.

    That of stacks is their grey set's; that of one class of a set is the whole set's, in whichever range a training
    wants pixels, it is the one of pixels from -1 to 1 (all judge bytes), and a size that the images have anyway may be
    said or not. Nothing random is drawn
    from torch's own stream, whether it is found or not. A cache that can only be read is enough for what is in it.

    Args:
        source: images with classes and a test split.
        steps: of its training; by default see `experiment`.
        folder: of the cache; by default the user's.
        device: where it lies afterwards; it is trained on the best one.
        show: whether to say on standard error that it is being trained.

    Raises:
        DataError: no classes, no test split, or images that cannot be read.
        RunError: it must be trained, and the cache cannot be written.
    """
    if isinstance(source, Stacked):
        grey = classifier_of(source.of, steps=steps, folder=folder, device=device, show=show)
        assert isinstance(grey, SetClassifier)  # of images
        return StackedClassifier(grey, source.classes)
    if isinstance(source, Images):
        source = _plainly(source)
    return _of_images(source, steps, default_folder() if folder is None else folder, device, show)


def _plainly(source: Images) -> Images:
    """All classes, from -1 to 1, its own size said: the same images in other words have the same classifier."""
    channels, height, width = source.shape
    size = height if height == width else (height, width)
    return replace(source, only=None, range=RANGE, size=size, channels=1 if channels == 1 else 3)


def _of_images(
    source: Source, steps: int | None, folder: Path, device: torch.device | str, show: bool
) -> SetClassifier:
    wanted = experiment(source, steps=steps)
    key = _key(wanted)
    place = folder / FOLDER / key
    with aside():
        game = wanted.build()
        assert isinstance(game, Classification)
        found = _found(place) or _made(wanted, game, place, show)
        game.load_state_dict(found.tensors)
    return SetClassifier(game.to(device), source, Score.read(found.state["accuracy"]), key)


def _key(wanted: Experiment) -> str:
    """Of the experiment, with the content of both splits in the place of where they are."""
    described = wanted.describe()
    content = [wanted.data.open(seed=0).fingerprint, tested(wanted.data)[0].fingerprint]
    text = json.dumps([VERSION, content, {**described, "data": ""}], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _found(place: Path) -> Checkpoint | None:
    """What was kept, or None where nothing is or it has other bytes than were written."""
    try:
        return checkpoints.last_good(place)[0]
    except RunError:
        return None


def _made(wanted: Experiment, game: Classification, place: Path, show: bool) -> Checkpoint:
    """Trained and kept by whoever comes first; who comes second waits, and finds it."""
    from filelock import FileLock

    with ExitStack() as stack:
        with writing(place, instead="set AGON_CACHE to a folder that can be written"):
            place.mkdir(parents=True, exist_ok=True)
            stack.enter_context(FileLock(place.with_suffix(".lock")))
            for left in place.parent.glob(f".{place.name}-*"):  # by a killed process: the lock is ours now
                remove(left)
            scratch = Path(stack.enter_context(TemporaryDirectory(prefix=f".{place.name}-", dir=place.parent)))
        found = _found(place)
        if found is None:
            if show:
                shape, classes = "x".join(map(str, wanted.data.shape)), len(wanted.data.classes)
                told = f"training a classifier of images {shape} in {classes} classes, once; it is kept in {place}"
                warn(told)
            found = _trained(wanted, game, scratch / "run", show)
            checkpoints.save(place, found)
    return found


def _trained(wanted: Experiment, game: Classification, directory: Path, show: bool) -> Checkpoint:
    """The weights after a whole training, with their accuracy."""
    last, _ = train(wanted, directory, show=show).last_good()
    assert last is not None  # a training that ends has saved its end
    game.load_state_dict(_under("game/", last.tensors))
    game = settled(game, _under("average/", last.tensors) or None, wanted.data)
    tensors = {name: tensor.cpu() for name, tensor in game.state_dict().items()}
    return Checkpoint(wanted.steps, tensors, {"accuracy": accuracy_of(game, wanted.data).record()})


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
