"""A set's classifier is trained once; what is found again is the same, and what has changed is trained anew."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from agon import classifiers
from agon.classifiers import SetClassifier, accuracy_of, classifier_of
from agon.data import Images
from agon.errors import DataError, RunError

pytestmark = pytest.mark.usefixtures("one_core")
STEPS = 8


def digits(path: Path, **changes: int) -> Path:
    """A file of 300 of the bundled digits, some of whose pixels may be changed."""
    drawn = Images(path="digits", range=(0.0, 1.0)).take(300)
    assert drawn.label is not None
    pixels = (drawn.real[:, 0] * 255).round().to(torch.uint8).numpy()
    for value in changes.values():
        pixels[0, 0, 0] = value
    np.savez(path, images=pixels, labels=drawn.label.numpy())
    return path


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was trained, in order."""
    made: list[str] = []
    ordinary = classifiers.train

    def counted(experiment: object, directory: Path, **settings: object) -> object:
        made.append(str(directory))
        return ordinary(experiment, directory, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(classifiers, "train", counted)
    return made


def found(file: Path, cache: Path, show: bool = False, **settings: object) -> SetClassifier:
    source = Images(path=str(file), **settings)  # type: ignore[arg-type]
    return classifier_of(source, steps=STEPS, folder=cache, show=show)


def test_it_is_trained_once_and_found_again(
    tmp_path: Path, trainings: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the data lie does not matter, and it says that it trains."""
    file, cache = digits(tmp_path / "digits.npz"), tmp_path / "cache"
    first = found(file, cache, show=True)
    told = capsys.readouterr().err
    assert told.startswith("training a classifier of images 1x8x8 in 10 classes, once; it is kept in ")
    second = found(file, cache, show=True)
    moved = found(file.rename(tmp_path / "moved.npz"), cache, show=True)
    assert capsys.readouterr().err == ""
    assert len(trainings) == 1
    x = Images(path="digits").take(40).real
    for again in (second, moved):
        assert (again.key, again.accuracy, again.names) == (first.key, first.accuracy, first.names)
        assert torch.equal(again.probabilities(x), first.probabilities(x))
    assert len(list((cache / "classifiers").glob("[0-9a-f]*/"))) == 1  # nothing of the training is left


def test_other_content_is_trained_anew(tmp_path: Path, trainings: list[str]) -> None:
    """One pixel, another range, another share held out, other settings: each has its own."""
    cache = tmp_path / "cache"
    file, other = digits(tmp_path / "one.npz", pixel=1), digits(tmp_path / "other.npz", pixel=2)
    made = [found(file, cache), found(other, cache), found(file, cache, range=(0.0, 1.0))]
    made += [found(file, cache, holdout=0.3), classifier_of(Images(path=str(file)), steps=STEPS + 1, folder=cache)]
    assert len(trainings) == len({each.key for each in made}) == 5
    digits(file, pixel=2)  # the first file now holds what the second does
    assert found(file, cache).key == made[1].key
    assert len(trainings) == 5


@pytest.mark.parametrize("damage", ["flip", "truncate", "state", "remove"])
def test_what_is_damaged_is_trained_again(damage: str, tmp_path: Path, trainings: list[str]) -> None:
    """To the same weights, since everything random derives from one seed."""
    file, cache = digits(tmp_path / "digits.npz"), tmp_path / "cache"
    first = found(file, cache)
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
    second = found(file, cache)
    assert len(trainings) == 2
    x = Images(path="digits").take(40).real
    assert torch.equal(second.probabilities(x), first.probabilities(x))
    assert found(file, cache).accuracy == first.accuracy
    assert len(trainings) == 2


def test_it_gives_probabilities_and_its_accuracy_on_the_test_split(tmp_path: Path) -> None:
    """However many images at a time; the set's own digits get their own class."""
    source = Images(path="digits")
    judge = classifier_of(source, steps=100, folder=tmp_path, show=False)
    x = source.take(source.count("test") or 0, split="test")
    p = judge.probabilities(x.real)
    assert p.shape == (len(x.real), 10)
    torch.testing.assert_close(p.sum(1), torch.ones(len(p)))
    torch.testing.assert_close(torch.cat([judge.probabilities(part) for part in torch.split(x.real, 7)]), p)
    assert judge.accuracy.value == pytest.approx(float((p.argmax(1) == x.label).double().mean()))
    assert judge.accuracy == accuracy_of(judge.game, source)
    assert judge.accuracy.value > 0.9
    assert judge.names == tuple(map(str, range(10)))


def test_nothing_of_torchs_own_is_disturbed(tmp_path: Path) -> None:
    """A training that asks for its judge goes on as if it had not: trained, and found."""
    file = digits(tmp_path / "digits.npz")
    for _ in range(2):
        before, threads = torch.get_rng_state(), torch.get_num_threads()
        found(file, tmp_path / "cache")
        assert torch.equal(torch.get_rng_state(), before)
        assert torch.get_num_threads() == threads


def test_what_cannot_be_judged_is_refused(tmp_path: Path, trainings: list[str]) -> None:
    bare = tmp_path / "bare.npy"
    np.save(bare, np.zeros((40, 8, 8), np.uint8))
    with pytest.raises(DataError, match="expected samples with class labels, got none"):
        found(bare, tmp_path / "cache")
    file = digits(tmp_path / "digits.npz")
    with pytest.raises(DataError, match="'test'"):
        found(file, tmp_path / "cache", holdout=0.0)
    with pytest.raises(DataError, match="got a stream"):
        found(file, tmp_path / "cache", streaming=True)
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(RunError, match="cannot be written"):
        found(file, blocked)
    assert trainings == []
