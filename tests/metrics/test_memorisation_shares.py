"""Copies: their share from a memorisation, and what held-out images have."""

import math
from dataclasses import replace

import pytest
import torch

from agon.errors import DataError
from agon.metrics import Score, memorisation
from agon.metrics.memorisation import Partition, copied_share, exact_copies, held_out_memorisation


def _scored(value: float, half: float = 0.1) -> Score:
    return Score(name="memorisation", value=value, interval=(value - half, value + half), n=10, protocol="")


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_copied_is_the_share_of_copies(share: float) -> None:
    """Of points in 3-d, some of them copies; those that are none have what held-out points have."""
    rng = torch.Generator().manual_seed(0)
    train_points, held, fresh = (torch.randn(2_000, 3, generator=rng) for _ in range(3))
    copies = round(share * len(fresh))
    found = memorisation(torch.cat([train_points[:copies], fresh[copies:]]), train_points, held)
    score = copied_share(found, held_out_memorisation(found))
    assert score.value == pytest.approx(share, abs=0.05)
    assert score.error is not None
    assert score.error > 0, "a share of 0 or 1 is not certain"
    assert exact_copies(found).value == share


def test_a_share_below_zero_stays_below_zero() -> None:
    """Samples at held-out points lie nearer to a training point as rarely as can be: (0 - h) / (1 - h)."""
    found = copied_share(_scored(0.0), _scored(0.5))
    assert found.value == -1
    assert found.interval is not None
    assert found.interval[0] < -1 < found.interval[1]


def test_the_error_of_what_held_out_images_get_counts() -> None:
    """c = 1 - (1 - m) / (1 - h): at m = h = 1/2 both errors weigh the same; at m = 1 that of h does not matter."""
    sure, unsure = copied_share(_scored(0.5), _scored(0.5, 0.0)), copied_share(_scored(0.5), _scored(0.5))
    assert sure.interval == pytest.approx((-0.2, 0.2))
    assert unsure.interval == pytest.approx((-0.2 * math.sqrt(2), 0.2 * math.sqrt(2)))
    assert copied_share(_scored(1.0), _scored(0.5)).interval == copied_share(_scored(1.0), _scored(0.5, 0.0)).interval


def test_where_all_held_out_images_are_nearer_to_training_images_nothing_can_be_said() -> None:
    with pytest.raises(DataError, match="hold out more"):
        copied_share(_scored(0.9), _scored(1.0))


@pytest.mark.parametrize("d", [30, 300])
def test_a_random_split_gets_one_half_and_the_interval_holds_no_copies(d: int) -> None:
    """Over 60 draws of three sets of one distribution: means by their spread, and at least 90 % of the intervals."""
    rng = torch.Generator().manual_seed(d)
    held, copied, covered = [], [], 0
    for _ in range(60):
        train_points, held_points, fresh = (torch.randn(n, d, generator=rng) for n in (300, 100, 100))
        found = Partition(train_points, held_points).memorisation(fresh)
        shares = held_out_memorisation(found)
        score = copied_share(found, shares)
        held.append(shares.value)
        copied.append(score.value)
        assert score.interval is not None
        covered += score.interval[0] <= 0 <= score.interval[1]
    for values, expected in ((torch.tensor(held), 0.5), (torch.tensor(copied), 0.0)):
        assert float(values.mean()) == pytest.approx(expected, abs=3.5 * float(values.std()) / math.sqrt(60))
    assert covered >= 54


def test_images_that_are_near_to_everything_are_counted_in_both() -> None:
    """In 300-d some points are the nearest of many samples and of many held-out points, whichever set they are in."""
    rng = torch.Generator().manual_seed(0)
    train_points, held, fresh = (torch.randn(n, 300, generator=rng) for n in (300, 100, 100))
    found = Partition(train_points, held).memorisation(fresh)
    shares = held_out_memorisation(found)
    alone = copied_share(found, replace(shares, detail={}))
    assert found.detail["held_correlation"] > 0.5
    assert (copied_share(found, shares).error or 0.0) < 0.8 * (alone.error or 0.0)


def test_held_out_images_of_other_writers_do_not_get_one_half() -> None:
    """The negative control: a shifted split is seen in what its own images get."""
    rng = torch.Generator().manual_seed(0)
    train_points, held = torch.randn(500, 8, generator=rng), 2 + torch.randn(100, 8, generator=rng)
    score = held_out_memorisation(Partition(train_points, held).memorisation(train_points[:50]))
    assert score.interval is not None
    assert score.interval[1] < 0.4


def test_held_out_images_are_scored_by_what_was_measured_of_them() -> None:
    detail = {"held": 0.5, "held_error": 0.1, "held_interval": [0.3, 0.7], "held_correlation": 0.2, "copies": 0.0}
    found = Score(name="memorisation", value=0.9, n=10, n_real=20, protocol="", detail=detail)
    held = held_out_memorisation(found)
    assert (held.name, held.value, held.n, held.n_real) == ("memorisation-held", 0.5, 10, 20)
    assert (held.error, held.interval, held.detail) == (0.1, (0.3, 0.7), {"correlation": 0.2})
