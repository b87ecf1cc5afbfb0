"""What all processes must agree on: what they train, when to stop, and whether all numbers are still finite."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from signal import Signals as Signal
from typing import Any

import torch
import torch.distributed as dist

from agon.errors import (
    ALONE,
    AgonError,
    DivergedError,
    Interrupted,
    LostError,
    NotMirroredError,
    SettingError,
    StoppedError,
    command,
)
from agon.experiment import Experiment, differences
from agon.games import Losses
from agon.runs import Run
from agon.runs.alarms import record_end
from agon.training.compute import Compute
from agon.training.connections import noticing_loss
from agon.training.launch import Place
from agon.training.training import Training
from agon.untrusted import listed

OWN = ("threads", "memory")  # what each process may choose for itself
ENDED = "has ended; its message says why"
SILENCE = ("timed out", "no route to host", "unreachable")  # what gloo and NCCL say of a machine that vanished


class OtherTrainingError(SettingError):
    """The processes do not train the same; all of them raise it at the same point."""


def refuse_other_training(place: Place, experiment: Experiment, compute: Compute) -> None:
    """Refuse processes that were started with other versions, or with another experiment.

    Raises:
        OtherTrainingError: the sentence, the same in all processes, names one of them and the differences.
    """
    numbers = {name: value for name, value in compute.describe().items() if name not in OWN}
    _refuse_differences(place, {"experiment": experiment.describe(), **numbers}, "with the same command and versions")


def refuse_other_state(training: Training) -> None:
    """Refuse processes that read other data, or have restored another checkpoint.

    Raises:
        OtherTrainingError: the sentence, the same in all processes, names one of them and the differences.
    """
    place = Place(training.device, training.rank, training.world)
    state = {"data": training.data.fingerprint, "step": training.step} if place.world > 1 else {}
    _refuse_differences(place, state, "on the same data and the same run directory")


def _refuse_differences(place: Place, facts: Mapping[str, Any], how: str) -> None:
    if place.world == 1:
        return
    first, *others = (json.loads(text) for text in _texts_of_all(json.dumps(facts), place))
    for rank, other in enumerate(others, 1):
        lines = [line for line in differences(first, other) if "data.path:" not in line and "data.of.path:" not in line]
        if lines:
            raise OtherTrainingError(
                f"expected all {place.world} processes to train the same, got another process {rank} than process 0 "
                f"({listed(lines)}); start all of them {how}"
            )


def _texts_of_all(text: str, place: Place) -> list[str]:
    """A text of each process, in the order of their ranks; all processes must call it."""
    own = torch.tensor(list(text.encode()), dtype=torch.uint8, device=place.device)
    sizes = [torch.zeros(1, dtype=torch.int64, device=place.device) for _ in range(place.world)]
    with noticing_loss():  # NCCL connects at the first collective
        dist.all_gather(sizes, torch.tensor([len(own)], device=place.device))
        most = int(torch.cat(sizes).max())
    padded = torch.nn.functional.pad(own, (0, most - len(own)))
    texts = [torch.empty_like(padded) for _ in range(place.world)]
    dist.all_gather(texts, padded)
    return [bytes(t[: int(n)].tolist()).decode() for t, n in zip(texts, sizes, strict=True)]


def agreed_signal(received: int, training: Training) -> int:
    """The number of the signal that any process has received, or 0."""
    if training.world == 1:
        return received
    number = torch.tensor([received], device=training.device)
    dist.all_reduce(number, op=dist.ReduceOp.MAX)
    return int(number)


def refuse_nonfinite(training: Training, losses: Losses, run: Run | None, thorough: bool) -> None:
    """Stop a training with a non-finite loss or weight before it writes another checkpoint, and record that in its run.

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
            what = f"{bad[0] if bad else 'a loss'} is not finite any more"
            if run:
                record_end(run.alarms, "divergence", training.step, what)
            raise DivergedError(_diverged(training, run, what))


def interrupted(training: Training, run: Run | None, number: int) -> Interrupted:
    """The error to raise after a signal."""
    advice = f"go on with: {command('resume', run.path)}" if run else "agon resume goes on with the run"
    return Interrupted(f"{Signal(number).name}: stopped at step {training.step}; {advice}", number)


@contextmanager
def failing_alone(rank: int) -> Iterator[None]:
    """Note of an error of this process, other than those that all processes have, that only this one can tell it."""
    try:
        yield
    except Exception as error:
        if rank and not isinstance(error, Interrupted | StoppedError | DivergedError):
            error.add_note(ALONE)
        raise


@contextmanager
def agreed(place: Place) -> Iterator[None]:
    """Train with all processes together; at the end, or where all stop after a step, they wait for each other.

    Raises:
        LostError: another process has ended early.
    """
    stopped: AgonError | None = None
    ends = (Interrupted, StoppedError, OtherTrainingError, NotMirroredError)  # after the same step in all of them
    try:
        try:
            yield
        except ends as error:
            stopped = error
        _part(place)
    except RuntimeError as error:
        message = str(error).lower()
        if place.world > 1 and any(word in message for word in ("gloo", "nccl", "connection", "peer", "process group")):
            silent = any(word in message for word in SILENCE)
            how = "does not answer any more: see that its machine is there" if silent else ENDED
            raise LostError(
                f"another process of this training {how}, and agon resume goes on from the last checkpoint"
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
        f"{what} at step {training.step}; {good}; "
        "try a smaller learning rate, another objective or a penalty in a new run"
    )
