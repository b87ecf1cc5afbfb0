"""How long agon takes to start: its public names beyond `import torch`, its help, and the first step of a training."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from agon.data.arrays import DIGITS
from benchmarks.report import Section, table

CLOCKED = "import time; t = time.perf_counter(); {}; print(time.perf_counter() - t)"
HEAVY = ("datasets", "lightning_fabric", "matplotlib", "sklearn", "pyarrow", "PIL", "rich", "tyro")
HELP = "from agon.cli import main; main(['--help'])"
FIRST = """
import os, sys
from agon.cli import main
from agon.training.training import Training
advance = Training.advance
Training.advance = lambda self: (advance(self), os._exit(0))
main(["train", "first/digits", "--out", sys.argv[1]])
sys.exit("no step was made")
"""


def section(quick: bool) -> Section:
    """The time, and which heavy packages came along."""
    times = 1 if quick else 5
    torch = statistics.median(_seconds("import torch") for _ in range(times))
    beyond = statistics.median(_seconds("from agon import *", "import torch; ") for _ in range(times))
    loaded = _printed(f"import sys; from agon import *; print(*[n for n in {HEAVY} if n in sys.modules])").strip()
    helped = statistics.median(_whole("-c", HELP) for _ in range(times))
    ours, theirs = _first_steps(times)
    rows = [
        ("`from agon import *` beyond `import torch`", f"{beyond:.2f}", f"{torch:.2f}", "**under 0.3 s**"),
        ("`agon --help`, from nothing", f"{helped:.2f}", "-", "**0.5 s**"),
        ("`agon train first/digits`, from nothing to its first step", f"{ours:.2f}", f"{theirs:.2f}", "**1.3 times**"),
    ]
    return Section(
        "Import",
        f"Each in a fresh interpreter, wall time, median of {times}, with an installation's bytecode. Beside "
        "the names stands torch's own import; beside the first step that of a script by hand, its imports included "
        "(`benchmarks/start_by_hand.py`: a DCGAN of the same layers on the same digits). Up to its first step "
        f"agon takes **{ours / theirs:.2f}** times as long as that script, and also writes the run's directory and its "
        f"first samples. Heavy packages that came with the public names: {loaded or 'none'}.",
        table(("what", "agon, s", "beside, s", "bound"), rows),
    )


def _first_steps(times: int) -> tuple[float, float]:
    """Median seconds from nothing to the first step, of both sides by turns."""
    ours, theirs = [], []
    with TemporaryDirectory() as folder:
        for at in range(times + 1):
            ours.append(_whole("-c", FIRST, str(Path(folder, str(at)))))
            theirs.append(_whole("-m", "benchmarks.start_by_hand", str(DIGITS)))
    return statistics.median(ours[1:]), statistics.median(theirs[1:])  # the first has compiled the bytecode


def _seconds(statement: str, before: str = "") -> float:
    return float(_printed(before + CLOCKED.format(statement)))


def _whole(*arguments: str) -> float:
    began = time.perf_counter()
    _run(arguments)
    return time.perf_counter() - began


def _printed(code: str) -> str:
    return _run(("-c", code))


def _run(arguments: Sequence[str]) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
