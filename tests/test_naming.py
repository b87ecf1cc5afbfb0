"""Runs beside each other have the shortest names that differ."""

from pathlib import Path, PurePath

import pytest

from agon.arena import ranked
from agon.errors import RunError
from agon.runs import Run, ends, names


def test_names_are_as_short_as_they_can_be_and_differ() -> None:
    assert names([Path("/a/b/run")]) == ["run"]
    assert names([Path("/a/b/0"), Path("/a/c/0"), Path("/a/c/1")]) == ["b/0", "c/0", "c/1"]
    assert names([Path("/run"), Path("/a/run")]) == ["/run", "a/run"]


def test_one_run_has_one_name_however_it_is_written() -> None:
    assert names([Path("a/0"), Path("a/b/../0"), Path("a/1")]) == ["0", "0", "1"]


def test_places_on_another_machine_are_not_looked_up(tmp_path: Path) -> None:
    """The negative control: a link on this disk has the name of what it leads to."""
    (tmp_path / "link").symlink_to(tmp_path / "run")
    assert ends([PurePath(tmp_path / "link")]) == ["link"]
    assert names([tmp_path / "link"]) == ["run"]


def test_a_run_is_not_ranked_against_itself(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="expected different runs, got 0 twice"):
        ranked([Run(tmp_path / "0"), Run(tmp_path / "1" / ".." / "0"), Run(tmp_path / "1")], [])
