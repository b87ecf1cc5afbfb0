"""The unrolled step on the ring: against other libraries, against K, and in memory."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from agon import Batch, Turns, Unrolled
from agon.dynamics import update
from benchmarks.apart import BATCH, Asked, Side, known, sides
from benchmarks.operators import Profile, bandwidth, explanation, launch_cost
from benchmarks.peers import peer
from benchmarks.peers.agon_step import AgonStep
from benchmarks.peers.agreement import after, difference
from benchmarks.peers.game import points
from benchmarks.peers.plain_torch import PlainTorch
from benchmarks.programs import Losing
from benchmarks.programs import explanation as in_programs
from benchmarks.report import Section, shown, table
from benchmarks.timing import Rounds, by_turns, seconds

AHEAD = 10  # K
ROW, FEW = 10, 8  # seconds of a row's rounds, and rounds of a row without a bound
Pair = tuple[str, str, int, float | None]
PAIRS: tuple[Pair, ...] = (  # ours, theirs, K, bound
    ("agon", "higher", AHEAD, 0.67),
    ("agon", "torchopt", AHEAD, 0.67),
    ("agon", "plain torch", AHEAD, 0.9),
    *(("agon, compiled", "jax", k, 0.8) for k in (1, 5, 10, 20)),
    ("agon, compiled", "agon", AHEAD, None),
)
HEADS = (
    *("schedule", "K", "ours", "theirs", "ours, ms", "theirs, ms"),
    *("ours / theirs", "95 % interval", "rounds", "bound", "first 5 steps, s"),
)
DEEP = (0, 1, 2, 5, 10, 20)


def against_others(quick: bool) -> Section:
    """A row for each schedule and pair of libraries."""
    rounds = Rounds(2, 2) if quick else Rounds(60, 10, seconds=ROW)
    pairs = [pair for pair in PAIRS if pair[2] in (1, AHEAD) or not quick]
    rows = [row for schedule in ("alternating", "simultaneous") for row in _rows(schedule, pairs, rounds)]
    eager = [reason for _, reason in rows if isinstance(reason, Eager)]
    compiled = [reason for _, reason in rows if reason is not None and not isinstance(reason, Eager)]
    return Section(
        "The unrolled step",
        f"metz2017's ring, batch {BATCH}, one thread; each side in a process of its own, by turns: "
        f"{replace(rounds, bound=0.8)}; the ratio is the median over the rounds, with a 95 % bootstrap "
        "interval. Higher and TorchOpt's MetaAdam are written as their documentation says, with the generated batch "
        "made once; JAX has optax's Adam under `jit` and `lax.scan`, on one thread, with its weights in the layout "
        "that is fastest for it. All take the same steps: after three of them in float64 the largest difference of "
        f"any weight from plain torch is {_agreement()} for agon. Compiling is once a training, whatever K is.",
        table(HEADS, [row for row, _ in rows]) + _reasons(eager) + in_programs(compiled),
    )


class Eager(NamedTuple):
    """A row that misses its bound, both sides by torch's operations."""

    name: str
    ours: Profile
    theirs: Profile


def _reasons(losing: list[Eager]) -> str:
    """Where the time of the rows that miss their bound goes, and what their operations cost at least."""
    if not losing:
        return ""
    launch, speed = launch_cost(), bandwidth()
    ours = {name.partition(",")[0]: profile for name, profile, _ in losing}  # of each schedule
    floors = [f"{1000 * (p.launches * launch + p.moved / speed):.0f} ms ({name})" for name, p in ours.items()]
    return (
        f"{explanation(losing)}\n\nAn operation on next to nothing takes {1e6 * launch:.1f} µs with its gradient "
        f"recorded, and copying moves {speed / 1e9:.0f} GB/s: launching all of ours and moving their bytes takes about "
        f"{' and '.join(floors)}."
    )


def _rows(schedule: str, pairs: list[Pair], rounds: Rounds) -> Iterator[tuple[tuple[str, ...], Eager | Losing | None]]:
    """A line of the table, and where the time goes if ours misses the bound."""
    with sides() as asked:
        for ours, theirs, k, bound in pairs:
            if not known(theirs):
                yield (schedule, str(k), ours, f"{theirs} (not installed)", *["-"] * 7), None
                continue
            mine, other = asked(Asked(ours, schedule, k), Asked(theirs, schedule, k))
            until = replace(rounds, bound=bound) if bound else replace(rounds, most=min(FEW, rounds.most))
            c = by_turns(mine.seconds, other.seconds, until)
            line = (
                schedule,
                str(k),
                ours,
                theirs,
                f"{c.ours:.2f}",
                f"{c.theirs:.2f}",
                f"**{c.ratio:.3f}**" if bound else f"{c.ratio:.3f}",
                c.interval,
                f"{c.rounds}",
                f"at most {bound}" if bound else "",
                f"{mine.first:.1f} / {other.first:.1f}",
            )
            loses = bound is not None and c.ratio > bound
            yield shown(line), _reason(f"{schedule}, {theirs}, K = {k}", mine, other) if loses else None


