"""Results of tournaments without a training: contestants of known strengths, as a page or a picture shows them."""

import json
from pathlib import Path

import numpy as np

from agon.arena.ratings.matrix import AreaMatrix
from agon.arena.ratings.rating import Rating, Ratings, Role
from agon.arena.tournaments.grids import keep_grid
from agon.arena.tournaments.standings import FILE, TournamentResult
from tests.reports.conftest import imitation

NAMES = ("gran3", "dcgan", "pargan", "lsgan", "wgan-gp", "began", "ebgan", "unrolled-dcgan", "dcgan-wide", "sn-dcgan")
REAL = "real data"


def league(contestants: int = 4, seeds: int = 3, hostile: str = "") -> TournamentResult:
    """A tournament of that many trained contestants, of samples without a critic, and of real data.

    The samples' critic is missing, and one pair could not meet.

    Args:
        contestants: with a generator and a critic.
        seeds: entrants of each.
        hostile: part of the first contestant's name, and of a reason and a setting.
    """
    rng = np.random.default_rng(0)
    names = [NAMES[index % 10] + (f"-{index // 10}" if index >= 10 else "") for index in range(contestants)]
    names[0] += hostile
    of = {f"{name}/seed-{seed}": name for name in names for seed in range(seeds)} | {"vae samples": "vae samples"}
    critics, generators = tuple(of)[:-1], (*of, REAL)
    strength = dict(zip([*names, "vae samples"], rng.normal(-0.2, 0.8, contestants + 1), strict=True)) | {REAL: 0.0}
    guard = dict(zip(names, rng.normal(0.5, 1, contestants), strict=True))
    noise = 0.35 * rng.normal(size=(len(generators), len(critics)))
    logits = np.array([[(i != REAL) * (strength[of.get(i, i)] - guard[of[j]]) for j in critics] for i in generators])
    areas = 1 / (1 + np.exp(-(logits + noise * (np.array(generators) != REAL)[:, None])))
    areas[1, -1] = np.nan
    errors = np.where(np.isnan(areas), np.nan, np.sqrt(areas * (1 - areas) / 700))
    contestants_of = of | {REAL: REAL}
    matrix = AreaMatrix(
        generators=generators,
        critics=critics,
        contestants=contestants_of,
        areas=areas,
        errors=errors,
        n=1000,
        n_real=1000,
    )
    return TournamentResult(
        matrix=matrix,
        ratings=_ratings(strength, guard, seeds, names),
        left_out={
            "broken-run": "broken-run: its training diverged at step 120 " + hostile,
            "cifar": "32x32x3, not 28x28x1",
        },
        protocol={"n": 1000, "seed": 0, "statistics": "running", "agon": "0.1.0", "note": hostile or "none"},
        places={entrant: "" if entrant == REAL else f"runs/{entrant}" for entrant in contestants_of},
    )


def _ratings(strength: dict[str, float], guard: dict[str, float], seeds: int, names: list[str]) -> Ratings:
    def rated(values: dict[str, float], role: Role) -> tuple[Rating, ...]:
        return tuple(_rating(name, role, value, seeds if name in names else 1) for name, value in _best_first(values))

    cycles = (tuple(names[:3]),) if len(names) > 2 else ()
    return Ratings(
        generators=rated(strength, "generator"),
        critics=rated(guard, "critic"),
        home=-0.31,
        unexplained=0.084,
        cycles=cycles,
    )


def _rating(name: str, role: Role, value: float, seeds: int) -> Rating:
    half = (0.45, 0.3)[seeds > 1] * (1 + abs(value) / 4)
    interval = None if name == "began" else (value - half, value + 1.2 * half)
    covers = "seeds" if seeds > 1 else "samples"
    return Rating(name=name, role=role, value=value, interval=interval, seeds=seeds, covers=covers)


def _best_first(values: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(((name, float(value)) for name, value in values.items()), key=lambda pair: -pair[1])


def tournament(folder: Path, result: TournamentResult, samples: bool = True) -> Path:
    """The folder of a tournament, with its result and, where wanted, grids of samples."""
    folder.mkdir(parents=True)
    (folder / FILE).write_text(json.dumps(result.plain()))
    if samples:
        for index, entrant in enumerate(result.matrix.generators):
            keep_grid(folder, entrant, imitation(5000 if entrant == REAL else 100 * (index % 9), index, 16))
    return folder
