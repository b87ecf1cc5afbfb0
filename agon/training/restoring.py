"""Restore a training from its run's newest checkpoint that is intact and fits."""

from collections.abc import Callable

from agon.errors import Change, CheckpointError, RunError
from agon.runs import Checkpoint, Run
from agon.runs.checkpoints import none_intact
from agon.training.state import restore
from agon.training.training import Training
from agon.untrusted import listed


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


def restore_step(
    training: Training, run: Run, step: int, restore: Callable[[Training, Checkpoint], None] = restore
) -> Checkpoint:
    """Restore the checkpoint of one step.

    Args:
        training: a freshly built training.
        run: holds the checkpoints.
        step: the step of one of them, or of a light checkpoint.
        restore: restores a checkpoint, or only a part of it.

    Raises:
        CheckpointError: the checkpoint is damaged, or of another model or other data.
        RunError: the run has no checkpoint of that step.
    """
    refuse_no_checkpoint(run, step)
    checkpoint = run.checkpoint(step)
    restore(training, checkpoint)
    return checkpoint


def refuse_no_checkpoint(run: Run, step: int) -> None:
    """Refuse a step of which a run has no checkpoint.

    Raises:
        RunError: the sentence has the steps of those that it has.
    """
    steps = sorted({*run.kept, *run.past})
    if step not in steps:
        kept = f"it has kept those of {listed(steps)}" if steps else "it has none yet"
        more = Change("keep", 20)
        raise RunError(
            f"{run.path}: expected the step of a checkpoint, got {step}; {kept}, and {more} makes the next run "
            "keep more",
            more,
        )
