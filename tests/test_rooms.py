"""The rooms in their order: a room imports only from rooms above it, and nothing in it is large."""

import ast
from collections.abc import Collection, Iterator
from pathlib import Path

import agon

HOUSE = Path(agon.__file__).parent
ORDER = (
    ("untrusted",),
    ("errors",),
    ("arguments", "places", "ranks"),
    ("cores",),
    ("terminal",),
    ("figures",),
    ("augmentation",),
    ("data",),
    ("latents",),
    ("networks",),
    ("objectives",),
    ("penalties", "projections"),
    ("games",),
    ("dynamics",),
    ("averaging",),
    ("experiment",),
    ("recipes",),
    ("storage",),
    ("runs",),
    ("jobs",),
    ("training",),
    ("samples",),
    ("exports",),
    ("hub",),
    ("metrics",),
    ("classifiers",),
    ("evaluation",),
    ("arena",),
    ("diagnosis",),
    ("models",),
    ("sweeps",),
    ("reports",),
    ("papers",),
    ("play",),
    ("cli",),
    ("__main__",),
)
FLOOR = {room: floor for floor, rooms in enumerate(ORDER) for room in rooms}
CLOSED = {"metrics": {"runs", "training"}}  # above it, and still not for it
BODY, FILE = 45, 300  # lines


def modules() -> Iterator[tuple[str, str]]:
    """Dotted name and source of every module; a package's own is "agon.data.__init__"."""
    for path in sorted(HOUSE.rglob("*.py")):
        yield ".".join(("agon", *path.relative_to(HOUSE).with_suffix("").parts)), path.read_text()


def imported(module: str, source: str) -> Iterator[str]:
    """What of agon a module imports, anywhere in it, as dotted names."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            place = module.split(".")[: -node.level] if node.level else []
            yield from (".".join([*place, *filter(None, [node.module]), a.name]) for a in node.names)


def forbidden(module: str, source: str) -> list[str]:
    """The imports of a module that lead downwards."""
    room = module.split(".")[1]
    found = []
    for name in imported(module, source):
        package, *rest = name.split(".")
        if package != "agon" or name == "agon.__version__":
            continue
        other = rest[0] if rest else ""
        above = FLOOR.get(other, len(ORDER)) < FLOOR[room] and other not in CLOSED.get(room, ())
        if other != room and not above:
            found.append(f"{module} imports {name}")
    return found


def test_every_room_is_in_the_order() -> None:
    rooms = {module.split(".")[1] for module, _ in modules()} - {"__init__"}
    assert rooms == set(FLOOR)


def test_rooms_import_only_from_rooms_above() -> None:
    found = [line for m, source in modules() if m != "agon.__init__" for line in forbidden(m, source)]
    assert found == []


def test_a_planted_import_is_caught() -> None:
    """The negative control: each way to write an import that leads downwards."""
    planted = {
        "from agon.training import train": "agon.data.toy",
        "from ..training import train": "agon.data.toy",
        "from .. import training": "agon.data.toy",
        "import agon.cli": "agon.recipes.first",
        "from agon import samples": "agon.training.loop",
        "from agon import Experiment": "agon.games.game",
        "def f():\n    from agon.reports import write": "agon.evaluation",
        "from agon.runs import Run": "agon.metrics.judge",
        "from ..data import Source": "agon.figures.pictures",
    }
    for source, module in planted.items():
        assert len(forbidden(module, source)) == 1, source
    assert forbidden("agon.data.toy", "import torch\nfrom . import expect\nfrom ..errors import DataError") == []


def test_bodies_and_files_stay_small() -> None:
    """A function that does not fit a screen has two ideas; so has a file of 300 lines."""
    large = []
    for module, source in modules():
        sizes = {module: (source.count("\n"), FILE)}
        functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
        sizes |= {f"{module}.{node.name}": (body_lines(node), BODY) for node in functions}
        large += [f"{name}: {lines} lines" for name, (lines, most) in sizes.items() if lines > most]
    assert large == []


def body_lines(node: ast.FunctionDef) -> int:
    """Lines of a function's body, its docstring left out."""
    statements = node.body[1:] if ast.get_docstring(node) else node.body
    return (statements[-1].end_lineno or 0) - statements[0].lineno + 1 if statements else 0


def test_no_modules_import_each_other() -> None:
    """Not even in a circle of several, and not even inside a function: every file can be read after those above it."""
    known = {module.removesuffix(".__init__"): source for module, source in modules()}
    below = {module: set(_files(module, source, known)) for module, source in known.items()}
    while free := {module for module, names in below.items() if not names}:
        below = {module: names - free for module, names in below.items() if module not in free}
    assert below == {}


def _files(module: str, source: str, known: Collection[str]) -> Iterator[str]:
    """The other modules of agon that a module imports; packages whose doors only pass on are looked through."""
    package = f"{module}.__init__" if (HOUSE.parent / module.replace(".", "/")).is_dir() else module
    for name in imported(package, source):
        parent = name.rpartition(".")[0]
        target = name if name in known else parent
        if target in known and target != module and not (HOUSE.parent / target.replace(".", "/")).is_dir():
            yield target
