"""Jobs: pieces of work for this machine's cores, with the progress and the result of each."""

from agon.jobs.job import Ended, Executor, Job, Outcome, failure
from agon.jobs.processes import LocalProcesses
from agon.jobs.signals import Signals
from agon.jobs.worker import in_worker

__all__ = ["Ended", "Executor", "Job", "LocalProcesses", "Outcome", "Signals", "failure", "in_worker"]
