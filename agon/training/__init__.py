"""train(experiment, run) and resume(run): the only owner of device, seeds and time."""

from agon.training.arithmetic import Arithmetic
from agon.training.loop import Watch, resume, train
from agon.training.state import capture, restore
from agon.training.training import Training

__all__ = ["Arithmetic", "Training", "Watch", "capture", "restore", "resume", "train"]
