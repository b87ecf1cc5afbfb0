"""python -m tests.fuzz FIRST LAST: run the cases from FIRST up to LAST in this process, without checks of types.

Each that ends neither in success nor in one sentence with status 2 (3 where a training diverged) is told with the
command that repeats it, and the process ends with status 1.
"""

import contextlib
import io
import os
import resource
import shutil
import signal
import sys
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

import numpy as np

from agon.cli import main
from agon.cli.diagnose import FOUND
from agon.figures.pictures import png
from tests.fuzz.cases import TINY, Place, case, told

SEED = 16
SECONDS = 60  # that one case may take
LONGEST = 2_000  # characters of a message
ADDRESSES = 2**34  # bytes: what wants more must be refused, and must not take the machine with it


def prepared(folder: Path) -> Place:
    things = {name: folder / name for name in ("points", "images", "critic", "classifier", "unsaved", "deep")}
    recipes = (
        "first/ring",
        "first/digits",
        "first/digits",
        "yamazaki2017/mnist-classifier",
        "first/ring",
        "first/ring",
    )
    for recipe, run in zip(recipes, things.values(), strict=True):
        assert ended(["train", recipe, *TINY, "--out", str(run)]) == (0, "")
    things["seeds"] = folder / "seeds"
    seeds = ["--seeds", "2", "--strategy", "batched", "--out", str(folder / "seeds")]
    assert ended(["train", "first/ring", *TINY, *seeds])[0] == 0
    shutil.rmtree(things["unsaved"] / "checkpoints")
    (things["deep"] / "experiment.json").write_text("[" * 100_000)
    for name, shape in {"samples": (8, 8, 1), "colours": (8, 8, 3), "mixed": (8, 9, 1)}.items():
        things[name] = folder / name
        things[name].mkdir()
        for i in range(6):
            side = shape if name != "mixed" or i else (5, 5, 1)
            content = np.random.default_rng(i).integers(0, 256, side, np.uint8)
            (things[name] / f"{i}.png").write_bytes(png(content))
    np.savez(folder / "points.npz", samples=np.zeros((9, 2), np.float32))
    np.savez(folder / "objects.npz", samples=np.array([{}], dtype=object))
    (folder / "broken.npz").write_bytes(b"PK\x03\x04")
    (folder / "empty").mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to(folder / "loop")
    for name in ("points.npz", "objects.npz", "broken.npz", "empty", "pipe", "loop"):
        things[name] = folder / name
    return Place(folder / "out", things)


def ended(arguments: list[str]) -> tuple[int, str]:
    """The status of a command in this process, and what it complains of."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            status = main(arguments)
        except SystemExit as asked:
            status = int(asked.code or 0)
    complaint = err.getvalue() if status else ""
    return status, complaint


def fault(arguments: list[str]) -> str | None:
    """What is wrong with how a command ended; None for success, or a sentence with status 2 or 3."""

    def late(number: int, frame: FrameType | None) -> None:
        raise TimeoutError(f"more than {SECONDS} seconds")

    previous = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        status, complaint = ended(arguments)
    except BaseException as error:
        return f"raised {error!r}"
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
    lines = [line for line in complaint.splitlines() if line.startswith("agon: ")]
    if status == FOUND and not complaint and arguments[0] == "diagnose":
        return None
    if status in (0, 2, 3) and (not status or (len(lines) == 1 and len(complaint) < LONGEST)):
        return None
    return f"status {status}: {complaint[:1_000]} ({len(complaint)} characters)"


def faults(place: Place, indices: range) -> list[str]:
    """The cases that end neither in success nor in a sentence, each with the command that repeats it."""
    found = []
    for index in indices:
        arguments = case(SEED, index, place)
        wrong = fault(arguments)
        if wrong is not None:
            found.append(f"case {index}: {told(arguments)}\n    {wrong}")
        for left in place.out.parent.glob(f"{place.out.name}*"):
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)
    return found


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, resource.getrlimit(resource.RLIMIT_AS)[1]))
    with TemporaryDirectory() as temporary, contextlib.chdir(temporary):
        found = faults(prepared(Path(temporary)), range(*map(int, sys.argv[1:3])))
    print("\n".join(found).encode("utf-8", "backslashreplace").decode())
    sys.exit(bool(found))
