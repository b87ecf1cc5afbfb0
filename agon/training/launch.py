"""Devices and processes, by Lightning Fabric: this process's device and rank, and the number of processes."""

import builtins
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any, NamedTuple

import torch

from agon.errors import Change, RunError, SettingError
from agon.ranks import SLURM, Ranks, address, joined
from agon.terminal import warn
from agon.training.allocation import keep_freed_memory
from agon.training.compute import Compute
from agon.training.connections import ending_with_starter, noticing_loss, starting


class Place(NamedTuple):
    """This process among those that train together.

    Attributes:
        device: the process's device.
        rank: its number, from 0; only rank 0 writes files and messages.
        world: the number of processes that train together.
    """

    device: torch.device
    rank: int
    world: int


BY_NVML = "PYTORCH_NVML_BASED_CUDA_CHECK"  # Fabric sets it; without a GPU it makes each step of Adam twice as long
PATIENCE = 5.0  # seconds of waiting for other processes before it is said
_place: Place | None = None  # result of the last launch


def is_main_process() -> bool:
    """Whether this process is the only one, or the first of those that train together.

    `train` and `resume` return in every process; use this to do something only once.
    """
    return _place is None or _place.rank == 0


def launch(compute: Compute, batch: int) -> Place:
    """Start the other processes, or join them (torchrun, SLURM), and select this one's device.

    Raises:
        SettingError: the batch cannot be shared equally.
        RunError: not all processes come.
    """
    if batch % compute.devices:
        near = Change("batch", max(1, batch // compute.devices) * compute.devices)
        raise SettingError(
            f"batch: expected a multiple of the {compute.devices} processes, got {batch}; use {near}", near
        )
    ranks = joined()
    if compute.devices > 1 and ranks is None and not _repeatable():
        raise SettingError(
            f"devices: expected a script, which each of {compute.devices} processes runs, got a notebook, python -c "
            "or standard input; write a file, or use agon train --devices, or one device"
        )
    global _place
    keep_freed_memory()
    torch.set_num_threads(compute.threads)
    if compute.devices == 1 and ranks is None:
        _place = Place(_only_device(compute.device), 0, 1)
        return _place
    with ending_with_starter(), _join(ranks):
        fabric = _fabric(compute, ranks)
        with starting(), noticing_loss():
            fabric.launch()
    _place = Place(fabric.device, fabric.global_rank, fabric.world_size)
    return _place


def _only_device(kind: str) -> torch.device:
    """The device of a process that trains alone, which needs no Fabric, whose import takes longer than torch's."""
    if kind == "cpu":
        return torch.device(kind)
    if kind == "cuda":
        torch.cuda.set_device(0)
    return torch.device(kind, 0)


def _repeatable() -> bool:
    """Whether other processes can run this one's program: a file or a module, not a notebook's cell."""
    file = getattr(sys.modules["__main__"], "__file__", None)
    return file is not None and Path(file).is_file() and not hasattr(builtins, "__IPYTHON__")


@contextmanager
def _join(ranks: Ranks | None) -> Iterator[None]:
    """A context in which the processes find each other; says what it waits for, if that takes long."""
    if ranks is None or ranks.world == 1:
        yield
        return
    if ranks.launcher == SLURM:
        host, port = address()
        os.environ |= {"MASTER_ADDR": host, "MASTER_PORT": str(port)}
    where = f"{os.environ.get('MASTER_ADDR', '127.0.0.1')}:{os.environ.get('MASTER_PORT', '')}"
    others = f"{ranks.world} processes of this training at {where}"
    timer = Timer(PATIENCE, warn, [f"process {ranks.rank} waits until all {others} are there"])
    timer.daemon = True
    if ranks.local_rank == 0:
        timer.start()
    try:
        yield
    except (torch.distributed.DistError, TimeoutError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise RunError(
            f"expected {others}, but they did not all come ({first:.200}); start all of them with the same command"
        ) from error
    finally:
        timer.cancel()


def _fabric(compute: Compute, ranks: Ranks | None) -> Any:
    asked = os.environ.get(BY_NVML)
    from lightning_fabric import Fabric

    if asked is None and not torch.cuda.is_available():
        os.environ.pop(BY_NVML, None)
    local = ranks.local_world if ranks else compute.devices
    os.environ.setdefault("OMP_NUM_THREADS", str(compute.threads))
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Fabric's advice on data loaders and devices does not apply here
        return Fabric(
            accelerator=compute.device,
            devices=local,
            num_nodes=max(1, compute.devices // local),
            strategy="auto" if compute.devices == 1 and ranks is None else "ddp",
            plugins=_environment(ranks),
        )


def _environment(ranks: Ranks | None) -> Any:
    """Where Fabric finds ranks and address: torchrun's, or SLURM's variables, or those of its own launcher."""
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment
    from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
    from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment

    if ranks is not None and ranks.launcher == SLURM:
        tasks = ranks.world

        class Tasks(SLURMEnvironment):
            """Fabric's own, without its demands: --ntasks-per-node, and as many tasks on every node."""

            _validate_srun_used = _validate_srun_variables = staticmethod(lambda: None)

            def validate_settings(self, num_devices: int, num_nodes: int) -> None:
                """Accept any number."""

            def world_size(self) -> int:
                """The number of tasks of this step."""
                return tasks

        return Tasks(auto_requeue=False)
    return TorchElasticEnvironment() if TorchElasticEnvironment.detect() else LightningEnvironment()
