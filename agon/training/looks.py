"""What a run keeps of its samples: real ones, and those of the same latents over time."""

from agon.runs.snapshots import snapshot
from agon.training.training import Training


def real(training: Training, n: int) -> tuple[str, bytes]:
    """The name and content of the file of real samples."""
    return snapshot(training.data.first(n), training.experiment.data, None)


def generated(training: Training, n: int) -> tuple[str, bytes]:
    """The name and content of the file of the present samples."""
    return snapshot(training.samples(training.fixed_latents(n)), training.experiment.data, training.step)
