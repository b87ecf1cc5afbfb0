"""Classes that a user's script defines: run the script for them, and say which of them a later process cannot find."""

import sys
from collections.abc import Iterator, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from agon.errors import AgonError, SettingError
from agon.places import did_you_mean
from agon.untrusted import listed, sentence

MAIN = "__main__"
NAME = "__agon_script__"  # while it runs, so that what stands under `if __name__ == "__main__"` does not


class Reached(BaseException):
    """The script has called a function of agon that uses runs: by then its classes are defined."""


class _Running:
    """The script that this process was told to run.

    Attributes:
        path: the script; None if there is none.
        now: whether it is running.
    """

    path: Path | None = None
    now: bool = False


def run_script(path: Path) -> None:
    """Run a script up to its first training, so that runs can name its classes.

    It runs as if it were imported, with its own folder first on the path, and stops where it calls `agon.train` or
    another function that uses runs. Then it takes the place of this process's `__main__`.

    Raises:
        SettingError: there is no such script, or it fails.
    """
    spec = spec_from_file_location(NAME, path)
    if spec is None or spec.loader is None or not path.is_file():
        advice = did_you_mean(path, Path.is_file) if not path.exists() else ""
        raise SettingError(f"--from: expected a Python script, such as mine.py, got {path}{advice}")
    module = module_from_spec(spec)
    sys.modules[NAME], _Running.now = module, True
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except Reached:
        pass
    except (Exception, SystemExit) as error:
        reason = str(error) if isinstance(error, AgonError) else repr(error)
        raise SettingError(f"--from: {path} fails before its first training ({sentence(reason)})") from error
    finally:
        _Running.now = False
        del sys.modules[NAME]
    _become_main(module)
    _Running.path = path


def script_run() -> Path | None:
    """The script that this process was told to run; None if there is none."""
    return _Running.path


def stop_script() -> None:
    """End a script that `run_script` runs; every function that uses runs calls this first."""
    if _Running.now:
        raise Reached


def is_named(make: Any) -> bool:
    """Whether a class is one of the script that this process was told to run."""
    return _Running.path is not None and getattr(make, "__module__", None) == MAIN


def notices(described: Any) -> Iterator[str]:
    """What a later process must be told, or cannot do, to find the classes of an experiment again.

    Args:
        described: the experiment as nested plain values.
    """
    paths = sorted(set(values_under(described, "import")))
    inside = [path.partition(":")[2] for path in paths if "<" in path]
    of_modules = [path.replace(":", ".") for path in paths if not path.startswith(f"{MAIN}:") and "<" not in path]
    of_script = [path.partition(":")[2] for path in paths if path.startswith(f"{MAIN}:") and "<" not in path]
    script = getattr(sys.modules.get(MAIN), "__file__", None)
    if inside:
        yield (
            f"{listed(inside)}: defined inside a function, so only this process can load the run by its path; define "
            "classes at the top of a module to use the run elsewhere"
        )
    if of_modules:
        yield f"{listed(of_modules)}: not agon's own, so later commands on this run need --trust (in Python trust=True)"
    if of_script and script is not None:
        yield (
            f"{listed(of_script)}: defined in a script, so later commands on this run need --from {Path(script).name}; "
            "classes in a module of their own need --trust alone"
        )
    elif of_script:
        yield (
            f"{listed(of_script)}: defined in an interactive session, so only this session can load the run by its "
            "path; put the classes into a module or a script to use the run elsewhere"
        )
    if instances := sorted(set(values_under(described, "instance"))):
        yield (
            f"{listed(instances)}: ready instances, which no file can rebuild, so a later process needs the experiment "
            "too; use agon.part(...) to load the run by its path"
        )


def values_under(described: Any, key: str) -> Iterator[Any]:
    """Find every value under a key in nested plain values.

    >>> list(values_under({"game": [{"instance": "a:B"}], "instance": "c:D"}, "instance"))
    ['a:B', 'c:D']
    """
    if isinstance(described, Mapping):
        for name, value in described.items():
            if name == key:
                yield value
            else:
                yield from values_under(value, key)
    elif isinstance(described, list | tuple):
        for value in described:
            yield from values_under(value, key)


def _become_main(module: ModuleType) -> None:
    """Let a module be `__main__`, as its classes' import paths in a run say."""
    module.__name__, module.__spec__ = MAIN, None  # without a spec, other processes import it from its file
    for value in list(vars(module).values()):
        if isinstance(value, type | FunctionType) and value.__module__ == NAME:
            value.__module__ = MAIN
    sys.modules[MAIN] = module
