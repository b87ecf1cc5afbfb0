"""Training: `train` and `resume`. Only this package chooses the device, seeds random streams and reads the clock."""

from agon.training.compute import Compute
from agon.training.launch import is_main_process
from agon.training.loop import resume, train
from agon.training.monitoring import Look, Monitor, Monitoring
from agon.training.pace import within
from agon.training.recording import Callback
from agon.training.state import capture, restore
from agon.training.training import Training

__all__ = [
    "Callback",
    "Compute",
    "Look",
    "Monitor",
    "Monitoring",
    "Training",
    "capture",
    "is_main_process",
    "restore",
    "resume",
    "train",
    "within",
]
