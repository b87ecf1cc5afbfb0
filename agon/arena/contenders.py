"""Who fights, and how: runs at their last checkpoints, and the samples that their critics are asked about."""

from dataclasses import replace
from typing import Any, NamedTuple

from torch import Tensor

from agon.data import Images, Source
from agon.errors import DataError
from agon.games import Game
from agon.metrics.gam.critic import DEFAULT, Statistics, needs_held
from agon.metrics.gam.verdict import TIE
from agon.runs import Run
from agon.samples.reading import checked
from agon.training import Training

N = 10_000
BYTES = (0.0, 255.0)


class BattleSettings(NamedTuple):
    """How a battle is fought.

    Attributes:
        n: real test samples, at most all there are; as many generated ones of each as are tested.
        seed: of the latents, of what is held out, and of the bootstrap.
        statistics: by which batch normalisation in a critic normalises, as in `agon.metrics.battle`.
        calibrate: a threshold for every critic, whether its objective states a boundary or not.
        tie: r_test counts as 1 within |log r_test| <= log tie.
    """

    n: int = N
    seed: int = 0
    statistics: Statistics = DEFAULT
    calibrate: bool = False
    tie: float = TIE


class Contender(NamedTuple):
    """A run in a battle: the training at its last checkpoint, and the name that it has there."""

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
        """Of its images; points are compared as they are."""
        return self.source.range or BYTES

    @property
    def path(self) -> str:
        """Where its run is: two runs can have one name."""
        return str(self.run.path.resolve())

    @property
    def as_opponent(self) -> dict[str, Any]:
        """What the other's record says of it."""
        return {"opponent_path": self.path, "opponent_step": self.training.step}

    def test_samples(self, n: int) -> Tensor:
        """At most n real samples "n *shape" that no training of it has seen.

        Raises:
            SettingError: n is under 1.
        """
        count = self.source.count("test")
        return self.source.take(checked(n) if count is None else min(checked(n), count), split="test").real

    def test_samples_if_needed(self, settings: BattleSettings) -> Tensor | None:
        """The same, or None where they cannot be had and its critic can be asked without them.

        Raises:
            DataError: they cannot be had, and its critic must be calibrated on them.
        """
        try:
            self.training.refuse_other_data()
            return self.test_samples(settings.n)
        except DataError:
            if needs_held(self.game, settings.statistics, settings.calibrate):
                raise
            return None


def check_same_data(first: Contender, second: Contender) -> None:
    """Refuse runs that do not know the same real samples, in whichever range.

    Raises:
        DataError: their samples differ in shape, or in what they are.
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
