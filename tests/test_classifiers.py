"""A set's classifier is trained once; what is found again is the same, and what has changed is trained anew."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from agon.classifiers import (
    SetClassifier,
    StackedClassifier,
    accuracy_of,
    class_counts,
    classifier_of,
    experiment,
    kept,
    settled,
)
from agon.classifiers.judges import digest
from agon.data import Images, Stacked
from agon.errors import DataError, RunError, SettingError
from agon.experiment import Part
from agon.games import Classification
from agon.metrics import Score, class_coverage, class_divergence
from agon.metrics.extractors import Extractor, extract
from agon.networks.classifier import Classifier, ResidualClassifier
from agon.networks.layers import evaluation_mode
from agon.pictures import to_uint8
from agon.training import train

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
    ordinary = train

    def counted(experiment: object, directory: Path, **settings: object) -> object:
        made.append(str(directory))
        return ordinary(experiment, directory, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(kept, "train", counted)
    return made


def found(file: Path, cache: Path, show: bool = False, **settings: object) -> SetClassifier:
    source = Images(path=str(file), **settings)  # type: ignore[arg-type]
    made = classifier_of(source, steps=STEPS, folder=cache, show=show)
    assert isinstance(made, SetClassifier)
    return made


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
    """One pixel, another share held out, other settings: each has its own; another range of pixels has not."""
    cache = tmp_path / "cache"
    file, other = digits(tmp_path / "one.npz", pixel=1), digits(tmp_path / "other.npz", pixel=2)
    made = [found(file, cache), found(other, cache)]
    assert found(file, cache, range=(0.0, 1.0)).key == made[0].key
    longer = classifier_of(Images(path=str(file)), steps=STEPS + 1, folder=cache, show=False)
    keys = {each.key for each in [*made, found(file, cache, holdout=0.3), longer]}
    assert len(trainings) == len(keys) == 4
    digits(file, pixel=2)  # the first file now holds what the second does
    assert found(file, cache).key == made[1].key
    assert len(trainings) == 4


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


@pytest.mark.parametrize(
    "place", ["filelock.FileLock", "agon.classifiers.kept.TemporaryDirectory", "pathlib.Path.mkdir"]
)
def test_a_cache_that_can_only_be_read_is_read(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there is found without a lock; what is not is a sentence."""
    file, cache = digits(tmp_path / "digits.npz"), tmp_path / "cache"
    first = found(file, cache)

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(place, refused)
    assert found(file, cache).hash == first.hash
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


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> SetClassifier:
    """Of the bundled digits, after a short training."""
    with pytest.MonkeyPatch.context() as patch:  # one core, as all tests of this module take
        patch.setattr("agon.training.arithmetic._cores", lambda: 1)
        made = classifier_of(Images(), steps=150, folder=tmp_path_factory.mktemp("cache"), show=False)
    assert isinstance(made, SetClassifier)
    return made


def layers_of(game: Classification) -> nn.Sequential:
    layers = game.classifier.layers
    assert isinstance(layers, nn.Sequential)
    return layers


def held() -> tuple[torch.Tensor, torch.Tensor]:
    """The digits that no classifier was trained on, as bytes, and their classes."""
    drawn = Images().take(180, split="test")
    assert drawn.label is not None
    return to_uint8(drawn.real, -1, 1), drawn.label


def test_it_is_an_extractor(judge: SetClassifier) -> None:
    """Its features are what its last layer sees, its probabilities the network's, whatever else is in the batch."""
    images, _ = held()
    assert isinstance(judge, Extractor)
    assert judge.name == f"classifier of 10 classes of images 1x8x8, accuracy {judge.accuracy.value:.4f}"
    assert (judge.resizer, judge.precision, len(judge.hash)) == ("none", "float32", 64)
    whole = judge(images)
    assert whole.probabilities is not None
    assert (whole.features.shape, whole.probabilities.shape) == ((180, 1024), (180, 10))
    in_range = images.float() / 127.5 - 1
    torch.testing.assert_close(whole.probabilities, judge.probabilities(in_range))
    torch.testing.assert_close(layers_of(judge.game)[-1](whole.features).softmax(1), whole.probabilities)
    for chunk in (1, 7, 180):
        again = extract(judge, images, chunk)
        torch.testing.assert_close(again.features, whole.features)
        torch.testing.assert_close(again.probabilities, whole.probabilities)


def test_its_hash_is_that_of_its_weights(judge: SetClassifier) -> None:
    """Other weights by one number have another; the same ones elsewhere the same."""
    before = digest(judge.game)
    game = Classification(classifier=Classifier(shape=(1, 8, 8)))
    game.load_state_dict(judge.game.state_dict())
    assert digest(game) == before == judge.hash
    with torch.no_grad():
        next(game.parameters())[0, 0, 0, 0] += 1e-6
    assert digest(game) != before


def test_images_of_another_size_are_a_sentence(judge: SetClassifier) -> None:
    for shape in ((2, 1, 9, 8), (2, 3, 8, 8)):
        with pytest.raises(DataError, match=r"expected images of \(1, 8, 8\)"):
            judge(torch.zeros(shape, dtype=torch.uint8))
    with pytest.raises(DataError, match="expected images of 3 channels, got 1"):
        StackedClassifier(judge, [""] * 1000)(torch.zeros(2, 1, 8, 8, dtype=torch.uint8))


