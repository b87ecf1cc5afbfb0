"""Real or generated? A user and the critic each choose the real one of two images."""

from dataclasses import dataclass

import torch
from jaxtyping import Shaped
from torch import Tensor

from agon.errors import AgonError, RunError
from agon.models import Model
from agon.play.drawing import drawn
from agon.play.pictures import as_samples
from agon.runs.snapshots import real_images
from agon.samples import first_samples

REAL = 64  # real images of the game
SEED = 10_000  # seeds of rounds are far from those that the other tabs begin with


@dataclass(frozen=True)
class Round:
    """Two images, one of them real.

    Attributes:
        pair: "2 *shape", the left one first.
        real: index of the real one, 0 or 1.
        critic: index of the one that the critic finds more real.
    """

    pair: Shaped[Tensor, "2 *shape"]
    real: int
    critic: int


@dataclass(frozen=True)
class Tally:
    """How many rounds were played, and how many the user and the critic got right.

    >>> Tally().after(Round(torch.zeros(2, 1), real=0, critic=1), guess=0)
    Tally(played=1, user=1, critic=0)
    """

    played: int = 0
    user: int = 0
    critic: int = 0

    def after(self, played: Round, guess: int) -> "Tally":
        """The tally after a round in which the user chose `guess`, 0 or 1."""
        return Tally(self.played + 1, self.user + (guess == played.real), self.critic + (played.critic == played.real))

    def __str__(self) -> str:
        return f"You {self.user}, critic {self.critic}, of {self.played}"


def play_round(model: Model, real: Shaped[Tensor, "m *shape"], number: int) -> Round:
    """Make round `number` from samples of the run and real images, both in the run's range."""
    rng = torch.Generator().manual_seed(SEED + number)
    chosen = real[torch.randint(len(real), (1,), generator=rng)]
    place = int(torch.randint(2, (1,), generator=rng))
    generated = drawn(model, 1, SEED + number).cpu().to(chosen.dtype)
    pair = torch.cat([chosen, generated] if place == 0 else [generated, chosen])
    return Round(pair, place, int(model.realness(pair).argmax()))


def real_of(model: Model) -> tuple[Shaped[Tensor, "m *shape"] | None, str]:
    """Real images that the run kept, or of its data; or None and a sentence that says why there is no game."""
    try:
        real = _kept_or_read(model)
        model.realness(real[:1])
    except AgonError as error:
        return None, f"The game is left out: {error}."
    return real, ""


def _kept_or_read(model: Model) -> Shaped[Tensor, "m *shape"]:
    try:
        return as_samples(model, real_images(model.run))
    except RunError:  # published runs have no real images
        return first_samples(model.experiment.data, REAL)
