"""How numbers are computed: chosen once, written to the run, and restored when the run resumes."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import torch

from agon.arguments import check_resources, checks_names
from agon.cores import cores, default_threads
from agon.errors import SettingError
from agon.experiment.typing import check_fields
from agon.ranks import SLURM, joined

Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["fp32", "bf16", "fp64"]
FEWEST = 16  # processes that any machine may start
BEFORE = {"fused": False}  # settings of the runs that were begun before there were these settings


@checks_names
@dataclass(frozen=True, kw_only=True)
class Compute:
    """Where and how numbers are computed: settings that do not change what is trained, but the last bits.

    Attributes:
        device: "auto" takes cuda, then mps, then cpu.
        devices: number of processes, with one device each; they share the batch.
        precision: "bf16" runs the networks in bfloat16 under autocast, with weights, moments and
            losses in float32; "fp64" runs everything in float64.
        threads: CPU threads of each process; 0 takes the cores that no other work uses, shared among the processes, or
            OMP_NUM_THREADS where it is set (`cores.default_threads`).
        compile: whether to compile the look-ahead of unrolled dynamics, or else the networks' forward
            passes, with torch.compile's compiler. "auto" compiles a look-ahead in trainings of a thousand
            steps or more, and networks if it measures that to be faster, on CUDA only.
        channels_last: memory format of image networks; faster by our measurements.
        fused: whether trainings on a CPU exchange layers for equal ones with fewer operations (`networks.fused`);
            not in bfloat16, in compiled networks, and under dynamics that differentiate twice.
        memory: GiB of decoded data to keep on the device; larger data are mapped from the cache.
    """

    device: Device = "auto"
    devices: int = 1
    precision: Precision = "fp32"
    threads: int = 0
    compile: Literal["auto", "on", "off"] = "auto"
    channels_last: bool = True
    fused: bool = True
    memory: float = 4.0

    def __post_init__(self) -> None:
        check_fields(self)
        check_resources(self.devices, self.threads, self.memory)

    def resolved(self) -> "Compute":
        """Replace every "auto" that depends on the machine by its value on this one.

        Raises:
            SettingError: the machine has no such device, or not enough of them.
        """
        device = _best_device() if self.device == "auto" else self.device
        ranks = joined()
        devices = ranks.world if ranks else self.devices  # torchrun's and SLURM's number takes precedence
        here = ranks.local_world if ranks else devices
        if device == "cuda" and here > torch.cuda.device_count():
            advice = "ask SLURM for --gpus-per-node" if ranks and ranks.launcher == SLURM else "fewer --devices"
            raise SettingError(
                f"device cuda: expected {here} of them, got {torch.cuda.device_count()} on this machine; "
                f"use --device cpu, or {advice}"
            )
        most = max(FEWEST, os.cpu_count() or 1)
        if device == "cpu" and devices > most and ranks is None:
            raise SettingError(f"device cpu: expected at most {most} processes on this machine, got {devices}")
        if device == "mps" and not torch.backends.mps.is_available():
            raise SettingError("device mps: this machine has none; use --device cpu")
        threads = self.threads or default_threads(devices, ranks)
        return replace(self, device=device, devices=devices, threads=threads)

    @property
    def dtype(self) -> torch.dtype:
        """Number type of weights and data."""
        return torch.float64 if self.precision == "fp64" else torch.float32

    @property
    def fuses(self) -> bool:
        """Whether networks that are differentiated once are to be fused."""
        plain = self.device == "cpu" and self.compile != "on" and self.precision != "bf16"
        return self.fused and self.channels_last and plain

    @contextmanager
    def autocast(self) -> Iterator[None]:
        """Run networks in bfloat16 if `precision` is "bf16".

        Weights are cast again in each pass: autocast's cache outlives an optimiser's step, so the
        next player would use outdated weights.
        """
        enabled = self.precision == "bf16"
        with torch.autocast(self.device, torch.bfloat16, enabled=enabled, cache_enabled=False):
            yield

    def describe(self) -> dict[str, Any]:
        """The content of arithmetic.json: all fields, with the versions on which the numbers depend."""
        from agon import __version__

        return {**asdict(self), "torch": torch.__version__, "agon": __version__}

    @classmethod
    def read(cls, described: dict[str, Any]) -> "Compute":
        """Read what `describe` returned.

        Raises:
            SettingError: a field is missing.
        """
        versions = {name: described.get(name, "") for name in ("torch", "agon")}
        if not all(isinstance(value, str) for value in versions.values()):
            raise SettingError(f"arithmetic.json: expected versions as text, got {versions!r:.80}")
        described = {**BEFORE, **described}
        missing = sorted(cls.__dataclass_fields__.keys() - described.keys())
        if missing:
            raise SettingError(f"arithmetic.json: expected {', '.join(missing)} too; begin again in another folder")
        return cls(**{k: v for k, v in described.items() if k in cls.__dataclass_fields__})

    @staticmethod
    def cores() -> int:
        """The number of cores that this process may use; in a container or a job, fewer than the machine's."""
        return cores()

    @classmethod
    def continued(cls, described: dict[str, Any], threads: int | None = None) -> "Compute":
        """Read what a run describes, to go on with it on this machine.

        The number of threads changes the last bits, so it stays the run's own, unless another one is given. A run
        that was begun on a machine with other cores, and with more threads than this one has cores, takes all cores
        of this one: threads that wait for each other make every step slower.

        Args:
            described: the content of arithmetic.json.
            threads: threads of each process; 0 takes the cores that are free, shared among the processes.
        """
        compute = cls.read(described)
        here = max(1, cls.cores() // compute.devices)
        if threads is None and compute.threads > here and described.get("cores") != cls.cores():
            threads = here
        return compute if threads is None else replace(compute, threads=threads)


def _best_device() -> Device:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
