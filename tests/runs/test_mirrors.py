"""Storage is a consistent run after every operation of a push; a directory that is fetched equals the written one."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from agon.errors import RunError
from agon.runs.directory import Directory
from agon.runs.mirrors import catch_up, mirror_now, prepare, up_to_date
from agon.runs.mirrors.content import folder_of
from agon.runs.mirrors.manifest import Manifest, read_manifest, write_manifest
from agon.runs.mirrors.opening import claim
from agon.runs.mirrors.place import Place
from agon.runs.mirrors.pushing import Push, SupersededError
from agon.storage import Address, open_store
from tests.runs.stored import Breaking, Killed, Written, check, content_of, live, objects_of, pushing
from tests.storage.buckets import Bucket


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of its own."""
    monkeypatch.setenv("AGON_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def address(tmp_path: Path) -> Address:
    return Address.read(f"file://{tmp_path}/stored")


class PointerFirst(Push):
    """The naive order: mirror.json, then what it names."""

    def __call__(self) -> Manifest:
        here = self._entries()
        after = Manifest(self.session, {name: (entry,) for name, entry in here.items()})
        write_manifest(self.store, after)
        self._upload(list(here), here, {})
        return after


class NoIntent(Push):
    """Without the first mirror.json of a push, which tells what will be replaced."""

    def __call__(self) -> Manifest:
        write, seen = self.store.write, list[str]()

        def write_others(name: str, content: Iterable[bytes]) -> None:
            seen.append(name)
            if seen != ["mirror.json"]:
                write(name, content)

        self.store.write = write_others  # type: ignore[method-assign]
        try:
            return super().__call__()
        finally:
            self.store.write = write  # type: ignore[method-assign]


def each_moment(folder: Path, push: type[Push] = Push) -> Iterator[tuple[Path, Address]]:
    """The directory and the storage of a training that was killed before each operation on storage, or not at all."""
    count = live(folder / "whole", whole := Address.read(f"file://{folder}/whole-stored"), None, push).count
    for at in range(count):
        run, address = folder / f"{at}", Address.read(f"file://{folder}/{at}-stored")
        with pytest.raises(Killed):
            live(run, address, at, push)
        yield run, address
    yield folder / "whole", whole


def test_at_every_moment_storage_is_a_run_to_go_on_with(tmp_path: Path) -> None:
    """And the next push mirrors everything, and leaves nothing else there."""
    seen = set()
    for number, (run, address) in enumerate(each_moment(tmp_path)):
        seen.add(tuple(check(address, tmp_path / f"fetched-{number}")))
        claimed = claim(Directory(run))
        assert claimed is not None
        Push(Directory(run), *claimed)()
        assert objects_of(address) == content_of(run)
    assert seen == {(), (0, 100), (100, 200), (100,), (150,), (150, 200)}


@pytest.mark.parametrize("naive", [PointerFirst, NoIntent])
def test_negative_control_another_order_is_caught(tmp_path: Path, naive: type[Push]) -> None:
    with pytest.raises(AssertionError, match=r"is not what mirror\.json says"):  # noqa: PT012 - any of the moments
        for number, (_, address) in enumerate(each_moment(tmp_path, naive)):
            check(address, tmp_path / f"fetched-{number}")


def test_what_is_fetched_from_s3_equals_what_was_written(tmp_path: Path, served: Bucket) -> None:
    run, address = tmp_path / "run", Address.read(served.address("equal"))
    live(run, address)
    fetched = up_to_date(tmp_path / "elsewhere", str(address))
    assert content_of(fetched) == content_of(run) == objects_of(address)
    assert "SECRET" not in "".join(path.read_text() for path in run.glob("*.json"))
    state = (fetched / "checkpoints/00000200/state.json").read_bytes()
    (fetched / "checkpoints/00000200/state.json").write_bytes(b"changed here")
    assert up_to_date(fetched) == fetched  # a copy of just that is not fetched again
    assert (fetched / "checkpoints/00000200/state.json").read_bytes() == b"changed here"
    claimed = claim(Directory(run))
    assert claimed is not None
    Written(run).train(250)
    Push(Directory(run), *claimed)()
    up_to_date(fetched)  # but one that is older is
    assert content_of(fetched) == content_of(run)
    assert (fetched / "checkpoints/00000200/state.json").read_bytes() == state


@pytest.mark.parametrize("name", ["tensors.safetensors", "state.json"])
@pytest.mark.parametrize("damage", ["truncated", "foreign", "gone"])
def test_a_damaged_checkpoint_is_left_out_with_a_sentence(
    tmp_path: Path, address: Address, name: str, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    live(tmp_path / "run", address)
    broken = Path(address.place) / "checkpoints/00000200" / name
    whole = broken.read_bytes()
    broken.unlink()
    if damage != "gone":
        broken.write_bytes(whole[:-1] if damage == "truncated" else whole[:-1] + b"?")
    fetched = Written(up_to_date(tmp_path / "elsewhere", str(address)))
    assert fetched.kept() == [150]
    assert f"checkpoints/00000200/{name}" in (line := capsys.readouterr().err)
    assert line.endswith("it is left out\n")


def test_a_damaged_log_or_manifest_is_refused(tmp_path: Path, address: Address) -> None:
    live(tmp_path / "run", address)
    (Path(address.place) / "log.jsonl").write_bytes(b"foreign")
    with pytest.raises(RunError, match="without it there is no run"):
        up_to_date(tmp_path / "elsewhere", str(address))
    assert not (tmp_path / "elsewhere/experiment.json").exists()
    for content in ("", "[]", '{"session": "", "files": {"../../x": [[1, ""]]}, "pending": []}'):
        (Path(address.place) / "mirror.json").write_text(content)
        with pytest.raises(RunError, match=r"mirror\.json is not what agon writes"):
            up_to_date(tmp_path / "elsewhere", str(address))


class Cut(Breaking):
    """Storage in which mirror.json is replaced by a longer one between the question for its size and its reading."""

    def read(self, name: str) -> Iterator[bytes]:
        content = b"".join(self.store.read(name))
        self.count += 1
        yield content[: len(content) // 2] if self.count == 1 else content


def test_a_manifest_that_is_replaced_while_it_is_read_is_read_again(tmp_path: Path, address: Address) -> None:
    live(tmp_path / "run", address)
    assert read_manifest(Cut(open_store(address))) == read_manifest(open_store(address))


def test_one_that_is_written_meanwhile_is_fetched_as_it_is_then(tmp_path: Path, address: Address) -> None:
    """A reader that began with an older mirror.json begins again."""
    from agon.runs.mirrors.fetching import fetch

    run = Written(tmp_path / "run")
    run.begin()
    pushed = pushing(run.path, address)
    run.train(0)
    older = pushed()
    for step in (100, 200, 300):
        run.train(step)
        pushed()
    (tmp_path / "elsewhere").mkdir()
    manifest, complaints = fetch(open_store(address), Directory(tmp_path / "elsewhere"), older)
    assert complaints == []
    assert manifest.files.keys() == content_of(tmp_path / "elsewhere").keys() == content_of(run.path).keys()


def test_the_newer_session_writes_alone(tmp_path: Path, address: Address) -> None:
    run = Written(tmp_path / "run")
    run.begin()
    pushed = pushing(run.path, address)
    run.train(0)
    pushed()
    elsewhere = Written(up_to_date(tmp_path / "elsewhere", str(address)))
    claimed = claim(Directory(elsewhere.path))
    assert claimed is not None
    elsewhere.train(100)
    Push(Directory(elsewhere.path), *claimed)()
    run.train(50)
    with pytest.raises(SupersededError, match="another process goes on"):
        pushed()
    with pytest.raises(RunError, match="written by another process meanwhile"):
        claim(Directory(run.path))
    up_to_date(run.path)
    assert content_of(run.path) == content_of(elsewhere.path)  # step 50, which was not mirrored, is gone


def test_a_session_that_is_killed_while_it_begins_loses_nothing(tmp_path: Path, address: Address) -> None:
    """Storage.json has both words then, so what is here and not there is not replaced."""
    run = Written(tmp_path / "run")
    run.begin()
    pushed = pushing(run.path, address)
    run.train(0)
    pushed()
    run.train(100)
    stored = read_manifest(open_store(address))
    for session in (stored.session, "next"):  # killed before and after mirror.json has the next word
        Place(address, (stored.session, "next")).vouch(Directory(run.path))
        write_manifest(open_store(address), Manifest(session, stored.files))
        assert Written(up_to_date(run.path)).kept() == [0, 100]
        assert claim(Directory(run.path)) is not None


def test_a_place_that_is_taken_is_refused(tmp_path: Path, address: Address) -> None:
    prepare(str(address))
    prepare(str(address))
    live(tmp_path / "run", address)
    with pytest.raises(RunError, match=f"holds a run already; agon resume {address}"):
        prepare(str(address))
    (tmp_path / "other").mkdir()
    Written(tmp_path / "other").begin()
    with pytest.raises(RunError, match="holds another run"):
        up_to_date(tmp_path / "other", str(address))
    (tmp_path / "documents/samples").mkdir(parents=True)
    (tmp_path / "documents/letter.txt").write_text("")
    with pytest.raises(RunError, match="holds other files already"):
        up_to_date(tmp_path / "documents", str(address))
    with pytest.raises(RunError, match=r"expected a run at .*, got none"):
        up_to_date(tmp_path / "none", f"{address}-none")


def test_a_file_that_goes_while_it_is_pushed_is_not_named(tmp_path: Path, address: Address) -> None:
    """A checkpoint that the training removes meanwhile, as its place is taken by a newer one."""
    run = Written(tmp_path / "run")
    run.begin()
    pushed = pushing(run.path, address)
    for step in (0, 100):
        run.train(step)
    store = Breaking(pushed.store)
    store.after_each = lambda: run.train(200) if store.count == 4 else None
    pushed.store = store
    assert {folder_of(name) for name in pushed().files} - {""} == {"checkpoints/00000100"}
    check(address, tmp_path / "fetched")
    pushed()
    assert objects_of(address) == content_of(run.path)


def test_a_run_from_a_stranger_is_mirrored_nowhere(
    tmp_path: Path, address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its storage.json must not make anyone write to a place that they did not name."""
    live(tmp_path / "run", address)
    Written(tmp_path / "run").train(250)
    before = objects_of(address)
    monkeypatch.setenv("AGON_CACHE", str(tmp_path / "of-another-user"))
    catch_up(tmp_path / "run")
    for act in (up_to_date, mirror_now):
        with pytest.raises(RunError, match=r"storage\.json is of another user or machine"):
            act(tmp_path / "run")
    assert objects_of(address) == before
    up_to_date(tmp_path / "run", str(address))  # who names the place confirms it
    mirror_now(tmp_path / "run")
    assert objects_of(address) == content_of(tmp_path / "run") != before
