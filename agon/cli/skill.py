"""agon skill: the snapshots of one training against each other."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agon.arguments import check_samples, check_seed
from agon.cli.held_out import advise_on_few
from agon.cli.shared import RunPath, ScriptOption, run_script
from agon.runs.named import local
from agon.runs.taken import refuse_no_run
from agon.terminal import say


@dataclass
class SkillCommand:
    """Rate the generators and critics of one training over its steps, by a tournament of its snapshots."""

    run: RunPath
    """Run directory, best of a training with --snapshots 20."""
    n: int = 2_000
    """Number of samples of each step, and largest number of real test samples."""
    seed: int = 0
    """Seed of the latents and of the held-out samples."""
    statistics: Literal["running", "reestimated", "batch"] = "reestimated"
    """Statistics of a critic's batch normalisation, as in agon battle."""
    out: Path | None = None
    """Folder for skill.json and skill.png; by default the run."""
    trust: bool = False
    """Allow the run to import classes from outside agon, which runs their code."""
    from_: ScriptOption = None

    def __call__(self) -> None:
        check_samples(self.n)
        check_seed(self.seed, "--seed")
        path = local(self.run)
        refuse_no_run(path)
        from agon.arena.skills.skill import skill
        from agon.runs import Run

        run_script(self.from_)
        options = {"seed": self.seed, "statistics": self.statistics, "out": self.out, "trust": self.trust}
        result = skill(Run.open(path), n=self.n, **options)  # type: ignore[arg-type]
        say(*result.lines)
        advise_on_few(result.matrix.n_real, self.n)
