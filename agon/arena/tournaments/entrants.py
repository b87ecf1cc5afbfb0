"""Who takes part in a tournament, and what each is made of: runs, untrained copies, samples, and real data."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from agon import __version__
from agon.arena.tournaments.ground import BYTES, Ground, range_of
from agon.arena.tournaments.keys import key_of
from agon.data.order import generator
from agon.errors import DataError
from agon.experiment import Experiment, Part
from agon.games import Game
from agon.metrics.gam.entrants import CHUNK, Range
from agon.runs import Run
from agon.samples.making import load, untrained
from agon.samples.reading import chosen, read_samples
from agon.training import Training

Blocks = Iterator[Float[Tensor, "b ..."]]


@dataclass(frozen=True, kw_only=True)
class Entrant(ABC):
    """One row of a tournament's matrix.

    Attributes:
        name: its name there.
        contestant: the name that it shares with other seeds of its experiment.
        place: its path; "" for real data.
    """

    name: str
    contestant: str
    place: str

    @abstractmethod
    def content(self, ground: Ground) -> dict[str, Any]:
        """What its samples follow from, as JSON values."""

    @abstractmethod
    def blocks(self, ground: Ground) -> Blocks:
        """Its samples, a block at a time, in its range."""

    @abstractmethod
    def range(self, ground: Ground) -> Range:
        """Range of its samples."""

    @property
    def may_generate(self) -> bool:
        """Whether it has samples."""
        return True

    def key(self, ground: Ground) -> str:
        """The checksum of what its samples follow from."""
        return key_of({**self.content(ground), "data": ground.fingerprint, "version": __version__})


@dataclass(frozen=True, kw_only=True)
class Trained(Entrant):
    """A run at one checkpoint, with its critic if it has one.

    Attributes:
        run: the run.
        step: step of the checkpoint.
        weights: checksum of the checkpoint.
        experiment: what was trained.
        trust: whether classes from outside agon may be imported.
    """

    run: Run
    step: int
    weights: str
    experiment: Experiment
    trust: bool

    def content(self, ground: Ground) -> dict[str, Any]:
        settings = ground.settings
        described = {"experiment": self.run.experiment, "weights": self.weights}
        return {"kind": "run", **described, "n": settings.n, "seed": settings.seed}

    def critic_key(self, ground: Ground) -> str:
        """The checksum of what its critic's judgements of real samples follow from."""
        return key_of({"key": self.key(ground), "kind": "critic", "statistics": ground.settings.statistics})

    @property
    def finished(self) -> bool:
        """Whether its checkpoint is the last one of its training, and not one that "RUN@STEP" asked for."""
        return self.step >= self.experiment.steps

    @property
    def may_judge(self) -> bool:
        """Whether its game can have a realness."""
        make = self._game
        return make is None or make.realness is not Game.realness

    @property
    def may_generate(self) -> bool:
        """Whether its game can have a generator."""
        return self._game is None or bool(self._game.generating_players)

    @property
    def _game(self) -> type[Game] | None:
        """The class of its game, known without building it; None if a function makes it."""
        game = self.experiment.game
        make = game.make if isinstance(game, Part) else type(game)
        return make if isinstance(make, type) and issubclass(make, Game) else None

    def load(self) -> Training:
        """Load it, with averaged weights if there are any."""
        return load(self.run, trust=self.trust, step=self.step)

    def blocks(self, ground: Ground) -> Blocks:
        return painted(self.load(), ground)

    def range(self, ground: Ground) -> Range:
        return range_of(self.experiment.data)


@dataclass(frozen=True, kw_only=True)
class Untrained(Entrant):
    """The generator of a run as it was before the first step: the floor."""

    run: Run
    experiment: Experiment
    trust: bool

    def content(self, ground: Ground) -> dict[str, Any]:
        described = {"experiment": self.run.experiment, "n": ground.settings.n, "seed": ground.settings.seed}
        return {"kind": "untrained", **described}

    def blocks(self, ground: Ground) -> Blocks:
        return painted(untrained(self.run, trust=self.trust), ground)

    def range(self, ground: Ground) -> Range:
        return range_of(self.experiment.data)


@dataclass(frozen=True, kw_only=True)
class Foreign(Entrant):
    """Samples of any program, in a folder or a file.

    Attributes:
        path: of the samples.
        values: (low, high) of pixels that are not bytes.
    """

    path: Path
    values: tuple[float, float] | None

    def content(self, ground: Ground) -> dict[str, Any]:
        samples = self._chosen(ground)
        return {"kind": "samples", "samples": key_of(samples), "dtype": str(samples.dtype)}

    def blocks(self, ground: Ground) -> Blocks:
        samples = self._chosen(ground)
        pixels = samples.dtype == torch.uint8
        for block in torch.split(samples, CHUNK):
            yield block.float() if pixels else ground.source.scaled(block).float()

    def range(self, ground: Ground) -> Range:
        return BYTES if len(ground.source.shape) == 3 else ground.range

    def _chosen(self, ground: Ground) -> Shaped[Tensor, "n *shape"]:
        """At most n of the samples.

        Raises:
            DataError: they cannot be read, or have another shape than the data.
        """
        samples = chosen(read_samples(self.path, self.values, ground.source), ground.settings.n, ground.settings.seed)
        if tuple(samples.shape[1:]) != tuple(ground.source.shape):
            raise DataError(
                f"expected samples of shape {tuple(ground.source.shape)}, got {tuple(samples.shape[1:])} in {self.path}"
            )
        return samples


@dataclass(frozen=True, kw_only=True)
class Real(Entrant):
    """Held-out real samples, other ones than those with which critics compare: the ceiling."""

    def content(self, ground: Ground) -> dict[str, Any]:
        return {"kind": "real", "n": ground.settings.n, "seed": ground.settings.seed}

    def blocks(self, ground: Ground) -> Blocks:
        yield from torch.split(ground.real.contestant.float(), CHUNK)

    def range(self, ground: Ground) -> Range:
        return ground.range


def painted(training: Training, ground: Ground) -> Blocks:
    """Generate a training's samples, a block at a time, on the CPU.

    Raises:
        DataError: the game generates nothing, or samples are not finite.
    """
    if not training.game.generating_players:
        raise DataError(f"expected a game that generates, got a {type(training.game).__name__}, which generates none")
    n, shape = ground.settings.n, training.game.latent_shape
    training.refuse_more("n", n)
    latents = training.experiment.latent.sample(n, shape, generator("tournament", ground.settings.seed))
    with training.painting() as paint:
        for part in torch.split(latents, CHUNK):
            with torch.no_grad():  # a block at a time: who takes the blocks may want gradients
                block = paint(part).float().cpu()
            broken = int((~block.isfinite().flatten(1).all(1)).sum())
            if broken:
                raise DataError(
                    f"expected finite samples, got {broken} of {len(block)} that are not; its training has diverged"
                )
            yield block
