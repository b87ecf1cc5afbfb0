"""Objects in storage, by pyarrow's filesystems: each is written whole or not at all, and read in pieces."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from agon.errors import require
from agon.storage.addresses import Address
from agon.untrusted import shortened

PIECE = 8 * 2**20  # bytes that are read or written at a time
CONNECT, REQUEST = 5.0, 30.0  # seconds until a connection, or a request that stands still, is given up
ATTEMPTS = 3  # of one request, within a few seconds; `agon.runs.mirrors` tries again for longer
TEMPORARY = ".agon-writing-"  # beginning of the names of files that are being written
_FINAL = {  # what a service answers -> what to do; to try again would change nothing
    "ACCESS_DENIED": "see that the credentials of the environment may read and write there",
    "INVALID_ACCESS_KEY_ID": "see that the credentials of the environment are right",
    "SIGNATURE_DOES_NOT_MATCH": "see that the credentials of the environment are right",
    "NO_SUCH_BUCKET": "create the bucket, or correct its name",
    "credentials": "set the credentials in the environment",
    "Permission denied": "make the folder writable, or choose another",
    "File exists": "choose another folder",
    "Not a directory": "choose another folder",
}


class StorageError(Exception):
    """Storage does not do what it was asked.

    Attributes:
        advice: what to do if trying again would change nothing; else empty.
    """

    def __init__(self, address: Address, reason: str) -> None:
        self.reason = _short(reason)
        super().__init__(f"{address}: {self.reason}")
        self.advice = next((advice for answer, advice in _FINAL.items() if answer in reason), "")


class Objects(Protocol):
    """Named objects. Names have slashes; every method may raise a StorageError."""

    address: Address

    def write(self, name: str, content: Iterable[bytes]) -> None:
        """Write an object: readers see the whole old or the whole new one."""

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the content of an object in pieces; a FileNotFoundError says that there is none."""

    def remove(self, name: str) -> None:
        """Remove an object; do nothing if there is none."""

    def remove_folder(self, name: str) -> None:
        """Remove all objects whose names begin with `name` and a slash."""


class Store:
    """Objects of a pyarrow filesystem.

    Args:
        address: the place of all objects.
        files: the filesystem.
    """

    def __init__(self, address: Address, files: Any) -> None:
        self.address, self._files = address, files

    def write(self, name: str, content: Iterable[bytes]) -> None:
        """Write an object."""
        with self._errors():
            if self.address.kind == "file":
                self._write_file(name, content)
            else:
                self._put(self._path(name), content)

    def read(self, name: str) -> Iterator[bytes]:
        """Yield the content of an object."""
        with self._errors(), self._files.open_input_stream(self._path(name)) as stream:
            while piece := stream.read(PIECE):
                yield piece

    def remove(self, name: str) -> None:
        """Remove an object."""
        with self._errors(), suppress(FileNotFoundError):
            self._files.delete_file(self._path(name))

    def remove_folder(self, name: str) -> None:
        """Remove all objects below a name."""
        with self._errors(), suppress(FileNotFoundError):
            self._files.delete_dir(self._path(name))

    def _put(self, path: str, content: Iterable[bytes]) -> None:
        """Write an object; one whose content ends with an error, which closing would complete, is removed."""
        try:
            with self._files.open_output_stream(path) as stream:
                for piece in content:
                    stream.write(piece)
        except BaseException:
            with suppress(OSError):
                self._files.delete_file(path)
            raise

    def _write_file(self, name: str, content: Iterable[bytes]) -> None:
        """Write beside the file, and rename: files of a folder have no atomic replacement otherwise."""
        folder, _, last = self._path(name).rpartition("/")
        temporary = f"{folder}/{TEMPORARY}{os.getpid()}-{last}"
        os.makedirs(folder, exist_ok=True)
        self._put(temporary, content)
        os.replace(temporary, f"{folder}/{last}")

    def _path(self, name: str) -> str:
        return f"{self.address.place}/{name}"

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StorageError(self.address, str(error)) from error


def open_store(address: Address) -> Store:
    """Open the place of an address; nothing is read or written yet.

    Raises:
        NotInstalledError: pyarrow is not installed.
        StorageError: there are no credentials, or the bucket's region cannot be found.
    """
    require("pyarrow")
    from pyarrow import fs

    try:
        if address.kind == "s3":
            return Store(address, fs.S3FileSystem(**_s3(fs, address)))
        if address.kind == "gs":
            from datetime import timedelta

            return Store(address, fs.GcsFileSystem(retry_time_limit=timedelta(seconds=REQUEST)))
    except OSError as error:
        raise StorageError(address, str(error)) from error
    return Store(address, fs.LocalFileSystem())


def _s3(fs: Any, address: Address) -> Mapping[str, Any]:
    """The arguments of the filesystem of S3: what the address says, and limits of time."""
    given: dict[str, Any] = dict(address.options)
    endpoint = given.keys() & {"endpoint_override"} or os.environ.keys() & {"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"}
    if not endpoint and "region" not in given and not os.environ.keys() & {"AWS_REGION", "AWS_DEFAULT_REGION"}:
        given["region"] = fs.resolve_s3_region(address.place.partition("/")[0])
    return {
        **given,
        "connect_timeout": CONNECT,
        "request_timeout": REQUEST,
        "retry_strategy": fs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
        "allow_delayed_open": True,  # a small object is one request
    }


def _short(reason: str) -> str:
    """What a service answers, without the numbers of the request.

    >>> _short("When uploading object with key 'a' in bucket 'b': AWS Error NO_SUCH_BUCKET during PutObject: no (x)")
    'NO_SUCH_BUCKET'
    """
    match = re.search(r"AWS Error (\w+)", reason)
    if match and match[1] != "UNKNOWN":
        return match[1].strip()
    return shortened(reason.partition("\n")[0])
