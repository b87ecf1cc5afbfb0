"""Restore a training from its run's newest checkpoint that is intact and fits."""

from collections.abc import Callable

from agon.errors import CheckpointError
from agon.runs import Checkpoint, Run
from agon.runs.checkpoints import none_intact
from agon.training.state import restore
from agon.training.training import Training


def restore_last(
    training: Training, run: Run, restore: Callable[[Training, Checkpoint], None] = restore
) -> tuple[Checkpoint | None, list[str]]:
    """Restore the newest good checkpoint, and report what was wrong with newer ones.

    Args:
        training: a freshly built training.
        run: holds the checkpoints.
        restore: restores a checkpoint, or only a part of it.

    Returns:
        The checkpoint, or None if the run has none yet, and a sentence for each checkpoint that was skipped.

    Raises:
        CheckpointError: all checkpoints are of another model, or of other data.
        RunError: all checkpoints are damaged.
    """
    complaints: list[str] = []
    unfit: list[CheckpointError] = []
    for checkpoint in run.good(complaints):
        try:
            restore(training, checkpoint)
        except CheckpointError as error:
            unfit.append(error)
            complaints.append(f"checkpoint {run.checkpoints / f'{checkpoint.step:08d}'}: {error}")
        else:
            return checkpoint, complaints
    if unfit:
        raise unfit[0]
    if complaints:
        raise none_intact(complaints)
    return None, []
