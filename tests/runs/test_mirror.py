"""The thread that mirrors: it outlives a server that is away, says so once, and what it cannot do is a sentence."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agon.errors import NotMirroredError, RunError
from agon.runs.directory import Directory
from agon.runs.mirrors import Mirror, begin_storage, catch_up, copies, mirror, mirror_now, place, prepare, up_to_date
from agon.storage import Address
from tests.runs.stored import Written, content_of, objects_of
from tests.storage.buckets import Bucket


@pytest.fixture(autouse=True)
def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Little patience, so that a server need not be away for long; and a cache of its own."""
    monkeypatch.setenv("AGON_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(mirror, "FIRST", 0.05)
    monkeypatch.setattr(mirror, "ENDING", 0.5)
    monkeypatch.setattr(place, "PATIENCE", 0.5)
    monkeypatch.setattr(place, "PAUSE", 0.1)


def until(is_so: Callable[[], object]) -> None:
    """Wait for a moment that comes."""
    while not is_so():
        time.sleep(0.02)


def begun(path: Path, address: str) -> tuple[Written, Mirror]:
    """A run that is mirrored."""
    run = Written(path)
    run.begin()
    begin_storage(Directory(path), address)
    begun = Mirror.of(path)
    assert begun is not None
    run.train(0)
    begun.notify()
    return run, begun


def test_a_server_that_is_away_for_a_while_loses_nothing(tmp_path: Path, served: Bucket) -> None:
    address = served.address("away")
    run, mirrored = begun(tmp_path / "run", address)
    until(lambda: objects_of(Address.read(address)))
    served.stop()
    run.train(100)
    mirrored.notify()
    until(lambda: mirrored.lines)
    for step in (200, 300):  # the training goes on
        run.train(step)
        mirrored.notify()
    served.start()
    mirrored.close(ended=True)
    assert content_of(run.path) == objects_of(Address.read(address))
    elsewhere = up_to_date(tmp_path / "elsewhere", address)
    assert content_of(elsewhere) == content_of(run.path)


@pytest.mark.evidence
def test_what_is_said_of_a_server_that_is_away(
    tmp_path: Path, served: Bucket, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "LIMIT", 0.0)
    address = served.address("said")
    run, mirrored = begun(tmp_path / "run", address)
    served.stop()
    run.train(100)
    mirrored.notify()
    until(lambda: len(mirrored.lines) == 2)
    run.train(200)
    lines = list[str]()
    mirrored.speak(lines.append)
    assert "does not answer (NETWORK_CONNECTION); the training goes on, and tries again to mirror" in lines[0]
    assert "the training goes on on this machine alone" in lines[1]
    with pytest.raises(NotMirroredError, match=f"that of step 200; agon resume {run.path} mirrors it") as caught:
        mirrored.close(ended=True)
    assert caught.value.status == 4
    with pytest.raises(RunError, match="does not answer"):
        mirror_now(run.path)
    catch_up(run.path)
    assert "what is new is not mirrored" in capsys.readouterr().err
    served.start()
    mirror_now(run.path)
    assert content_of(run.path) == objects_of(Address.read(address))


def test_a_training_that_fails_mirrors_what_is_whole_and_says_what_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = f"file://{tmp_path}/stored"
    run, mirrored = begun(tmp_path / "run", address)
    run.train(100)
    (run.path / "checkpoints/.writing-00000200").mkdir()  # what a full disk leaves
    mirrored.close(ended=False)
    assert capsys.readouterr().err == ""
    assert {f"checkpoints/{step:08d}/state.json" for step in (0, 100)} <= objects_of(Address.read(address)).keys()
    assert not any(".writing" in name for name in objects_of(Address.read(address)))
    again = Mirror.of(run.path)
    assert again is not None
    (tmp_path / "stored").rename(tmp_path / "gone")
    (tmp_path / "stored").write_text("")
    run.train(200)
    again.close(ended=False)
    assert "and here is that of step 200; agon resume" in capsys.readouterr().err


def test_what_storage_refuses_is_refused_before_a_training(served: Bucket, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"refuses \(NO_SUCH_BUCKET\); create the bucket"):
        prepare(served.address("x").replace("agon-tests", "no-such-bucket"))
    (tmp_path / "taken").write_text("")
    with pytest.raises(RunError, match="choose another folder"):
        prepare(f"file://{tmp_path}/taken")


def test_a_process_that_is_superseded_says_so(tmp_path: Path) -> None:
    address = f"file://{tmp_path}/stored"
    run, mirrored = begun(tmp_path / "run", address)
    until(lambda: (tmp_path / "stored/log.jsonl").exists())
    other = Mirror.of(up_to_date(tmp_path / "elsewhere", address))
    assert other is not None
    run.train(100)
    with pytest.raises(NotMirroredError, match="another process goes on with this run"):
        mirrored.close(ended=True)
    other.close(ended=True)


def test_the_copy_in_the_cache_is_of_one_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGON_CACHE", str(tmp_path / "cache"))
    places = {copies.copy_of(text) for text in ("s3://a/run", "s3://b/run", "s3://a/run?region=eu")}
    assert len(places) == 3
    assert {place.name for place in places} == {"run"}
