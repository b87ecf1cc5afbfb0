"""The names of agon's parts in files and on the command line, from the packages' tables."""

from typing import Any

import torch
from torch.optim import lr_scheduler

from agon.augmentation import ADAPTIVE, AUGMENTATIONS
from agon.averaging import Averaging
from agon.data import SOURCES
from agon.dynamics import DYNAMICS
from agon.games import CORRUPTIONS, GAMES
from agon.latents import LATENTS
from agon.networks import NETWORKS
from agon.objectives import OBJECTIVES
from agon.penalties import PENALTIES
from agon.projections import PROJECTIONS

OPTIMISERS = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
}

SCHEDULES = {
    "constant-lr": lr_scheduler.ConstantLR,
    "linear-lr": lr_scheduler.LinearLR,
    "polynomial-lr": lr_scheduler.PolynomialLR,
    "exponential-lr": lr_scheduler.ExponentialLR,
    "step-lr": lr_scheduler.StepLR,
    "multi-step-lr": lr_scheduler.MultiStepLR,
    "cosine-annealing-lr": lr_scheduler.CosineAnnealingLR,
    "cosine-annealing-warm-restarts": lr_scheduler.CosineAnnealingWarmRestarts,
    "cyclic-lr": lr_scheduler.CyclicLR,
    "one-cycle-lr": lr_scheduler.OneCycleLR,
    "sequential-lr": lr_scheduler.SequentialLR,
    "chained-scheduler": lr_scheduler.ChainedScheduler,
}

TABLES: tuple[dict[str, Any], ...] = (
    SOURCES, LATENTS, NETWORKS, OBJECTIVES, PENALTIES, PROJECTIONS, AUGMENTATIONS, ADAPTIVE, GAMES, CORRUPTIONS,
    DYNAMICS, OPTIMISERS, SCHEDULES,
    {"averaging": Averaging},
)  # fmt: skip

PARTS: dict[str, Any] = {name: make for table in TABLES for name, make in table.items()}
NAMES: dict[Any, str] = {make: name for name, make in PARTS.items()}
