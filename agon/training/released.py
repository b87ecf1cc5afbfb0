"""Checkpoints that hold weights alone: the game as it is used, to be published, and not to be trained on."""

from agon.errors import RunError
from agon.runs import Checkpoint
from agon.training.fitting import check_weights_fit
from agon.training.training import Training

RELEASED = "released"  # entry of a checkpoint's state


def released(training: Training, data: str) -> Checkpoint:
    """Return the weights and buffers of a training that `agon.load` returned, with the averaged ones in place.

    Args:
        training: the training.
        data: the checksum of its data.
    """
    tensors = {f"game/{name}": value.detach().cpu() for name, value in training.game.state_dict().items()}
    state = {RELEASED: True, "fingerprint": data, "seconds": training.seconds, "processes": 1}
    return Checkpoint(training.step, tensors, state)


def is_released(checkpoint: Checkpoint) -> bool:
    """Whether the checkpoint holds weights alone."""
    return checkpoint.state.get(RELEASED) is True


def restore_released(training: Training, checkpoint: Checkpoint) -> None:
    """Put the weights into a freshly built training, whose average is in them.

    Raises:
        CheckpointError: the checkpoint is of another model.
    """
    training.average = None
    check_weights_fit(training, checkpoint)
    game = {name.removeprefix("game/"): tensor for name, tensor in checkpoint.tensors.items()}
    training.game.load_state_dict(game)
    training.step, training.seconds = checkpoint.step, float(checkpoint.state["seconds"])


def refuse_released(checkpoint: Checkpoint) -> None:
    """Raise a RunError if the checkpoint holds weights alone, for a training that would go on."""
    if is_released(checkpoint):
        raise RunError(
            "the run was published with its weights alone, without what a training needs to go on; agon train RUN "
            "--out NEW trains its experiment anew"
        )
