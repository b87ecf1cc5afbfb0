"""A captured program, replayed, computes what it computes; what a replay would not compute is not captured."""

from collections.abc import Callable
from types import FunctionType, MethodType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._inductor.output_code import CompiledFxGraph
from torch._inductor.select_algorithm import extern_kernels

from agon.dynamics.unrolled.compiled.capture import Replayed

HEAD = "def call(self, args):\n    one, other, static = args\n    args.clear()\n    "
PRODUCT = (  # static += one; one @ otherᵀ + static
    "buf = empty_strided_cpu((2, 2), (2, 1), torch.float32); cpp_fused_add_0(static, one, static);"
    "extern_kernels.mm(one, reinterpret_tensor(other, (2, 2), (1, 2), 0), out=buf);"
    "out = empty_strided_cpu((2, 2), (2, 1), torch.float32); cpp_fused_add_0(buf, static, out); return (out, )"
)


def program(body: str, **more: Any) -> Callable[[list[Tensor]], list[Tensor]]:
    """A program as inductor writes it, without a compiler."""
    names: dict[str, Any] = {
        "torch": torch,
        "extern_kernels": extern_kernels,
        **more,
        "empty_strided_cpu": lambda size, stride, dtype: torch.empty_strided(size, stride, dtype=dtype),
        "reinterpret_tensor": torch._C._dynamo.guards._reinterpret_tensor,
        "cpp_fused_add_0": lambda a, b, out: torch.add(a, b, out=out),
    }
    exec(compile(HEAD + body, "program", "exec"), names)
    assert isinstance(names["call"], FunctionType)
    graph = object.__new__(CompiledFxGraph)
    runs = {"current_callable": MethodType(names["call"], SimpleNamespace())}
    vars(graph).update({**runs, "_compile_context": None, "compiled_fn_runner": None})
    return lambda tensors: list(graph(list(tensors)))


def given(count: int = 5) -> list[list[Tensor]]:
    """Two tensors for each of several calls; at the first two they are one and the same."""
    torch.manual_seed(0)
    one = torch.randn(2, 2)
    return [[one, one], [one, one], *([torch.randn(2, 2), torch.randn(2, 2)] for _ in range(count - 2))]


def replayed(call: Callable[[list[Tensor]], list[Tensor]], static: Tensor, known: list[Tensor]) -> Replayed[Any]:
    return Replayed(lambda pair: call([*pair, static]), known)


def assert_right(made: Replayed[Any], static: Tensor) -> None:
    expected = static.clone()
    for one, other in given():
        expected += one
        torch.testing.assert_close(made([one, other])[0], one @ other.T + expected, rtol=0, atol=0)
        assert torch.equal(static, expected)


def test_a_replay_is_the_function() -> None:
    """On other tensors, and on a view of one of them; it changes what the function changes."""
    static = torch.ones(2, 2)
    made = replayed(program(PRODUCT), static, [static])
    assert_right(made, static)
    assert made.is_captured


def test_of_several_programs_too() -> None:
    """The second takes the first one's result, which the buffers of the second must not overwrite."""
    static, call = torch.zeros(2, 2), program(PRODUCT)
    made = Replayed(lambda pair: [*(first := call([*pair, static])), *call([pair[0], first[0], static])], [static])
    expected = torch.zeros(2, 2)
    for one, other in given():
        first, second = made([one, other])
        expected += one
        torch.testing.assert_close(first, one @ other.T + expected, rtol=0, atol=0)
        expected += one
        torch.testing.assert_close(second, one @ first.T + expected, rtol=0, atol=0)
    assert made.is_captured


UNKNOWN = {  # what a replay would not compute: another function, a tensor of its own, a tensor from elsewhere
    "another function": PRODUCT.replace("return", "aten.add_(out, 0); return"),
    "an allocation of another kind": PRODUCT.replace("out = empty_strided_cpu", "out = empty_strided_other"),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_program_that_calls_anything_else_is_not_captured(name: str) -> None:
    other = {"aten": torch, "empty_strided_other": lambda size, stride, dtype: torch.empty(size, dtype=dtype)}
    other["aten"] = SimpleNamespace(add_=lambda tensor, number: tensor.add_(number))
    static = torch.ones(2, 2)
    made = replayed(program(UNKNOWN[name], **other), static, [static])
    assert_right(made, static)
    assert not made.is_captured


def test_a_result_that_is_not_the_programs_own_is_not_captured() -> None:
    """A tensor that nobody said is static; a given tensor that is handed on; what is computed between programs."""
    static, call = torch.ones(2, 2), program(PRODUCT)
    unsaid = replayed(call, static, [])
    assert_right(unsaid, static)
    between = Replayed(lambda pair: call([pair[0] * 1, pair[1], static]), [static])
    assert_right(between, static)
    handed_on = Replayed(lambda pair: [*call([*pair, static]), pair[0]], [static])
    assert_right(handed_on, static)
    assert not any(made.is_captured for made in (unsaid, between, handed_on))


def test_what_a_replay_does_not_repeat_is_not_captured() -> None:
    """The negative control: the function itself changes a static tensor, which no program does; it stays right."""
    static = torch.ones(2, 2)
    call = program(PRODUCT.replace("cpp_fused_add_0(static, one, static);", ""))
    made = Replayed(lambda pair: (static.add_(pair[0]), call([*pair, static]))[1], [static])
    assert_right(made, static)
    assert not made.is_captured


def test_programs_are_called_as_before_after_a_capture() -> None:
    before = CompiledFxGraph.__call__
    static = torch.ones(2, 2)
    assert_right(replayed(program(PRODUCT), static, [static]), static)
    assert CompiledFxGraph.__call__ is before
