"""Panels of im2016's tables: planted leagues are ordered, exchanged pairs mirrored, and one seed decides nothing."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from agon.arena import AreaMatrix
from agon.papers.im2016 import panels
from agon.papers.im2016.panels import critic_panel_rows, panel_rows
from agon.papers.panel_row import PanelRow, panel_table

SEEDS = 3


def league(
    monkeypatch: pytest.MonkeyPatch, generators: dict[str, float], critics: dict[str, float], seed: int, noise: float
) -> dict[str, list[Any]]:
    """Runs whose areas are the logistic function of a generator's strength less a critic's, with noise of trainings."""
    rng = np.random.default_rng(seed)
    names = [f"{label}/{i}" for label in generators for i in range(SEEDS)]
    judges = [f"{label}/{i}" for label in critics for i in range(SEEDS)]
    strength = {name: generators[name.split("/")[0]] + noise * rng.standard_normal() for name in names}
    keenness = {name: critics[name.split("/")[0]] + noise * rng.standard_normal() for name in judges}
    areas = np.array([[1 / (1 + math.exp(keenness[j] - strength[i])) for j in judges] for i in names])

    def played(paths: list[Path], **_: Any) -> SimpleNamespace:
        rows, columns = ([i for i, name in enumerate(group) if Path(name) in paths] for group in (names, judges))
        kept = areas[np.ix_(rows, columns)]
        matrix = AreaMatrix(
            generators=tuple(names[i] for i in rows),
            critics=tuple(judges[i] for i in columns),
            contestants={path.as_posix(): path.as_posix() for path in paths},
            areas=kept,
            errors=np.full_like(kept, 0.01),
            n=1000,
            n_real=1000,
        )
        return SimpleNamespace(matrix=matrix, places={path.as_posix(): str(path.resolve()) for path in paths})

    monkeypatch.setattr(panels, "tournament", played)
    return {label: [SimpleNamespace(path=Path(f"{label}/{i}")) for i in range(SEEDS)] for label in generators}


def test_a_panel_says_what_was_planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The effect is (g2 - d1) - (g1 - d2), with noise of 0.1 a training."""
    runs = league(monkeypatch, {"A": 0.0, "B": 1.0}, {"A": 2.0, "B": 2.5}, seed=0, noise=0.1)
    (row,) = panel_rows({"A vs. B": ("A", "B")}, runs, "smoke")
    assert row.verdict == "held"
    assert row.effect == pytest.approx(1.5, abs=0.3)
    assert row.seeds == (SEEDS, SEEDS)
    (mirrored,) = panel_rows({"B vs. A": ("B", "A")}, runs, "smoke")
    assert (mirrored.verdict, mirrored.effect) == ("contradicted", -row.effect)


def test_without_a_difference_few_panels_are_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most 1 in 10 of 100, where 1 in 20 is expected; a planted difference of five deviations nearly always is."""
    decided = {}
    for gap in (0.0, 5.0):
        verdicts = []
        for seed in range(100):
            runs = league(monkeypatch, {"A": 0.0, "B": gap}, {"A": 1.0, "B": 1.0}, seed=seed, noise=1.0)
            verdicts.append(panel_rows({"A vs. B": ("A", "B")}, runs, "smoke")[0].verdict)
        decided[gap] = 100 - verdicts.count("undecided")
    assert decided[0.0] <= 10
    assert decided[5.0] >= 80


def test_pairs_that_share_no_run_play_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = {"1": ("A", "B"), "2": ("C", "D"), "3": ("B", "E")}
    assert [set(group) for group in panels._groups(pairs.values())] == [{"C", "D"}, {"A", "B", "E"}]
    runs = league(monkeypatch, dict.fromkeys("ABCDE", 0.0), dict.fromkeys("ABCDE", 0.0), seed=0, noise=0.1)
    assert [row.row for row in panel_rows(pairs, runs, "smoke")] == ["1", "2", "3"]


def test_critics_that_recognise_samples_are_above_zero_and_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = league(monkeypatch, {"G1": 0.0, "G3": 0.0, "V": -1.0}, {"G1": 0.0, "G3": 2.0}, seed=1, noise=0.05)
    pairs = {"G1 vs. V": ("G1", "V"), "G3 vs. V": ("G3", "V")}
    orders = {"keener": ("G3 vs. V", "G1 vs. V"), "duller": ("G1 vs. V", "G3 vs. V")}
    one, three, keener, duller = critic_panel_rows(pairs, orders, runs, "smoke")
    assert one.effect == pytest.approx(1.0, abs=0.2)
    assert three.effect == pytest.approx(3.0, abs=0.2)
    assert [row.verdict for row in (one, three, keener, duller)] == ["held", "held", "held", "contradicted"]


def test_one_seed_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.papers.test_im2016_panels.SEEDS", 1)
    runs = league(monkeypatch, {"G": 0.0, "V": -1.0}, {"G": 2.0}, seed=1, noise=0.05)
    (row,) = critic_panel_rows({"G vs. V": ("G", "V")}, {}, runs, "smoke")
    assert row.verdict == "undecided"
    assert row.plain()["interval"] == [None, None]


def test_the_page_says_what_would_decide_a_panel() -> None:
    settled = {"effect": 1.5, "interval": (0.5, 2.5), "seeds": (3, 3), "needed": None}
    open_, hopeless = ({**settled, "interval": (-0.5, 3.5), "needed": needed} for needed in (12, None))
    rows = [PanelRow(row=row, **each).plain() for row, each in (("a", settled), ("b", open_), ("c", hopeless))]  # type: ignore[arg-type]
    _, body = panel_table(rows)
    assert [line[-1] for line in body] == ["held", "undecided; about 12 seeds would do", "undecided; over 1,000 seeds"]
    assert body[0][:4] == ["a", "1.5", "[0.5, 2.5]", "3 x 3"]
    single = PanelRow(row="d", effect=1.5, interval=(-math.inf, math.inf), seeds=(1, 1), needed=None).plain()
    assert panel_table([single])[1][0][2:] == ["of one seed, none", "1 x 1", "undecided"]
