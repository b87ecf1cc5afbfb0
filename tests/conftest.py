"""Under pytest the shapes and types of every annotation in agon are checked, and a process has one thread."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is loaded; started programs inherit it
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the hundreds of programs that are started need not compile agon anew

import pytest
from hypothesis import settings

from tests import shapes
from tests.quick import is_fast

if TYPE_CHECKING:
    from tests.browser import Browser
    from tests.storage.buckets import Bucket

shapes.install()  # before the first test imports agon
settings.register_profile("any machine", deadline=None)  # a busy one takes longer
settings.load_profile("any machine")


def no_sync(handle: int) -> None:
    """In the place of os.fsync: no test can cut the power, and thousands of waits for the disk prove nothing."""


os.fsync = no_sync  # in this process; programs that tests start, and kill, write through


@pytest.fixture(autouse=True)
def shapes_of_this_test() -> None:
    """Check the first calls of every function in every test."""
    shapes.next_test()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m "fast ..."`, import nothing of the other modules."""
    others = config.getoption("markexpr").startswith("fast") and collection_path.name.startswith("test_")
    return True if others and not is_fast(collection_path) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that train nothing, for `make test-fast`; they come last, so that workers end together."""
    fast = {path: is_fast(path) for path in {item.path for item in items}}
    for item in items:
        if fast[item.path]:
            item.add_marker("fast")
    items.sort(key=lambda item: fast[item.path])


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Browser"]:
    """One browser for all tests; without one, automatic tests fail and a person's say why they are left out."""
    from tests.browser import ABSENT, chromium, installed

    if installed() is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(ABSENT)
    with chromium(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture(scope="module")
def served() -> Iterator["Bucket"]:
    """A real S3 server on loopback, one for each module."""
    from tests.storage.buckets import bucket

    with pytest.MonkeyPatch.context() as monkeypatch, bucket(monkeypatch) as served:
        yield served


@pytest.fixture
def one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training that takes all cores takes one: the tests run beside each other."""
    monkeypatch.setattr("agon.training.compute.cores", lambda: 1)
