"""Copies: their share from a memorisation, and what held-out images have."""

import pytest
import torch

from agon.metrics import Score, memorisation
from agon.metrics.memorisation import copied_share, exact_copies, held_out_memorisation


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_copied_is_the_share_of_copies(share: float) -> None:
    """Of points in 3-d, some of them copies; those that are none have what held-out points have."""
    rng = torch.Generator().manual_seed(0)
    train_points, held, fresh = (torch.randn(2_000, 3, generator=rng) for _ in range(3))
    copies = round(share * len(fresh))
    found = memorisation(torch.cat([train_points[:copies], fresh[copies:]]), train_points, held)
    score = copied_share(found, 0.5)
    assert score.value == pytest.approx(share, abs=0.05)
    assert score.error is not None
    assert score.error > 0, "a share of 0 or 1 is not certain"
    assert exact_copies(found).value == share


def test_held_out_images_are_scored_by_what_was_measured_of_them() -> None:
    found = Score(name="memorisation", value=0.9, n=10, n_real=20, protocol="", detail={"held": 0.5, "copies": 0.0})
    held = held_out_memorisation(found)
    assert (held.name, held.value, held.n, held.n_real) == ("memorisation-held", 0.5, 10, 20)
