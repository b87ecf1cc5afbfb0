"""The run whose weights another training begins from, as it is written: RUN, RUN@STEP, or either with :PLAYER."""

import re
from pathlib import Path
from typing import NamedTuple

from agon.runs.layout import EXPERIMENT
from agon.runs.named import check_run_name, is_named
from agon.runs.taken import refuse_no_run
from agon.storage import is_address

AT_STEP = re.compile(r"(.+)@([0-9]{1,18})", re.DOTALL)


class Origin(NamedTuple):
    """Where a training's first weights come from.

    Attributes:
        path: directory of the run.
        player: the only player whose weights are taken; "" for all players.
        step: the step of the checkpoint; None for the last good one.

    >>> print(Origin(Path("runs/faces"), "generator"), Origin(Path("runs/faces"), step=500))
    runs/faces:generator runs/faces@500
    """

    path: Path
    player: str = ""
    step: int | None = None

    @classmethod
    def read(cls, text: str) -> "Origin":
        """Read RUN, RUN@STEP, RUN:PLAYER or RUN@STEP:PLAYER.

        RUN is a directory, which need not exist, or a name as in `runs.named`.

        >>> Origin.read("runs/faces:generator").player, Origin.read("runs/faces@500:generator").step
        ('generator', 500)
        """
        kind, found, name = text.partition(":")
        if is_address(text):
            address, _, player = text.rpartition(":")
            return (cls(Path(address), player) if player.isidentifier() else cls(Path(text)))._at_step()
        if found and is_named(text):
            name, _, player = name.partition(":")
            return cls(Path(f"{kind}:{name}"), player)._at_step()
        path, colon, player = text.rpartition(":")
        if not colon or not path or "/" in player or (Path(text) / EXPERIMENT).exists():
            return cls(Path(text))._at_step()
        return cls(Path(path), player)._at_step()

    def refuse_no_run(self) -> None:
        """Raise a RunError if there is no run at the path; a name on the Hub is looked up when it is opened.

        Raises:
            SettingError: it is a name that no run can have.
        """
        check_run_name(self.path)
        if not is_named(self.path):
            refuse_no_run(self.path)

    def resolved(self) -> "Origin":
        """The same with an absolute path, so that it means the same in any working directory."""
        return self if is_named(self.path) else self._replace(path=self.path.resolve())

    def _at_step(self) -> "Origin":
        """The same with the step that its path ends with, unless a run has that very path."""
        match = AT_STEP.fullmatch(str(self.path))
        if match is None or (not is_named(self.path) and (self.path / EXPERIMENT).exists()):
            return self
        return self._replace(path=Path(match[1]), step=int(match[2]))

    def __str__(self) -> str:
        run = str(self.path) if self.step is None else f"{self.path}@{self.step}"
        return f"{run}:{self.player}" if self.player else run
