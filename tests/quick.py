"""Which test modules `make test-fast` runs: those that train nothing and start no process, by what they import."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
TRAIN = {"training", "jobs", "evaluation", "arena", "papers", "classifiers", "samples", "cli"}  # rooms
CALLS = {"train", "resume", "replicate", "evaluate", "battle", "reproduce"}  # of agon itself
START = {"subprocess", "multiprocessing", "torch.multiprocessing", "os.fork"}
SLOW = {  # train nothing, and take many seconds all the same: compilers, finite differences, many features, whole sets
    "dynamics/test_aliases.py",
    "dynamics/test_compiled.py",
    "dynamics/test_unrolled_exact.py",
    "dynamics/test_unrolled_loss.py",
    "metrics/test_fid.py",
    "metrics/test_inception.py",
    "data/test_broken.py",
    "data/test_stacked.py",
}


def is_fast(path: Path) -> bool:
    """Whether a test module trains nothing, starts no process, and is not known to be slow."""
    return str(path.relative_to(HERE)) not in SLOW and not trains(path)


@cache
def trains(path: Path) -> bool:
    """Whether a module of the tests, its folder's fixtures or what it imports of the tests can train."""
    names = set(used(path))
    helpers = {HERE.parent / f"{name.replace('.', '/')}.py" for name in names if name.startswith("tests.")}
    helpers |= {path.with_name("conftest.py")} if path.parent != HERE else set()
    rooms = {name.split(".")[1] for name in names if name.startswith("agon.")}
    if rooms & (TRAIN | CALLS) or names & START:
        return True
    return any(trains(helper) for helper in helpers - {path} if helper.exists())


def used(path: Path) -> Iterator[str]:
    """What a module imports, and what it takes from `agon`, as dotted names."""
    package = ("tests", *path.relative_to(HERE).parent.parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            place = package[: len(package) + 1 - node.level] if node.level else ()
            module = ".".join((*place, *filter(None, [node.module])))
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"
