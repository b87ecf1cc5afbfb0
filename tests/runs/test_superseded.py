"""Two processes that go on with one run: nothing that one of them has made is lost, and one alone writes to storage."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from agon.errors import Interrupted, NotMirroredError, RunError
from agon.runs.directory import Directory
from agon.runs.layout import MIRROR
from agon.runs.mirrors import Mirror, catch_up, mirror, mirror_now, push_held, up_to_date
from agon.runs.mirrors.manifest import Manifest, read_manifest
from agon.runs.mirrors.opening import claim
from agon.runs.mirrors.pushing import Push
from agon.runs.run import Run
from agon.storage import Address, StorageError, open_store
from tests.runs.stored import Written, check, content_of, objects_of, pushing


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of its own."""
    monkeypatch.setenv("AGON_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def address(tmp_path: Path) -> Address:
    return Address.read(f"file://{tmp_path}/stored")


def begun(path: Path, address: Address) -> Written:
    """A run with one checkpoint, mirrored."""
    run = Written(path)
    run.begin()
    run.train(0)
    pushing(path, address)()
    return run


def elsewhere(path: Path, address: Address, step: int) -> Written:
    """Another directory, which has gone on with the run in storage to a step."""
    run = Written(up_to_date(path, str(address)))
    claimed = claim(Directory(path))
    assert claimed is not None
    run.train(step)
    Push(Directory(path), *claimed)()
    return run


@pytest.mark.parametrize(("here", "there"), [(200, 100), (100, 100), (100, 200)])
def test_storage_takes_the_place_of_a_directory_only_where_it_is_as_far(
    tmp_path: Path, address: Address, here: int, there: int
) -> None:
    run = begun(tmp_path / "run", address)
    run.train(here)  # not mirrored, as storage does not answer
    other = elsewhere(tmp_path / "elsewhere", address, there)
    before = content_of(run.path)
    if here <= there:
        up_to_date(run.path)
        assert content_of(run.path) == content_of(other.path)
        return
    with pytest.raises(RunError, match=f"has the checkpoint of step {here}, and .*, that of step {there}; agon resume"):
        up_to_date(run.path)
    assert content_of(run.path) == before
    up_to_date(run.path, f"{address}-2")  # the two ways out that the sentence names
    mirror_now(run.path)
    assert objects_of(Address.read(f"{address}-2")) == before
    assert content_of(up_to_date(tmp_path / "third", str(address))) == content_of(other.path)


def test_a_copy_follows_a_training_that_goes_back(tmp_path: Path, address: Address) -> None:
    run = begun(tmp_path / "run", address)
    run.train(100)
    mirror_now(run.path)
    copy = up_to_date(tmp_path / "copy", str(address))
    run.rewind(0)
    mirror_now(run.path)
    assert content_of(up_to_date(copy)) == content_of(run.path)


def test_what_is_advised_to_a_training_that_another_one_supersedes(tmp_path: Path, address: Address) -> None:
    run = begun(tmp_path / "run", address)
    mirrored = Mirror.of(run.path)
    assert mirrored is not None
    elsewhere(tmp_path / "elsewhere", address, 50)
    run.train(100)
    with pytest.raises(NotMirroredError, match=rf"agon resume {run.path} --storage ANOTHER-ADDRESS mirrors it$"):
        mirrored.close(ended=True)


def test_scores_that_were_made_here_stay_beside_those_of_storage(tmp_path: Path, address: Address) -> None:
    run = begun(tmp_path / "run", address)
    scores = run.path / "metrics.jsonl"
    scores.write_bytes(b'{"both": 0}\n')
    mirror_now(run.path)
    other = up_to_date(tmp_path / "elsewhere", str(address))
    scores.write_bytes(b'{"both": 0}\n{"here": 1}\n{"cut o')
    (other / "metrics.jsonl").write_bytes(b'{"both": 0}\n{"there": 1}\n')
    mirror_now(other)
    for _ in range(2):
        up_to_date(run.path)
        assert scores.read_bytes() == b'{"here": 1}\n{"both": 0}\n{"there": 1}\n'
    mirror_now(run.path)
    assert objects_of(address)["metrics.jsonl"] == scores.read_bytes()


@pytest.mark.parametrize(("push", "writes"), [(catch_up, False), (push_held, True)])
def test_one_process_alone_writes_to_storage(
    tmp_path: Path, address: Address, push: Callable[[Path], None], writes: bool
) -> None:
    """A score that is added while a training holds the run waits for it; the negative control writes beside it."""
    run = begun(tmp_path / "run", address)
    (run.path / "metrics.jsonl").write_bytes(b"{}\n")
    with Run(run.path).locked():
        push(run.path)
        assert ("metrics.jsonl" in objects_of(address)) is writes
    catch_up(run.path)
    assert content_of(run.path) == objects_of(address)


def test_storage_that_is_not_there_for_a_while_is_no_other_process(tmp_path: Path, address: Address) -> None:
    """A folder of a network that is not mounted at this moment is empty."""
    run = begun(tmp_path / "run", address)
    pushed = pushing_again(run, address)
    (tmp_path / "stored").rename(tmp_path / "away")
    run.train(100)
    with pytest.raises(StorageError, match=f"its {MIRROR} is gone"):
        pushed()
    assert read_manifest(open_store(address)) == Manifest()
    (tmp_path / "away").rename(tmp_path / "stored")
    pushed()
    assert check(address, tmp_path / "fetched") == [0, 100]


def pushing_again(run: Written, address: Address) -> Push:
    """A session that goes on."""
    claimed = claim(Directory(run.path))
    assert claimed is not None
    return Push(Directory(run.path), *claimed)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_wait_for_storage(
    tmp_path: Path, address: Address, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    run = begun(tmp_path / "run", address)
    mirrored = Mirror.of(run.path)
    assert mirrored is not None
    answers = threading.Event()
    monkeypatch.setattr(mirrored, "_push", lambda: answers.wait(60))
    threading.Timer(0.3, os.kill, (os.getpid(), number)).start()
    with pytest.raises(Interrupted, match=f"is not all mirrored .*{number.name}.*mirrors it") as caught:
        mirrored.close(ended=True)
    assert caught.value.status == 128 + number
    answers.set()


def test_the_wait_for_storage_is_never_silent(
    tmp_path: Path, address: Address, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("agon.terminal.waiting.FIRST", 0.0)
    run = begun(tmp_path / "run", address)
    mirrored = Mirror.of(run.path)
    assert mirrored is not None
    answers = threading.Event()
    monkeypatch.setattr(mirrored, "_push", lambda: answers.wait(60))
    threading.Timer(1.0, answers.set).start()
    mirrored.close(ended=True)
    assert f"waiting until {address} has everything" in capsys.readouterr().err
    assert mirror.TICK < 5
