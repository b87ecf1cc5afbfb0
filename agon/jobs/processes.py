"""The executor for this machine's cores: worker processes, started once, fed from one queue."""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from signal import Signals as Signal

from agon.errors import SettingError
from agon.jobs.job import Ended, Job, Outcome, note
from agon.jobs.limits import NO_LIMITS, TimeLimits, Watch
from agon.jobs.sending import pickled, preparation
from agon.jobs.starting import start_worker
from agon.jobs.worker import Message, Reached, Ready, Refused, Said
from agon.terminal.multi_progress import MultiProgress
from agon.terminal.signals import Signals

TICK = 0.25  # seconds until a signal is noticed if no worker sends a message
PATIENCE = 10.0  # seconds until an idle process is killed


@dataclass
class WorkerHandle:
    """The executor's view of a worker process.

    Attributes:
        process: the worker.
        connection: the connection to it.
        job: the name of its current job, if any.
        stopped: whether its job was stopped at a time limit; it then gets no other one.
    """

    process: BaseProcess
    connection: Connection
    job: str | None = None
    stopped: bool = False


class LocalProcesses:
    """Does jobs in worker processes.

    Each worker is a new process, not a fork of this one, see `starting`, and does one job after another. Jobs are
    assigned one by one, so that no worker is idle while jobs are left.

    Args:
        jobs: one or more.
        workers: the largest number of processes.
        limits: how long each job may take.

    Raises:
        SettingError: a job cannot be sent to another process.
    """

    def __init__(self, jobs: Sequence[Job], workers: int, limits: TimeLimits = NO_LIMITS) -> None:
        self.signals, self.queue = Signals(), deque(job.name for job in jobs)
        self.count, self.watch = min(workers, len(jobs)), Watch(limits)
        self.preparation, self.pickled_jobs = preparation(jobs), pickled(jobs)
        self.processes: list[BaseProcess] = []
        self.workers: dict[object, WorkerHandle] = {}
        self.ended: dict[str, Ended] = {}

    def run(self, progress: MultiProgress) -> Outcome:
        """Run until all jobs have ended, or a signal has stopped them."""
        stopped = False
        with self.signals, self._processes_ended():
            for _ in range(self.count):
                if not self.signals.received:
                    self._start_worker()
            while self.workers:
                if self.signals.received and not stopped:
                    self._stop()
                    stopped = True
                for connection in wait([worker.connection for worker in self.workers.values()], timeout=TICK):
                    self._receive(self.workers[connection], progress)
                self._stop_late()
        return Outcome(self.ended, self.signals.received)

    def _start_worker(self) -> None:
        """Start a worker process, and send it the jobs; it answers when it has imported everything.

        A signal to all processes at once can end the one that workers are forked from; then none is started.

        Raises:
            SettingError: no process can be started.
        """
        connection, workers_end = Pipe()
        try:
            with workers_end:
                process = start_worker(workers_end)
        except (EOFError, OSError) as error:
            connection.close()
            if self.signals.received:
                return
            raise SettingError(f"no worker process could be started ({error}); what it said is above") from error
        self.processes.append(process)
        self.workers[connection] = WorkerHandle(process, connection)
        with suppress(OSError):  # if the worker has died, `_receive` notices it
            connection.send(self.preparation)
            connection.send_bytes(self.pickled_jobs)

    def _receive(self, worker: WorkerHandle, progress: MultiProgress) -> None:
        """Receive a worker's next message, and act on it."""
        try:
            message: Message = worker.connection.recv()
        except (EOFError, OSError):
            self._lost(worker, progress)
            return
        name = worker.job or ""
        self.watch.hear(name)
        match message:
            case Reached(step, total, record):
                progress.update(name, step, total, record)
            case Said(line):
                progress.say(f"{name}: {line}")
            case Refused(sentence):
                raise SettingError(sentence)
            case Ready():
                self._assign(worker)
            case Ended():
                self._note(worker, message, progress)
                self._assign(worker)

    def _assign(self, worker: WorkerHandle) -> None:
        """Assign the next job to a worker, or close its connection if none is left for it."""
        going_on = bool(self.queue) and not self.signals.received
        worker.job = self.queue.popleft() if going_on and not worker.stopped else None
        if worker.job is not None:
            self.watch.begin(worker.job)
            with suppress(OSError):
                worker.connection.send(worker.job)
            return
        del self.workers[worker.connection]
        worker.connection.close()
        if going_on:
            self._start_worker()

    def _note(self, worker: WorkerHandle, ended: Ended, progress: MultiProgress) -> None:
        """Note how a worker's job ended, if it had one."""
        if worker.job is not None:
            ended = self.watch.ended(worker.job, ended)
            note(self.ended, worker.job, ended, progress, stopped=bool(self.signals.received))

    def _lost(self, worker: WorkerHandle, progress: MultiProgress) -> None:
        """Fail the job of a worker process that has died, and start another worker if jobs are left."""
        worker.process.join()
        status = worker.process.exitcode or 0
        del self.workers[worker.connection]
        worker.connection.close()
        self._note(worker, Ended(1, _death(status)), progress)
        if worker.job is None and not self.workers and not self.signals.received:
            raise SettingError(f"no worker process could be started ({_death(status)}); what it said is above")
        if worker.job is not None and self.queue:
            self._start_worker()

    def _stop_late(self) -> None:
        """Stop the jobs that are over a time limit, and kill those that did not stop."""
        late = dict(self.watch.due())
        for worker in self.workers.values():
            if worker.job in late:
                worker.stopped = True
                (worker.process.terminate if late[worker.job] == "stop" else worker.process.kill)()

    def _stop(self) -> None:
        """Stop all workers after their current step, and begin no other job."""
        self.queue.clear()
        for worker in self.workers.values():
            worker.process.terminate()

    @contextmanager
    def _processes_ended(self) -> Iterator[None]:
        """End all processes at the end of the context; after an error, kill them at once."""
        patience = 0.0
        try:
            yield
            patience = PATIENCE
        finally:
            for process in self.processes:
                process.join(patience)
                if process.exitcode is None:
                    process.kill()
                    process.join()


def _death(status: int) -> str:
    """Spell how a process died."""
    if status >= 0:
        return f"its process ended with status {status}"
    name = Signal(-status).name
    advice = "; the memory may have been full" if name == "SIGKILL" else ""
    return f"its process was ended by {name}{advice}"
