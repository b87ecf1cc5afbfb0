"""Bayesian search: proposals follow from what is on record alone, are better than chance, and avoid what diverges."""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import agon
from agon.cli import main
from agon.errors import SettingError, TimeLimitError, installing
from agon.reports import write
from agon.sweeps import BayesianSearch, Halving, SweepFolder, SweepResult, resume, sweep
from agon.sweeps.bayesian import DIVERGED, FAILED, Told, propose
from agon.sweeps.searching import refuse_entangled, with_settings
from agon.sweeps.trials import Settings, draws
from tests.sweeps.inline import Inline, Killed
from tests.training.programs import points
from tests.training.test_replicates import ONE_THREAD

OVER = {"lr": ["1e-5..1e-1"], "batch": ["16..64"], "loss": ["hinge", "minimax"]}
RATES = {"optimisers.lr": ["1e-4..1e-1"]}
SEARCH = BayesianSearch(5, at_once=2, seed=3)


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Inline]]:
    """Jobs are done in this process."""
    monkeypatch.setattr("agon.jobs.placing.LocalProcesses", Inline)
    Inline.done, Inline.kills_after, Inline.late = [], None, frozenset()
    yield Inline
    Inline.kills_after, Inline.late = None, frozenset()


def bowl(settings: Settings) -> float:
    """A score with its minimum at a rate of 1e-3 and the hinge loss."""
    return (math.log10(float(settings["lr"])) + 3) ** 2 + (settings["loss"] == "minimax")


def searched(search: BayesianSearch, score: Callable[[Settings], Told]) -> list[tuple[Settings, Told]]:
    """All trials of a search with what it was told of each."""
    told: list[tuple[Settings, Told]] = []
    while len(told) < search.trials:
        told += [(settings, score(settings)) for settings in propose(search, OVER, told)]
    return told


def test_proposals_are_a_function_of_what_was_told() -> None:
    search = BayesianSearch(20, at_once=4, seed=1)
    told = searched(search, bowl)
    assert propose(search, OVER, told[:16]) == [settings for settings, _ in told[16:]]
    others = {
        "another seed": propose(replace(search, seed=2), OVER, told[:16]),
        "other scores": propose(search, OVER, [(settings, 3 - float(score)) for settings, score in told[:16]]),
    }
    for why, proposals in others.items():
        assert proposals != propose(search, OVER, told[:16]), why
    assert len({json.dumps(settings) for settings, _ in told}) == 20, "those of one round differ, too"
    assert len(propose(replace(search, trials=18), OVER, told[:16])) == 2
    for settings, _ in told:
        assert 1e-5 <= float(settings["lr"]) <= 1e-1
        assert settings["batch"] in map(str, range(16, 65))
        assert settings["loss"] in OVER["loss"]


def test_a_search_learns_and_random_draws_do_not() -> None:
    for seed in range(3):
        late = [bowl(settings) for settings, _ in searched(BayesianSearch(40, seed=seed), bowl)[30:]]
        chance = [bowl(settings) for settings in draws(OVER, 40, seed)[30:]]
        assert sum(late) < 0.5 * sum(chance)


def test_what_diverged_is_avoided_and_what_failed_says_nothing() -> None:
    """Rates over 1e-3 diverge; if they are told as failed, as many are proposed as before."""

    def fast(instead: str) -> int:
        told = searched(BayesianSearch(40, seed=0), lambda it: instead if float(it["lr"]) > 1e-3 else 1.0)
        return sum(score == instead for _, score in told[20:])

    assert fast(DIVERGED) <= 4
    assert fast(FAILED) >= 8


def tiny(folder: Path, **changes: Any) -> SweepResult:
    """Five learning rates, two at once, scored by the modes of 100 samples."""
    options = {"over": RATES, "search": SEARCH, "metric": "modes", "seeds": 1, "n": 100, "compute": ONE_THREAD}
    return sweep(points(10), folder, **{**options, "show": False, **changes})


def test_killed_in_every_round_it_goes_on_with_the_same_proposals(tmp_path: Path, inline: type[Inline]) -> None:
    expected = tiny(tmp_path / "whole")
    record = SweepFolder(tmp_path / "whole").read()
    assert len(expected.trials) == len(record.told) == 5
    inline.done.clear()
    for count in (1, 2, 4, None):
        inline.kills_after = count
        begun = (tmp_path / "sweep").exists()
        if count is None:
            result = resume(tmp_path / "sweep", show=False)
        else:
            with pytest.raises(Killed):
                resume(tmp_path / "sweep", show=False) if begun else tiny(tmp_path / "sweep")
    assert len(inline.done) == len(set(inline.done)) == 5
    assert replace(result, directory=expected.directory, comparison=expected.comparison) == expected
    assert SweepFolder(tmp_path / "sweep").read().told == record.told
    for name, settings in record.plan.trials.items():
        written = json.loads((tmp_path / "sweep" / name / "replicates.json").read_text())["experiment"]
        assert written == json.loads(json.dumps(with_settings(points(10), settings).describe()))
    assert "Bayesian search, 2 trials at once" in write(tmp_path / "sweep").read_text()


