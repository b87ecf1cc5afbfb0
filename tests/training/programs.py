"""Small experiments, and programs that train them in a process of their own, for tests that kill it."""

import os
import subprocess
import sys
from pathlib import Path

from agon import Adversarial, Averaging, Experiment, Turns, part
from agon.data import Images
from agon.networks import dcgan
from agon.objectives import NonSaturating, Objective

ROOT = Path(__file__).parents[2]


def small(steps: int = 60, objective: Objective = NonSaturating(), **changes: object) -> Experiment:  # noqa: B008
    """A DCGAN on the bundled digits with batch normalisation, averaging, and short marks."""
    data = Images(path="digits")
    settings: dict[str, object] = {
        "game": part(
            Adversarial,
            generator=part(dcgan.Generator, shape=data.shape, latent=8, width=8),
            critic=part(dcgan.Critic, shape=data.shape, width=8),
            objective=objective,
        ),
        "data": data,
        "steps": steps,
        "batch": 16,
        "averaging": Averaging(decay=0.9),
        "dynamics": Turns(draws="round"),
        "log_every": 5,
        "sample_every": 10,
        "checkpoint_every": 5,
        "grid": 9,
    }
    return Experiment(**{**settings, **changes})  # type: ignore[arg-type]


def command(*arguments: object, **options: object) -> subprocess.Popen[str]:
    """Start the command line in a process of its own, on one thread."""
    return _start([sys.executable, "-m", "agon.cli", *map(str, arguments)], **options)


def module(name: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a module of the tests as a program."""
    return _start([sys.executable, "-m", name, *map(str, arguments)])


def finished(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Wait for a process: status, standard output, standard error."""
    out, err = process.communicate(timeout=300)
    return process.returncode, out, err


def _start(command: list[str], **options: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,  # type: ignore[call-overload]
    )
