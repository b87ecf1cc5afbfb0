"""What is decoded is kept, found again, never stale, and never trusted when it is damaged."""

import errno
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from agon.data import Images, decoding
from agon.errors import DataError
from tests.data.conftest import values


def first(folder, **options):
    """The set's grey values in the order of seed 0."""
    return values(Images(path=str(folder), holdout=0.0).open(seed=0, **options).draw(24, 0, 0, 1))


@pytest.fixture
def count(monkeypatch):
    """How many images are decoded by full passes (a look at the first for its shape does not count)."""
    calls = []
    original = decoding.Decoding.one
    monkeypatch.setattr(decoding.Decoding, "one", lambda self, raw: calls.append(raw) or original(self, raw))
    return calls


def test_a_second_opening_decodes_nothing(folder, count):
    before = first(folder)
    assert len(count) == 24
    assert first(folder) == before
    assert len(count) == 24


def test_in_memory_and_mapped_draws_are_the_same(folder, own_cache):
    assert first(folder) == first(folder, memory=1)


def test_content_decides_and_not_its_date(folder, count):
    first(folder)
    changed = folder / "even" / "00.png"
    before = changed.stat()
    Image.new("L", (4, 6), 240).save(changed)
    os.utime(changed, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert 240 in first(folder)
    assert len(count) == 48
    moved = folder.parent / "moved"
    shutil.copytree(folder, moved)
    assert 240 in first(moved)  # the same content elsewhere is the same set
    assert len(count) == 48


def test_settings_that_change_the_result_change_the_key(folder, count):
    for size in (None, 2, (2, 1)):
        Images(path=str(folder), size=size).open(seed=0)
    Images(path=str(folder), range=(0.0, 1.0), only=1, holdout=0.5).open(seed=4)  # these do not
    assert len(count) == 3 * 24


def damage_by_cutting(file):
    file.write_bytes(file.read_bytes()[:-1])


def damage_by_flipping_a_bit(file):
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)


def damage_by_emptying(file):
    file.write_bytes(b"")


def damage_by_deleting(file):
    file.unlink()


@pytest.mark.parametrize(
    "damage", [damage_by_cutting, damage_by_flipping_a_bit, damage_by_emptying, damage_by_deleting]
)
@pytest.mark.parametrize("ending", [".npy", "-labels.npy", ".json"])
def test_a_damaged_cache_is_noticed_and_made_again(folder, own_cache, count, damage, ending):
    before = first(folder)
    (key,) = [file.stem for file in own_cache.glob("*.json")]
    damage(own_cache / f"{key}{ending}")
    assert first(folder) == before
    assert len(count) == 48
    assert first(folder) == before
    assert len(count) == 48


def test_json_of_another_kind_is_no_cache(folder, own_cache):
    before = first(folder)
    (file,) = own_cache.glob("*.json")
    for text in ("[]", "3", "{}", '{"images": 1}', "{"):
        file.write_text(text)
        assert first(folder) == before
        assert json.loads(file.read_text())["images"] == ["uint8", 24, 1, 6, 4]


def test_a_full_disk_leaves_memory(folder, own_cache, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert sorted(first(folder)) == list(range(24))
    assert list(own_cache.iterdir()) == []
    with pytest.raises(DataError, match=r"room for 0.0 GiB .*No space left.*free the disk, set AGON_CACHE"):
        first(folder, memory=24 * 24 - 1)


def test_a_cache_that_cannot_be_made_leaves_memory(folder, tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert sorted(first(folder, cache=tmp_path / "file" / "cache")) == list(range(24))


def test_an_interrupted_writer_leaves_nothing_that_counts(folder, own_cache, monkeypatch):
    def stop(handle):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", stop)
        with pytest.raises(KeyboardInterrupt):
            first(folder)
    assert list(own_cache.iterdir()) == []
    assert sorted(first(folder)) == list(range(24))


def test_two_processes_make_it_at_once(folder, own_cache):
    code = (
        "import sys; from agon.data import Images; sys.stdin.readline();"
        "d = Images(path=sys.argv[1], holdout=0.0).open(seed=0).draw(24, 0, 0, 1);"
        "print(sorted(round(float(x)) for x in (d.real[:, 0, 0, 0] + 1) * 127.5))"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in both:
        out, _ = process.communicate(timeout=60)
        assert out.strip() == str(list(range(24)))
    assert sorted(file.suffix for file in own_cache.iterdir()) == [".json", ".npy", ".npy"]


def test_where_the_cache_is(monkeypatch, tmp_path):
    from agon.data.cache import default_folder

    monkeypatch.delenv("AGON_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "agon"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == tmp_path / ".cache" / "agon"


def test_skipped_images_leave_a_shorter_map(folder, own_cache):
    (folder / "even" / "bad.png").write_bytes(b"?")
    Images(path=str(folder), skip_corrupt=True).open(seed=0)
    (file,) = own_cache.glob("*[!s].npy")
    assert np.load(file).shape == (24, 1, 6, 4)
