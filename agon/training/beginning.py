"""Begin a training from another run's weights: fine-tuning."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from agon.errors import RunError, SettingError, unknown
from agon.experiment import Experiment, differences
from agon.runs import Checkpoint, Run
from agon.runs.origin import Origin
from agon.training.restoring import refuse_no_checkpoint
from agon.training.training import Training
from agon.untrusted import listed

NAMED = 4  # settings in a warning
GAME, AVERAGE = "game/", "average/"  # prefixes of the tensors of a checkpoint


@dataclass(frozen=True)
class Taken:
    """What a training took from another run.

    Attributes:
        origin: the other run.
        step: the step of its checkpoint.
        loaded: names of the tensors that were taken.
        missing: names of those that the other run does not have.
        reshaped: names of those that have another shape there, with both shapes.
        unused: names of those that only the other run has.
        advice: what to change so that more fits.
    """

    origin: Origin
    step: int
    loaded: list[str]
    missing: list[str]
    reshaped: list[str]
    unused: list[str]
    advice: str = ""

    @property
    def lines(self) -> list[str]:
        """Sentences for the user: how much was taken, and what was not."""
        count = len(self.loaded) + len(self.missing) + len(self.reshaped)
        lines = [f"{len(self.loaded)} of {count} tensors begin as in {self.origin} at step {self.step}"]
        if count > len(self.loaded):
            lines += [f"the rest begins at random ({'; '.join(self.reasons)})"]
        if count > 2 * len(self.loaded):
            lines += [f"warning: less than half fits, so this is hardly a training from {self.origin}; {self.advice}"]
        if self.unused:
            lines += [f"{self.origin} also has {listed(self.unused)}, for which there is no place"]
        return lines

    @property
    def reasons(self) -> list[str]:
        """Why tensors were not taken, with their names."""
        reasons = {"missing there": self.missing, "of another shape there": self.reshaped}
        return [f"{reason}: {listed(names)}" for reason, names in reasons.items() if names]

    def describe(self) -> dict[str, Any]:
        """The content of init.json."""
        names = ("step", "loaded", "missing", "reshaped", "unused")
        return {"init": str(self.origin), **{name: getattr(self, name) for name in names}}


def with_origin(experiment: Experiment, init: Run | Path | str | None) -> Experiment:
    """The same experiment, which begins from the weights of a run.

    Args:
        experiment: the experiment.
        init: the run, its directory, "RUN@STEP" or "RUN:PLAYER"; None for the experiment's own `init`.

    Raises:
        RunError: there is no run.
    """
    if init is None and not experiment.init:
        return experiment
    origin = Origin(init.path) if isinstance(init, Run) else Origin.read(str(init or experiment.init))
    origin.refuse_no_run()
    return replace(experiment, init=str(origin.resolved()))


@torch.no_grad()
def take_weights(training: Training) -> Taken | None:
    """Let a training at step 0 begin from the weights that its experiment names; None if it names none.

    Weights and statistics are taken by their names in the game. The average begins as the other run's, if both
    average the same player, or else as the weights. Optimisers and random streams begin anew.

    Raises:
        RunError: the other run is gone, or has no intact checkpoint.
        SettingError: there is no such player, or nothing of the other run fits.
    """
    if not training.experiment.init:
        return None
    origin = Origin.read(training.experiment.init)
    checkpoint = _checkpoint(origin)
    live = _wanted(training, origin.player)
    there = {name.removeprefix(GAME): t for name, t in checkpoint.tensors.items() if name.startswith(GAME)}
    taken = _compared(origin, checkpoint.step, live, there, _advice(training.experiment, origin))
    for name in taken.loaded:
        live[name].copy_(there[name])
    if training.average is not None:
        for name, tensor in training.average.state().items():
            if name in taken.loaded:
                tensor.copy_(checkpoint.tensors.get(AVERAGE + name, there[name]))
    return taken


def _checkpoint(origin: Origin) -> Checkpoint:
    try:
        origin.refuse_no_run()
    except RunError as error:
        raise RunError(f"init: {error}; or begin from another run, or from none") from error
    run = Run.open(origin.path)
    if origin.step is not None:
        refuse_no_checkpoint(run, origin.step)
        return run.checkpoint(origin.step)
    checkpoint, _ = run.last_good()
    if checkpoint is None:
        raise RunError(f"init: expected a run with a checkpoint, got {origin.path}, which has none yet; train it first")
    return checkpoint


def _wanted(training: Training, player: str) -> dict[str, Tensor]:
    """The weights and statistics of a player, or of the whole game, by name; they share memory with the live ones."""
    game = training.game
    if player and player not in game.players:
        raise SettingError(f"init: {unknown('player', player, game.players)}")
    state = game.state_dict()
    return (
        {name: t for name, t in state.items() if name.startswith(_prefixes(game.players[player]))} if player else state
    )


def _advice(experiment: Experiment, origin: Origin) -> str:
    """What to change so that more of a run's weights fits: the settings in which its networks differ."""
    here, there = experiment.describe().get("game"), Run.open(origin.path).described.get("game")
    names = dict.fromkeys(_setting(line.partition(": ")[0]) for line in differences(there, here, "game"))
    if origin.player:
        names = {name: None for name in names if name[:2] == ("game", origin.player)}
    if any("shape" in name for name in names):
        return "its networks are for samples of another shape: give the data that shape"
    values = {name: _value(there, name[1:]) for name in names if name[-1] not in ("type", "import", "sha256")}
    settings = [f"--set {'.'.join(name)}={value}" for name, value in values.items() if value]
    if not settings:
        return "begin from a run of these networks"
    return f"its networks have other settings, which these take by {listed(settings, NAMED)}"


def _setting(path: str) -> tuple[str, ...]:
    """The names of a setting in a path of `differences`, which goes on into lists."""
    return tuple(takewhile(lambda name: not name.isdecimal(), path.split(".")))


def _value(game: Any, names: Iterable[str]) -> str:
    """A setting as it is typed, if it is a number, a word, or a list of them; else nothing."""
    for name in names:
        game = game.get(name) if isinstance(game, dict) else None
    members = game if isinstance(game, list) else [game]
    plain = all(isinstance(member, str | int | float) for member in members)
    return json.dumps(game, separators=(",", ":")) if plain else ""


def _prefixes(submodules: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{name}." for name in submodules)


def _compared(origin: Origin, step: int, live: Mapping[str, Tensor], there: Mapping[str, Tensor], advice: str) -> Taken:
    """Compare names and shapes.

    Raises:
        SettingError: nothing fits.
    """
    shared = [name for name in live if name in there]
    loaded = [name for name in shared if live[name].shape == there[name].shape]
    reshaped = [
        f"{name} {tuple(there[name].shape)}, here {tuple(live[name].shape)}"
        for name in shared
        if live[name].shape != there[name].shape
    ]
    roots = _prefixes({name.partition(".")[0] for name in live})
    unused = [name for name in there if name not in live and (not origin.player or name.startswith(roots))]
    taken = Taken(origin, step, loaded, [name for name in live if name not in there], reshaped, unused, advice)
    if not loaded:
        raise SettingError(f"init: nothing of {origin} fits this training ({'; '.join(taken.reasons)}); {advice}")
    return taken
