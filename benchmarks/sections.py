"""The sections of docs/benchmarks.md: what each measures, and how."""

from collections.abc import Callable
from typing import NamedTuple

from benchmarks import (
    accelerator,
    beside,
    compiled,
    distances,
    evaluation,
    extractors,
    families,
    growth,
    memory,
    reconstruction,
    seeds,
    start,
    step,
    stream,
    tournament,
    unrolled,
)
from benchmarks.report import Section
from benchmarks.sets import Set

TRAINING = ("agon/training", "agon/dynamics", "agon/games", "agon/networks", "agon/objectives.py", "agon/data")
UNROLLED = ("agon/dynamics", "agon/networks/mlp.py", "agon/objectives.py", "benchmarks/unrolled.py", "benchmarks/peers")
SEARCHED = ("agon/networks/searched.py", "agon/networks/frozen.py", "agon/networks/winograd.py")


class Measurement(NamedTuple):
    """How a section comes about.

    Attributes:
        section: makes it, of the sets of images and whether to be quick.
        share: seconds that it may take on two quiet cores.
        measures: paths of the code whose change makes the section old.
    """

    section: Callable[[list[Set], bool], Section]
    share: int
    measures: tuple[str, ...]


WHOLE = 38 * 60  # seconds that all sections may take together
SECTIONS: dict[str, Measurement] = {
    "step": Measurement(step.section, 75, (*TRAINING, "benchmarks/step.py", "benchmarks/hand_written.py")),
    "families": Measurement(
        families.section,
        100,
        (*TRAINING, "agon/penalties.py", "agon/recipes", "benchmarks/families.py", "benchmarks/by_hand.py"),
    ),
    "beside": Measurement(beside.section, 110, (*TRAINING, "benchmarks/beside.py", "benchmarks/hand_written.py")),
    "accelerator": Measurement(accelerator.section, 40, (*TRAINING, "benchmarks/accelerator.py")),
    "stream": Measurement(stream.section, 25, ("agon/data", "benchmarks/stream.py")),
    "memory": Measurement(memory.section, 70, (*TRAINING, "agon/runs", "benchmarks/memory.py")),
    "start": Measurement(lambda _, quick: start.section(quick), 90, ("agon", "benchmarks/start.py")),
    "compiled": Measurement(compiled.section, 160, (*TRAINING, "benchmarks/compiled.py")),
    "unrolled": Measurement(lambda _, quick: unrolled.against_others(quick), 280, UNROLLED),
    "unrolled-k": Measurement(lambda _, quick: unrolled.against_steps(quick), 60, UNROLLED),
    "unrolled-memory": Measurement(lambda _, quick: unrolled.memory(), 15, UNROLLED),
    "seeds": Measurement(
        lambda _, quick: seeds.section(quick),
        170,
        (*TRAINING, "agon/training/replicates", "agon/jobs", "agon/runs", "benchmarks/seeds.py"),
    ),
    "neighbours": Measurement(distances.neighbours, 110, ("agon/metrics", "benchmarks/distances.py")),
    "prdc": Measurement(distances.manifolds, 130, ("agon/metrics", "benchmarks/distances.py")),
    "extractors": Measurement(
        lambda _, quick: extractors.section(quick),
        185,
        (
            *("agon/metrics/efficientnet.py", "agon/networks/efficientnet.py", "agon/metrics/random_convolutions.py"),
            *("benchmarks/extractors.py", "benchmarks/corruptions.py"),
        ),
    ),
    "tournament": Measurement(
        tournament.section, 85, ("agon/arena/tournaments", "agon/arena/battles/battling.py", "benchmarks/tournament.py")
    ),
    "evaluation": Measurement(
        evaluation.section,
        200,
        ("agon/metrics", "agon/evaluation", "agon/classifiers", "agon/cli/evaluate.py", "benchmarks/evaluation.py"),
    ),
    "growth": Measurement(
        lambda _, quick: growth.section(quick),
        160,
        (*TRAINING, "agon/metrics", "agon/arena/tournaments", "benchmarks/growth.py", "benchmarks/growing.py"),
    ),
    "reconstruction": Measurement(
        reconstruction.section, 180, ("agon/metrics", *SEARCHED, "benchmarks/reconstruction.py")
    ),
}
