"""Small experiments, and programs that train them in a process of their own, for tests that kill it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

import torch
from torch import Tensor
from torch.multiprocessing import start_processes

from agon import Adversarial, Averaging, Experiment, Turns, part
from agon.cli import main
from agon.data import Images, Ring
from agon.jobs.starting import SERVER
from agon.networks import dcgan, mlp
from agon.objectives import NonSaturating, Objective
from agon.training.randomness import derived

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


class Fateful(mlp.Critic):
    """A critic that ends a training in its third step: of one seed by a NaN, of another by a SIGKILL."""

    def __init__(self, diverges: int, dies: int) -> None:
        super().__init__(shape=(2,), widths=(4,))
        seed = torch.initial_seed()
        self.diverges, self.dies = seed == derived(diverges, "init"), seed == derived(dies, "init")
        self.steps = 0

    def forward(self, x: Tensor) -> Tensor:
        self.steps += x.requires_grad
        if self.steps == 3 and self.dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().forward(x) * (torch.nan if self.steps == 3 and self.diverges else 1.0)


class Hanging(mlp.Critic):
    """A critic that hangs in the 13th step of one seed's training, until a file is there."""

    def __init__(self, seed: int, until: str) -> None:
        super().__init__(shape=(2,), widths=(4,))
        self.hangs, self.until, self.steps = torch.initial_seed() == derived(seed, "init"), Path(until), 0

    def forward(self, x: Tensor) -> Tensor:
        self.steps += x.requires_grad
        while self.hangs and self.steps == 13 and not self.until.exists():
            time.sleep(0.05)
        return super().forward(x)


def points(steps: int = 20, critic: object = None, width: int = 8, **changes: object) -> Experiment:
    """Two tiny perceptrons on a ring, whose step takes a millisecond."""
    settings: dict[str, object] = {
        "game": part(
            Adversarial,
            generator=part(mlp.Generator, shape=(2,), latent=4, widths=(width,)),
            critic=critic or part(mlp.Critic, shape=(2,), widths=(width,)),
        ),
        "data": Ring(),
        "steps": steps,
        "batch": 16,
        "log_every": 5,
        "sample_every": 10,
        "checkpoint_every": 10,
        "grid": 9,
    }
    return Experiment(**{**settings, **changes})  # type: ignore[arg-type]


def command(*arguments: object, **options: object) -> subprocess.Popen[str]:
    """Start the command line in a process of its own, on one thread."""
    return _start([sys.executable, "-m", "agon", *map(str, arguments)], **options)


def here(*arguments: object) -> None:
    """The command line in this process, where a process of its own is not the point; it must succeed."""
    assert main(list(map(str, arguments))) == 0


def module(name: str, *arguments: object) -> subprocess.Popen[str]:
    """Start a module of the tests as a program."""
    return _start([sys.executable, "-m", name, *map(str, arguments)])


def finished(process: subprocess.Popen[str], seconds: int = 300) -> tuple[int, str, str]:
    """Wait for a process: status, standard output, standard error."""
    out, err = process.communicate(timeout=seconds)
    return process.returncode, out, err


def processes(function: Callable[..., object], arguments: tuple[object, ...], count: int) -> None:
    """Call a function with the number of the process and arguments in several processes, forked from a prepared one."""
    get_context("forkserver").set_forkserver_preload([SERVER])
    start_processes(function, arguments, nprocs=count, start_method="forkserver")


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
