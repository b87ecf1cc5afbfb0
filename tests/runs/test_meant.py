"""A path that holds no run is answered with the run that is meant, wherever a run is asked for."""

from pathlib import Path

import pytest

import agon
from agon.cli import main


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two runs, one of them in a folder of seeds with two, a set of images, a script and a file."""
    for run in ("runs/glyphs", "runs/plain/seed-0", "runs/plain/seed-1", "runs/plain/seed-10", "alone/only"):
        (tmp_path / run / "checkpoints").mkdir(parents=True)
        (tmp_path / run / "experiment.json").write_text("{}")
    (tmp_path / "runs" / "glyph-images").mkdir()
    (tmp_path / "runs" / "glyph-images" / "0.png").touch()
    for name in ("mynets.py", "ring.yaml"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


GLYPHS = "which does not exist; did you mean runs/glyphs?"
SEEDS = "expected one run, got runs/plain, a folder of 3; name one of them, such as runs/plain/seed-0"


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("sample runs/glyph --out x", GLYPHS),
        ("resume runs/glyph", GLYPHS),
        ("evaluate run/glyphs", "which does not exist; did you mean runs/glyphs?"),
        ("battle runs/glyph runs/glyphs", GLYPHS),
        ("skill runs/glyph", GLYPHS),
        ("compare runs/plane --with runs/glyphs", "did you mean runs/plain?"),
        ("export runs/glyph --out x.pt", GLYPHS),
        ("push runs/glyph owner/name", GLYPHS),
        ("report runs/glyph", "did you mean runs/glyphs?"),
        ("train ring --out x --init runs/glyph:generator", GLYPHS),
        ("train ring --out x --init runs/plain:generator", SEEDS),
        ("sample runs/plain --out x", SEEDS),
        ("sample alone --out x", "got alone, which has no experiment.json; did you mean alone/only?"),
        ("sample runs/glyphs/checkpoints --out x", "which has no experiment.json; did you mean runs/glyphs?"),
        ("sample runs/glyph-images --out x", "no experiment.json; give the folder that agon train had as --out"),
        ("sample elsewhere --out x", "which does not exist; agon train ... --out elsewhere begins one"),
        ("tournament runs/glyph --out x", "there is no such path; did you mean runs/glyphs?"),
        ("evaluate --samples runs/glyph-image", "there is no such path; did you mean runs/glyph-images?"),
        ("train rings.yaml --out x", "found none; did you mean ring.yaml?"),
    ],
)
def test_the_run_that_is_meant(command: str, told: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command.split()) == 2
    assert told in capsys.readouterr().err


def test_python_says_the_same(here: Path) -> None:
    for path, told in (("runs/glyph", GLYPHS), ("runs/plain", SEEDS)):
        with pytest.raises(agon.AgonError) as raised:
            agon.load(path)
        assert told in str(raised.value)


def test_a_script_that_is_meant(here: Path) -> None:
    from agon.experiment.scripts import run_script

    with pytest.raises(agon.AgonError, match=r"got mynet\.py; did you mean mynets\.py\?"):
        run_script(Path("mynet.py"))
