"""agon battle: critics judge each other's samples, of two runs or of all seeds of two experiments."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from agon.arguments import TIE, check_samples, check_seed, check_tie
from agon.cli.checks import check_scored
from agon.cli.held_out import advise_on_few
from agon.cli.shared import RunPaths, ScriptOption, run_script
from agon.errors import SettingError
from agon.places import refuse_no_samples
from agon.runs.groups import runs_in
from agon.runs.named import local
from agon.runs.taken import refuse_no_run
from agon.terminal import say


@dataclass
class BattleCommand:
    """Let the critics of two runs judge each other's samples (GAM), to see which run generates better."""

    runs: RunPaths = ()
    """Two run directories, or one with --against. Two folders of seeds fight with all their seeds."""
    against: tuple[Path, ...] = ()
    """Folders of images or array files, which the critic of the one run judges."""
    values: tuple[float, float] | None = None
    """With --against: the values of black and white in arrays of floats, e.g. -1 1."""
    n: int = 10_000
    """Number of real test samples, and of generated samples of each run."""
    seed: int = 0
    """Seed of the latents, of the held-out samples and of the intervals."""
    statistics: Literal["running", "reestimated", "batch"] = "reestimated"
    """Statistics of a critic's batch normalisation; batch is what the author's code uses."""
    calibrate: bool = False
    """Find the decision threshold of every critic on held-out samples, even where its objective defines one."""
    tie: float = TIE
    """Largest ratio of the errors on real samples that counts as a tie."""
    trust: bool = False
    """Allow the runs to import classes from outside agon, which runs their code."""
    from_: ScriptOption = None
    """Run this script of yours, up to its first training, for the classes that the runs have from it."""

    def __call__(self) -> None:
        if len(self.runs) != (1 if self.against else 2):
            raise SettingError(
                "agon battle: expected two run directories, or one and --against FOLDER, "
                f"got {len(self.runs)} runs and {len(self.against)} folders"
            )
        if self.values and not self.against:
            raise SettingError("--values: expected with --against alone; a run knows its own values")
        check_samples(self.n)
        check_seed(self.seed, "--seed")
        check_tie(self.tie)
        self.runs = tuple(map(local, self.runs))
        if any(runs_in(path) != [path] for path in self.runs):
            self._seeds()
            return
        for path in self.runs:
            refuse_no_run(path)
        for path in self.against:
            refuse_no_samples(path)
        from agon.arena import BattleSettings, against, battle
        from agon.arena.battles.results import error_table
        from agon.runs import Run

        run_script(self.from_)
        runs = [Run.open(path) for path in self.runs]
        settings = BattleSettings(self.n, self.seed, self.statistics, self.calibrate, self.tie)
        if self.against:
            options: dict[str, Any] = {"values": self.values, "settings": settings, "trust": self.trust}
            errors = [against(runs[0], folder, **options) for folder in self.against]
            say(*error_table(errors))
            advise_on_few(errors[0].n_real, self.n)
        else:
            result = battle(runs[0], runs[1], settings=settings, trust=self.trust)
            say(*result.lines)
            advise_on_few(result.scores[0].n_real, self.n)

    def _seeds(self) -> None:
        """Let all seeds of two experiments fight."""
        if self.against or self.calibrate or self.tie != TIE:
            option = "--against" if self.against else "--calibrate" if self.calibrate else "--tie"
            raise SettingError(
                f"{option}: expected with single runs; folders of seeds fight by areas, which need no threshold and no "
                "tie: leave it out, or name one run of each"
            )
        check_scored(self.runs)
        from agon.arena import TournamentSettings, battle_of_seeds

        run_script(self.from_)
        settings = TournamentSettings(n=self.n, seed=self.seed, statistics=self.statistics)
        result = battle_of_seeds(*self.runs, settings=settings, trust=self.trust)
        say(*result.lines)
        advise_on_few(result.matrix.n_real, self.n)
