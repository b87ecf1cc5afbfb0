"""Checkpoints that hold weights alone, not to be trained on: those of published runs, and light ones of the past."""

from torch import Tensor

from agon.errors import RunError
from agon.experiment import Experiment
from agon.runs import Checkpoint
from agon.runs.layout import PUBLISHED
from agon.training.fitting import check_weights_fit
from agon.training.training import Training

LIGHT = "light"  # entry of a checkpoint's state
WEIGHTS = ("game/", "average/")  # prefixes of the tensors of a light one


def released(training: Training, data: str) -> Checkpoint:
    """Return the weights and buffers of a training that `agon.load` returned, with the averaged ones in place.

    Args:
        training: the training.
        data: the checksum of its data.
    """
    tensors = {f"game/{name}": value.detach().cpu() for name, value in training.game.state_dict().items()}
    state = {PUBLISHED: True, "fingerprint": data, "seconds": training.seconds, "processes": 1}
    return Checkpoint(training.step, tensors, state)


def light(checkpoint: Checkpoint) -> Checkpoint:
    """Return the weights, buffers and averages of a checkpoint alone: what it takes to generate and to judge."""
    tensors = {name: tensor for name, tensor in checkpoint.tensors.items() if name.startswith(WEIGHTS)}
    state = {name: checkpoint.state[name] for name in ("experiment", "arithmetic", "fingerprint")}
    return Checkpoint(checkpoint.step, tensors, {LIGHT: True, **state, "seconds": 0.0})


def is_light(checkpoint: Checkpoint) -> bool:
    """Whether the checkpoint is a light one."""
    return checkpoint.state.get(LIGHT) is True


def is_released(checkpoint: Checkpoint) -> bool:
    """Whether the checkpoint holds weights alone."""
    return checkpoint.state.get(PUBLISHED) is True


def restore_released(training: Training, checkpoint: Checkpoint) -> None:
    """Put the weights into a freshly built training, whose average is in them.

    Raises:
        CheckpointError: the checkpoint is of another model.
    """
    training.average = None
    restore_light(training, checkpoint)


def restore_light(training: Training, checkpoint: Checkpoint) -> None:
    """Put the weights, buffers and averages into a freshly built training.

    Raises:
        CheckpointError: the checkpoint is of another model.
    """
    check_weights_fit(training, checkpoint)
    training.game.load_state_dict(tensors_under(checkpoint, "game"))
    if training.average is not None:
        training.average.load(tensors_under(checkpoint, "average"))
    training.step, training.seconds = checkpoint.step, float(checkpoint.state["seconds"])


def tensors_under(checkpoint: Checkpoint, prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with a prefix, by the rest of their names."""
    start = f"{prefix}/"
    return {n.removeprefix(start): t for n, t in checkpoint.tensors.items() if n.startswith(start)}


def refuse_released(checkpoint: Checkpoint) -> None:
    """Raise a RunError if the checkpoint holds weights alone, for a training that would go on."""
    if is_released(checkpoint):
        raise RunError(
            "the run was published with its weights alone, without what a training needs to go on; agon train RUN "
            "--init RUN --out NEW begins with them, and without --init anew"
        )


def refuse_averaged_alone(checkpoint: Checkpoint, experiment: Experiment) -> None:
    """Raise a RunError if the weights of the last step are wanted, and a checkpoint of weights has their average."""
    if is_released(checkpoint) and experiment.averaging is not None:
        raise RunError("the run was published and holds the averaged weights alone; leave --weights live out")
