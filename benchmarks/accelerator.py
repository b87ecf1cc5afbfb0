"""Steps of the papers' networks on a GPU: by precision, compiled, as CUDA graphs, and 64 seeds at once.

The same code runs on a CPU at smoke size, where it shows that it works and nothing else.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from statistics import median
from typing import Any, NamedTuple

import torch

from agon import Compute, Experiment
from agon.data import Images
from agon.errors import SettingError
from agon.recipes import Scale, find
from agon.training import Training
from agon.training.compilation import choose_compilation
from agon.training.replicates.batched_training import BatchedTraining
from benchmarks.families import Operations, peak
from benchmarks.report import Section, table
from benchmarks.sets import Set
from benchmarks.timing import seconds

TRAININGS: tuple[tuple[str, Scale], ...] = (
    ("radford2015/dcgan", "quick"),
    ("im2016/cifar10-gran3", "paper"),
    ("im2016/cifar10-gran5", "paper"),
    ("argan2018/cifar10-s-argan", "paper"),
    ("metz2017/cifar10-k10", "paper"),
    ("metz2017/ring-k10", "paper"),
)
SEEDS, SEEDED = 64, "metz2017/ring-k10"  # trainings that make their steps together
MIB = 2**20
SIDE = 4096  # of the matrices whose product is the peak


class Arithmetic(NamedTuple):
    """How a row computes.

    Attributes:
        name: in the table.
        precision: of `Compute`.
        products: of `torch.set_float32_matmul_precision`; "high" allows TF32.
        compile: of `Compute`.
        graphs: whether inductor replays its programs as CUDA graphs.
    """

    name: str
    precision: str = "fp32"
    products: str = "highest"
    compile: str = "off"
    graphs: bool = False


ARITHMETICS = (
    Arithmetic("fp32"),
    Arithmetic("tf32", products="high"),
    Arithmetic("bf16", precision="bf16"),
    Arithmetic("bf16, compiled", precision="bf16", compile="on"),
    Arithmetic("bf16, compiled, CUDA graphs", precision="bf16", compile="on", graphs=True),
)


class Measured(NamedTuple):
    """What steps of a training took.

    Attributes:
        milliseconds: of a step, the median.
        operations: floating-point operations of a step, as `families` counts them.
        memory: the GPU's peak in MiB; 0 on a CPU.
    """

    milliseconds: float
    operations: int
    memory: float


def section(sets: list[Set], quick: bool) -> Section:
    """A row for each training and arithmetic, and one for 64 seeds; without a GPU a sentence says so."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    small = quick or device == "cpu"
    images = {each.name: each for each in sets}
    rows = [row for name, scale in TRAININGS for row in _rows(name, "smoke" if small else scale, device, images)]
    rows.append(seeded(2 if small else SEEDS, device))
    where = torch.cuda.get_device_name() if device == "cuda" else "no GPU here: smoke size on a CPU shows that it works"
    return Section(
        "On a GPU",
        f"{where[0].upper()}{where[1:]}. A step (all turns of a round) of recipes at the papers' own size, by "
        "`Training.advance`; medians of steps after a warm-up. The share is of the operations a second of a large "
        "product of matrices in the same arithmetic: how much of the device a training uses. Memory is torch's peak. "
        "Compiled are the networks, or the look-ahead of an unrolled training; a dash: it cannot be compiled. "
        f"The last row: {SEEDS} seeds that make their steps in one program, over one seed alone.",
        table(("training", "arithmetic", "ms", "Gflop", "share of the peak", "peak memory, MiB"), rows),
    )


def _rows(name: str, scale: Scale, device: str, images: Mapping[str, Set]) -> Iterator[tuple[str, ...]]:
    """A row for each arithmetic of a recipe."""
    experiment = on_images(name, scale, images)
    for arithmetic in ARITHMETICS if device == "cuda" else ARITHMETICS[:1]:
        with arithmetics(arithmetic):
            made = training(experiment, arithmetic, device)
            if made is None:
                row: tuple[str, ...] = (name, arithmetic.name, "-", "-", "-", "-")
            else:
                row = (name, arithmetic.name, *cells(measured(made), best(device, arithmetic)))
        print(*row, file=sys.stderr)
        yield row


