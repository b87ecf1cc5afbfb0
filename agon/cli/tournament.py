"""agon tournament: the critics of several runs judge the samples of all of them, and ratings explain the outcome."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from agon.arguments import check_samples, check_seed
from agon.cli.held_out import advise_on_few
from agon.cli.shared import (
    CpusOption,
    GpusOption,
    MinutesOption,
    OnOption,
    ProgressOption,
    ScriptOption,
    place_of,
    run_script,
)
from agon.errors import SettingError
from agon.runs.entered import RESULT, entries, refuse_other_folder
from agon.terminal import say

Words = Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="[RUN ...]")]


@dataclass
class TournamentCommand:
    """Let every critic judge every generator's samples, and rate all: which run is better, and how surely."""

    out: Path
    """Folder of the result, tournament.json; what it keeps there makes the next tournament cheaper."""
    runs: Words = ()
    """Runs, checkpoints (RUN@STEP; RUN@0 is untrained), folders of seeds, and folders or files of samples."""
    n: int = 1_000
    """Number of samples of each generator, and of held-out real samples."""
    seed: int = 0
    """Seed of the latents and of the choice of real samples."""
    statistics: Literal["running", "reestimated", "batch"] = "reestimated"
    """Statistics of a critic's batch normalisation."""
    references: bool = True
    """Whether real samples (the ceiling) and an untrained generator (the floor) take part."""
    values: tuple[float, float] | None = None
    """The values of black and white in samples of floats, e.g. -1 1."""
    jobs: int = 1
    """Number of processes that make samples and judge; it changes no digit."""
    on: OnOption = "processes"
    cpus_per_job: CpusOption = None
    gpus_per_job: GpusOption = None
    minutes_per_job: MinutesOption = None
    minutes_without_progress: ProgressOption = None
    trust: bool = False
    """Allow the runs to import classes from outside agon, which runs their code."""
    from_: ScriptOption = None
    """Run this script of yours, up to its first training, for the classes that the runs have from it."""

    def __call__(self) -> None:
        if not self.runs:
            raise SettingError("agon tournament: expected runs, folders of runs, or samples, got none")
        check_samples(self.n)
        check_seed(self.seed, "--seed")
        if self.jobs < 1:
            raise SettingError(f"--jobs: expected a number of processes from 1, got {self.jobs}")
        on = place_of(self)
        refuse_other_folder(self.out)
        for word in self.runs:
            entries(word)
        from agon.arena.tournaments import TournamentSettings, tournament

        run_script(self.from_)
        settings = TournamentSettings(n=self.n, seed=self.seed, statistics=self.statistics)
        result = tournament(
            self.runs,
            self.out,
            settings=settings,
            references=self.references,
            values=self.values,
            trust=self.trust,
            processes=self.jobs,
            on=on,
        )
        from agon.reports.tournaments import leave_page

        say(*result.lines, self.out / RESULT, *leave_page(result, self.out))
        advise_on_few(result.matrix.n_real, self.n)