def test_a_divergence_is_told_and_a_late_run_is_tried_again(tmp_path: Path, inline: type[Inline]) -> None:
    over = {"optimisers.lr": ["1e-3..1e30"]}
    names = list(SweepFolder(tiny(tmp_path / "whole", over=over).directory).read().plan.trials)
    inline.late = frozenset({f"{names[0]}/seed-0"})
    with pytest.raises(TimeLimitError, match=r"1 of 5 trainings failed .*it took longer.*go on with: agon resume"):
        tiny(tmp_path / "sweep", over=over)
    record = SweepFolder(tmp_path / "sweep").read()
    assert record.told[names[0]] == FAILED
    assert DIVERGED in record.told.values()
    assert {name for name, told in record.told.items() if told == DIVERGED} == {
        run.partition("/")[0] for run in record.diverged
    }
    inline.late, inline.done[:] = frozenset(), []
    result = resume(tmp_path / "sweep", show=False)
    assert inline.done == [f"{names[0]}/seed-0"]
    assert SweepFolder(tmp_path / "sweep").read().told == record.told
    assert len(result.trials) == 5


def test_settings_that_decide_others_are_refused() -> None:
    def make(settings: Settings) -> agon.Experiment:
        made = with_settings(points(), settings)
        return replace(made, log_every=made.batch)

    refuse_entangled(SEARCH, {"optimisers.lr": ("1e-4..1e-1",)}, make)
    with pytest.raises(SettingError, match="expected settings that decide no other ones, got batch"):
        refuse_entangled(SEARCH, {"batch": ("16..64",)}, make)


def test_what_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SettingError, match="expected a grid or a random search"):
        tiny(tmp_path / "sweep", halving=Halving(2))
    with pytest.raises(SettingError, match=r"over lr: expected values, or one range, got 1, 2\.\.3"):
        propose(SEARCH, {"lr": ["1", "2..3"]}, [])
    with pytest.raises(SettingError, match="trials: expected from 1 to 1,000, got 0"):
        BayesianSearch(0)
    command = ["sweep", "first/ring", "--over", "lr=1e-4..1e-2", "--metric", "modes", "--out", str(tmp_path / "sweep")]
    refused = {
        "--trials: expected with --search random or bayes, got none": ["--search", "bayes"],
        "got 3 with --search grid, which takes all combinations": ["--trials", "3"],
        "--at-once: expected at least 1, got 0": ["--search", "bayes", "--trials", "3", "--at-once", "0"],
    }
    for told, options in refused.items():
        assert main([*command, *options]) == 2
        assert told in capsys.readouterr().err
    monkeypatch.setattr("agon.errors.find_spec", lambda package: None if package == "optuna" else object())
    assert main([*command, "--search", "bayes", "--trials", "3"]) == 2
    assert capsys.readouterr().err == f"agon: expected optuna, which is not installed; {installing('sweep')}\n"
    assert not (tmp_path / "sweep").exists()


def test_the_command(tmp_path: Path, inline: type[Inline], capsys: pytest.CaptureFixture[str]) -> None:
    """In the words of other programs, and after a stop."""
    command = ["sweep", "first/ring", "--scale", "smoke", "--steps", "4", "--over", "lr=1e-4..1e-2", "--seeds", "1"]
    options = ["--search", "bayes", "--trials", "3", "--at-once", "1", "--metric", "modes", "--n", "50"]
    inline.kills_after = 1
    with pytest.raises(Killed):
        main([*command, *options, "--device", "cpu", "--seed", "5", "--out", str(tmp_path / "sweep")])
    inline.kills_after = None
    assert main(["resume", str(tmp_path / "sweep")]) == 0
    assert "Best of 3 trials by jensen-shannon" in capsys.readouterr().out
    record = SweepFolder(tmp_path / "sweep").read()
    assert record.plan.search == BayesianSearch(3, 1, 5)
    assert list(record.plan.over) == ["optimisers.lr"]
    assert record.plan.seeds == (5,)
