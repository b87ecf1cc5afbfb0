"""The names of a run's files are spelled out in one module."""

import ast
from pathlib import Path

import agon
from agon.runs import layout

FILES = {
    value for value in vars(layout).values() if isinstance(value, str) and Path(value).suffix in (".json", ".jsonl")
}
FOLDERS = {f"{folder}/" for folder in (layout.SAMPLES, layout.CHECKPOINTS, layout.ATTACHMENTS, layout.EVENTS)}


def spelled(source: str) -> list[str]:
    """The texts of a module that are paths in a run; a sentence is none."""
    texts = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    words = [text for text in texts if isinstance(text, str) and " " not in text]
    return [word for word in words if word in FILES | {layout.REPORT} or any(map(word.startswith, FOLDERS))]


def test_no_other_module_spells_a_name_out() -> None:
    house = Path(agon.__file__).parent
    modules = [path for path in house.rglob("*.py") if path != Path(layout.__file__)]
    assert {str(path): found for path in modules if (found := spelled(path.read_text()))} == {}


def test_a_name_that_is_spelled_out_is_caught() -> None:
    """The negative control."""
    assert spelled('LOG = "log.jsonl"\nrun.files.read("samples/real.png")') == ["log.jsonl", "samples/real.png"]
    assert spelled('raise RunError("experiment.json cannot be read")') == []
