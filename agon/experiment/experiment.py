"""The complete, typed description of one training."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch

from agon.arguments import MOST_STEPS, check_count, check_seed, check_snapshots, checks_names
from agon.augmentation import Augmentation
from agon.averaging import Averaging
from agon.data import Source, of
from agon.dynamics import Dynamics, Turns
from agon.errors import SettingError
from agon.experiment.codec import completed, decode, encode
from agon.experiment.memory import weights_within
from agon.experiment.part import Part, copied, part
from agon.experiment.scripts import values_under
from agon.experiment.typing import check_fields, check_names
from agon.games import Game
from agon.latents import Latent, Normal
from agon.untrusted import parse_json

MOST = {
    **dict.fromkeys(("steps", "log_every", "sample_every", "checkpoint_every"), MOST_STEPS),
    "batch": 2**20,  # must fit into memory
    "grid": 2**16,  # must fit into a picture
    "keep": 10**6,
}


if TYPE_CHECKING:
    Data = Source  # what the field holds
else:
    Data = Source | Any  # what the constructor takes: whatever `of` makes a source of


@checks_names
@dataclass(frozen=True, kw_only=True)
class Experiment:
    """The complete description of a training: the game, its data, how the players move, and for how long.

    Attributes:
        game: a part that builds a game, or a ready game (for one seed only).
        data: the source of real samples, or whatever `agon.data.of` makes one of: an array, a data set, a path.
        steps: rounds of the dynamics; the budget.
        latent: the distribution of latents.
        optimisers: one part for all players, or a part for each player by name.
        schedules: how the optimisers' learning rates change: a part of torch.optim.lr_scheduler for all players, or a
            part for each player by name, stepped after each step; None for constant rates.
        dynamics: how the players move.
        batch: real samples per draw, over all processes together.
        augment: random transformations of the real samples; the generator learns them too. For those that it must not
            learn, see the game's `augmentation`.
        averaging: how to average a player's weights, or None.
        seed: the seed from which all random streams derive.
        log_every: steps between two records of the log.
        sample_every: steps between two grids of samples from the same latents.
        checkpoint_every: steps between two checkpoints.
        grid: number of samples in a grid; of points in up to 16 dimensions, at least 1,000 are kept.
        keep: how many of the newest checkpoints stay on the disk; two may be damaged there, so take 3 or more.
        snapshots: how many light checkpoints, of weights alone, to keep over the whole training, evenly spaced in the
            logarithm of the steps (`agon.runs.history`), for `agon skill`; 0 keeps none.
        init: a run from whose weights the training begins: RUN, or RUN:PLAYER for one player's; "" for none.
        recipe: name of the recipe that returned it, or "".
        notes: why settings were chosen for these data, in sentences; a training prints them, and uses them for nothing.
    """

    game: Part | Game
    data: Data
    steps: int
    latent: Latent = field(default_factory=Normal)
    optimisers: Part | Mapping[str, Part] = field(
        default_factory=lambda: part(torch.optim.Adam, lr=2e-4, betas=(0.5, 0.999))
    )
    schedules: Part | Mapping[str, Part] | None = None
    dynamics: Dynamics = field(default_factory=Turns)
    batch: int = 64
    augment: Sequence[Augmentation] = ()
    averaging: Averaging | None = None
    seed: int = 0
    log_every: int = 50
    sample_every: int = 500
    checkpoint_every: int = 500
    grid: int = 64
    keep: int = 3
    snapshots: int = 0
    init: str = ""
    recipe: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", of(self.data))
        check_fields(self)
        for name, most in MOST.items():
            value = getattr(self, name)
            check_count(value, f"experiment.{name}")
            if value > most:
                raise SettingError(f"experiment.{name}: expected at most {most:,}, got {value:,}")
        check_seed(self.seed)
        check_snapshots(self.snapshots)

    def build(self) -> Game:
        """Build the game with weights from torch's global stream, and check it against the data's shape."""
        with weights_within():
            game = self.game.build() if isinstance(self.game, Part) else copied(self.game)
        if not isinstance(game, Game):
            raise SettingError(f"experiment.game: expected a part that builds a Game, got {type(game).__name__}")
        self.dynamics.check(game)
        for i, augmentation in enumerate(self.augment):
            augmentation.check(self.data.shape, self.data.range, f"augment.{i}")
        if self.averaging is not None:
            check_names("the game's players", {self.averaging.player: None}, game.players)
        if isinstance(self.schedules, Mapping):
            check_names("the game's players", self.schedules, game.players)
        try:
            game.check(self.data.shape)
        except RuntimeError as error:  # torch raises this if shapes do not fit
            raise SettingError(
                f"{type(game).__name__}: its networks do not fit each other, or data of shape "
                f"{self.data.shape} ({error})"
            ) from error
        return game

    def optimiser(self, player: str) -> Part:
        """The part that builds a player's optimiser."""
        if isinstance(self.optimisers, Part):
            return self.optimisers
        if player not in self.optimisers:
            raise SettingError(f"experiment.optimisers: expected one for '{player}', got {sorted(self.optimisers)}")
        return self.optimisers[player]

    def schedule(self, player: str) -> Part | None:
        """The part that builds the schedule of a player's learning rate; None for a constant rate."""
        if self.schedules is None or isinstance(self.schedules, Part):
            return self.schedules
        return self.schedules.get(player)

    def with_steps(self, steps: int) -> "Experiment":
        """The same experiment with another budget."""
        return replace(self, steps=steps)

    def settled(self) -> "Experiment":
        """The same experiment with everything stated that the source would take from the data."""
        return replace(self, data=self.data.settled())

    def to_json(self) -> str:
        """The content of `experiment.json`; `from_json` reads it back to an equal object."""
        text = json.dumps(self.describe(), indent=2, ensure_ascii=False) + "\n"
        return text.encode("utf-8", "backslashreplace").decode()  # lone surrogates as JSON escapes

    def remembered(self) -> str:
        """As `to_json`, for a run of this process, which can then read the run without importing a user's classes."""
        text, described = self.to_json(), self.describe()
        if any(values_under(described, "import")) and not any(values_under(described, "instance")):
            _REMEMBERED[text] = self
        return text

    def describe(self) -> dict[str, Any]:
        """The experiment as nested plain values."""
        return {"type": "experiment", **{name: encode(getattr(self, name)) for name in _FIELDS}}

    @classmethod
    def from_json(cls, text: str, trust: bool = False) -> "Experiment":
        """Read what `to_json` wrote.

        The text of a run of this very process gives the same experiment back, whose classes are here already.

        Raises:
            SettingError: the text is not an experiment; an unknown part; or a user's class without trust.
        """
        if text in _REMEMBERED:
            return _REMEMBERED[text]
        try:
            value = parse_json(text)
        except ValueError as error:
            raise SettingError(f"an experiment: expected JSON, got a file that is not ({error})") from error
        if not isinstance(value, dict) or value.pop("type", None) != "experiment":
            raise SettingError('an experiment: expected a JSON object with "type": "experiment"')
        check_names("experiment", value, dict.fromkeys(_FIELDS))
        try:
            return cls(**decode(completed(value), trust))
        except TypeError as error:
            raise SettingError(f"an experiment: {error}") from error


_FIELDS = tuple(Experiment.__dataclass_fields__)
_REMEMBERED: dict[str, Experiment] = {}  # by their texts: those with a user's classes
