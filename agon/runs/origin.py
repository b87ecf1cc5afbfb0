"""The run whose weights another training begins from, as it is written: RUN, or RUN:PLAYER."""

from pathlib import Path
from typing import NamedTuple

from agon.runs.layout import EXPERIMENT
from agon.runs.named import check_run_name, is_named
from agon.runs.taken import refuse_no_run


class Origin(NamedTuple):
    """Where a training's first weights come from.

    Attributes:
        path: directory of the run.
        player: the only player whose weights are taken; "" for all players.

    >>> print(Origin(Path("runs/faces"), "generator"))
    runs/faces:generator
    """

    path: Path
    player: str = ""

    @classmethod
    def read(cls, text: str) -> "Origin":
        """Read RUN or RUN:PLAYER, where RUN is a directory, which need not exist, or a name as in `runs.named`.

        >>> Origin.read("runs/faces:generator").player
        'generator'
        """
        kind, found, name = text.partition(":")
        if found and is_named(text):
            name, _, player = name.partition(":")
            return cls(Path(f"{kind}:{name}"), player)
        path, colon, player = text.rpartition(":")
        if not colon or not path or "/" in player or (Path(text) / EXPERIMENT).exists():
            return cls(Path(text))
        return cls(Path(path), player)

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

    def __str__(self) -> str:
        return f"{self.path}:{self.player}" if self.player else str(self.path)
