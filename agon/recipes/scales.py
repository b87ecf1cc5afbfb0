"""The scale of a recipe's training."""

from typing import Literal

from agon.experiment import Budget

Scale = Literal["smoke", "quick", "paper"]

SMOKE = Budget(steps=20, batch=16, log_every=5, sample_every=10, checkpoint_every=10)  # seconds; shows that it runs
