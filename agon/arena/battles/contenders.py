"""The runs of a battle at their last checkpoints, the samples that they judge, and the settings."""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from jaxtyping import Shaped
from torch import Tensor

from agon.arguments import TIE, check_samples, check_seed, check_tie
from agon.data import Images, Source
from agon.errors import DataError
from agon.games import Game
from agon.metrics.gam.critic import DEFAULT, Statistics, needs_held
from agon.runs import Run
from agon.training import Training

N = 10_000
BYTES = (0.0, 255.0)


@dataclass(frozen=True)
class BattleSettings:
    """Settings of a battle.

    Attributes:
        n: number of real test samples, if there are as many, and of generated samples of each run.
        seed: seed of the latents, of the held-out samples and of the bootstrap.
        statistics: statistics of a critic's batch normalisation, as in `agon.metrics.battle`.
        calibrate: whether to find the threshold of every critic, even where its objective defines a boundary.
        tie: r_test counts as a tie if |log r_test| <= log tie.
    """

    n: int = N
    seed: int = 0
    statistics: Statistics = DEFAULT
    calibrate: bool = False
    tie: float = TIE

    def __post_init__(self) -> None:
        check_samples(self.n, "n")
        check_seed(self.seed, "seed")
        check_tie(self.tie)


class Contender(NamedTuple):
    """A run in a battle: its training at the last checkpoint, and its name in the results."""

    run: Run
    training: Training
    name: str

    @property
    def game(self) -> Game:
        return self.training.game

    @property
    def source(self) -> Source:
        return self.training.experiment.data

    @property
    def range(self) -> tuple[float, float]:
        """Range of its images; points are compared as they are."""
        return self.source.range or BYTES

    @property
    def path(self) -> str:
        """Path of its run, since two runs can have one name."""
        return str(self.run.path.resolve())

    @property
    def as_opponent(self) -> dict[str, Any]:
        """What the opponent's record says of it."""
        return {"opponent_path": self.path, "opponent_step": self.training.step}

    def test_samples(self, n: int) -> Shaped[Tensor, "n *shape"]:
        """Return at most n real samples "n *shape" that were not used in its training."""
        count = self.source.count("test")
        return self.source.take(n if count is None else min(n, count), split="test").real

    def train_samples(self, n: int) -> Shaped[Tensor, "n *shape"] | None:
        """Return at most n samples that it was trained on; None of endless data, which are never seen twice."""
        count = self.source.count("train")
        return None if count is None else self.source.take(min(n, count)).real

    def test_samples_if_needed(self, settings: BattleSettings) -> Shaped[Tensor, "n *shape"] | None:
        """Return the test samples, or None if they are missing and its critic can judge without them.

        Raises:
            DataError: they are missing, and its critic must be calibrated on them.
        """
        try:
            self.training.refuse_other_data()
            return self.test_samples(settings.n)
        except DataError:
            if needs_held(self.game, settings.statistics, settings.calibrate):
                raise
            return None


def check_same_data(first: Contender, second: Contender) -> None:
    """Refuse runs with different test samples; their ranges may differ.

    Raises:
        DataError: the samples differ in shape or content.
    """
    shapes = [contender.source.shape for contender in (first, second)]
    if shapes[0] != shapes[1]:
        raise DataError(
            f"a battle: expected runs on samples of one shape, got {first.name} on {shapes[0]} and {second.name} on "
            f"{shapes[1]}; train both on the same data"
        )
    other = second.source
    if isinstance(first.source, Images) and isinstance(other, Images):
        other = replace(other, range=first.source.range)
    for contender in (first, second):
        contender.training.refuse_other_data()
    fingerprints = [source.open(seed=0, split="test").fingerprint for source in (first.source, other)]
    if fingerprints[0] != fingerprints[1]:
        raise DataError(
            f"a battle: expected runs on the same data, got {first.name} and {second.name} with other test samples; "
            "train both on the same data"
        )
