"""Where the time of a step goes that is compiled as a whole: products of matrices, the loops between them, and calls.

Ours are inductor's programs, whose kernels torch's profiler names. JAX's is one program of XLA, whose instructions its
own profiler names; which of them are products, the compiled program's text says.
"""

import gzip
import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.report import table

PRODUCT, LOOPS, OTHER, CALLS = KINDS = ("product", "loops", "other operations", "calls")
STEPS = 30
Milliseconds = Mapping[str, float]  # of each kind
Losing = tuple[str, Milliseconds, Milliseconds]  # a row that misses its bound, ours and theirs


def of_torch(make: Callable[[], Callable[[], object]], steps: int = STEPS) -> Milliseconds:
    """Ours: `make` compiles, and returns what makes a step."""
    from torch._inductor import config
    from torch.profiler import ProfilerActivity, profile

    with config.patch({"cpp.enable_kernel_profile": True}):
        advance = make()
        total = _processor_time(advance, steps)
        with profile(activities=[ProfilerActivity.CPU]) as seen:
            for _ in range(steps):
                advance()
    took = [(event.name, event.self_cpu_time_total) for event in seen.events()]
    return _by_kind(took, steps, _kind_in_torch, total)


def of_jax(advance: Callable[[], object], program: str, steps: int = STEPS) -> Milliseconds:
    """JAX's step, and the text of its compiled program."""
    import jax

    total = _processor_time(advance, steps)
    with TemporaryDirectory() as folder:
        with jax.profiler.trace(folder, create_perfetto_trace=True):
            for _ in range(steps):
                advance()
        (file,) = Path(folder).rglob("perfetto_trace.json.gz")
        trace = json.loads(gzip.decompress(file.read_bytes()))
    kinds = dict(instructions(program))
    took = [(event["name"], event["dur"]) for event in trace["traceEvents"] if event.get("name") in kinds]
    return _by_kind(took, steps, kinds.__getitem__, total)


def instructions(program: str) -> Iterator[tuple[str, str]]:
    """Name and kind of each instruction of a compiled program's text: one that calls a product is a product."""
    parts = {
        name: (entry, body)
        for entry, name, body in re.findall(
            r"^(ENTRY )?%?(\S+) \([^\n]*\{\n(.*?)^\}", program, re.MULTILINE | re.DOTALL
        )
    }
    multiplying = {name for name, (_, body) in parts.items() if " dot(" in body}
    for _, body in parts.values():
        for name, operation, rest in re.findall(r"^\s+(?:ROOT )?%?(\S+) = \S+ ([\w-]+)\((.*)$", body, re.MULTILINE):
            called = re.search(r"calls=%?([^,\s]+)", rest)
            multiplies = operation == "dot" or (called is not None and called[1] in multiplying)
            yield name, PRODUCT if multiplies else LOOPS


def explanation(losing: Sequence[Losing]) -> str:
    """A table of the rows that miss their bound: a row's name, our profile and theirs. Empty if there are none."""
    if not losing:
        return ""
    rows = [
        (name, whose, *(f"{of.get(kind, 0.0):.2f}" for kind in KINDS), f"{sum(of.values()):.2f}")
        for name, ours, theirs in losing
        for whose, of in (("ours", ours), ("theirs", theirs))
    ]
    return (
        "\n\nWhere the time of the compiled rows above their bound goes, in ms of a step: products of matrices, the "
        "loops between them, other operations, such as allocations and copies, and what is left of the processor's "
        "time of a step, which is Python and the calls of programs.\n\n" + table(("row", "", *KINDS, "all"), rows)
    )


def _by_kind(
    took: Iterable[tuple[str, float]], steps: int, kind_of: Callable[[str], str], total: float
) -> dict[str, float]:
    """Milliseconds of each kind: of each operation of a step the median over the steps, in microseconds."""
    by_name = defaultdict[str, list[float]](list)
    for name, microseconds in took:
        by_name[name].append(microseconds)
    of = dict.fromkeys(KINDS, 0.0)
    for name, times in by_name.items():
        each = max(1, round(len(times) / steps))  # in one step
        of[kind_of(name)] += sum(median(times[place::each]) for place in range(min(each, len(times)))) / 1000
    of[CALLS] += max(0.0, total - sum(of.values()))
    return of


def _kind_in_torch(name: str) -> str:
    if name in ("aten::mm", "aten::addmm", "aten::bmm") or name.startswith("mkldnn"):
        return PRODUCT
    if re.match(r"(graph_\d+_)?cpp_", name):
        return LOOPS
    return OTHER if name.startswith("aten::") else CALLS


def _processor_time(advance: Callable[[], Any], steps: int) -> float:
    """Milliseconds of a step, after some that compile and warm."""
    for _ in range(5):
        advance()
    began = time.process_time()
    for _ in range(steps):
        advance()
    return 1000 * (time.process_time() - began) / steps
