"""Inception-v3 by torch-fidelity: its own numbers from the same images and weights, and files that are no weights."""

import hashlib
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch_fidelity import calculate_metrics

from agon.errors import DataError, SettingError
from agon.metrics import (
    INCEPTION_SHA256,
    Inception,
    Moments,
    frechet_distance_of_moments,
    inception_score,
    kernel_distance,
    weights,
)
from agon.metrics.extractors import Extractor, Pixels, extract
from agon.metrics.inception import _network

N = 8  # images a set


def pictures(n: int, seed: int, lightest: int = 256, side: int = 24) -> torch.Tensor:
    """Coarse random patches in random colours, bytes "n 3 h w"."""
    rng = torch.Generator().manual_seed(seed)
    coarse = torch.randint(0, lightest, (n, 3, side // 4, side // 4), generator=rng, dtype=torch.uint8)
    return coarse.repeat_interleave(4, 2).repeat_interleave(4, 3)


def random_weights() -> dict[str, torch.Tensor]:
    """Seeded weights in torch-fidelity's names, whose activations are normalised, so that features vary."""
    network, rng = _network(["2048", "logits_unbiased"], torch.float32).to_empty(device="cpu"), torch.Generator()
    rng.manual_seed(0)
    for name, tensor in network.state_dict().items():
        fan = tensor[0].numel() if tensor.ndim > 1 else 1
        if tensor.ndim > 1:
            tensor.copy_(torch.randn(tensor.shape, generator=rng) * (2 / fan) ** 0.5)
        else:
            tensor.copy_(torch.ones_like(tensor) * float(name.endswith(("bn.weight", "var"))))
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None  # statistics of exactly the images it is shown
    with torch.no_grad():
        network.train()(pictures(8, 100))
    state = dict(network.state_dict())
    state["fc.weight"] = state["fc.weight"] * 3
    return {name: tensor.clone() for name, tensor in state.items()}


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    return random_weights()


@pytest.fixture(scope="module")
def file(state: dict[str, torch.Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save(state, path)
    return path


def folder(path: Path, images: torch.Tensor) -> str:
    path.mkdir()
    for index, image in enumerate(images):
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(path / f"{index:03}.png")
    return str(path)


def test_from_images_the_scores_are_those_of_torch_fidelity(file: Path, tmp_path: Path) -> None:
    """To 1e-6, from files, in other batches: there, means and kernels of float32 features are float32 themselves."""
    real, fake = pictures(N, 0), pictures(N, 1, lightest=100)
    expected = calculate_metrics(
        input1=folder(tmp_path / "fake", fake),
        input2=folder(tmp_path / "real", real),
        feature_extractor_weights_path=str(file),
        isc=True,
        fid=True,
        kid=True,
        feature_layer_fid="64",
        feature_layer_kid="2048",
        kid_subset_size=8,
        samples_shuffle=False,
        isc_splits=3,
        cuda=False,
        cache=False,
        save_cpu_ram=True,
        verbose=False,
        batch_size=5,
    )
    inception = Inception(file, features="64")
    ours, of_real = extract(inception, fake, 7), extract(inception, real)
    assert ours.probabilities is not None
    score = inception_score(ours.probabilities, 3)
    assert score.value > 1.2
    assert score.value == pytest.approx(expected["inception_score_mean"], rel=1e-6)
    a, b = Moments().add(of_real.features), Moments().add(ours.features)
    distance = frechet_distance_of_moments(a.mean, a.covariance, b.mean, b.covariance)
    assert distance == pytest.approx(expected["frechet_inception_distance"], rel=1e-6)
    published = Inception(file)
    kernel = kernel_distance(*(extract(published, x, 7).features for x in (real, fake)), size=8).value
    assert kernel == pytest.approx(expected["kernel_inception_distance_mean"], rel=1e-6)


def test_every_layer_is_that_of_torch_fidelity(file: Path) -> None:
    """Bit for bit in the same batch; and the probabilities are its softmax."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    names, images = ["64", "192", "768", "2048", "logits_unbiased"], pictures(2, 0)
    *reference, logits = FeatureExtractorInceptionV3("theirs", names, str(file))(images)
    for name, expected in zip(names, reference, strict=False):
        features = Inception(file, features=name)(images)
        assert torch.equal(features.features, expected)
        assert features.probabilities is not None
        assert torch.equal(features.probabilities, logits.double().softmax(1))


def test_an_image_has_the_same_features_in_any_batch(file: Path) -> None:
    """To 1e-5, in either precision; grey is three equal channels."""
    images = pictures(5, 3)
    images[0] = images[0, :1]
    features = {}
    for precision, digits in (("float32", 1e-5), ("float64", 2e-7)):
        inception = Inception(file, precision=precision)
        whole, alone = inception(images), inception(images[:1, :1])
        assert whole.probabilities is not None
        assert alone.probabilities is not None
        features[precision] = whole.features
        assert torch.allclose(whole.features[:1], alone.features, rtol=digits, atol=digits / 10)
        assert torch.allclose(whole.probabilities[:1], alone.probabilities, rtol=digits)
    assert torch.allclose(features["float32"], features["float64"], rtol=1e-3, atol=1e-4)
    assert not torch.equal(features["float32"], features["float64"]), "float64 is float64"
    assert not torch.allclose(features["float64"][:1], features["float64"][1:2], rtol=1e-2)


def test_it_keeps_the_contract_and_its_passport(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name says whose weights these are; making it draws nothing from torch's own stream."""
    before, sha = torch.get_rng_state(), hashlib.sha256(file.read_bytes()).hexdigest()
    inception = Inception(file)
    assert isinstance(inception, Extractor)
    assert torch.equal(before, torch.get_rng_state())
    assert (inception.hash, inception.precision) == (sha, "float32")
    assert inception.name == f"Inception-v3 (weights of {sha[:8]}, not the published ones)"
    assert Inception(file, features="192").name.endswith(", features of layer 192")
    monkeypatch.setattr("agon.metrics.inception.INCEPTION_SHA256", sha)
    assert Inception(file).name == "Inception-v3 (TensorFlow, 2015-12-05)"


def test_torch_fidelity_never_unpickles_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its checksum is: what is read without weights_only is empty, and made here."""
    ordinary, loaded = torch.load, []

    def load(*args: Any, **settings: Any) -> Any:
        tensors = ordinary(*args, **settings)
        loaded.append((settings["weights_only"], len(tensors)))
        return tensors

    monkeypatch.setattr(torch, "load", load)
    monkeypatch.setattr("agon.metrics.inception.INCEPTION_SHA256", hashlib.sha256(file.read_bytes()).hexdigest())
    Inception(file)
    assert sorted(loaded) == [(False, 0), (True, 566)]


def test_safetensors_without_counters_give_the_same(state: dict[str, torch.Tensor], file: Path, tmp_path: Path) -> None:
    tensors = {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}
    save_file(tensors, tmp_path / "own.safetensors")
    image = pictures(1, 0)
    assert torch.equal(Inception(tmp_path / "own.safetensors")(image).features, Inception(file)(image).features)


class Hostile:
    """A pickle that makes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("kind", ["pickle", "torch", "old torch"])
def test_a_hostile_file_is_refused_and_not_run(kind: str, tmp_path: Path) -> None:
    """The negative control: read as torch-fidelity reads it, it runs."""
    file, payload = tmp_path / "hostile.pth", tmp_path / "made"
    content = {"fc.weight": Hostile(payload)}
    if kind == "pickle":
        file.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, file, _use_new_zipfile_serialization=kind == "torch")
    with pytest.raises(DataError, match=r"expected a file of plain tensors, .* nothing in it was run"):
        Inception(file)
    assert not payload.exists()
    if kind != "pickle":
        torch.load(file, weights_only=False)
        assert payload.exists()


def test_what_is_no_file_of_its_weights_is_a_sentence(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    file = tmp_path / "weights.pth"
    few = {"fc.bias": state["fc.bias"]}
    broken = {**state, "fc.bias": state["fc.bias"] / 0}
    for content, message in (
        ({**state, "fc.bias": torch.zeros(7)}, r"fc.bias to have the shape \(1008,\), got \(7,\)"),
        (few, "lacks 471 of them and has 0 others, such as Conv2d_1a_3x3.bn.bias"),
        ({**state, "head": state["fc.bias"]}, "lacks 0 of them and has 1 others, such as head"),
        (broken, "finite floating-point numbers in Inception-v3's fc.bias"),
        ([1, 2], "expected tensors by their names, got a list"),
    ):
        torch.save(content, file)
        with pytest.raises(DataError, match=message):
            Inception(file)
    torch.save(state, file)
    for data in (file.read_bytes()[:-1000], file.read_bytes()[:1000], b"", b"no weights"):
        file.write_bytes(data)
        with pytest.raises(DataError, match="expected a file of plain tensors, got one that is damaged"):
            Inception(file)


def test_without_the_file_it_says_where_to_put_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    place = tmp_path / "checkpoints" / "weights-inception-2015-12-05-6726825d.pth"
    with pytest.raises(DataError) as caught:
        Inception()
    for message in (str(place), "95,628,359 bytes", INCEPTION_SHA256, "download", "--extractor classifier"):
        assert message in str(caught.value)
    with pytest.raises(DataError, match=r"elsewhere\.pth"):
        Inception(tmp_path / "elsewhere.pth", download=True)


def test_another_file_of_the_published_name_is_refused(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever names it gets it, under its own name."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    place = weights.cached_file()
    place.parent.mkdir()
    place.write_bytes(file.read_bytes())
    sha = hashlib.sha256(file.read_bytes()).hexdigest()
    for download in (False, True):
        with pytest.raises(DataError, match=rf"SHA-256 {INCEPTION_SHA256}, got a file of SHA-256 {sha}; remove it"):
            Inception(download=download)
    assert Inception(place).name == f"Inception-v3 (weights of {sha[:8]}, not the published ones)"


def test_raw_pixels_keep_the_contract() -> None:
    assert isinstance(Pixels(), Extractor)
    assert len(bytes.fromhex(Pixels.hash)) == 32


def test_a_download_is_verified_before_it_has_its_name(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another checksum, or no network: one sentence and nothing left behind; the right one is found ever after."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    source = "torch_fidelity.feature_extractor_inceptionv3.URL_INCEPTION_V3"
    for url in (file.as_uri(), (tmp_path / "nowhere").as_uri()):
        monkeypatch.setattr(source, url)
        with pytest.raises(DataError, match=r"cannot be downloaded .* put them at"):
            Inception(download=True)
        assert list((tmp_path / "checkpoints").iterdir()) == []
    monkeypatch.setattr(source, file.as_uri())
    monkeypatch.setattr(weights, "INCEPTION_SHA256", hashlib.sha256(file.read_bytes()).hexdigest())
    assert Inception(download=True).hash == Inception().hash == weights.INCEPTION_SHA256


def test_wrong_settings_and_images_are_a_sentence(file: Path) -> None:
    for settings in ({"features": "1008"}, {"precision": "float16"}):
        with pytest.raises(SettingError, match="expected features 64, 192, 768 or 2048 in float32 or float64"):
            Inception(file, **settings)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="1 or 3 channels, got 4"):
        Inception(file)(torch.zeros(1, 4, 8, 8, dtype=torch.uint8))
