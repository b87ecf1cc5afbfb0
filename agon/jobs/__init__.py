"""Pieces of work, done on this machine's cores: the progress, the result and the failure of each."""

from agon.jobs.job import Ended, Executor, Job, Outcome, failure
from agon.jobs.processes import LocalProcesses
from agon.jobs.signals import Signals
from agon.jobs.worker import in_worker

__all__ = ["Ended", "Executor", "Job", "LocalProcesses", "Outcome", "Signals", "failure", "in_worker"]
