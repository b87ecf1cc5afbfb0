"""agon battle: two runs exchange their opponents, or a run's critic judges other samples."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from agon.cli.shared import Runs
from agon.errors import SettingError
from agon.terminal import say


@dataclass
class Battle:
    """Let two runs' critics judge each other's samples: who generates better (GAM); or one run's judge a folder's."""

    runs: Runs = ()
    """Two run directories; or one, with --against."""
    against: tuple[Path, ...] = ()
    """Folders of images, or array files: samples of models without a critic."""
    values: tuple[float, float] | None = None
    """With --against, the values of black and white in arrays that are no bytes."""
    n: int = 10_000
    """Real test samples, and as many generated ones as are tested."""
    seed: int = 0
    """Of the latents, of what is held out, and of the intervals."""
    statistics: Literal["running", "reestimated", "batch"] = "reestimated"
    """By which batch normalisation in a critic normalises; batch is the author's way, for comparison with it."""
    calibrate: bool = False
    """A threshold on held-out samples for every critic, not only for those whose objective states no boundary."""
    tie: float = 1.3
    """Up to which ratio the errors on real samples count as equal."""
    trust: bool = False
    """Allow the runs to import classes that are not agon's."""

    def __call__(self) -> None:
        if len(self.runs) != (1 if self.against else 2):
            raise SettingError(
                "agon battle: expected two run directories, or one and --against FOLDER, "
                f"got {len(self.runs)} runs and {len(self.against)} folders"
            )
        if self.values and not self.against:
            raise SettingError("--values: expected with --against alone; a run knows its own values")
        from agon.arena import BattleSettings, against, battle
        from agon.arena.results import error_table
        from agon.runs import Run

        runs = [Run.open(path) for path in self.runs]
        settings = BattleSettings(self.n, self.seed, self.statistics, self.calibrate, self.tie)
        if self.against:
            how: dict[str, Any] = {"values": self.values, "settings": settings, "trust": self.trust}
            say(*error_table([against(runs[0], folder, **how) for folder in self.against]))
        else:
            say(*battle(runs[0], runs[1], settings=settings, trust=self.trust).lines)
