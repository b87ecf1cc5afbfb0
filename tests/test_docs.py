"""What the documentation says is run: Python blocks, shell commands, examples, doctests, Args sections."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

import agon
from agon.cli import COMMANDS, main
from agon.cli.arguments import parsed
from agon.papers import items

ROOT = Path(__file__).parents[1]
OF_ITEMS = ROOT / "docs" / "recipes"  # */*.md: tests/papers makes each item, and checks its page's command
EVERY_PAGE = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in EVERY_PAGE if page.parent.parent != OF_ITEMS]
EXAMPLES = {"own_networks.py": 12, "own_loop.py": 15}  # lines of code after the imports, at most
FEW = 200  # samples of an evaluation that does not say how many
SHORT = 40  # steps of a training, at most
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MODULES = sorted(m.name for m in pkgutil.walk_packages(agon.__path__, "agon."))


class Block(NamedTuple):
    """A fenced block of a page: its language, its text, and the line that it starts on."""

    language: str
    text: str
    line: int


def blocks(page: Path, *languages: str) -> list[Block]:
    """The blocks of a page that are in one of the languages."""
    text = page.read_text()
    found = (Block(m[1], m[2], text[: m.start(2)].count("\n")) for m in FENCE.finditer(text))
    return [block for block in found if block.language in languages]


def with_blocks(*languages: str) -> list[Any]:
    """The pages that have any, for parametrize."""
    return [pytest.param(page, id=page.name) for page in PAGES if blocks(page, *languages)]


@pytest.fixture
def folder(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, one_core: None
) -> Path:
    """Where a reader stands: an empty folder, but for the images and the table that the pages call path/to/...

    All pages share a cache, whichever process tests them, so that the classifier of the digits is trained once.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base if base.parent.name.startswith("pytest-of") else base.parent
    rng = np.random.default_rng(0)
    for number in range(100):
        place = tmp_path / "path/to/images" / ("cats" if number % 2 else "dogs")
        place.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(place / f"{number}.png")
    np.savetxt(tmp_path / "path/to/table.csv", rng.normal(size=(300, 2)), delimiter=",", header="x,y", comments="")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AGON_CACHE", str(shared / "cache"))
    monkeypatch.setitem(agon.evaluate.__kwdefaults__, "n", FEW)
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("page", with_blocks("python"))
def test_python_blocks_run(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after another in one module, as a reader would type them, with fewer steps."""
    module = ModuleType(f"page_{page.stem.lower()}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for block in blocks(page, "python"):
        exec(compile("\n" * block.line + shortened(block.text), str(page), "exec"), module.__dict__)


def shortened(program: str) -> str:
    """A program whose trainings have at most `SHORT` steps."""
    return re.sub(r"(?<=\bsteps=)[\d_]+", lambda number: str(min(int(number[0]), SHORT)), program)


@pytest.mark.parametrize("page", with_blocks("sh", "console"))
def test_shell_blocks_run(page: Path, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Every command of agon, in its order; a console block also shows what comes, numbers aside."""
    for block in blocks(page, "sh", "console"):
        for command, shown in commands(block):
            capfd.readouterr()
            assert run(command) == 0, command
            told = capfd.readouterr()
            if block.language == "console":
                assert alike(shown, told.err + told.out), told


def commands(block: Block) -> Iterator[tuple[list[str], str]]:
    """The arguments of each command of agon, and the lines below it: in a console, what comes."""
    start = r"^\$ " if block.language == "console" else "^"
    for entry in re.split(start, block.text.replace("\\\n", ""), flags=re.MULTILINE):
        line, _, shown = entry.partition("\n")
        words = shlex.split(line, comments=True)
        if words[:1] == ["agon"]:
            yield words[1:], shown


def run(command: list[str]) -> int:
    """Run a command at its smallest scale, and in this process: tests/training/test_processes.py is of several.

    Items are made in tests/papers/test_items.py: here its name and the options are checked.
    """
    if command[0] == "reproduce":
        parsed(COMMANDS, command)
        return 0 if items(command[1]) else 2
    if command[0] == "train":
        where = command.index("--scale") if "--scale" in command else len(command)
        command = [*command[:where], *command[where + 2 :], "--scale", "smoke", "--threads", "1"]
        steps = {place + 1 for place, word in enumerate(command) if word == "--steps"}
        command = [str(min(int(word), SHORT)) if place in steps else word for place, word in enumerate(command)]
    if command[0] == "sweep" and "--scale" not in command:  # docs/sweeps.md has small ones
        parsed(COMMANDS, command)
        return 0
    if command[0] == "play":  # serves until Ctrl-C
        parsed(COMMANDS, command)
        return 0
    if command[0] == "evaluate" and "--n" not in command:
        command = [*command, "--n", str(FEW)]
    if command[0] == "resume":
        command = ["40" if word.isdecimal() else word for word in command]
    if "--devices" in command:
        parsed(COMMANDS, command)
        where = command.index("--devices")
        command = [*command[:where], *command[where + 2 :]]
    return main(command)


def alike(shown: str, told: str) -> bool:
    """Whether two outputs differ in nothing but numbers, spaces, and what "..." stands for."""
    want, got = (re.sub(r"\d[\d,.]*", "#", text) for text in (shown.replace("...\n", "..."), told))
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    return doctest.OutputChecker().check_output(want, got, flags)


def test_another_output_is_caught() -> None:
    """The negative control of console blocks."""
    assert alike("classes 10\n...\nend\n", "classes 7\nstep 3\nend\n")
    assert alike("...\nend\n", "end\n"), "lines that a cache makes unnecessary"
    assert not alike("classes 10\n", "modes 10\n")


def test_a_wrong_command_is_caught(folder: Path) -> None:
    """The negative control of shell blocks."""
    found = list(commands(Block("sh", "make demo\nagon data \\\n  rong  # x\nagon recipes\n", 0)))
    assert [command for command, _ in found] == [["data", "rong"], ["recipes"]]
    assert [run(command) for command, _ in found] == [2, 0]


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_shown_as_they_are(name: str) -> None:
    """The README shows each example whole, and its blocks are run above."""
    text = (ROOT / "examples" / name).read_text()
    assert text in [block.text for block in blocks(ROOT / "README.md", "python")]
    assert name != "own_loop.py" or text == blocks(ROOT / "docs/own_loop.md", "python")[0].text


def test_every_example_is_listed() -> None:
    assert {path.name for path in (ROOT / "examples").iterdir() if path.is_file()} == set(EXAMPLES)


@pytest.mark.parametrize(("name", "most"), EXAMPLES.items())
def test_examples_are_short(name: str, most: int) -> None:
    """Lines of code after the imports, classes and functions included, blank lines and docstrings not."""
    text = (ROOT / "examples" / name).read_text()
    body = [node for node in ast.parse(text).body if not isinstance(node, ast.Import | ast.ImportFrom)][1:]
    lines = text.splitlines()[body[0].lineno - 1 :]
    assert len([line for line in lines if line.strip()]) <= most


class Finder(doctest.DocTestFinder):
    """Finds the docstrings of functions that the shape checker has wrapped, too."""

    def _from_module(self, module: ModuleType | None, object: object) -> bool:  # noqa: A002 - doctest's name
        return super()._from_module(module, inspect.unwrap(object))  # type: ignore[misc,arg-type,no-any-return]


def test_doctests() -> None:
    """All examples in docstrings; none may be missed."""
    found, written, failed = 0, 0, 0
    runner = doctest.DocTestRunner()
    for name in MODULES:
        module = importlib.import_module(name)
        tests = [test for test in Finder(exclude_empty=True).find(module, name) if test.examples]
        failed += sum(runner.run(test).failed for test in tests)
        found += len(tests)
        written += sum(">>> " in text for text in docstrings(Path(str(module.__file__)).read_text()))
    assert failed == 0
    assert found == written > 10


def docstrings(source: str) -> Iterator[str]:
    """Every docstring of a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            yield ast.get_docstring(node) or ""


def misnamed(owner: type) -> set[str]:
    """Arguments of a class that its Args section forgets, and names in it that are no arguments."""
    section = re.search(r"^Args:\n((?: +.*\n|\n)*)", f"{inspect.getdoc(owner)}\n", re.MULTILINE)
    if section is None:
        return set()
    entries = re.findall(r"^ {4}(\S[^:]*):", section[1], re.MULTILINE)
    told = {name.strip(" *") for entry in entries for name in entry.split(",")}
    return told ^ (set(inspect.signature(owner).parameters) - {"args", "kwargs"})


def test_args_sections_of_classes_name_the_constructors_arguments() -> None:
    wrong = {}
    for name in MODULES:
        for _, owner in inspect.getmembers(importlib.import_module(name), inspect.isclass):
            if owner.__module__ == name and not inspect.isabstract(owner) and (found := misnamed(owner)):
                wrong[f"{name}.{owner.__name__}"] = sorted(found)
    assert wrong == {}


def test_a_misnamed_argument_is_caught() -> None:
    """The negative control: one argument forgotten, one invented."""

    class Lies:
        """A docstring.

        Args:
            told: which is there,
                and goes on: here.
            invented: which is not.
        """

        def __init__(self, told: int, forgotten: int) -> None: ...

    assert misnamed(Lies) == {"invented", "forgotten"}
