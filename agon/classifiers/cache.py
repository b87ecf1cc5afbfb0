"""The cache of trained classifiers.

The cache has a folder classifiers/KEY with a checkpoint of each (safetensors and JSON with checksums), where KEY is
a SHA-256 of the data's content and of the whole experiment, so other data or other settings have another KEY. A damaged
checkpoint is trained again. The folder can be deleted at any time.

A training lies in KEY.training until it ends. One that was interrupted goes on from its last checkpoint at the next
call, to the same weights as without the interruption.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from agon.classifiers.classifier import SetClassifier, StackedClassifier
from agon.classifiers.evaluation import accuracy_of, settled, tested
from agon.data.cache import default_folder
from agon.data.images import Images
from agon.data.source import Source
from agon.data.stacked import Stacked
from agon.errors import RunError
from agon.experiment import Experiment
from agon.experiment.codec import LATER
from agon.games import Classification
from agon.metrics import Score
from agon.recipes.classifier import experiment
from agon.runs import Checkpoint, Run, checkpoints, writing
from agon.runs.files import remove
from agon.terminal import warn
from agon.training import resume, train
from agon.training.randomness import preserve_global_streams

VERSION = 1  # the version of the cache's contents; a change gives other keys
FOLDER = "classifiers"
TRAINING = ".training"  # the suffix of an unfinished training's folder
EVERY = 250  # steps between two checkpoints
RANGE = (-1.0, 1.0)  # the pixels on which a classifier is trained


def classifier_of(
    source: Source,
    *,
    steps: int | None = None,
    folder: Path | None = None,
    device: torch.device | str = "cpu",
    show: bool = True,
) -> SetClassifier | StackedClassifier:
    """Load the classifier of a set of images from the cache, or train it and store it there.

    Equal images share a classifier: stacked images use their grey set's, one class of a set uses the whole set's, and
    neither the pixels' range nor an explicit size that the images have anyway matters (classifiers take bytes). Torch's
    global random stream does not change, whether or not the classifier is trained. A read-only cache suffices for
    classifiers that it already holds.

    Args:
        source: images with classes and a test split.
        steps: the number of training steps; by default see `experiment`.
        folder: the cache folder; by default the user's.
        device: the device of the returned classifier; training uses the best device.
        show: whether to say on standard error that a classifier is being trained.

    Raises:
        DataError: there are no classes, there is no test split, or images cannot be read.
        RunError: the classifier must be trained, and the cache cannot be written.
    """
    if isinstance(source, Stacked):
        grey = classifier_of(source.of, steps=steps, folder=folder, device=device, show=show)
        assert isinstance(grey, SetClassifier)  # of images
        return StackedClassifier(grey, source.classes)
    if isinstance(source, Images):
        source = _canonical(source)
    return _of_images(source, steps, default_folder() if folder is None else folder, device, show)


def _canonical(source: Images) -> Images:
    """The canonical form of a source: all training images and classes, pixels from -1 to 1, an explicit size."""
    channels, height, width = source.shape
    size = height if height == width else (height, width)
    return replace(source, only=None, validation=0.0, range=RANGE, size=size, channels=1 if channels == 1 else 3)


def _of_images(
    source: Source, steps: int | None, folder: Path, device: torch.device | str, show: bool
) -> SetClassifier:
    spec = experiment(source, steps=steps)
    key = _key(spec)
    entry = folder / FOLDER / key
    with preserve_global_streams():
        game = spec.build()
        assert isinstance(game, Classification)
        checkpoint = _load(entry) or _train_once(spec, game, entry, show)
        game.load_state_dict(checkpoint.tensors)
    return SetClassifier(game.to(device), source, Score.read(checkpoint.state["accuracy"]), key)


def _key(spec: Experiment) -> str:
    """The cache key: a hash of the experiment, with both splits' contents in place of their location."""
    later = LATER["experiment"]  # older keys lack these
    described = {name: value for name, value in spec.describe().items() if name not in later or value != later[name]}
    content = [spec.data.open(seed=0).fingerprint, tested(spec.data)[0].fingerprint]
    text = json.dumps([VERSION, content, {**described, "data": ""}], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _load(entry: Path) -> Checkpoint | None:
    """Load a cached checkpoint; None if there is none or it is damaged."""
    try:
        return checkpoints.last_good(entry)[0]
    except RunError:
        return None


def _train_once(spec: Experiment, game: Classification, entry: Path, show: bool) -> Checkpoint:
    """Train and store the classifier under a lock; a second process waits and loads the result."""
    from filelock import FileLock

    directory = entry.with_suffix(TRAINING)
    with ExitStack() as stack:
        with writing(entry, instead="set AGON_CACHE to a folder that can be written"):
            entry.mkdir(parents=True, exist_ok=True)
            stack.enter_context(FileLock(entry.with_suffix(".lock")))
        checkpoint = _load(entry)
        if checkpoint is None:
            if show:
                shape, classes = "x".join(map(str, spec.data.shape)), len(spec.data.classes)
                message = f"training a classifier of images {shape} in {classes} classes, once; it is kept in {entry}"
                warn(message)
            checkpoint = _trained(spec, game, _run(spec, directory, show))
            checkpoints.save(entry, checkpoint)
            remove(directory)
            for left in entry.parent.glob(f".{entry.name}-*"):  # of a process of an earlier version that was killed
                remove(left)
    return checkpoint


def _run(spec: Experiment, directory: Path, show: bool) -> Run:
    """Train in this directory, or go on with a training that was interrupted there."""
    spec = replace(spec, checkpoint_every=min(EVERY, spec.steps))  # the result is the same
    if Run(directory).begun:
        try:
            return resume(directory, experiment=spec, show=show)
        except RunError:  # damaged, or its data lay elsewhere
            pass
    remove(directory)
    return train(spec, directory, show=show)


def _trained(spec: Experiment, game: Classification, run: Run) -> Checkpoint:
    """Return the final weights of a finished training with their accuracy."""
    last, _ = run.last_good()
    assert last is not None  # a training that ends has saved its end
    game.load_state_dict(_under("game/", last.tensors))
    game = settled(game, _under("average/", last.tensors) or None, spec.data)
    tensors = {name: tensor.cpu() for name, tensor in game.state_dict().items()}
    return Checkpoint(spec.steps, tensors, {"accuracy": accuracy_of(game, spec.data).record()})


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
