"""What is decoded is kept, found again, never stale, and never trusted when it is damaged."""

import errno
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import sleep

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from agon.data import Images, decoding
from agon.errors import DataError, SettingError
from tests.data.conftest import values
from tests.training.programs import processes


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


def opening(number, folder, own_cache):
    """Open the set in a process of its own, and write how many images it has decoded."""
    os.environ["AGON_CACHE"] = str(own_cache)
    decoded, original = [], decoding.Decoding.one
    decoding.Decoding.one = lambda self, raw: decoded.append(raw) or original(self, raw)
    assert sorted(first(folder)) == list(range(24))
    (folder.parent / f"{number}.txt").write_text(str(len(decoded)))


def test_of_several_processes_one_decodes(folder, own_cache):
    processes(opening, (folder, own_cache), 3)
    assert sorted(int(file.read_text()) for file in folder.parent.glob("*.txt")) == [0, 0, 24]
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


def test_what_was_decoded_before_a_repair_is_decoded_again_and_runs_go_on(folder, own_cache, monkeypatch):
    before = Images(path=str(folder), size=4).open(seed=0, cache=own_cache).fingerprint
    old = sets(own_cache)
    monkeypatch.setattr("agon.data.cache.MENDED", 0)
    assert Images(path=str(folder), size=4).open(seed=0, cache=own_cache).fingerprint == before
    assert len(sets(own_cache) - old) == 1


def sets(own_cache):
    return {file.stem for file in own_cache.glob("*.json")}


def limited(monkeypatch, size):
    monkeypatch.setenv("AGON_CACHE_LIMIT", str(size / 2**30))


def made(folder, own_cache, size):
    """The name of the set of this size, which is used now."""
    before = sets(own_cache)
    Images(path=str(folder), size=size).open(seed=0)
    (name,) = sets(own_cache) - before or {None}
    return name


def test_sets_used_least_recently_go_first(folder, own_cache, count, monkeypatch, capsys):
    one, two, three = (made(folder, own_cache, (6, 4 - i)) for i in range(3))
    limited(monkeypatch, sum(file.stat().st_size for file in own_cache.iterdir()))
    assert sets(own_cache) == {one, two, three}
    for age, name in enumerate((two, three, one)):  # which is used again
        os.utime(own_cache / f"{name}.json", (age, age))
    assert made(folder, own_cache, (6, 4)) is None
    assert capsys.readouterr().err == ""
    four = made(folder, own_cache, (5, 4))
    assert sets(own_cache) == {one, three, four}
    told = capsys.readouterr().err
    assert "removed the 1 sets used least recently" in told
    assert "AGON_CACHE_LIMIT=GIB" in told
    assert {file.suffix for file in own_cache.iterdir()} == {".json", ".npy"}


def test_a_set_in_use_is_kept(folder, own_cache, monkeypatch):
    limited(monkeypatch, 0)
    held = Images(path=str(folder), size=(6, 4), holdout=0.0).open(seed=0, memory=1)  # mapped
    expected = values(held.draw(24, 0, 0, 1))
    (used,) = sets(own_cache)
    other = made(folder, own_cache, (5, 4))
    assert sets(own_cache) == {used, other}
    third = made(folder, own_cache, (4, 4))
    assert sets(own_cache) == {used, third}
    assert values(held.draw(24, 0, 0, 1)) == expected
    del held
    assert sets(own_cache) == {used, third}
    fourth = made(folder, own_cache, (3, 4))
    assert sets(own_cache) == {fourth}


def test_a_set_that_another_process_makes_is_kept(folder, own_cache, monkeypatch):
    limited(monkeypatch, 0)
    one = made(folder, own_cache, (6, 4))
    with FileLock(own_cache / f"{one}.lock"):
        made(folder, own_cache, (5, 4))
        assert one in sets(own_cache)


def test_what_is_no_decoded_set_is_left_alone(folder, own_cache, monkeypatch):
    limited(monkeypatch, 0)
    (own_cache / "classifiers").mkdir(parents=True)
    others = [own_cache / name for name in ("notes.json", "x.npy", "classifiers/a.npy", f"{'0' * 63}.npy")]
    for file in others:
        file.write_bytes(b"12345")
    made(folder, own_cache, (6, 4))
    made(folder, own_cache, (5, 4))
    assert all(file.exists() for file in others)
    assert len(sets(own_cache)) == 2  # and notes.json


def test_what_a_killed_process_left_is_removed(folder, own_cache, monkeypatch):
    one = made(folder, own_cache, (6, 4))
    left = [own_cache / f"{one}abc_.part", own_cache / f"{one}-labelsabc_.part", own_cache / f"{'7' * 64}abc_.part"]
    for file in left:
        file.write_bytes(b"12345")
    (own_cache / f"{one}.json").unlink()
    assert made(folder, own_cache, (6, 4)) == one
    assert [file.exists() for file in left] == [False, False, True]
    limited(monkeypatch, 0)
    made(folder, own_cache, (5, 4))
    assert not left[2].exists()


def test_a_full_disk_makes_room(folder, own_cache, monkeypatch, capsys):
    made(folder, own_cache, (6, 4))
    usage = shutil.disk_usage(own_cache)._replace(free=100)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    made(folder, own_cache, (5, 4))
    assert len(sets(own_cache)) == 1
    assert "removed the 1 sets" in capsys.readouterr().err


def test_limits(own_cache, monkeypatch):
    from agon.data.pruning import limit

    usage = shutil.disk_usage("/")
    for total, most in ((100 * 2**30, 20 * 2**30), (1000 * 2**30, 100 * 2**30)):
        monkeypatch.setattr(shutil, "disk_usage", lambda path, total=total: usage._replace(total=total))
        assert limit(own_cache) == most
    for text, most in (("3", 3 * 2**30), ("0.5", 2**29), ("none", float("inf")), ("0", 0)):
        monkeypatch.setenv("AGON_CACHE_LIMIT", text)
        assert limit(own_cache) == most
    for text in ("-1", "nan", "inf", "20GB", "all"):
        monkeypatch.setenv("AGON_CACHE_LIMIT", text)
        with pytest.raises(SettingError, match=r"AGON_CACHE_LIMIT: expected a number of GiB from 0, or none, got"):
            limit(own_cache)


def test_who_comes_second_waits_and_says_so(folder, own_cache, count, monkeypatch, capsys):
    """One thread for each process: file locks part them as well."""
    from agon.data import cache

    monkeypatch.setattr(cache, "PATIENCE", 0.05)
    began, go_on = Event(), Event()
    original = cache._decode

    def slow(*words):
        began.set()
        go_on.wait(10)
        original(*words)

    monkeypatch.setattr(cache, "_decode", slow)
    with ThreadPoolExecutor(3) as pool:
        opened = [pool.submit(first, folder)]
        began.wait(10)
        opened += [pool.submit(first, folder) for _ in range(2)]
        while capsys.readouterr().err.count("waiting for another process, which decodes the same 24 images into") == 0:
            sleep(0.01)
        go_on.set()
        assert [sorted(each.result()) for each in opened] == [list(range(24))] * 3
    assert len(count) == 24  # decoded once
    assert {file.suffix for file in own_cache.iterdir()} == {".json", ".npy"}


def test_without_locks_each_makes_it(folder, own_cache, count, monkeypatch):
    def refuse(self, *words, **more):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(FileLock, "acquire", refuse)
    assert sorted(first(folder)) == list(range(24))
    assert len(count) == 24
    assert first(folder)
    assert len(count) == 24
