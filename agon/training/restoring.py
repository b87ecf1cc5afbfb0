"""A run's last good checkpoint, put into a training: the newest that is as it was written, and fits."""

from agon.errors import CheckpointError
from agon.runs import Checkpoint, Run
from agon.runs.checkpoints import none_intact
from agon.training.state import restore
from agon.training.training import Training


def restore_last(training: Training, run: Run) -> tuple[Checkpoint | None, list[str]]:
    """Restore the newest good checkpoint, and say what was wrong with newer ones.

    Returns:
        The checkpoint, None where the run has none yet, and a sentence for each that was passed over.

    Raises:
        CheckpointError: all of them are another model's, or of other data.
        RunError: all are damaged.
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
