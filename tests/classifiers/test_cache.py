"""A set's classifier is trained once; what is found again is the same, and what has changed is trained anew."""

import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from agon.classifiers import (
    SetClassifier,
    accuracy_of,
    classifier_of,
    experiment,
)
from agon.data import Images
from agon.errors import DataError, Interrupted, RunError, SettingError
from agon.training import Training
from tests.classifiers.conftest import STEPS, digits, load_classifier

pytestmark = pytest.mark.usefixtures("one_core")


def test_it_is_trained_once_and_found_again(
    tmp_path: Path, trainings: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the data lie does not matter, and it says that it trains."""
    file, cache = digits(tmp_path / "digits.npz"), tmp_path / "cache"
    first = load_classifier(file, cache, show=True)
    stderr = capsys.readouterr().err
    assert stderr.startswith("training a classifier of images 1x8x8 in 10 classes, once; it is kept in ")
    second = load_classifier(file, cache, show=True)
    moved = load_classifier(file.rename(tmp_path / "moved.npz"), cache, show=True)
    assert capsys.readouterr().err == ""
    assert len(trainings) == 1
    x = Images(path="digits").take(40).real
    for again in (second, moved):
        assert (again.key, again.accuracy, again.names) == (first.key, first.accuracy, first.names)
        assert torch.equal(again.probabilities(x), first.probabilities(x))
    assert len(list((cache / "classifiers").glob("[0-9a-f]*/"))) == 1  # nothing of the training is left


def test_other_content_is_trained_anew(tmp_path: Path, trainings: list[str]) -> None:
    """One pixel, another share, other settings: each has its own; another range has not, nor the images' own size."""
    cache = tmp_path / "cache"
    file, other = digits(tmp_path / "one.npz", pixel=1), digits(tmp_path / "other.npz", pixel=2)
    classifiers = [load_classifier(file, cache), load_classifier(other, cache)]
    assert load_classifier(file, cache, range=(0.0, 1.0)).key == classifiers[0].key
    assert load_classifier(file, cache, size=8, channels=1).key == classifiers[0].key  # the size that they have
    longer = classifier_of(Images(path=str(file)), steps=STEPS + 1, folder=cache, show=False)
    keys = {each.key for each in [*classifiers, load_classifier(file, cache, holdout=0.3), longer]}
    assert len(trainings) == len(keys) == 4
    digits(file, pixel=2)  # the first file now holds what the second does
    assert load_classifier(file, cache).key == classifiers[1].key
    assert len(trainings) == 4


@pytest.mark.parametrize("damage", ["flip", "truncate", "state", "remove"])
def test_what_is_damaged_is_trained_again(damage: str, tmp_path: Path, trainings: list[str]) -> None:
    """To the same weights, since everything random derives from one seed."""
    file, cache = digits(tmp_path / "digits.npz"), tmp_path / "cache"
    first = load_classifier(file, cache)
    (tensors,) = cache.glob("classifiers/*/*/tensors.safetensors")
    content = tensors.read_bytes()
    if damage == "flip":
        tensors.write_bytes(content[:-100] + bytes([content[-100] ^ 1]) + content[-99:])
    elif damage == "truncate":
        tensors.write_bytes(content[:100])
    elif damage == "state":
        tensors.with_name("state.json").write_text("{}")
    else:
        shutil.rmtree(tensors.parent)
    second = load_classifier(file, cache)
    assert len(trainings) == 2
    x = Images(path="digits").take(40).real
    assert torch.equal(second.probabilities(x), first.probabilities(x))
    assert load_classifier(file, cache).accuracy == first.accuracy
    assert len(trainings) == 2


@pytest.mark.parametrize("lost", [False, True])
def test_an_interrupted_training_goes_on_at_the_next_call(
    lost: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """To the very weights of a training that nothing interrupts, by a signal or, if its run is damaged, from step 1."""
    file, whole, broken = digits(tmp_path / "digits.npz"), tmp_path / "whole", tmp_path / "broken"
    expected = load_classifier(file, whole)
    advance, steps = Training.advance, []

    def interrupted(training: Training) -> object:
        steps.append(training.step)
        if len(steps) == STEPS - 2:
            signal.raise_signal(signal.SIGINT)
        return advance(training)

    monkeypatch.setattr(Training, "advance", interrupted)
    with pytest.raises(Interrupted):
        load_classifier(file, broken)
    (directory,) = broken.glob("classifiers/*.training")
    if lost:
        (directory / "experiment.json").write_text("{}")
    capsys.readouterr()
    found = load_classifier(file, broken, show=True)
    assert ("goes on from step 6" in capsys.readouterr().err) is not lost
    assert len(steps) == (2 * STEPS - 2 if lost else STEPS)
    assert (found.hash, found.key, found.accuracy) == (expected.hash, expected.key, expected.accuracy)
    assert not directory.exists()


def test_it_gives_probabilities_and_its_accuracy_on_the_test_split(tmp_path: Path) -> None:
    """However many images at a time; the set's own digits get their own class."""
    source = Images(path="digits")
    judge = classifier_of(source, steps=100, folder=tmp_path, show=False)
    assert isinstance(judge, SetClassifier)
    x = source.take(source.count("test") or 0, split="test")
    assert x.label is not None
    p = judge.probabilities(x.real)
    assert p.shape == (len(x.real), 10)
    torch.testing.assert_close(p.sum(1), torch.ones(len(p)))
    torch.testing.assert_close(torch.cat([judge.probabilities(part) for part in torch.split(x.real, 7)]), p)
    assert judge.accuracy.value == pytest.approx(float((p.argmax(1) == x.label).double().mean()))
    assert judge.accuracy == accuracy_of(judge.game, source)
    assert judge.accuracy.value > 0.9
    assert judge.names == tuple(map(str, range(10)))


@pytest.mark.parametrize("place", ["filelock.FileLock", "pathlib.Path.mkdir"])
def test_a_cache_that_can_only_be_read_is_read(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there is found without a lock; what is not is a sentence."""
    file, cache = digits(tmp_path / "digits.npz"), tmp_path / "cache"
    first = load_classifier(file, cache)

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(place, refused)
    assert load_classifier(file, cache).hash == first.hash
    with pytest.raises(RunError, match=r"classifiers.* cannot be written \(Permission denied\)"):
        classifier_of(Images(path=str(file)), steps=STEPS + 1, folder=cache, show=False)


def test_no_steps_are_no_steps() -> None:
    """Not the default."""
    with pytest.raises(SettingError, match="0"):
        experiment(Images(), steps=0)


def test_nothing_of_torchs_own_is_disturbed(tmp_path: Path) -> None:
    """A training that asks for its judge goes on as if it had not: trained, and found."""
    file = digits(tmp_path / "digits.npz")
    for _ in range(2):
        before, threads = torch.get_rng_state(), torch.get_num_threads()
        load_classifier(file, tmp_path / "cache")
        assert torch.equal(torch.get_rng_state(), before)
        assert torch.get_num_threads() == threads


def test_what_cannot_be_judged_is_refused(tmp_path: Path, trainings: list[str]) -> None:
    bare = tmp_path / "bare.npy"
    np.save(bare, np.zeros((40, 8, 8), np.uint8))
    with pytest.raises(DataError, match="expected samples with class labels, got none"):
        load_classifier(bare, tmp_path / "cache")
    file = digits(tmp_path / "digits.npz")
    with pytest.raises(DataError, match="'test'"):
        load_classifier(file, tmp_path / "cache", holdout=0.0)
    with pytest.raises(DataError, match="got a stream"):
        load_classifier(file, tmp_path / "cache", streaming=True)
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(RunError, match="cannot be written"):
        load_classifier(file, blocked)
    assert trainings == []


def test_one_class_of_a_set_is_judged_by_the_whole_set(tmp_path: Path, trainings: list[str]) -> None:
    file, cache = digits(tmp_path / "digits.npz"), tmp_path / "cache"
    assert load_classifier(file, cache, only=2).hash == load_classifier(file, cache).hash
    assert len(trainings) == 1
