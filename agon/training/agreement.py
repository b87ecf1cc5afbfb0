"""What all processes must agree on after each step: whether to stop, and whether all numbers are still finite."""

from collections.abc import Iterator
from contextlib import contextmanager
from signal import Signals as Signal

import torch
import torch.distributed as dist

from agon.errors import DivergedError, Interrupted, NotMirroredError, RunError, StoppedError
from agon.games import Losses
from agon.runs import Run
from agon.training.launch import Place
from agon.training.training import Training


def agreed_signal(received: int, training: Training) -> int:
    """The number of the signal that any process has received, or 0."""
    if training.world == 1:
        return received
    number = torch.tensor([received], device=training.device)
    dist.all_reduce(number, op=dist.ReduceOp.MAX)
    return int(number)


def refuse_nonfinite(training: Training, losses: Losses, run: Run | None, thorough: bool) -> None:
    """Stop a training with a non-finite loss or weight before it writes another checkpoint.

    On an accelerator, where reading a number waits for the device, it checks only when `thorough`.

    Raises:
        DivergedError: a number is not finite; the message names it and the last good checkpoint.
    """
    if training.device.type == "cpu" or thorough:
        bad = [f"the loss of {player}" for player, loss in losses.players.items() if not torch.isfinite(loss)]
        if thorough and not bad and not all(bool(torch.isfinite(p).all()) for p in training.game.parameters()):
            bad = ["a weight"]
        flag = torch.tensor([len(bad)], device=training.device)
        if thorough and training.world > 1:
            dist.all_reduce(flag)
        if int(flag) and (thorough or training.world == 1):
            raise DivergedError(_diverged(training, run, bad[0] if bad else "a loss"))


def interrupted(training: Training, run: Run | None, number: int) -> Interrupted:
    """The error to raise after a signal."""
    where = run.path if run else "the run"
    name = Signal(number).name
    return Interrupted(f"{name}: stopped at step {training.step}; go on with: agon resume {where}", number)


@contextmanager
def agreed(place: Place) -> Iterator[None]:
    """Train with all processes together; at the end, or where all stop after a step, they wait for each other.

    Raises:
        RunError: another process has ended early.
    """
    stopped: Interrupted | StoppedError | NotMirroredError | None = None
    try:
        try:
            yield
        except (Interrupted, StoppedError, NotMirroredError) as error:  # after the same step in all of them
            stopped = error
        _part(place)
    except RuntimeError as error:
        message = str(error).lower()
        if place.world > 1 and any(word in message for word in ("gloo", "nccl", "connection", "peer", "process group")):
            raise RunError(
                "another process of this training has ended; its message says why, and agon resume goes on "
                "from the last checkpoint"
            ) from error
        raise
    if stopped is not None:
        raise stopped


def _part(place: Place) -> None:
    """Wait for all processes and close their group; processes that exit with an open group are aborted."""
    if place.world > 1 and dist.is_initialized():
        arrived = torch.ones(1, device=place.device)
        dist.all_reduce(arrived)
        arrived.item()  # on an accelerator, only reading the number waits
        dist.destroy_process_group()


def _diverged(training: Training, run: Run | None, what: str) -> str:
    good = "there is no checkpoint"
    if run and (checkpoint := run.last_good()[0]):
        good = f"the last good checkpoint is {run.checkpoints / f'{checkpoint.step:08d}'}"
    return (
        f"{what} is not finite any more at step {training.step}; {good}; "
        "try a smaller learning rate, another objective or a penalty in a new run"
    )
