"""Where a step's time goes: each of torch's operations by its kind, and Python, for the rows that miss their bound."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks.report import table

KINDS: dict[str, tuple[str, ...]] = {  # kind -> how the names of its operations begin
    "convolution": ("convolution", "col2im", "im2col"),
    "product": ("mm", "addmm", "bmm", "baddbmm", "mv", "dot", "mkldnn_rnn_layer"),
    "normalisation": ("native_batch_norm", "native_layer_norm"),
    "activation": ("relu", "leaky_relu", "threshold", "sigmoid", "tanh", "softplus", "elu", "_softmax"),
}
OPTIMISER, REST, PYTHON = "optimiser", "rest", "Python"
COLUMNS = (*KINDS, OPTIMISER, REST, PYTHON)


class Profile(NamedTuple):
    """A step's operations.

    Attributes:
        milliseconds: by kind, of the main thread's CPU time; Python's are what is left of the whole step.
        launches: how many operations there were, views included.
        moved: bytes that they read and wrote.
    """

    milliseconds: Mapping[str, float]
    launches: float
    moved: float

    def divided(self, by: float) -> "Profile":
        """The share of one of so many."""
        each = {kind: value / by for kind, value in self.milliseconds.items()}
        return Profile(each, self.launches / by, self.moved / by)

    @property
    def total(self) -> float:
        """Milliseconds of a step."""
        return sum(self.milliseconds.values())


def profiled(advance: Callable[[], object], steps: int = 3) -> Profile:
    """Profile some steps, after one that is not counted."""
    advance()
    total = _cpu(advance, steps)
    recorder = Recorder()
    with _optimisers_seen(recorder), recorder:
        for _ in range(steps):
            advance()
    extra = _overhead()
    of = {kind: max(0.0, recorder.seconds[kind] - extra * recorder.calls[kind]) / steps for kind in COLUMNS}
    of[PYTHON] = max(0.0, total - sum(of.values()))
    calls = sum(recorder.calls.values()) / steps
    return Profile({kind: 1000 * value for kind, value in of.items()}, calls, recorder.moved / steps)


def explanation(losing: Sequence[tuple[str, Profile, Profile]]) -> str:
    """A table of the rows that miss their bound: a row's name, our profile and theirs. Empty if there are none."""
    if not losing:
        return ""
    rows = [
        (name, whose, *(f"{p.milliseconds[kind]:.1f}" for kind in COLUMNS), f"{p.launches:.0f}", f"{p.moved / 1e6:.0f}")
        for name, ours, theirs in losing
        for whose, p in (("ours", ours), ("theirs", theirs))
    ]
    return (
        "\n\nWhere the time of the rows above their bound goes, in ms of the main thread's CPU: torch's operations "
        "by kind, what an optimiser's step calls, and Python; then how many operations there are, and the MB that they "
        "read and write.\n\n" + table(("row", "", *COLUMNS, "operations", "MB"), rows)
    )


class Recorder(TorchDispatchMode):
    """Adds up the CPU time, the number and the bytes of operations.

    Attributes:
        seconds, calls: by kind.
        moved: bytes of the tensors that operations took and returned, views left out.
        optimising: whether an optimiser steps at the moment.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seconds, self.calls = Counter[str](), Counter[str]()
        self.moved, self.optimising = 0, False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        began = time.thread_time()
        result = func(*args, **(kwargs or {}))
        took = time.thread_time() - began
        kind = OPTIMISER if self.optimising else kind_of(str(func._overloadpacket).partition(".")[2])
        self.seconds[kind] += took
        self.calls[kind] += 1
        if not func.is_view:
            self.moved += sum(t.numel() * t.element_size() for t in _tensors((args, result)))
        return result


def kind_of(name: str) -> str:
    """The kind of an operation, such as "mm"."""
    return next((kind for kind, begins in KINDS.items() if name.startswith(begins)), REST)


def launch_cost() -> float:
    """Seconds of an operation on next to nothing, its gradient recorded."""
    x = torch.zeros(2, requires_grad=True)
    return min(_cpu(lambda: x + x, 500) for _ in range(5))


def bandwidth(size: int = 2**26) -> float:
    """Bytes a second that copying moves, read and written."""
    one, other = torch.zeros(size // 4), torch.zeros(size // 4)
    return 2 * size / min(_cpu(lambda: other.copy_(one), 2) for _ in range(5))


@contextmanager
def _optimisers_seen(recorder: Recorder) -> Iterator[None]:
    """Within it, the recorder knows when an optimiser steps."""

    def stepping(value: bool) -> Callable[..., None]:
        def hook(*_: object) -> None:
            recorder.optimising = value

        return hook

    handles = register_optimizer_step_pre_hook(stepping(True)), register_optimizer_step_post_hook(stepping(False))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _overhead(times: int = 200) -> float:
    """Seconds that recording adds to what an operation takes."""
    x, recorder = torch.zeros(2), Recorder()
    plain = median(_cpu(x.detach, times) for _ in range(5))
    with recorder:
        for _ in range(5 * times):
            x.detach()
    return max(0.0, recorder.seconds.total() / (5 * times) - plain)


def _cpu(call: Callable[[], object], times: int) -> float:
    """CPU time of one of some calls."""
    began = time.thread_time()
    for _ in range(times):
        call()
    return (time.thread_time() - began) / times


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for part in value:
            yield from _tensors(part)
