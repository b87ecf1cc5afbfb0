"""What an import brings: agon alone nothing, its public names little more than torch, and a parsed command no torch."""

import ast
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from jaxtyping import TypeCheckError

import agon
from agon.objectives import Minimax

BROUGHT = """
import sys
{before}
for program in {programs}:
    before = set(sys.modules)
    exec(program, globals())
    print("brought", *sorted(set(sys.modules) - before), file=sys.stderr)
"""
ALONE = {"agon"}
AFTER_TORCH = {"agon", "jaxtyping", "numpy", "typeguard", "typing_extensions"}  # typeguard checks recipes' budgets
PARSED = {"agon", "tyro", "typeguard", "typing_extensions", "docstring_parser"}


def brought(*programs: str, before: str = "") -> list[set[str]]:
    """The full names of all modules that programs import in one process, each beyond those that are there before it."""
    command = [sys.executable, "-W", "error", "-c", BROUGHT.format(before=before, programs=programs)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    told = [line.split()[1:] for line in ended.stderr.splitlines() if line.startswith("brought")]
    return [set(names) for names in told]


def foreign(modules: set[str], allowed: set[str]) -> set[str]:
    """Those that belong neither to Python nor to an allowed package; Cython's own comes with numpy.random."""
    known = sys.stdlib_module_names | allowed
    return {name for name in modules if name.partition(".")[0] not in known and not name.startswith("_cython_")}


def test_import_alone_brings_nothing() -> None:
    (modules,) = brought("import agon")
    assert foreign(modules, ALONE) == set()


def test_all_public_names_bring_little_more_than_torch() -> None:
    """Not one module of torch that `import torch` leaves out, such as torch._dynamo, and nobody else's but these.

    The negative controls: what a decorator of a network brought once, the parser, and images.
    """
    heavy = ("import torch._dynamo", "import agon.cli", "import PIL.Image")
    public, *caught = brought("from agon import *", *heavy, before="import torch")
    assert foreign(public, AFTER_TORCH) == set()
    assert all(foreign(modules, AFTER_TORCH) for modules in caught)
    assert len(caught) == len(heavy)


SHOWN = [
    "--help",
    "--version",
    "--print-completion bash",
    "recipes",
    "train --help",
    "reproduce --help",
]
REFUSED = [
    "recipes nothing",
    "nonsense",
    "train nonsense --out x",
    "train first/ring --sede 3 --out x",
    "train first/ring --scale huge --out x",
    "train first/ring --alarms loud --out x",
    "resume nowhere --alarms loud",
    "train /tmp --out x",
    "train first/ring --set batch --out x",
    "train first/ring --augment flip,adda --out x",
    "train first/ring --evaluate fdi --out x",
    "train first/ring --evaluate fid --evaluate-extractor nothing --out x",
    "evaluate --metrics fdi x",
    "evaluate --n x",
    "evaluate",
    "battle one",
    "compare one",
    "diagnose",
    "diagnose nowhere",
    "report",
    "reproduce nothing",
    "data digits --set size",
    "train first/ring --steps 0 --out x",
    "train first/ring --batch 0 --out x",
    "train first/ring --snapshots -1 --out x",
    "train first/ring --seed -1 --out x",
    "train first/ring --seeds 0 --out x",
    "train first/ring --devices 0 --out x",
    "train first/ring --threads -1 --out x",
    "train first/ring --memory -1 --out x",
    "resume nowhere --devices 0",
    "train first/ring --data rng --out x",
    "train first/ring --data ./nowhere --out x",
    "train first/ring --evaluate modes --evaluate-n 0 --out x",
    "train first/ring --out /",
    "train first/ring --seeds 2 --out /",
    "resume nowhere",
    "sample nowhere --out x",
    "sample nowhere --n 0 --out x",
    "sample nowhere --interpolate -1 --out x",
    "evaluate nowhere",
    "evaluate nowhere --n 0",
    "evaluate --samples nowhere",
    "evaluate --samples / --data rng",
    "battle nowhere elsewhere",
    "battle nowhere elsewhere --n 0",
    "battle nowhere elsewhere --seed -1",
    "battle nowhere elsewhere --tie 0.9",
    "battle nowhere elsewhere --tie nan",
    "battle nowhere --against elsewhere",
    "skill nowhere",
    "skill nowhere --n 0",
    "compare nowhere --with elsewhere",
    "compare nowhere --with elsewhere --out x.pdf",
    "report nowhere",
    "export nowhere --out x.pt",
    "export nowhere --out x.bin",
    "export nowhere --out x.pt --player critik",
    "play nowhere",
    "play nowhere --port 0",
    "sample nowhere --out x.gif",
    "sample pretrained:ring --out x.xyz",
    "data ring --out x.xyz",
    "train first/ring --epochs 3 --out x",
    "train first/ring --batch-size 3 --out x",
    "train first/ring --set epochs=3 --out x",
    "push nowhere owner/name",
    "push nowhere name",
    "sample hub:name --out x",
    "evaluate pretrained:nothing",
    "train pretrained:nothing --out x",
    "reproduce metz2017/figure1 --seeds 0",
    "reproduce metz2017/figure1 --data mnsit=x",
    "data rng",
    "data ./nowhere",
    "data ring --n 0 --out x",
]
IN_TURN = """
import sys
from agon.cli import main
for command in {commands}:
    try:
        assert main(command.split()) == {status}, command
    except SystemExit as end:
        assert not end.code, command
    assert not {{"torch", "numpy"}} & set(sys.modules), command
"""


@pytest.mark.parametrize(("commands", "status"), [(SHOWN, 0), (REFUSED, 2)])
def test_what_needs_no_torch_imports_none(commands: list[str], status: int) -> None:
    (modules,) = brought(IN_TURN.format(commands=commands, status=status))
    assert foreign(modules, PARSED) == set()


def test_what_runs_is_caught() -> None:
    """The negative control."""
    (modules,) = brought("from agon.cli import main; main(['data', 'ring'])")
    assert "torch" in modules


def test_what_type_checkers_read_is_what_python_imports() -> None:
    """The three lists of agon/__init__.py name the same, each from the same place."""
    tree = ast.parse(Path(agon.__file__).read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    read = {(a.asname or a.name): (node.module, a.name) for node in imports for a in node.names}
    lazy = {name: place.partition(":") for name, place in agon.LAZY.items()}
    assert {name: (module, attribute or name) for name, (module, _, attribute) in lazy.items()} == read
    assert sorted(agon.__all__) == sorted({*agon.LAZY, "__version__"})


@pytest.mark.parametrize("name", sorted(set(agon.__all__) - {"__version__"}))
def test_every_public_name_is_there_and_described(name: str) -> None:
    assert name in dir(agon)
    assert getattr(agon, name).__doc__.strip()


def test_rooms_are_found_at_their_first_use() -> None:
    for room in ("networks", "objectives", "terminal"):
        assert getattr(agon, room) is importlib.import_module(f"agon.{room}")
    with pytest.raises(AttributeError, match="'agon' has no attribute 'nonsense'"):
        _ = agon.nonsense  # type: ignore[attr-defined]


def test_shapes_are_checked_under_pytest() -> None:
    """What tests/conftest.py installs is there: a wrong shape does not pass."""
    with pytest.raises(TypeCheckError):
        Minimax().critic(torch.zeros(2, 1), torch.zeros(2, 1))


def test_no_room_takes_the_name_of_a_function() -> None:
    """Whatever is imported first, each public name is what agon/__init__.py says: no room is called as one of them."""
    again = "for name in [name for name in sys.modules if name.partition('.')[0] == 'agon']: del sys.modules[name]\n"
    rest = "import agon\nfrom agon.arena import battles\nassert callable(agon.evaluate)\n"
    rest += "assert callable(agon.report)\nfrom agon import *\nassert callable(evaluate) and callable(report)"
    first = ("agon.evaluation, agon.reports", "agon.papers", "agon")
    assert len(brought(*(f"{again}import {rooms}\n{rest}" for rooms in first), before="import torch")) == len(first)
    assert not {module.name for module in pkgutil.iter_modules(agon.__path__)} & set(agon.__all__)
