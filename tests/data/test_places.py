"""A word for images is kept with its kind, and what was a path never goes to a network."""

import os
from pathlib import Path

import pytest

from agon.data import Images, hub, named
from agon.errors import DataError, SettingError
from agon.experiment.changes import differences
from agon.experiment.codec import decode, encode
from agon.places import located


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []

    def unreachable(name: str, revision: str | None) -> str:
        asked.append(name)
        return "no network"

    def load(*given: object) -> None:
        raise OSError(given)

    monkeypatch.setattr(hub, "_unreachable", unreachable)
    monkeypatch.setattr(hub, "_load", load)
    return asked


def test_a_path_stays_one_wherever_it_is_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, no_network: list[str]
) -> None:
    """Made in one folder, written down, read in another, and there after the images are gone."""
    monkeypatch.chdir(folder.parent)
    source = named("pictures/even")
    assert source == Images(path="pictures/even") == Images(path=str(folder / "even"))
    written = encode(source)
    assert written["path"] == str(folder / "even")
    (folder.parent / "runs").mkdir()
    monkeypatch.chdir(folder.parent / "runs")
    read = decode(written)
    assert read == source
    assert read.shape == (1, 6, 4)
    os.rename(folder, folder.parent / "gone")
    with pytest.raises(DataError, match="there is no such path"):
        read.count()
    assert no_network == []


@pytest.mark.parametrize(
    "path",
    [
        "data/images",
        "runs/a",
        "pictures/evn",
        "picturs/even",
        "Images/cats",
        "out/a.tar",
        "a/b.PNG",
        "./a/b",
        "~/a",
        "x",
        "a" * 60 + "/" + "b" * 60,
    ],
)
def test_what_is_like_a_path_is_one(
    path: str, folder: Path, monkeypatch: pytest.MonkeyPatch, no_network: list[str]
) -> None:
    monkeypatch.chdir(folder.parent)
    with pytest.raises(DataError, match=r"there is no such path; (did you mean|give 'digits', .*'hub:owner/name')"):
        Images(path=path).count()
    assert no_network == []


def test_a_dead_link_is_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "owner").mkdir()
    os.symlink(tmp_path / "nothing", tmp_path / "owner" / "name")
    os.symlink(tmp_path / "nothing", tmp_path / "other")
    for path in ("owner/name", "other"):
        with pytest.raises(DataError, match="there is no such path: it is a link to nothing"):
            named(path).count()
    assert no_network == []


def test_a_name_on_the_hub_is_meant_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for text in ("owner/name", "hub:owner/name", "hub:data/images"):
        with pytest.raises(DataError, match="cannot be reached"):
            named(text).count()
    assert no_network == ["owner/name", "owner/name", "data/images"]
    (tmp_path / "owner").mkdir()
    assert located("hub:owner/name") == "hub:owner/name"
    for wrong in ("hub:", "hub:name", "hub:/a/b", "hub:a/b/c", "hub:a b/c"):
        with pytest.raises(SettingError, match="the Hub's 'hub:owner/name' after 'hub:'"):
            Images(path=wrong)


def test_older_runs_are_read_and_are_no_others(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They hold the path as it was typed, and lack later settings."""
    monkeypatch.chdir(folder.parent)
    for typed in ("pictures/even", "digits", "owner/name"):
        now = encode(Images(path=typed))
        old = {**{key: value for key, value in now.items() if key != "labelled"}, "path": typed}
        assert decode(old) == Images(path=typed)
        assert list(differences({"data": old, "steps": 1}, {"data": now, "steps": 2})) == ["steps: 1 -> 2"]
    other = encode(Images(path="pictures/odd"))
    assert [line.split(":")[0] for line in differences({"data": old}, {"data": other})] == ["data.path"]
    for odd in ({"type": []}, {"type": "images", "pathh": "x"}, {"type": "images", "path": 3}):
        assert list(differences({"data": odd}, {"data": other}))
