"""A realistic run directory, made of scikit-learn's digits, without training anything."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from agon.figures import pictures

STEPS = (0, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000)
Maker = Callable[..., Path]


PIXELS = load_digits().images  # read once; it is a compressed text


def digits(first: int, n: int) -> np.ndarray:
    """Real digits, uint8 "n 1 8 8"."""
    return (PIXELS[first : first + n, None] * (255 / 16)).round().astype(np.uint8)


def imitation(step: int, seed: int, n: int = 64) -> np.ndarray:
    """What a generator might make at this step: digits that come out of noise, uint8 "n 1 8 8"."""
    noise = np.random.default_rng(seed).uniform(0, 255, (n, 1, 8, 8))
    share = min(step / 800, 1.0)
    return ((1 - share) * noise + share * digits(300 + seed, n)).round().astype(np.uint8)


def experiment(seed: int, width: int) -> dict[str, Any]:
    return {
        "type": "Experiment",
        "game": {
            "type": "Adversarial",
            "generator": {"type": "dcgan.Generator", "shape": [1, 8, 8], "latent": 100, "width": width},
            "critic": {"import": "mynets.Critic", "sha256": "ab" * 32, "width": width},
            "objective": "nonsaturating",
            "penalties": [{"type": "R1", "weight": 0.1}, {"type": "R2", "weight": 0.1}],
        },
        "dynamics": {"type": "Turns", "groups": [["critic"], ["generator"]]},
        "optimisers": {"generator": {"type": "Adam", "lr": 0.0002, "betas": [0.5, 0.999]}},
        "data": {"type": "Images", "path": "digits", "size": None},
        "average": True,
        "batch": 64,
        "steps": 1000,
        "seed": seed,
    }


def compute() -> dict[str, Any]:
    return {
        "device": "cpu",
        "devices": 1,
        "precision": "32-true",
        "threads": 2,
        "compile": False,
        "torch": "2.11.0",
        "agon": "0.1.0",
        "data": "9f86d081884c7d65",
    }


def record(step: int, seed: int) -> dict[str, float]:
    rng = np.random.default_rng((seed, step))
    settled = math.exp(-step / 300)
    return {
        "step": step,
        "images": 64 * step,
        "loss/generator": 0.9 - 0.2 * settled + 0.05 * rng.normal(),
        "loss/critic": 1.25 + 0.3 * settled + 0.05 * rng.normal(),
        "logit/real": 0.4 + settled + 0.1 * rng.normal(),
        "logit/fake": -0.3 - settled + 0.1 * rng.normal(),
        "gradient/generator": 1.2 * math.exp(0.4 * rng.normal()),
        "gradient/critic": 0.5 * math.exp(0.4 * rng.normal()),
        "penalty/r1": 0.02 + 0.01 * rng.random(),
        "wall/seconds": 0.123 * step,
        "wall/images_per_second": 512.0 + 20 * rng.normal(),
    }


def scores(seed: int) -> list[dict[str, Any]]:
    protocol = "classifier of scikit-learn's digits, accuracy 0.98 on 360 held-out"
    counts = np.random.default_rng(seed).multinomial(500, [0.1] * 10).tolist()
    detail = {"histogram": counts, "names": [str(digit) for digit in range(10)]}
    common = {"n": 500, "seed": 0, "protocol": protocol, "interval": None, "error": None, "detail": {}}
    return [
        {**common, "name": "classes", "value": 9, "step": 500},
        {**common, "name": "classes", "value": 10, "step": 1000, "detail": detail},
        {**common, "name": "inception", "value": 7.9, "error": 0.31, "step": 500},
        {**common, "name": "inception", "value": 8.41234 + seed / 10, "error": 0.12, "step": 1000},
        {**common, "name": "coverage", "value": 0.934, "interval": [0.902, 0.957], "step": 1000, "seed": 3},
    ]


def lines(entries: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(entry) + "\n" for entry in entries)


@pytest.fixture
def make_run(tmp_path: Path) -> Maker:
    """Writes a run of images: `make_run(name, seed=0, width=64)`."""

    def make(name: str = "digits", seed: int = 0, width: int = 64, every: int = 10) -> Path:
        run = bare_run(tmp_path / name, experiment(seed, width))
        (run / "log.jsonl").write_text(lines([record(step, seed) for step in range(every, 1001, every)]))
        (run / "metrics.jsonl").write_text(lines(scores(seed)))
        (run / "samples" / "real.png").write_bytes(pictures.grid_png(digits(0, 64)))
        for step in STEPS:
            file = run / "samples" / f"{step:08}.png"
            file.write_bytes(pictures.grid_png(imitation(step, seed)))
        return run

    return make


@pytest.fixture
def make_points(tmp_path: Path) -> Maker:
    """Writes a run of points: on a ring (d = 2), or two Gaussians (d = 1)."""

    def make(name: str = "ring", d: int = 2, seed: int = 0) -> Path:
        run = bare_run(tmp_path / name, {"type": "Experiment", "data": {"type": "Ring"}, "steps": 1000})
        (run / "log.jsonl").write_text(lines([record(step, seed) for step in range(100, 1001, 100)]))
        np.save(run / "samples" / "real.npy", ring(1000, d, spread=0.05, seed=seed))
        for step in STEPS:
            samples = ring(500, d, spread=1 - 0.9 * step / 1000, seed=seed + 1)
            np.save(run / "samples" / f"{step:08}.npy", samples)
        return run

    return make


def ring(n: int, d: int, spread: float, seed: int) -> np.ndarray:
    """Eight Gaussians on a circle of radius 2; in one dimension, its shadow. float32 "n d"."""
    rng = np.random.default_rng(seed)
    angle = rng.integers(0, 8, n) * (math.pi / 4)
    centres = 2 * np.stack([np.cos(angle), np.sin(angle)], axis=1)[:, :d]
    return (centres + spread * rng.normal(size=(n, d))).astype(np.float32)


def bare_run(run: Path, settings: dict[str, Any]) -> Path:
    (run / "samples").mkdir(parents=True)
    (run / "experiment.json").write_text(json.dumps(settings))
    (run / "arithmetic.json").write_text(json.dumps(compute()))
    return run
