"""Each look on views that are made up: the sick one is named, its healthy twin is not."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import agon
from agon.data import Ring
from agon.diagnosis import SICKNESSES, Log, RunView
from agon.diagnosis.batch_statistics import LARGER
from agon.diagnosis.collapse import modes_held
from agon.diagnosis.remedies import SLOWER, applies
from agon.diagnosis.view import view_of
from agon.runs import Run
from tests.training.programs import points

RNG = np.random.default_rng(0)
N = 400


def normal(centre: tuple[float, float] = (0.0, 0.0), size: float = 1.0, n: int = N) -> np.ndarray:
    """A cloud of points."""
    return np.array(centre) + size * RNG.normal(size=(n, 2))


def view(
    tmp_path: Path,
    samples: Mapping[int, np.ndarray] | None = None,
    log: Mapping[str, Any] | None = None,
    source: agon.Source | None = None,
    real: np.ndarray | None = None,
) -> RunView:
    """A view that was never a run."""
    columns = {name: np.asarray(values, dtype=float) for name, values in (log or {}).items()}
    records = max(map(len, columns.values()), default=0)
    experiment = points(data=source) if source else None
    made = RunView(
        run=Run(tmp_path), settings={}, experiment=experiment, log=Log(np.arange(1, records + 1), columns), looks={}
    )
    made.__dict__["samples"] = samples or {}
    made.__dict__["real"] = normal() if real is None else real
    return made


def found(name: str, made: RunView) -> list[str]:
    """What one look finds."""
    return [finding.sickness for finding in SICKNESSES[name](made).findings]


def looks(*clouds: np.ndarray) -> dict[int, np.ndarray]:
    """A cloud every 100 steps, after that of an untrained generator."""
    return {0: 0.001 * normal()} | {100 * (i + 1): cloud for i, cloud in enumerate(clouds)}


def test_collapse(tmp_path: Path) -> None:
    healthy = view(tmp_path, looks(*(normal() for _ in range(8))))
    total = view(tmp_path, looks(*(normal(size=1.0 if i < 4 else 0.05) for i in range(8))))
    partial = view(tmp_path, looks(*(normal(size=0.4) for _ in range(8))))
    growing = view(tmp_path, looks(*(normal(size=0.01 * 1.3**i) for i in range(8))))
    assert found("collapse", healthy) == []
    assert found("collapse", total) == ["collapse"]
    assert found("collapse", partial) == ["partial-collapse"]
    assert found("collapse", growing) == [], "it has not finished spreading"
    (finding,) = SICKNESSES["collapse"](total).findings
    assert finding.since_step == 500


def test_missing_modes(tmp_path: Path) -> None:
    """Of real points of the ring no mode is missing; without those of two modes, two are."""
    ring = Ring()
    real = ring.take(800).real.double().numpy()
    nearest = ((real[:, None] - ring.modes.double().numpy()) ** 2).sum(2).argmin(1)
    assert modes_held(real, ring) == 8
    assert modes_held(real[nearest > 1], ring) == 6
    assert found("collapse", view(tmp_path, looks(*[real] * 3), source=ring, real=real)) == []
    lost = view(tmp_path, looks(*[real[nearest > 1]] * 3), source=ring, real=real)
    assert found("collapse", lost) == ["partial-collapse"]


@pytest.mark.parametrize("known", [True, False], ids=["modes", "no modes"])
def test_rotation_is_told_from_collapse(tmp_path: Path, known: bool) -> None:
    """The same eight clouds, one at a time in turn, and always the first one."""
    ring = Ring()
    real = ring.take(800).real.double().numpy()
    source = ring if known else None
    clouds = [normal(tuple(centre), 0.02) for centre in ring.modes.double().numpy()]
    rotating = view(tmp_path, looks(*clouds, *clouds), source=source, real=real)
    still = view(tmp_path, looks(*[clouds[0]] * 16), source=source, real=real)
    assert found("rotation", rotating) == ["rotation"]
    assert found("collapse", rotating) == []
    assert found("rotation", still) == []
    assert found("collapse", still) == ["collapse"]


def test_oscillation(tmp_path: Path) -> None:
    angles = np.linspace(0, 6 * np.pi, 24)
    swinging = view(tmp_path, looks(*(normal((2 * np.sin(a), 0.0)) for a in angles)))
    arriving = view(tmp_path, looks(*(normal((4 * 0.8**i, 0.0)) for i in range(24))))
    damped = view(tmp_path, looks(*(normal((3 * np.sin(a) * 0.9**i, 0.0)) for i, a in enumerate(angles))))
    assert found("oscillation", swinging) == ["oscillation"]
    assert found("oscillation", arriving) == []
    assert found("oscillation", damped) == []


def test_divergence(tmp_path: Path) -> None:
    """Growth without bound, against noise, a slow rise, and large values that stay as they are."""
    n = np.arange(40)
    growing = {"loss/critic": -np.exp(0.25 * n)}
    apart = {"logit/real": np.exp(0.2 * n), "logit/fake": -np.exp(0.2 * n)}
    drifting = {"logit/real": 10.0**4 + 100.0 * n, "logit/fake": 10.0**4 - 1 + 100.0 * n}
    healthy = {"loss/generator": 0.7 + 0.1 * n, "loss/critic": 1.4 + 0.1 * RNG.normal(size=40)}
    large = {"gradient/generator": 1e4 + RNG.normal(size=40)}
    assert found("divergence", view(tmp_path, log=growing)) == ["divergence"]
    assert found("divergence", view(tmp_path, log=apart)) == ["divergence"]
    for log in (healthy, large, drifting):
        assert found("divergence", view(tmp_path, log=log)) == []


def test_a_training_that_goes_on_has_not_diverged(tmp_path: Path) -> None:
    """Logits begin next to each other; only a last record beyond all before it is one that might have been the last."""
    n = np.arange(20)
    settled = {"logit/real": 75 * np.tanh(n / 5) + 1e-4, "logit/fake": -75 * np.tanh(n / 5)}
    burst = {"loss/critic": np.where(n == 19, 900.0, 1.0)}
    for log, expected in ((settled, []), (burst, ["divergence"])):
        made = view(tmp_path, log=log, source=Ring())
        made.settings.update(steps=1_000)  # type: ignore[attr-defined]
        assert made.state == "at step 20 of 1,000"
        assert found("divergence", made) == expected


def test_remedies_go_where_they_say(tmp_path: Path) -> None:
    """No larger batch of 64 in the place of 128, and no smaller rate of 1e-4 in that of 2e-5."""
    for batch, rate, expected in ((16, 1e-3, True), (128, 2e-5, False)):
        adam = agon.part(torch.optim.Adam, lr=rate)
        run = agon.train(points(1, batch=batch, optimisers=adam), tmp_path / f"{batch}", show=False)
        seen = view_of(run)
        assert [applies(remedy, seen) for remedy in (LARGER, SLOWER)] == [expected, expected]


def test_no_gradient(tmp_path: Path) -> None:
    """Zero from the first record on; zero later, and small, are other things."""
    zero, later = np.zeros(20), np.r_[1.0, np.zeros(19)]
    assert found("idle-player", view(tmp_path, log={"gradient/generator": zero})) == ["idle-player"]
    assert found("idle-player", view(tmp_path, log={"gradient/generator": later})) == []
    assert found("idle-player", view(tmp_path, log={"gradient/generator": zero + 1e-9})) == []


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    """With nothing to look at there is no finding, and each look says why."""
    empty = view(tmp_path)
    for name, examine in SICKNESSES.items():
        examination = examine(empty)
        assert examination.findings == (), name
        assert examination.unseen, name
