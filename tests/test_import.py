"""`import agon` costs little more than `import torch`: what is heavy is imported where it is used."""

import subprocess
import sys

import pytest
import torch
from jaxtyping import TypeCheckError

from agon.objectives import Minimax

PROGRAM = """
import sys, time
import torch
before, began = set(sys.modules), time.perf_counter()
import {module}
print(time.perf_counter() - began)
print(*{{name.partition(".")[0] for name in set(sys.modules) - before}})
"""
LATE = {
    "PIL", "datasets", "lightning_fabric", "matplotlib", "pandas", "plotly", "rich", "scipy", "sklearn",
    "tensorboard", "typeguard", "tyro",
}  # fmt: skip


def after_torch(module: str) -> tuple[float, set[str]]:
    """Seconds that an import takes after torch's, and the packages that it brings."""
    command = [sys.executable, "-W", "error", "-c", PROGRAM.format(module=module)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return float(told[0]), set(told[1].split())


def test_import_brings_nothing_heavy() -> None:
    seconds, packages = after_torch("agon")
    print(f"import agon adds {seconds:.2f} s to import torch")
    assert packages & LATE == set()


def test_a_heavy_import_is_caught() -> None:
    """The negative control: the command line does need its parser."""
    assert "tyro" in after_torch("agon.cli")[1]


def test_shapes_are_checked_under_pytest() -> None:
    """What tests/conftest.py installs is there: a wrong shape does not pass."""
    with pytest.raises(TypeCheckError):
        Minimax().critic(torch.zeros(2, 1), torch.zeros(2, 1))
