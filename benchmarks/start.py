"""How long all public names of agon take beyond `import torch`."""

import statistics
import subprocess
import sys

from benchmarks.report import Section, table

CLOCKED = "import time; t = time.perf_counter(); {}; print(time.perf_counter() - t)"
HEAVY = ("datasets", "lightning_fabric", "matplotlib", "sklearn", "pyarrow", "PIL", "rich", "tyro")


def section(quick: bool) -> Section:
    """The time, and which heavy packages came along."""
    times = 3 if quick else 7
    torch = statistics.median(_seconds("import torch") for _ in range(times))
    beyond = statistics.median(_seconds("from agon import *", "import torch; ") for _ in range(times))
    loaded = _printed(f"import sys; from agon import *; print(*[n for n in {HEAVY} if n in sys.modules])").strip()
    return Section(
        "Import",
        f"Each in a fresh interpreter, median of {times}. Bound: `from agon import *` adds under 0.3 s to "
        "`import torch`, and brings nothing that draws or reads data sets.",
        table(
            ("import torch, s", "agon beyond it, s", "heavy packages that came with it"),
            [(f"{torch:.2f}", f"**{beyond:.2f}**", loaded or "none")],
        ),
    )


def _seconds(statement: str, before: str = "") -> float:
    return float(_printed(before + CLOCKED.format(statement)))


def _printed(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
