"""Without any extra one trains and samples; what needs one says which."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import agon
from agon.errors import EXTRAS, NotInstalledError, as_agon_error, installing, require

HOUSE = Path(agon.__file__).parent
PROJECT = tomllib.loads((HOUSE.parent / "pyproject.toml").read_text())["project"]
BLOCKED = {*EXTRAS, "sklearn", "pandas"} - {"fsspec"}  # which torch needs too
BARE = """
import sys
from importlib.machinery import PathFinder

class Without(PathFinder):
    def find_spec(name, path=None, target=None):
        return None if name.partition(".")[0] in {blocked} else PathFinder.find_spec(name, path, target)

sys.meta_path = [Without if finder is PathFinder else finder for finder in sys.meta_path]
{program}
"""
TRACKERS = {"wandb", "mlflow"}
TINY = ["--threads", "1", "--device", "cpu", "--scale", "smoke", "--steps", "4"]


def bare(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A program in a process in which no extra is installed."""
    command = [sys.executable, "-W", "error", "-c", BARE.format(blocked=BLOCKED, program=program)]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)


def agon_bare(folder: Path, *commands: list[str]) -> subprocess.CompletedProcess[str]:
    """Commands one after the other, up to the first that fails."""
    return bare(f"from agon.cli import main\nsys.exit(next(filter(None, map(main, {list(commands)})), 0))", folder)


def test_training_and_sampling_need_no_extra(tmp_path: Path) -> None:
    """Of points and of bundled images, to the end; the page is left out with a sentence."""
    files = {"ring": ["ring.npz"], "digits": ["grid.png", "digits.npz"]}
    commands = []
    for recipe in files:
        commands += [["train", f"first/{recipe}", *TINY, "--out", recipe], ["resume", recipe, "--steps", "6"]]
        commands += [["sample", recipe, "--n", "8", "--out", file] for file in files[recipe]]
    ended = agon_bare(tmp_path, *commands)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.count(installing("report")) == 4
    for recipe in files:
        assert not (tmp_path / recipe / "report.html").exists()
        assert not (tmp_path / recipe / "tensorboard").exists()
        assert all((tmp_path / file).exists() for file in files[recipe])


LACKING = [
    (["data", "hub:owner/name"], "datasets", "images"),
    (["data", "table.parquet"], "pyarrow", "images"),
    (["report", "run"], "jinja2", "report"),
    (["export", "run", "--out", "x.onnx"], "onnx", "export"),
    (["play", "run"], "gradio", "play"),
    (["push", "run", "owner/name"], "huggingface_hub", "images"),
    (["sample", "hub:owner/name", "--out", "x.npz"], "huggingface_hub", "images"),
]


INTERVAL = """
import agon
from agon.papers import interval
try:
    interval([1.0, 2.0, 3.0])
except agon.AgonError as error:
    print(error)
"""


def test_a_command_says_what_it_lacks_and_python_too(tmp_path: Path) -> None:
    (tmp_path / "table.parquet").write_bytes(b"PAR1")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "experiment.json").write_text("{}")
    commands = [arguments for arguments, _, _ in LACKING]
    ended = bare(f"from agon.cli import main\nprint(list(map(main, {commands})))\n{INTERVAL}", tmp_path)
    assert ended.stderr.splitlines() == [
        f"agon: expected {package}, which is not installed; {installing(extra)}" for _, package, extra in LACKING
    ]
    statuses, of_python = ended.stdout.splitlines()
    assert statuses == str([2] * len(LACKING))
    assert of_python == f"expected scipy, which is not installed; {installing('metrics')}"


def test_what_nobody_asked_for_first_is_told_all_the_same() -> None:
    """An import that no `require` stands before, as the command line reports it."""
    told = as_agon_error(ModuleNotFoundError("No module named 'jinja2.nothing'", name="jinja2.nothing"))
    assert str(told) == f"expected jinja2, which is not installed; {installing('report')}"
    assert as_agon_error(ModuleNotFoundError("No module named 'agon.nothing'", name="agon.nothing")) is None


def test_what_is_installed_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    require(*EXTRAS)
    monkeypatch.setitem(EXTRAS, "nowhere", "report")
    with pytest.raises(NotInstalledError, match=r"expected nowhere.*clone of agon, run pip install '\.\[report\]'"):
        require("nowhere")


def test_the_extras_are_those_of_the_project() -> None:
    """Each package is a requirement of its extra and of nothing else; [all] is all of them but others' trackers."""
    imported = {"mlflow-skinny": "mlflow", "pyyaml": "yaml", "ray[client]": "ray"}
    extras = {
        extra: {
            imported.get(name := re.split("[><=]", requirement)[0], name.replace("-", "_")) for requirement in listed
        }
        for extra, listed in PROJECT["optional-dependencies"].items()
    }
    assert extras.pop("all") == {f"agon[{','.join(extra for extra in extras if extra not in TRACKERS)}]"}
    of_client = {"grpc": "cluster"}  # of ray[client]
    assert {package: extra for extra, packages in extras.items() for package in packages} | of_client == EXTRAS


def imports(tree: ast.AST, function: str = "") -> Iterator[tuple[str, str]]:
    """Every imported package with the function around the import; those for type checkers are left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name.partition(".")[0], function) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0], function
        elif not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            inside = node.name if isinstance(node, ast.FunctionDef) else function
            yield from imports(node, inside)


def test_no_module_needs_an_extra_to_be_imported() -> None:
    """What belongs to an extra is imported within functions alone."""
    found = [
        (str(path), package)
        for path in HOUSE.rglob("*.py")
        for package, function in imports(ast.parse(path.read_text()))
        if package in EXTRAS and not function
    ]
    assert found == []


def test_every_room_requires_what_it_imports() -> None:
    """By name, somewhere in the room; whether there is TensorBoard is asked instead."""
    missing = []
    for room in sorted(HOUSE.iterdir()):
        sources = [path.read_text() for path in (room.rglob("*.py") if room.is_dir() else [room])]
        needed = {package for source in sources for package, _ in imports(ast.parse(source))} & {*EXTRAS}
        required = set(re.findall(r'"(\w+)"', "".join(re.findall(r"\brequire\([^)]*\)", "".join(sources)))))
        missing += [f"{room.name}: {package}" for package in sorted(needed - required - {"tensorboard"})]
    assert missing == []


def test_no_text_installs_agon_from_an_index() -> None:
    """Where it is not: the name may be somebody else's there. A clone's `pip install .` is what README.md says."""
    texts = [
        HOUSE.parent / "README.md",
        *(HOUSE.parent / "docs").rglob("*.md"),
        *HOUSE.rglob("*.py"),
        *HOUSE.rglob("*.html"),
    ]
    found = [str(text) for text in texts if re.search(r"pip install (-\S+ )*['\"]?agon\b", text.read_text())]
    assert found == []


def test_the_table_of_extras_is_complete() -> None:
    """README.md names each extra of the project, and no other."""
    rows = re.findall(r"^\| `\.\[(\w+)\]` \|", (HOUSE.parent / "README.md").read_text(), re.MULTILINE)
    assert rows == [extra for extra in PROJECT["optional-dependencies"] if extra != "all"]