def _reason(row: str, ours: Side, theirs: Side) -> Eager | Losing:
    if theirs.name == "jax":
        return row, ours.programs(), theirs.programs()
    return Eager(row, ours.profile(), theirs.profile())


def _agreement() -> str:
    reference = after(PlainTorch, "alternating", AHEAD)
    ours = after(AgonStep, "alternating", AHEAD)
    return f"{max(difference(ours, reference, player) for player in ('generator', 'critic')):.0e}"


def against_steps(quick: bool) -> Section:
    """A row for each K, and the slope."""
    torch.set_num_threads(1)
    times = {how: [_milliseconds(how, k, 3 if quick else 30) for k in DEEP] for how in ("agon", "agon, compiled")}
    critic = _critic_step(3 if quick else 100)
    slopes = {how: float(np.polyfit(DEEP[1:], each[1:], 1)[0]) for how, each in times.items()}
    rows = [(f"K = {k}", *(f"{each[i]:.2f}" for each in times.values())) for i, k in enumerate(DEEP)]
    rows[0] = (*rows[0][:2], "-")  # there is nothing to compile
    rows.append(("slope, ms for each of K", *(f"{slope:.3f}" for slope in slopes.values())))
    rows.append(("slope, ordinary critic steps", *(f"**{slope / critic:.2f}**" for slope in slopes.values())))
    return Section(
        "The unrolled step against K",
        "An alternating step as above, all in one process; medians, ms. The slope is that of a straight line through "
        f"K = 1 to 20; an ordinary critic step (forward, backward, Adam, its samples given) took {critic:.2f} ms in "
        "the same run. Bound: 3.5 of these.",
        table(("", "eager, ms", "compiled, ms"), rows),
    )


def _milliseconds(how: str, steps: int, times: int) -> float:
    made = peer(how)(batch=BATCH, steps=max(1, steps), schedule="alternating")
    assert isinstance(made, AgonStep)
    if steps == 0:
        made.dynamics = Unrolled(made.dynamics.turns, steps=0)
    batch = made.batch(*points(0, BATCH))
    return _median(lambda: made.advance(*batch), times)


def _critic_step(times: int) -> float:
    peer = AgonStep(batch=BATCH, steps=1, schedule="alternating")
    real, latent = peer.batch(*points(0, BATCH))
    fake = peer.game.generate(latent).detach()
    return _median(lambda: update(peer.game, peer.optimisers, ("critic",), Batch(real, latent, {}), fake), times)


def _median(call: Callable[[], object], times: int) -> float:
    seconds(call, 5)
    return 1000 * float(np.median([seconds(call, 1) for _ in range(times)]))


def memory() -> Section:
    """Bytes that autograd keeps, for each K, with and without checkpointing."""
    kept = {k: (_saved(k, False), _saved(k, True)) for k in DEEP[1:]}
    rows = [(f"K = {k}", _mib(plain), _mib(saving), f"**{saving / plain:.3f}**") for k, (plain, saving) in kept.items()]
    return Section(
        "The unrolled step's memory",
        "Bytes of different tensors that autograd keeps for the backward pass of a generator's move, as above. The "
        "bound, at K = 20, is a quarter. The compiled look-ahead keeps no activations: of each inner step only the "
        "critic's parameters, moments, gradient and buffers.",
        table(("", "kept, MiB", "with checkpoint=True, MiB", "ratio"), rows),
    )


def _saved(steps: int, saving: bool) -> int:
    peer = AgonStep(batch=BATCH, steps=1, schedule="alternating")
    peer.dynamics = Unrolled(Turns((("generator",),)), steps=steps, checkpoint=saving)
    sizes: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        sizes[storage.data_ptr()] = max(storage.nbytes(), sizes.get(storage.data_ptr(), 0))
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        peer.advance(*peer.batch(*points(0, BATCH)))
    return sum(sizes.values())


def _mib(size: int) -> str:
    return f"{size / 2**20:.2f}"
