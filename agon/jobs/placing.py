"""Where jobs are done: in processes of this machine, or on a Ray cluster."""

from collections.abc import Sequence
from dataclasses import dataclass

from agon.arguments import PROCESSES
from agon.errors import SettingError, require
from agon.jobs.job import Executor, Job
from agon.jobs.limits import NO_LIMITS, TimeLimits
from agon.jobs.processes import LocalProcesses

RAY = "ray"


@dataclass(frozen=True, kw_only=True)
class OnProcesses(TimeLimits):
    """Processes of this machine, with time limits of each job, as of `TimeLimits`."""


@dataclass(frozen=True, kw_only=True)
class OnRay(TimeLimits):
    """A Ray cluster, what each job takes of it, and time limits of each job, as of `TimeLimits`.

    Attributes:
        address: "ray://HOST:PORT" of a cluster's client server; by default RAY_ADDRESS, else a new one of this
            machine alone, which listens on loopback.
        cpus: cores of each job, or a share of one; by default its threads.
        gpus: GPUs of each job, or a share of one; by default 1 for a training on CUDA, else 0.

    Raises:
        SettingError: the address is none, or a number is negative.
    """

    address: str = ""
    cpus: float | None = None
    gpus: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.address and not self.address.startswith("ray://"):
            raise SettingError(f"on: expected 'ray', 'ray://HOST:PORT' or 'processes', got {self.address!r}")
        for name, share in (("--cpus-per-job", self.cpus), ("--gpus-per-job", self.gpus)):
            if share is not None and not 0 <= share < 1_000:
                raise SettingError(f"{name}: expected a number from 0 to 1,000, got {share}")


Place = str | OnProcesses | OnRay  # "processes", "ray", "ray://HOST:PORT"


def place(on: Place) -> OnRay | None:
    """Return the cluster that a word means; None for processes of this machine.

    Raises:
        SettingError: the word means neither.
        NotInstalledError: Ray is not installed.
    """
    if on == PROCESSES or isinstance(on, OnProcesses):
        return None
    if isinstance(on, str):
        on = OnRay(address="" if on == RAY else on)
    require("ray")
    return on


def limits_of(on: Place) -> TimeLimits:
    """Return how long each job may take there."""
    return on if isinstance(on, TimeLimits) else NO_LIMITS


def needs_jobs(on: Place) -> bool:
    """Whether each piece of work must be a job of its own: on a cluster, or under a time limit.

    Raises:
        SettingError: `on` is no place.
        NotInstalledError: Ray is not installed.
    """
    return place(on) is not None or limits_of(on).limited


def executor_for(
    jobs: Sequence[Job], workers: int, on: Place = PROCESSES, *, threads: int = 1, device: str = "cpu"
) -> Executor:
    """Make the executor for jobs.

    Args:
        jobs: one or more.
        workers: the largest number of processes on this machine; a cluster takes as many as fit into it.
        on: "processes", "ray", "ray://HOST:PORT", an `OnProcesses` or an `OnRay`.
        threads: CPU threads of each job.
        device: what each computes on.

    Raises:
        SettingError: a job cannot be sent to another process, or `on` is no place.
        NotInstalledError: Ray is not installed.
    """
    cluster = place(on)
    if cluster is None:
        return LocalProcesses(jobs, workers, limits_of(on))
    from agon.jobs.cluster import RayTasks

    cpus = float(threads) if cluster.cpus is None else cluster.cpus
    gpus = float(device == "cuda") if cluster.gpus is None else cluster.gpus
    return RayTasks(jobs, address=cluster.address, cpus=cpus, gpus=gpus, limits=cluster)