def on_images(name: str, scale: Scale, images: Mapping[str, Set]) -> Experiment:
    """A recipe's experiment on the images that are at hand; at smoke scale on its own."""
    recipe = find(name)
    default = recipe.data(scale)
    if scale == "smoke" or not isinstance(default, Images):
        return recipe.experiment(None, scale)
    return recipe.experiment(replace(images["cifar10"].source, size=default.size, channels=default.channels), scale)


@contextmanager
def arithmetics(of: Arithmetic) -> Iterator[None]:
    """Set torch's switches for a row, and set them back."""
    import torch._inductor.config as inductor

    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32, inductor.triton.cudagraphs
    torch.set_float32_matmul_precision(of.products)
    torch.backends.cudnn.allow_tf32 = of.products == "high"
    inductor.triton.cudagraphs = of.graphs
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32, inductor.triton.cudagraphs = before[1:]


def training(experiment: Experiment, how: Arithmetic, device: str) -> Training | None:
    """A training that is ready to advance; None if it cannot be compiled as it should."""
    compute = Compute(device=device, threads=1, precision=how.precision, compile=how.compile)  # type: ignore[arg-type]
    made = Training(experiment, compute.resolved(), torch.device(device))
    try:
        choose_compilation(made)
    except SettingError:
        return None
    return made


def measured(made: Training | BatchedTraining, warm: int = 3, rounds: int = 5, steps: int = 2) -> Measured:
    """Time steps of a training, count its operations, and read the GPU's peak of memory."""
    for _ in range(warm):
        made.advance()
    gpu = torch.cuda.is_available()
    if gpu:
        torch.cuda.reset_peak_memory_stats()
    taken = median(seconds(made.advance, steps) / steps for _ in range(rounds))
    memory = torch.cuda.max_memory_allocated() / MIB if gpu else 0.0
    return Measured(1_000 * taken, operations(made), memory)


def operations(made: Training | BatchedTraining) -> int:
    """Floating-point operations of a step; those inside compiled programs are not seen."""
    with Operations() as counter:
        made.advance()
    return counter.total


def cells(of: Measured, best: float) -> tuple[str, ...]:
    share = of.operations / (of.milliseconds / 1_000) / best
    memory = f"{of.memory:,.0f}" if of.memory else "-"
    counted = (f"{of.operations / 1e9:.2f}", f"{share:.1%}") if of.operations else ("-", "-")
    return (f"{of.milliseconds:.2f}", *counted, memory)


def best(device: str, how: Arithmetic) -> float:
    """Operations a second of a large product of matrices in this arithmetic."""
    side = SIDE if device == "cuda" else SIDE // 8
    return peak(side, device, torch.bfloat16 if how.precision == "bf16" else torch.float32)


def seeded(count: int, device: str) -> tuple[str, ...]:
    """A row: a step of so many seeds at once, over a step of one."""
    experiment = find(SEEDED).experiment(None, "quick")
    one, several = _trainings(experiment, 1, device)[0], BatchedTraining(_trainings(experiment, count, device))
    alone, together = (measured(each).milliseconds for each in (one, several))
    name = f"{SEEDED}, {count} seeds"
    return (name, f"fp32; one alone {alone:.2f} ms, {together / alone:.2f} times", f"{together:.2f}", "-", "-", "-")


def _trainings(experiment: Experiment, count: int, device: str) -> Sequence[Training]:
    how: Any = Compute(device=device, threads=1, compile="off").resolved()  # type: ignore[arg-type]
    return [Training(replace(experiment, seed=seed), how, torch.device(device)) for seed in range(count)]
