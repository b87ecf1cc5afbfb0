"""Names on the Hub: asked for only when a path looks like one, refused quickly without a network."""

import time

import numpy as np
import pytest

from agon.data import Images, hub
from agon.errors import DataError
from tests.data.conftest import digits_table, values


@pytest.fixture
def cut_off(monkeypatch, tmp_path):
    """No network, whatever the machine has, and an empty cache of downloads."""
    import datasets
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "downloads")
    return tmp_path / "downloads"


def test_without_a_network_the_sentence_comes_at_once(cut_off):
    start = time.monotonic()
    with pytest.raises(DataError, match=r"data set owner/name from the Hub, but the Hub cannot be reached .*connect"):
        Images(path="owner/name").open(seed=0)
    assert time.monotonic() - start < 10


def test_a_time_out_is_no_repetition(monkeypatch, cut_off):
    from huggingface_hub import HfApi

    asked = []

    def slow(self, name, revision=None, timeout=None):
        asked.append((name, revision, timeout))
        raise TimeoutError("timed out")

    monkeypatch.setattr(HfApi, "dataset_info", slow)
    with pytest.raises(DataError, match=r"cannot be reached \(timed out\)"):
        Images(path="owner/name", revision="v1").open(seed=0)
    assert asked == [("owner/name", "v1", hub.TIMEOUT)]


def test_an_earlier_download_needs_no_network(cut_off, tmp_path):
    import datasets
    import pyarrow.parquet

    pyarrow.parquet.write_table(digits_table(tmp_path), tmp_path / "d.parquet")
    builder = datasets.load_dataset_builder(
        "parquet", data_files={"train": str(tmp_path / "d.parquet")}, cache_dir=str(tmp_path / "made")
    )
    builder.download_and_prepare()
    (made,) = (tmp_path / "made" / "parquet").glob("*/*/*/")
    place = cut_off / "owner___name" / "default" / "0.0.0" / ("0" * 40)
    place.mkdir(parents=True)
    for file in made.iterdir():
        name = file.name.replace("parquet-", "name-")
        text = file.read_bytes()
        if file.suffix == ".json":
            text = text.replace(made.parent.parent.name.encode(), b"default").replace(b'"parquet"', b'"name"')
        (place / name).write_bytes(text)
    source = Images(path="owner/name", holdout=0.0)
    assert source.shape == (1, 8, 8)
    assert source.open(seed=0).draw(400, 0, 0, 1).real.shape == (400, 1, 8, 8)


def downloaded(tmp_path):
    """What `datasets.load_dataset` returns for a name, streamed and not."""
    import datasets

    whole = datasets.Dataset(digits_table(tmp_path))
    splits = {"train": whole.select(range(200)), "test": whole.select(range(200, 260))}
    flowing = {split: data.to_iterable_dataset(num_shards=4) for split, data in splits.items()}
    return splits, flowing


@pytest.fixture
def online(monkeypatch, tmp_path):
    splits, flowing = downloaded(tmp_path)
    monkeypatch.setattr(hub, "_unreachable", lambda name, revision: None)
    monkeypatch.setattr(hub, "_load", lambda n, subset, revision, streaming: flowing if streaming else splits)


@pytest.mark.parametrize("streaming", [False, True])
def test_a_set_of_the_hub_is_read_whole_or_as_it_flows(online, streaming):
    from sklearn.datasets import load_digits

    source = Images(path="owner/name", streaming=streaming)
    assert source.shape == (1, 8, 8)
    assert tuple(source.classes) == tuple("0123456789")
    drawn = source.open(seed=0).draw(200, 0, 0, 1)
    bunch = load_digits()
    expected = {
        ((x * 15).astype(np.uint8).tobytes(), y) for x, y in zip(bunch.images[:200], bunch.target, strict=False)
    }
    pixels = ((drawn.real + 1) * 127.5).round().byte().numpy()
    assert {(x.tobytes(), int(y)) for x, y in zip(pixels, drawn.label, strict=True)} == expected
    assert source.open(seed=0, split="test").draw(60, 0, 0, 1).real.shape == (60, 1, 8, 8)


@pytest.mark.parametrize("world", [2, 3])
def test_shards_are_dealt_out_where_they_divide(online, world):
    opened = [Images(path="owner/name", streaming=True).open(seed=0) for _ in range(world)]
    drawn = [values_of(opened[r].draw(198, 0, r, world)) for r in range(world)]
    assert not set.intersection(*drawn)
    assert sum(map(len, drawn)) == 198


def values_of(draw):
    return {x.numpy().tobytes() for x in draw.real}


@pytest.mark.parametrize(
    "path", ["mnist", "/ylecun/mnist", "./ylecun/mnist", "~/ylecun/mnist", "a/b/c", "a/b.parquet", "a b/c"]
)
def test_what_looks_like_a_path_is_never_looked_up(path, monkeypatch):
    def asked(*args, **options):
        raise AssertionError(f"{path} was looked up")

    monkeypatch.setattr(hub, "_unreachable", asked)
    with pytest.raises(DataError, match="there is no such path"):
        Images(path=path).open(seed=0)


def test_a_local_path_comes_first(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    assert len(values(Images(path="pictures/even", holdout=0.0).open(seed=0).draw(12, 0, 0, 1))) == 12
    with pytest.raises(DataError, match=r"did you mean '.*pictures/even'"):
        Images(path="pictures/evn").open(seed=0)


def test_a_name_that_does_not_exist_is_said(monkeypatch):
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError

    def missing(self, name, revision=None, timeout=None):
        answer = httpx2.Response(404, request=httpx2.Request("GET", "https://huggingface.co"))
        raise RepositoryNotFoundError("404", response=answer)

    monkeypatch.setattr(HfApi, "dataset_info", missing)
    with pytest.raises(DataError, match=r"no public owner/nme; check the name, or log in"):
        Images(path="owner/nme").open(seed=0)
