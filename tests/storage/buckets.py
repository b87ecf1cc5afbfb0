"""A real S3 server on loopback (moto's), for tests; it keeps its objects while it is stopped."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import Request, urlopen

import pytest
from moto.server import ThreadedMotoServer

BUCKET = "agon-tests"


class Bucket:
    """An S3 server with one bucket.

    Attributes:
        port: where it listens on 127.0.0.1.
    """

    def __init__(self) -> None:
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        _, self.port = self._server.get_host_and_port()
        urlopen(Request(f"http://127.0.0.1:{self.port}/{BUCKET}", method="PUT")).close()

    def address(self, name: str) -> str:
        """The address of a name in the bucket."""
        return f"s3://{BUCKET}/{name}?endpoint_override=127.0.0.1:{self.port}&region=us-east-1&scheme=http"

    def stop(self) -> None:
        """Refuse connections from now on."""
        self._server.stop()

    def start(self) -> None:
        """Serve again, at the same port, what was there."""
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=self.port, verbose=False)
        self._server.start()


@contextmanager
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A server within the context, and credentials for it in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "known-to-the-tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "THE-SECRET-OF-THE-TESTS")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    served = Bucket()
    try:
        yield served
    finally:
        served.stop()