def test_stacks_are_judged_channel_by_channel(judge: SetClassifier, tmp_path: Path, trainings: list[str]) -> None:
    """p(abc | x) is the product; real stacks get their own class about as often as the accuracy to the third."""
    source, stacked = Stacked(), StackedClassifier(judge, Stacked().classes)
    drawn = source.take(60, split="test")
    assert drawn.label is not None
    images = to_uint8(drawn.real, -1, 1)
    found, each = stacked(images), [judge(images[:, [k]]) for k in range(3)]
    assert found.probabilities is not None
    torch.testing.assert_close(found.probabilities.sum(1), torch.ones(60))
    torch.testing.assert_close(found.features, torch.cat([one.features for one in each], 1))
    a, b, c = (one.probabilities[7] for one in each if one.probabilities is not None)
    assert float(found.probabilities[7, 456]) == pytest.approx(float(a[4] * b[5] * c[6]))
    right = float((found.probabilities.argmax(1) == drawn.label).double().mean())
    assert right == pytest.approx(stacked.accuracy.value, abs=0.2)
    assert stacked.accuracy.value == judge.accuracy.value**3
    assert isinstance(stacked, Extractor)
    made = classifier_of(source, steps=STEPS, folder=tmp_path, show=False)
    again = classifier_of(Images(), steps=STEPS, folder=tmp_path, show=False)
    assert isinstance(made, StackedClassifier)
    assert (made.grey.hash, made.names[999], len(trainings)) == (again.hash, "999", 1)
    assert made.hash != again.hash


def test_samplers_that_drop_classes_are_told(judge: SetClassifier) -> None:
    """Real ones have all and their divergence's own mean; of half of the classes log 2 more; of one, log 10."""
    images, label = held()
    counts = class_counts(Images())

    def told(some: torch.Tensor) -> tuple[Score, Score]:
        probabilities = judge(some).probabilities
        assert probabilities is not None
        classes, _ = class_coverage(probabilities, judge.names, judge.name)
        return classes, class_divergence(probabilities, counts, judge.name)

    real, half, one = told(images), told(images[label < 5]), told(images[:1].expand(180, -1, -1, -1))
    assert (real[0].value, one[0].value) == (10, 1)
    assert real[1].value < 5 * real[1].detail["real"]
    assert half[1].value == pytest.approx(0.69, abs=0.12)
    assert one[1].value == pytest.approx(2.3, abs=0.1)
    assert real[1].n_real == 1617


def test_classes_are_counted(tmp_path: Path) -> None:
    counts = class_counts(Images())
    drawn = Images().take(1617)
    assert drawn.label is not None
    assert torch.equal(counts, drawn.label.bincount().double())
    assert class_counts(Images(only=3)).nonzero().flatten().tolist() == [3]
    stacks = class_counts(Stacked(stacks=5000))
    assert float(stacks.sum()) == pytest.approx(5000)
    assert float(stacks[123]) == pytest.approx(5000 * float(counts[1] * counts[2] * counts[3]) / 1617**3)
    np.save(tmp_path / "bare.npy", np.zeros((40, 8, 8), np.uint8))
    with pytest.raises(DataError, match="class labels, got none"):
        class_counts(Images(path=str(tmp_path / "bare.npy")))
    with pytest.raises(DataError, match="got a stream"):
        class_counts(Images(streaming=True))


def test_one_class_of_a_set_is_judged_by_the_whole_set(tmp_path: Path, trainings: list[str]) -> None:
    file, cache = digits(tmp_path / "digits.npz"), tmp_path / "cache"
    assert found(file, cache, only=2).hash == found(file, cache).hash
    assert len(trainings) == 1


def colours(path: Path, n: int) -> Images:
    """Noise in two classes, red and blue."""
    rng, labels = np.random.default_rng(0), np.arange(n) % 2
    images = rng.integers(0, 100, (n, 6, 5, 3), dtype=np.uint8)
    images[np.arange(n), :, :, 2 * labels] += 100
    np.savez(path, images=images, labels=labels)
    return Images(path=str(path))


def test_colour_has_residual_blocks_and_averaged_weights(tmp_path: Path) -> None:
    """Fewer images than a batch work; what is kept judges in evaluation mode, by statistics of its own."""
    source = colours(tmp_path / "x.npz", 50)
    made = experiment(source)
    assert isinstance(made.game, Part)
    assert made.game.settings["classifier"].make is ResidualClassifier
    assert (made.batch, made.steps, made.averaging is not None) == (45, 200, True)
    judge = classifier_of(source, steps=40, folder=tmp_path / "cache", show=False)
    assert judge.accuracy.value == 1
    images = to_uint8(source.take(20).real, -1, 1)
    assert judge(images).features.shape == (20, 192)
    for left, right in zip(judge(images), extract(judge, images, 3), strict=True):
        torch.testing.assert_close(left, right, rtol=1e-4, atol=1e-5)


def test_averaged_weights_get_statistics_of_their_own(tmp_path: Path) -> None:
    """Those of the source's images under them; the game that was trained stays as it is."""
    source = colours(tmp_path / "x.npz", 60)
    torch.manual_seed(0)
    game, other = (Classification(classifier=ResidualClassifier(shape=(3, 6, 5), classes=2)) for _ in range(2))
    before = digest(game)
    made = settled(game, dict(other.state_dict()), source)
    assert digest(game) == before
    assert settled(game, None, source) is game
    for mine, theirs in zip(made.parameters(), other.parameters(), strict=True):
        assert torch.equal(mine, theirs)
    norm = next(m for m in made.modules() if isinstance(m, nn.BatchNorm2d))
    with evaluation_mode(other), torch.no_grad():
        seen = layers_of(other)[0](source.take(54).real)
    torch.testing.assert_close(norm.running_mean, seen.mean((0, 2, 3)), rtol=1e-3, atol=1e-4)
    assert not made.training


def test_a_set_of_one_class_is_a_sentence(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", images=np.zeros((30, 6, 6), np.uint8), labels=np.zeros(30, np.int64))
    with pytest.raises(DataError, match="images of 2 classes or more"):
        classifier_of(Images(path=str(tmp_path / "x.npz")), folder=tmp_path, show=False)
