"""One training that a process of its own makes."""

from dataclasses import dataclass
from pathlib import Path

from agon.experiment import Experiment
from agon.replicates.folder import Folder
from agon.replicates.plan import Plan
from agon.runs import Run
from agon.training import Arithmetic, Watch
from agon.training.loop import compare_with


@dataclass(frozen=True)
class Job:
    """A training to begin, or to go on with.

    Attributes:
        name: by which it is told apart.
        path: of its run.
        experiment: what is trained.
        arithmetic: how it computes, resolved.
        watch: what looks at it meanwhile.
    """

    name: str
    path: Path
    experiment: Experiment
    arithmetic: Arithmetic
    watch: Watch | None = None

    @property
    def begun(self) -> bool:
        """Whether there is a run to go on with."""
        return Run(self.path).begun

    @property
    def done(self) -> bool:
        """Whether there is a run with nothing left to do.

        Raises:
            RunError: it was begun with another experiment.
        """
        if not self.begun:
            return False
        run = Run.open(self.path)
        compare_with(run, self.experiment)
        checkpoint, _ = run.last_good()
        return checkpoint is not None and checkpoint.step >= self.experiment.steps


def name(seed: int) -> str:
    """Of the run of a seed, and of its directory."""
    return f"seed-{seed}"


def jobs_of(folder: Folder, plan: Plan) -> list[Job]:
    """A job for each seed of a plan."""
    return [Job(name(seed), folder.run(seed).path, plan.replicate(seed), plan.arithmetic) for seed in plan.seeds]
