"""What all processes must agree on after each step: to stop, or that something is not finite any more."""

from collections.abc import Iterator
from contextlib import contextmanager
from signal import Signals as Signal

import torch
import torch.distributed as dist

from agon.errors import DivergedError, Interrupted, RunError
from agon.games import Losses
from agon.runs import Run
from agon.training.launch import Place
from agon.training.training import Training


def stop_asked(received: int, training: Training) -> int:
    """The number of the signal that some process has received, or 0."""
    if training.world == 1:
        return received
    number = torch.tensor([received], device=training.device)
    dist.all_reduce(number, op=dist.ReduceOp.MAX)
    return int(number)


def refuse_nonfinite(training: Training, losses: Losses, run: Run | None, thorough: bool) -> None:
    """Stop a training that has left the finite numbers, before it writes another checkpoint.

    On an accelerator, where reading a number waits for the device, only when `thorough`.

    Raises:
        DivergedError: names what is not finite and the last good checkpoint.
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
    """What to raise after a signal was honoured."""
    where = run.path if run else "the run"
    name = Signal(number).name
    return Interrupted(f"{name}: stopped at step {training.step}; go on with: agon resume {where}", number)


@contextmanager
def agreed(place: Place) -> Iterator[None]:
    """Within it all processes train together. At its end, or after a signal, they wait for each other and part.

    Raises:
        RunError: another process has ended before that.
    """
    stopped: Interrupted | None = None
    try:
        try:
            yield
        except Interrupted as error:  # after the same step in all of them
            stopped = error
        _part(place)
    except RuntimeError as error:
        told = str(error).lower()
        if place.world > 1 and any(word in told for word in ("gloo", "nccl", "connection", "peer", "process group")):
            raise RunError(
                "another process of this training has ended; its message says why, and agon resume goes on "
                "from the last checkpoint"
            ) from error
        raise
    if stopped is not None:
        raise stopped


def _part(place: Place) -> None:
    """Wait until all processes are here; a group that is left open ends its processes by force when they exit."""
    if place.world > 1 and dist.is_initialized():
        arrived = torch.ones(1, device=place.device)
        dist.all_reduce(arrived)
        arrived.item()  # on an accelerator, this is what waits
        dist.destroy_process_group()


def _diverged(training: Training, run: Run | None, what: str) -> str:
    good = "there is no checkpoint"
    if run and (checkpoint := run.last_good()[0]):
        good = f"the last good checkpoint is {run.checkpoints / f'{checkpoint.step:08d}'}"
    return (
        f"{what} is no finite number any more at step {training.step}; {good}; "
        "try a smaller learning rate, another objective or a penalty in a new run"
    )
