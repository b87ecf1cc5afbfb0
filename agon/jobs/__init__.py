"""Jobs: pieces of work for this machine's cores or a Ray cluster, with the progress and the result of each."""

from agon.arguments import PROCESSES
from agon.jobs.job import Ended, Executor, Job, Outcome, failure
from agon.jobs.placing import OnRay, Place, executor_for, place
from agon.jobs.processes import LocalProcesses
from agon.jobs.signals import Signals
from agon.jobs.worker import in_worker

__all__ = [
    "PROCESSES",
    "Ended",
    "Executor",
    "Job",
    "LocalProcesses",
    "OnRay",
    "Outcome",
    "Place",
    "Signals",
    "executor_for",
    "failure",
    "in_worker",
    "place",
]
