"""The two sides of every comparison: agon's training and the hand-written loop, at one size."""

from typing import Any, Literal

import torch

from agon import Adversarial, Compute, Experiment, Normal, Turns, part
from agon.networks import dcgan
from agon.training import Training
from agon.training.allocation import keep_freed_memory
from agon.training.compilation import choose_compilation
from benchmarks.hand_written import LATENT, HandWritten
from benchmarks.sets import Set

BATCH, WIDTH, THREADS = 64, 64, 2


def compute(**settings: Any) -> Compute:
    """What agon chooses by default, on a CPU with the threads of the other side."""
    return Compute(**{"device": "cpu", "threads": THREADS, **settings}).resolved()


def agon_experiment(of: Set, draws: Literal["round", "turn"] = "round") -> Experiment:
    """The experiment that the hand-written loop is."""
    shape = of.source.shape
    return Experiment(
        game=part(
            Adversarial,
            generator=part(dcgan.Generator, shape=shape, latent=LATENT, width=WIDTH),
            critic=part(dcgan.Critic, shape=shape, width=WIDTH),
        ),
        data=of.source,
        latent=Normal(),
        dynamics=Turns(draws=draws),
        batch=BATCH,
        steps=1_000_000,
    )


def agon_side(of: Set, draws: Literal["round", "turn"] = "round", how: Compute | None = None) -> Training:
    """agon's trainer, ready to advance."""
    keep_freed_memory()  # as every training does; in one process, the other side's is then kept, too
    how = how or compute()
    training = Training(agon_experiment(of, draws), how, torch.device(how.device))
    choose_compilation(training)
    return training


def hand_written_side(of: Set, device: str = "cpu", bf16: bool = False) -> HandWritten:
    """The loop that one would write."""
    return HandWritten(of.tensor(), BATCH, WIDTH, device, bf16)
