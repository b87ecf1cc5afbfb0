"""The executor for a Ray cluster: a task for each job, started again elsewhere if its node is lost."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from agon.errors import RunError, SettingError
from agon.jobs.job import Ended, Job, Outcome, note
from agon.jobs.limits import NO_LIMITS, TimeLimits, Watch
from agon.jobs.processes import TICK
from agon.jobs.remote import Mailbox, brought, do
from agon.jobs.sending import pickled, preparation
from agon.jobs.session import session
from agon.jobs.worker import Begun, Message, Reached, Refused, Said
from agon.terminal.multi_progress import MultiProgress
from agon.terminal.signals import Signals

RESTARTS = 3  # of a job whose worker or node is lost


class RayTasks:
    """Does jobs as tasks of a Ray cluster, as many at a time as fit into it.

    A job whose worker or node is lost starts again where there is room: a training then goes on from its last
    checkpoint, so run directories must be on a path that all machines share. Nothing but that path is needed of them,
    and agon.

    Args:
        jobs: one or more.
        address: as of `session`.
        cpus: cores of each job, or a share of one.
        gpus: GPUs of each job, or a share of one.
        limits: how long each job may take.

    Raises:
        SettingError: a job cannot be sent to another process.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        *,
        address: str = "",
        cpus: float = 1.0,
        gpus: float = 0.0,
        limits: TimeLimits = NO_LIMITS,
    ) -> None:
        self.watch = Watch(limits)
        self.address, self.resources = address, {"num_cpus": cpus, "num_gpus": gpus}
        self.signals, self.preparation = Signals(), preparation(jobs)
        self.contents = {job.name: pickled([job]) for job in jobs}
        self.attempts: Counter[str] = Counter()
        self.ended: dict[str, Ended] = {}
        self.pending: dict[Any, str] = {}  # Ray's reference -> name

    def run(self, progress: MultiProgress) -> Outcome:
        """Run until all jobs have ended, or a signal has stopped them.

        Raises:
            SettingError: a worker cannot do the jobs.
            RunError: there is no cluster, or it was lost.
        """
        progress.say("Ray: connecting")
        with session(self.address) as ray, self.signals:
            progress.say(described(ray, self.resources))
            self.mailbox = self._mailbox(ray)
            for name in self.contents:
                self._submit(ray, name)
            try:
                self._work(ray, progress)
            except (ray.exceptions.RayError, ConnectionError) as error:
                raise RunError(
                    f"the Ray cluster was lost ({type(error).__name__}); what is done is kept, and with a new cluster "
                    "agon resume, or the same command, goes on from the last checkpoints"
                ) from error
            finally:
                with suppress(ray.exceptions.RayError, ConnectionError):
                    for reference in self.pending:  # after an error
                        ray.cancel(reference, force=True)
        return Outcome(self.ended, self.signals.received)

    def _work(self, ray: Any, progress: MultiProgress) -> None:
        """Act on messages and results until nothing is pending."""
        stopped = False
        while self.pending:
            if self.signals.received and not stopped:
                stopped = True
                self._stop(ray)
            done, _ = ray.wait(list(self.pending), num_returns=len(self.pending), timeout=TICK)
            for name, attempt, message in ray.get(self.mailbox.take.remote()):
                self._receive(name, attempt, message, progress)
            for reference in done:
                self._end(ray, reference, progress)
            self._stop_late(ray)
            progress.tick()

    def _mailbox(self, ray: Any) -> Any:
        """Start the mailbox on the driver's node, whose loss ends the driver as well."""
        here = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            ray.get_runtime_context().get_node_id(), soft=False
        )
        return ray.remote(num_cpus=0, scheduling_strategy=here)(Mailbox).remote()

    def _submit(self, ray: Any, name: str) -> None:
        task = ray.remote(max_retries=0, **self.resources)(do).options(name=name)
        reference = task.remote(
            name, self.attempts[name], self.contents[name], self.preparation, brought(), self.mailbox
        )
        self.pending[reference] = name

    def _receive(self, name: str, attempt: int, message: Message, progress: MultiProgress) -> None:
        """Act on a message; one of an attempt that was lost says nothing any more."""
        if name in self.ended or attempt != self.attempts[name]:
            return
        self.watch.hear(name)
        match message:
            case Begun():
                self.watch.begin(name)
            case Reached(step, total, record):
                progress.update(name, step, total, record)
            case Said(line):
                progress.say(f"{name}: {line}")

    def _end(self, ray: Any, reference: Any, progress: MultiProgress) -> None:
        """Note how a task ended; after a signal, an error is not a failure."""
        name, errors = self.pending.pop(reference), ray.exceptions
        try:
            result = ray.get(reference)
        except (errors.WorkerCrashedError, errors.NodeDiedError, errors.LocalRayletDiedError) as error:
            result = self._lost(ray, name, type(error).__name__, progress)
        except errors.OutOfMemoryError:
            result = self._lost(ray, name, "the memory of its node was full", progress)
        except errors.TaskCancelledError:
            result = Ended(1, "it was cancelled")
        except errors.RayError as error:
            result = Ended(1, f"Ray could not do it ({str(error).strip().splitlines()[-1]})")
        if isinstance(result, Refused):
            raise SettingError(result.sentence)
        if result is not None:
            result = self.watch.ended(name, result)
            note(self.ended, name, result, progress, stopped=bool(self.signals.received))

    def _lost(self, ray: Any, name: str, why: str, progress: MultiProgress) -> Ended | None:
        """Start a job again whose worker was lost; how it failed, if that has happened too often."""
        if self.signals.received:
            return Ended(1, "it was stopped")
        if self.watch.over(name):
            return Ended(1, "its worker was killed")
        if self.attempts[name] == RESTARTS:
            return Ended(1, f"its worker was lost {RESTARTS + 1} times, at last by {why}")
        progress.drop(name)
        progress.say(f"{name}: its worker or node was lost ({why}); it starts again")
        self.attempts[name] += 1
        self.watch.jobs.pop(name, None)  # it may wait for a place
        self._submit(ray, name)
        return None

    def _stop_late(self, ray: Any) -> None:
        """Stop the jobs that are over a time limit, and kill the workers of those that did not stop."""
        references = {name: reference for reference, name in self.pending.items()}
        for name, what in self.watch.due():
            if what == "stop":
                self.mailbox.stop.remote(name)
            elif name in references:
                ray.cancel(references[name], force=True)

    def _stop(self, ray: Any) -> None:
        """Stop all jobs after their current step, and begin no other one."""
        self.mailbox.stop.remote()
        for reference in self.pending:
            ray.cancel(reference)


def described(ray: Any, resources: dict[str, float]) -> str:
    """A line about the cluster: how many jobs fit into it, or that they wait for a node that has room for one."""
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    wanted = {"CPU": resources["num_cpus"], "GPU": resources["num_gpus"]}
    fit = sum(
        min((int(node.get(kind, 0) / share + 1e-9) for kind, share in wanted.items() if share), default=1)
        for node in nodes
    )
    cores = sum(node.get("CPU", 0) for node in nodes)
    line = f"Ray: {len(nodes)} node{'s' * (len(nodes) != 1)}, {cores:g} cores"
    if fit:
        return f"{line}, {fit} jobs at a time"
    each = " and ".join(f"{share:g} {kind}" for kind, share in wanted.items() if share)
    return f"{line}; no node has {each} for a job, and all jobs wait for one"
