"""Devices and processes, by Lightning Fabric: this process's device and rank, and the number of processes."""

import builtins
import logging
import os
import sys
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import torch

from agon.errors import Change, SettingError
from agon.training.compute import Compute, process_count


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
    """
    if batch % compute.devices:
        near = Change("batch", max(1, batch // compute.devices) * compute.devices)
        raise SettingError(
            f"batch: expected a multiple of the {compute.devices} processes, got {batch}; use {near}", near
        )
    if compute.devices > 1 and "WORLD_SIZE" not in os.environ and not _repeatable():
        raise SettingError(
            f"devices: expected a script, which each of {compute.devices} processes runs, got a notebook, python -c "
            "or standard input; write a file, or use agon train --devices, or one device"
        )
    global _place
    torch.set_num_threads(compute.threads)
    if compute.devices == 1 and "WORLD_SIZE" not in os.environ:
        _place = Place(_only_device(compute.device), 0, 1)
        return _place
    fabric = _fabric(compute)
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


def _fabric(compute: Compute) -> Any:
    asked = os.environ.get(BY_NVML)
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment

    if asked is None and not torch.cuda.is_available():
        os.environ.pop(BY_NVML, None)
    alone = compute.devices == 1 and "WORLD_SIZE" not in os.environ
    local = process_count("LOCAL_WORLD_SIZE", compute.devices)
    os.environ.setdefault("OMP_NUM_THREADS", str(compute.threads))
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Fabric's advice on data loaders and devices does not apply here
        return Fabric(
            accelerator=compute.device,
            devices=local,
            num_nodes=max(1, compute.devices // local),
            strategy="auto" if alone else "ddp",
            plugins=LightningEnvironment() if alone else None,
        )
