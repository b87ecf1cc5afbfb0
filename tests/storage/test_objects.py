"""Objects are whole or absent, on a real S3 server and in a folder; addresses hold no credentials."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agon.errors import SettingError
from agon.storage import Address, StorageError, is_address, open_store
from tests.storage.buckets import Bucket

LARGE = 6 * 2**20  # bytes: two parts of an upload


@pytest.fixture(params=["s3", "file"])
def place(request: pytest.FixtureRequest, served: Bucket, tmp_path: Path) -> Address:
    return Address.read(served.address(tmp_path.name) if request.param == "s3" else f"file://{tmp_path}/stored")


def broken(pieces: int) -> Iterator[bytes]:
    """A content whose reading fails after some pieces."""
    for _ in range(pieces):
        yield bytes(LARGE)
    raise RuntimeError("the disk is gone")


def test_what_is_read_is_what_was_written(place: Address) -> None:
    store = open_store(place)
    for content in (b"", b"small", bytes(range(256)) * (LARGE // 256)):
        store.write("a/b.bin", [content[: LARGE // 2], content[LARGE // 2 :]])
        assert b"".join(store.read("a/b.bin")) == content
    store.write("a/c.bin", [b"other"])
    store.remove("a/b.bin")
    store.remove("a/b.bin")
    with pytest.raises(FileNotFoundError):
        b"".join(store.read("a/b.bin"))
    store.remove_folder("a")
    store.remove_folder("a")
    with pytest.raises(FileNotFoundError):
        b"".join(store.read("a/c.bin"))


def test_a_content_that_breaks_off_leaves_nothing(place: Address) -> None:
    store = open_store(place)
    with pytest.raises(RuntimeError, match="disk is gone"):
        store.write("new", broken(1))
    with pytest.raises(FileNotFoundError):
        b"".join(store.read("new"))
    assert place.kind == "s3" or list(Path(place.place).iterdir()) == []


def test_what_a_service_refuses_has_advice(served: Bucket, tmp_path: Path) -> None:
    store = open_store(Address.read(served.address("x").replace("agon-tests", "no-such-bucket")))
    with pytest.raises(StorageError) as caught:
        store.write("x", [b""])
    assert (caught.value.reason, caught.value.advice) == ("NO_SUCH_BUCKET", "create the bucket, or correct its name")
    (tmp_path / "taken").write_text("")
    with pytest.raises(StorageError) as caught:
        open_store(Address.read(f"file://{tmp_path}/taken")).write("x", [b""])
    assert caught.value.advice == "choose another folder"


def test_a_server_that_does_not_answer_is_an_error_without_advice(served: Bucket) -> None:
    """So it is tried again."""
    store = open_store(Address.read(served.address("x").replace(str(served.port), "9")))
    with pytest.raises(StorageError) as caught:
        store.write("x", [b""])
    assert (caught.value.reason, caught.value.advice) == ("NETWORK_CONNECTION", "")


def test_addresses() -> None:
    for text in ("s3://bucket/runs/a", "gs://bucket/a", "file:///mnt/runs/a", "s3://bucket/a?region=eu-west-1"):
        address = Address.read(text)
        assert str(address) == text
        assert Address.read(Path(text)) == address  # which makes one slash of two
        assert is_address(text)
        assert is_address(Path(text))
    assert str(Address.read("s3://bucket/runs/a/?region=eu") / "seed-0") == "s3://bucket/runs/a/seed-0?region=eu"
    assert not is_address("runs/s3")


@pytest.mark.parametrize(
    "text", ["", "runs/a", "http://host/a", "s3://", "s3://bucket/../a", "file://runs/a", "s3://bucket/a?acl=public"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(SettingError, match="expected s3://BUCKET/NAME"):
        Address.read(text)


@pytest.mark.parametrize("text", ["s3://ID:PASS@bucket/a", "s3://bucket/a?secret_key=PASS", "gs://PASS@bucket/a"])
def test_credentials_are_refused_and_not_printed(text: str) -> None:
    with pytest.raises(SettingError, match="without credentials") as caught:
        Address.read(text)
    assert "PASS" not in str(caught.value)
