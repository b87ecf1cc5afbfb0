"""`make test-fast` runs what touches no training: neither too much, nor next to nothing."""

from pathlib import Path

import pytest

from tests import quick


@pytest.fixture
def trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Whether a module of this content, in a room of the tests, trains."""
    (tmp_path / "tests" / "room").mkdir(parents=True)
    monkeypatch.setattr(quick, "HERE", tmp_path / "tests")
    (tmp_path / "tests" / "helper.py").write_text("from agon import Experiment, train\n")

    def of(content: str, fixtures: str = "") -> bool:
        quick.trains.cache_clear()
        (tmp_path / "tests" / "room" / "conftest.py").write_text(fixtures)
        (tmp_path / "tests" / "room" / "test_it.py").write_text(content)
        return quick.trains(tmp_path / "tests" / "room" / "test_it.py")

    yield of
    quick.trains.cache_clear()


@pytest.mark.parametrize(
    "content",
    [
        "from agon.training import Compute",
        "from agon import (\n    Experiment,\n    train,\n)",
        "import agon\n\ndef test():\n    agon.resume('run')",
        "from agon.cli import main",
        "import subprocess",
        "from tests.helper import trained",
        "from ..helper import trained",
        "from tests import helper",
    ],
)
def test_each_way_to_train_is_seen(trains, content: str) -> None:  # type: ignore[no-untyped-def]
    assert trains(content)


def test_what_trains_nothing_is_fast(trains) -> None:  # type: ignore[no-untyped-def]
    assert not trains("import agon\nfrom agon import Experiment, Turns\n\nagon.data.Ring()")
    assert trains("", fixtures="from agon.training import train")


def test_every_known_slow_module_is_there() -> None:
    assert [name for name in quick.SLOW if not (quick.HERE / name).exists()] == []


def test_most_rooms_have_fast_tests() -> None:
    modules = [path for path in quick.HERE.rglob("test_*.py") if quick.is_fast(path)]
    rooms = {path.parent.name for path in modules}
    assert {"data", "networks", "games", "dynamics", "metrics", "figures", "reports"} <= rooms
    assert not rooms & {"training", "runs", "evaluation"}
