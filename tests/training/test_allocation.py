"""Freed memory is kept for the next step."""

import ctypes
import resource

import pytest
import torch

from agon.training.allocation import OWN, keep_freed_memory


def pages_of_a_step() -> int:
    """New pages that a step of 40 MiB in pieces asks for, once it has been made before."""

    def step() -> None:
        pieces = [torch.zeros(2**16) for _ in range(160)]
        del pieces

    step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    step()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def test_a_step_finds_the_memory_of_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in OWN:
        monkeypatch.delenv(name, raising=False)
    keep_freed_memory()
    assert pages_of_a_step() < 40 * 2**20 / 4096 / 10


@pytest.mark.parametrize("name", sorted(OWN))
def test_a_user_s_own_setting_wins(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "1")
    monkeypatch.setattr(ctypes, "CDLL", lambda *_: pytest.fail("glibc was told"))
    keep_freed_memory()
