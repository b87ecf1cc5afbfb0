"""Jobs: pieces of work for this machine's cores or a Ray cluster, with the progress and the result of each."""

from agon.arguments import PROCESSES
from agon.jobs.job import Ended, Executor, Job, Outcome, failure
from agon.jobs.limits import TimeLimits
from agon.jobs.placing import OnProcesses, OnRay, Place, executor_for, needs_jobs, place
from agon.jobs.processes import LocalProcesses
from agon.jobs.worker import in_worker

__all__ = [
    "PROCESSES",
    "Ended",
    "Executor",
    "Job",
    "LocalProcesses",
    "OnProcesses",
    "OnRay",
    "Outcome",
    "Place",
    "TimeLimits",
    "executor_for",
    "failure",
    "in_worker",
    "needs_jobs",
    "place",
]
