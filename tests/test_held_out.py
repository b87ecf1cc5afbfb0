"""Few held-out samples are said to be few, with what that does to the areas."""

import numpy as np
import pytest

from agon.cli.held_out import FEW, advise_on_few


@pytest.mark.parametrize(("n_real", "n", "told"), [(48, 300, "±0.082"), (32, 200, "±0.1"), (FEW - 1, 10_000, "±0.033")])
def test_few_held_out_samples_are_one_line(n_real: int, n: int, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    advise_on_few(n_real, n)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"agon: only {n_real} held-out real samples are compared with, where {n:,} were asked for")
    assert f"known to {told} at best; hold out more in the next trainings, e.g. with --set data.holdout=0.3" in line


@pytest.mark.parametrize(("n_real", "n"), [(FEW, 10_000), (48, 48), (None, 300)])
def test_enough_are_not_mentioned(n_real: int | None, n: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor as many as were asked for, nor none, where a critic judges without real samples."""
    advise_on_few(n_real, n)
    assert capsys.readouterr().err == ""


def test_the_error_is_that_of_areas() -> None:
    """Of 48 real samples against many generated ones from the same distribution, over 4,000 draws."""
    rng = np.random.default_rng(0)
    areas = rng.random((4_000, 48)).mean(1)  # against infinitely many, a real sample's rank is uniform
    assert 1.96 * areas.std() == pytest.approx(0.082, rel=0.05)
