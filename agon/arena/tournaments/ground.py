"""The ground of a tournament: its settings, and the real samples on which all critics judge."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from jaxtyping import Shaped
from torch import Tensor

from agon.arguments import check_samples, check_seed
from agon.data import Images, Source, Split
from agon.errors import DataError
from agon.experiment.memory import refuse_more
from agon.metrics.gam.critic import DEFAULT, Statistics
from agon.metrics.gam.entrants import HELD, SHARE, Range

N = 1_000
BYTES: Range = (0.0, 255.0)
COMMON: Range = (-1.0, 1.0)  # range in which images of all runs are compared
SPARE = 100  # test samples for statistics, if there are as many
LEAST = 10  # test samples, of which a fifth and a third of the rest are held out


@dataclass(frozen=True, kw_only=True)
class TournamentSettings:
    """Settings of a tournament.

    Attributes:
        n: number of samples of each generator, and of held-out real samples, if there are as many.
        seed: seed of the latents, and of the choice of real samples.
        statistics: statistics of a critic's batch normalisation, as in `agon.metrics.battle`.
    """

    n: int = N
    seed: int = 0
    statistics: Statistics = DEFAULT

    def __post_init__(self) -> None:
        check_samples(self.n, "n")
        check_seed(self.seed, "seed")


class RealSets(NamedTuple):
    """Held-out real samples by their use; no two share a sample.

    Attributes:
        statistics: those by which critics find their statistics.
        compared: those with which critics compare generated samples.
        contestant: those that take part like a generator's samples.
    """

    statistics: Shaped[Tensor, "s *shape"]
    compared: Shaped[Tensor, "m *shape"]
    contestant: Shaped[Tensor, "n *shape"]


@dataclass(frozen=True)
class Ground:
    """What all entrants of a tournament have in common.

    Attributes:
        settings: of the tournament.
        source: the data of most runs; images in the range `COMMON`.
        fingerprint: of its test samples.
        real: held-out real samples in that range.
    """

    settings: TournamentSettings
    source: Source
    fingerprint: str
    real: RealSets

    @property
    def range(self) -> Range:
        """Range of the real samples; points are compared as they are."""
        return range_of(self.source)


class Fingerprints:
    """Checksums of sources, each read once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Split], str] = {}

    def __call__(self, source: Source, split: Split) -> str:
        """The checksum of a split.

        Raises:
            DataError: it cannot be read.
        """
        key = repr(source), split
        if key not in self._known:
            self._known[key] = source.open(seed=0, split=split).fingerprint
        return self._known[key]


def range_of(source: Source) -> Range:
    """Range of a source's images; points are compared as they are."""
    return source.range or BYTES


def common(source: Source) -> Source:
    """The source with images in the range in which all runs are compared."""
    return replace(source, range=COMMON) if isinstance(source, Images) else source


def most_common(fingerprints: Sequence[str]) -> str:
    """The checksum that most runs have; of several the least, so that their order says nothing."""
    counts = Counter(fingerprints)
    return min(counts, key=lambda fingerprint: (-counts[fingerprint], fingerprint))


def ground_of(source: Source, fingerprint: str, settings: TournamentSettings) -> Ground:
    """Draw the held-out real samples: n / 5 for statistics, n to compare with, 2 n / 3 that take part.

    There are at least `SPARE` for statistics. Of fewer test samples, a fifth is for statistics, and a third of the rest
    takes part.

    Raises:
        DataError: there are too few test samples.
        SettingError: an endless source would have to draw more than the memory holds.
    """
    count, most = source.count("test"), max(SPARE, min(HELD, settings.n // SHARE))
    wanted = most + 2 * settings.n
    if count is None:
        refuse_more("n", wanted, math.prod(source.shape))
    total = wanted if count is None else min(count, wanted)
    if total < LEAST:
        raise DataError(f"a tournament: expected at least {LEAST} test samples, got {count}; give more data")
    drawn = source.open(seed=settings.seed, split="test").draw(total, 0, 0, 1).real.cpu()
    spare = min(most, total // SHARE)
    part = min(settings.n, (total - spare) // 3)
    compared = min(settings.n, total - spare - part)
    sizes = [spare, compared, part]
    real = RealSets(*torch.split(drawn[: sum(sizes)], sizes))
    return Ground(settings, source, fingerprint, real)
