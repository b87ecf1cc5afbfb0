"""The two sides of every comparison: agon's training and the hand-written loop, at one size."""

from typing import Literal

import torch

from agon import Adversarial, Arithmetic, Experiment, Normal, Turns, part
from agon.networks import dcgan
from agon.training import Training
from agon.training.compilation import compile_networks
from benchmarks.hand_written import LATENT, HandWritten
from benchmarks.sets import Set

BATCH, WIDTH, THREADS = 64, 64, 2


def agon_side(
    of: Set, draws: Literal["round", "turn"] = "round", arithmetic: Arithmetic | None = None
) -> Training:
    """agon's trainer for the experiment that the hand-written loop is."""
    arithmetic = (arithmetic or Arithmetic(device="cpu", threads=THREADS)).resolved()
    shape = of.source.shape
    experiment = Experiment(
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
    training = Training(experiment, arithmetic, torch.device(arithmetic.device))
    compile_networks(training)
    return training


def hand_written_side(of: Set, device: str = "cpu", bf16: bool = False) -> HandWritten:
    """The loop that one would write."""
    return HandWritten(of.tensor(), BATCH, WIDTH, device, bf16)
