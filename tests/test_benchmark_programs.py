"""Profiles of compiled steps, and of threads: kinds, medians over the steps, and Linux's own counts."""

import threading

import pytest

from benchmarks import programs, scheduling
from benchmarks.scheduling import Scheduled

PROGRAM = """HloModule jit_step

%fused_computation.1 (a: f32[4,3], b: f32[3,2]) -> f32[4,2] {
  %a = f32[4,3]{1,0} parameter(0)
  %b = f32[3,2]{1,0} parameter(1)
  ROOT %dot.7 = f32[4,2]{1,0} dot(%a, %b), lhs_contracting_dims={1}, rhs_contracting_dims={0}
}

%fused_computation.2 (c: f32[4,2]) -> f32[4,2] {
  %c = f32[4,2]{1,0} parameter(0)
  ROOT %maximum.1 = f32[4,2]{1,0} maximum(%c, %c)
}

ENTRY %main.9 (x: f32[4,3], y: f32[3,2]) -> f32[4,2] {
  %x = f32[4,3]{1,0} parameter(0)
  %y = f32[3,2]{1,0} parameter(1)
  %ynn_fusion.1 = f32[4,2]{1,0} fusion(%x, %y), kind=kCustom, calls=%fused_computation.1, metadata={op_name="dot"}
  %dot.3 = f32[3,3]{1,0} dot(%x, %x), lhs_contracting_dims={0}, rhs_contracting_dims={0}
  ROOT %loop_fusion = f32[4,2]{1,0} fusion(%ynn_fusion.1), kind=kLoop, calls=%fused_computation.2
}
"""


def test_an_instruction_that_calls_a_product_is_one() -> None:
    kinds = dict(programs.instructions(PROGRAM))
    assert kinds["ynn_fusion.1"] == kinds["dot.3"] == programs.PRODUCT
    assert kinds["loop_fusion"] == programs.LOOPS


def test_a_step_s_operations_are_medians_over_the_steps_and_the_rest_are_calls() -> None:
    """One step in which another process had the core changes nothing; two operations of a name are both counted."""
    took = [("aten::mm", 100.0), ("aten::mm", 300.0), ("graph_0_cpp_fused_add_0", 50.0)] * 3
    took[3:5] = [("aten::mm", 90_000.0), ("aten::mm", 90_000.0)]
    took += [("aten::empty", 10.0)] * 6
    of = programs._by_kind(took, 3, programs._kind_in_torch, total=1.0)
    assert of == pytest.approx({"product": 0.4, "loops": 0.05, "other operations": 0.02, "calls": 0.53})
    text = programs.explanation([("K = 1", of, of)])
    assert text.splitlines()[-1] == "| K = 1 | theirs | 0.40 | 0.05 | 0.02 | 0.53 | 1.00 |"
    assert programs.explanation([]) == ""


def test_a_profile_of_torch_knows_products_from_calls() -> None:
    import torch

    a = torch.randn(64, 64)
    of = programs.of_torch(lambda: lambda: (a @ a).relu_(), steps=5)
    assert of["product"] > 0
    assert of["other operations"] > 0
    assert of["loops"] == 0


def test_the_time_of_all_threads_is_counted() -> None:
    """On a system that counts it: a thread of its own that computes adds to what runs."""
    before = Scheduled.now()
    thread = threading.Thread(target=lambda: sum(range(2_000_000)))
    thread.start()
    while thread.is_alive():
        thread.join(0.001)
        during = Scheduled.now().since(before)
    assert during.running >= 0
    assert (during.running > 0) == any(scheduling.TASKS.glob("*/schedstat"))
    told = scheduling.explanation([("mnist, 1", "ours", 1, 80.0, [Scheduled(0.05, 0.03), Scheduled(0.07, 0.01)])])
    assert told.splitlines()[-1] == "| mnist, 1 | ours | 1 | 80 | 60 | 20 |"
