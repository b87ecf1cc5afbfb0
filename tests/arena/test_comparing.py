"""A comparison pairs seeds, mixes nothing that differs, and says what it left out."""

import json
import math
import re
import shutil
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import agon
from agon.arena import ComparisonResult, compare, forest, write_comparison
from agon.arena.comparisons.comparing import compared
from agon.arena.comparisons.matching import Matched
from agon.arena.comparisons.score import ComparedScore
from agon.cli import main
from agon.errors import AgonError, DataError, RunError, SettingError
from agon.metrics.differences import Measured
from agon.runs.scores import ScoreRecord

from .recorded import STEPS, record_scores, write_run, write_seeds

A, B = (1.0, 1.4, 1.1, 1.3), (2.1, 2.6, 2.0, 2.5)


@pytest.fixture
def seeds(tmp_path: Path) -> tuple[Path, Path]:
    """Two experiments of four seeds each, of which a has the lower fid."""
    return write_seeds(tmp_path / "a", "fid", *A), write_seeds(tmp_path / "b", "fid", *B, lr=0.2)


def mirrored(score: ComparedScore) -> ComparedScore:
    """The score with exchanged sides."""
    turn = {"first": score.second, "second": score.first, "means": score.means[::-1], "difference": -score.difference}
    ends = {name: None if (e := getattr(score, name)) is None else (-e[1], -e[0]) for name in ("interval", "together")}
    effect = None if score.effect is None else -score.effect
    rest = {name: getattr(score, name) for name in ("name", "metric", "best", "scale", "p", "p_alone", "pairs")}
    return ComparedScore(**rest, **turn, **ends, effect=effect, covers=score.covers, needed_seeds=score.needed_seeds)


def test_equal_seeds_are_pairs(seeds: tuple[Path, Path]) -> None:
    result = compare(*seeds)
    score = result.score("fid")
    expected = stats.ttest_rel(A, B)
    assert (score.pairs, score.covers, score.better, score.decided) == (4, "seeds", "first", True)
    assert score.p == pytest.approx(expected.pvalue)
    assert score.interval == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert score.means == (pytest.approx(np.mean(A)), pytest.approx(np.mean(B)))
    assert result.sentence.startswith(
        "a is better than b by the most telling score, fid 1.2 against 2.3 (lower is bett"
    )
    assert "excludes 0" in result.sentence
    assert "4 pairs of seeds" in result.sentence


def test_other_seeds_are_not_pairs(seeds: tuple[Path, Path], tmp_path: Path) -> None:
    later = write_seeds(tmp_path / "later", "fid", *B, first=1, lr=0.2)
    score = compare(seeds[0], later).score("fid")
    assert score.pairs == 0
    assert score.p == pytest.approx(stats.ttest_ind(A, B, equal_var=False).pvalue)


def test_seeds_within_the_others_are_pairs_and_the_rest_does_not_count(tmp_path: Path) -> None:
    few = write_seeds(tmp_path / "few", "fid", *B[1:], first=1, lr=0.2)
    score = compare(write_seeds(tmp_path / "a", "fid", *A), few).score("fid")
    assert (score.pairs, score.seeds) == (3, (3, 3))
    assert score.p == pytest.approx(stats.ttest_rel(A[1:], B[1:]).pvalue)
    assert list(score.first) == ["a/seed-1", "a/seed-2", "a/seed-3"]


def test_exchanged_sides_mirror_everything_and_the_order_of_runs_is_nothing(seeds: tuple[Path, Path]) -> None:
    first, second = seeds
    for run, value in zip(sorted(first.iterdir()), A, strict=True):
        record_scores(run, {"std-ratio": value, "ratio": value, "kid": (value, 0.1)}, step=STEPS)
    for run, value in zip(sorted(second.iterdir()), B, strict=True):
        record_scores(run, {"std-ratio": value, "ratio": value, "kid": (value, 0.1)}, step=STEPS)
    result, exchanged = compare(first, second), compare(second, first)
    for score in result.scores:
        assert mirrored(score) == exchanged.score(score.name)
    single = sorted(first.iterdir(), reverse=True), [*second.iterdir()]
    assert compare(*single).scores == result.scores
    assert result.sentence == exchanged.sentence


def test_a_copy_ties(seeds: tuple[Path, Path], tmp_path: Path) -> None:
    """Other settings and equal scores: no difference, and no number of seeds that would find one."""
    copy = write_seeds(tmp_path / "copy", "fid", *A, lr=0.3)
    score = compare(seeds[0], copy).score("fid")
    assert (score.difference, score.p, score.better, score.decided) == (0.0, 1.0, "", False)
    assert score.needed_seeds is None


def test_seeds_of_one_experiment_differ_by_chance(tmp_path: Path) -> None:
    first = write_seeds(tmp_path / "first", "fid", *A)
    result = compare(first, write_seeds(tmp_path / "second", "fid", *A[::-1], first=4))
    assert result.sentence.startswith("The settings are the same, so what differs is chance.")
    assert not result.score("fid").decided


def test_one_seed_of_each_covers_samples_only(tmp_path: Path) -> None:
    one = write_run(tmp_path / "one", {"kid": (0.1, 0.01), "fid": 1.0})
    result = compare(one, write_run(tmp_path / "other", {"kid": (0.2, 0.01), "fid": 2.0}, lr=0.2))
    assert result.score("kid").covers == "samples"
    assert result.score("kid").decided
    assert result.score("kid").needed_seeds is None
    assert (result.score("fid").interval, result.score("fid").p) == (None, None)
    assert "the noise of sampling only, not that of training" in result.sentence
    assert "agon train ... --seeds 3" in result.sentence


def test_several_seeds_and_one_share_a_spread(seeds: tuple[Path, Path], tmp_path: Path) -> None:
    single = write_run(tmp_path / "single", {"fid": 5.0}, seed=9, lr=0.3)
    result = compare(seeds[0], single)
    assert result.score("fid").interval is not None
    assert "whose spread is taken from the other" in result.sentence


def test_an_undecided_score_says_how_many_seeds_would_decide(tmp_path: Path) -> None:
    near = write_seeds(tmp_path / "near", "fid", 1.0, 2.0, 1.5)
    result = compare(near, write_seeds(tmp_path / "level", "fid", 1.7, 1.6, 2.2, lr=0.2))
    score = result.score("fid")
    assert not score.decided
    assert score.needed_seeds is not None
    assert score.needed_seeds > 3
    assert f"{score.needed_seeds} seeds of each would decide it as often as not" in result.sentence
    assert any(f"needs about {score.needed_seeds} seeds" in line for line in result.lines)


def test_ratios_are_compared_as_logarithms(tmp_path: Path) -> None:
    """Twice as long and half as long are equally far from alike."""
    one, other = write_seeds(tmp_path / "a", "ratio", 2.0, 8.0), write_seeds(tmp_path / "b", "ratio", 1.0, 4.0, lr=0.2)
    score = compare(one, other).score("ratio")
    assert (score.scale, score.best, score.better) == ("logarithm", None, "")
    assert score.difference == pytest.approx(math.log(2))
    assert score.means == pytest.approx((4.0, 2.0)), "geometric"
    assert "×2" in compare(one, other).lines[1]
    fast = write_seeds(tmp_path / "fast", "seconds-an-epoch", 1.0, 1.1, 1.05)
    slow = write_seeds(tmp_path / "slow", "seconds-an-epoch", 2.0, 2.1, 2.2, lr=0.2)
    assert re.search(r"95 % interval of the ratio, \[0\.\d+, 0\.\d+\], excludes 1\.", compare(fast, slow).sentence)
    level = write_seeds(tmp_path / "level", "seconds-an-epoch", 0.5, 1.5, 2.0, lr=0.2)
    assert re.search(r"95 % interval of the ratio, .*\], holds 1\.", compare(fast, level).sentence)


def test_scores_with_a_best_value_are_compared_by_their_distance(tmp_path: Path) -> None:
    """A memorisation of 0.4 is as good as one of 0.6, and std-ratios of 1/2 and 2 are alike."""
    one = write_seeds(tmp_path / "a", "memorisation", 0.4, 0.35)
    assert compare(one, write_seeds(tmp_path / "b", "memorisation", 0.6, 0.65, lr=0.2)).scores[0].difference == 0
    narrow = write_seeds(tmp_path / "c", "std-ratio", 0.5, 0.5)
    score = compare(narrow, write_seeds(tmp_path / "d", "std-ratio", 2.0, 2.0, lr=0.2)).scores[0]
    assert (score.scale, score.difference) == ("distance", 0.0)


def test_the_number_of_scores_counts(seeds: tuple[Path, Path]) -> None:
    """One score's p alone; with nine others that show nothing, ten times that."""
    rng = np.random.default_rng(0)
    alone = compare(*seeds).score("fid")
    for run in [*seeds[0].iterdir(), *seeds[1].iterdir()]:
        record_scores(run, {f"{letter}-recall": float(rng.normal()) for letter in "abcdefghi"}, step=STEPS)
    among = compare(*seeds).score("fid")
    assert (among.p_alone, among.interval) == (alone.p, alone.interval)
    assert among.p == pytest.approx(10 * (alone.p or 0.0))
    assert among.together is not None
    assert alone.together == pytest.approx(alone.interval)
    assert among.together[0] < alone.together[0]


def test_a_score_that_is_undecided_among_many_says_so(tmp_path: Path) -> None:
    """Its own interval excludes 0, which is not said of it."""
    a = write_seeds(tmp_path / "a", "fid", 1.0, 1.5, 1.2, 1.4)
    b = write_seeds(tmp_path / "b", "fid", 1.4, 1.8, 1.7, 1.6, lr=0.2)
    for number, run in enumerate([*sorted(a.iterdir()), *sorted(b.iterdir())]):
        record_scores(
            run,
            {f"{letter}-recall": float((7 * number + place) % 5) for place, letter in enumerate("abcd")},
            step=STEPS,
        )
    score, sentence = compare(a, b).score("fid"), compare(a, b).sentence
    assert score.interval is not None
    assert score.interval[1] < 0
    assert not score.decided
    assert "cannot be told apart" in sentence
    assert f"excludes 0 by itself, but p is {score.p:.2g} with all scores counted" in sentence


GRID = [pytest.param(*grid, 300, marks=pytest.mark.evidence) for grid in product((3, 5, 8), (True, False))]


@pytest.mark.parametrize(("count", "paired", "draws"), [(4, True, 80), *GRID])
def test_equal_experiments_are_told_apart_in_one_of_twenty_comparisons(count: int, paired: bool, draws: int) -> None:
    """Five scores of equal experiments, two of which move together; without Holm's correction far more often."""
    rng = np.random.default_rng(count)
    names = {seed: f"run {seed}" for seed in range(2 * count)}

    def league() -> tuple[ComparedScore, ...]:
        values = rng.normal(size=(5, 2, count)) + paired * rng.normal(size=(5, 1, count))
        values[1] += values[0]
        later = 0 if paired else count
        return compared([_matched(f"{i}-recall", *pair, later) for i, pair in enumerate(values)], (names, names))

    leagues = [league() for _ in range(draws)]
    assert all((score.pairs > 0) == paired for score in leagues[0])
    assert np.mean([any(score.decided for score in scores) for scores in leagues]) < 0.05 + 2 * (0.0475 / draws) ** 0.5
    assert np.mean([any((score.p_alone or 0.0) <= 0.05 for score in scores) for scores in leagues]) > 0.1


def _matched(name: str, first: np.ndarray, second: np.ndarray, later: int) -> Matched:
    sides = ({seed: Measured(float(x)) for seed, x in enumerate(side, s)} for side, s in ((first, 0), (second, later)))
    return Matched(name, ScoreRecord(name, 0.0), *sides)


def other_n(run: Path) -> None:
    record_scores(run, {"recall": 0.5}, step=STEPS, n=50, asked=50)


def other_protocol(run: Path) -> None:
    record_scores(run, {"recall": 0.5}, step=STEPS, protocol="another one")


def other_split(run: Path) -> None:
    record_scores(run, {"recall": 0.5}, step=STEPS, split="validation")


def other_extractor(run: Path) -> None:
    record_scores(run, {"recall": 0.5}, step=STEPS, features="inception 0", extractor={"hash": "0"})


def other_step(run: Path) -> None:
    record_scores(run, {"recall": 0.5}, step=STEPS // 2)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (other_n, "measured with 100 samples of a and 50 samples of b"),
        (other_protocol, 'the protocol "another one" of b'),
        (other_split, "real samples of the train split of a and real samples of the validation split of b"),
        (other_extractor, "features inception 0 of b"),
        (other_step, "only a has it"),
    ],
)
def test_other_measurements_are_not_mixed(record: object, reason: str, seeds: tuple[Path, Path]) -> None:
    assert callable(record)
    for run in seeds[0].iterdir():
        record_scores(run, {"recall": 0.9}, step=STEPS)
    for run in seeds[1].iterdir():
        record(run)
    result = compare(*seeds)
    assert [score.name for score in result.scores] == ["fid"]
    assert reason in result.left_out["recall"]
    assert any(line.startswith("left out: recall: ") for line in result.lines)


def test_which_measurement_counts_does_not_depend_on_the_order_of_the_sides(tmp_path: Path) -> None:
    """Two, measured in one order here and in the other there."""
    one, other = (write_run(tmp_path / name, {}, lr=lr) for name, lr in (("one", 0.1), ("other", 0.3)))
    for run, values in ((one, ((1_000, 1.0), (2_000, 1.1))), (other, ((2_000, 1.0), (1_000, 1.3)))):
        for n, value in values:
            record_scores(run, {"kid": (value, 0.1)}, step=STEPS, n=n, asked=n)
    result, exchanged = compare(one, other), compare(other, one)
    assert mirrored(result.score("kid")) == exchanged.score("kid")
    assert result.score("kid").means == (1.1, 1.0)


def test_seeds_of_other_data_are_refused(seeds: tuple[Path, Path]) -> None:
    write_run(seeds[0] / "seed-9", {"fid": 1.0}, seed=9, fingerprint="g")
    with pytest.raises(DataError, match=r"trained on the same data, got .* on other ones; train both on the same data"):
        compare(*seeds)


def test_the_latest_of_equal_measurements_counts(seeds: tuple[Path, Path]) -> None:
    for run in seeds[0].iterdir():
        record_scores(run, {"fid": 7.0}, step=STEPS)
    assert compare(*seeds).score("fid").means[0] == 7.0


def test_runs_without_a_score_or_without_a_number_are_named(seeds: tuple[Path, Path]) -> None:
    for run in [*seeds[0].iterdir(), *list(seeds[1].iterdir())[:2]]:
        record_scores(run, {"recall": math.nan if run.name == "seed-0" else 0.5}, step=STEPS)
    result = compare(*seeds)
    assert result.left_out["recall of a/seed-0"].startswith("it is not finite")
    assert sum("it was not measured there" in reason for reason in result.left_out.values()) == 2


@pytest.mark.parametrize("value", [1e308, -1e200, float("inf"), float("nan")])
def test_numbers_beyond_all_reason_do_no_harm(value: float, seeds: tuple[Path, Path]) -> None:
    """Files from elsewhere can hold anything."""
    for run in [*seeds[0].iterdir(), *seeds[1].iterdir()]:
        record_scores(run, {"recall": value, "kid": (1.0, value)}, step=value, detail={"r_test": value})
        record_scores(run, {"recall": value, "kid": (1.0, value), "battle": 1.0}, step=STEPS, detail={"r_test": value})
        with (run / "log.jsonl").open("a") as log:
            log.write(json.dumps({"step": value}) + "\n")
    result = compare(*seeds)
    assert {score.name for score in result.scores} == {"fid", "kid", "battle"}
    assert json.loads(result.json)


def test_battles_count_against_a_third_run_only(seeds: tuple[Path, Path], tmp_path: Path) -> None:
    third = str((tmp_path / "third").resolve())
    for place, side in enumerate(seeds):
        for run in side.iterdir():
            battle = {"metric": "battle", "detail": {"r_test": 1.5}, "protocol": f"{run.name}'s critic", "step": STEPS}
            record_scores(run, {"battle": 0.5 + place}, **battle, opponent_path=third)
            twin = seeds[1 - place] / run.name
            record_scores(run, {"battle": 9.0}, **battle, opponent_path=str(twin.resolve()))
    result = compare(*seeds)
    label = f"battle against {tmp_path.name}/third"
    assert [score.name for score in result.scores] == ["fid", label, label.replace("battle ", "r_test ", 1)]
    assert result.score(label).scale == "logarithm"
    assert result.score(label).difference == pytest.approx(math.log(0.5 / 1.5))


def test_unfinished_damaged_and_repeated_runs_are_left_out(seeds: tuple[Path, Path], tmp_path: Path) -> None:
    write_run(seeds[0] / "seed-4", {"fid": 90.0}, seed=4, reached=STEPS // 2)
    write_run(seeds[0] / "seed-5", {"fid": 90.0}, seed=5)
    (seeds[0] / "seed-5" / "experiment.json").write_text("{")
    shutil.copytree(seeds[0] / "seed-0", seeds[0] / "seed-0-copy")
    result = compare(*seeds)
    assert result.score("fid").seeds == (4, 4)
    assert "it stopped at step 50 of 100" in result.left_out["a/seed-4"]
    assert "is not JSON" in result.left_out["a/seed-5"]
    assert result.left_out["seed-0-copy" if "seed-0-copy" in result.left_out else "a/seed-0-copy"].startswith(
        "it has s"
    )


def test_a_step_beyond_the_range_of_floats_is_no_step(seeds: tuple[Path, Path]) -> None:
    log = seeds[0] / "seed-0" / "log.jsonl"
    log.write_text(f'{{"step": 1{"0" * 400}}}\n{log.read_text()}')
    assert compare(*seeds).score("fid").seeds == (4, 4)


def test_a_damaged_line_of_a_log_hides_no_later_step(seeds: tuple[Path, Path]) -> None:
    log = seeds[0] / "seed-0" / "log.jsonl"
    log.write_text(f'{{"step": 50}}\n\0\0\0\n{{"step": 5\n[7]\n{log.read_text()}')
    assert compare(*seeds).score("fid").seeds == (4, 4)


def test_what_cannot_be_compared_is_refused(seeds: tuple[Path, Path], tmp_path: Path) -> None:
    first, second = seeds
    cases: list[tuple[object, object, type[AgonError], str]] = [
        (first, first / "seed-0", RunError, "on both"),
        (first, [], RunError, "got none on one"),
        ([first, second], write_run(tmp_path / "c", {"fid": 1.0}), SettingError, "which differ in lr"),
        (
            first,
            write_run(tmp_path / "d", {"fid": 1.0}, data={"type": "grid"}, fingerprint="g"),
            DataError,
            "same data",
        ),
        (first, write_run(tmp_path / "e", {"fid": 1.0}, fingerprint="g"), DataError, "train both on the same data"),
        (first, write_run(tmp_path / "f", {"kid": 1.0}), RunError, f"agon evaluate {first}"),
        (first, write_run(tmp_path / "g", {"fid": 1.0}, reached=3), RunError, "it stopped at step 3 of 100"),
        (first, tmp_path / "nowhere", RunError, "does not exist"),
    ]
    for one, other, error, told in cases:
        for pair in ((one, other), (other, one)):
            with pytest.raises(error, match=r"comparison|expected a run") as refused:
                compare(*pair)
            assert told in str(refused.value) or told.startswith("agon evaluate")
    with pytest.raises(RunError, match="--metrics kid measures them"):
        compare(first, second, metrics=["kid"])


def test_the_range_of_images_is_no_other_data(tmp_path: Path) -> None:
    images = {"type": "images", "path": "digits"}
    one = write_run(tmp_path / "a", {"fid": 1.0}, data={**images, "range": [-1.0, 1.0]}, fingerprint="f")
    other = write_run(tmp_path / "b", {"fid": 2.0}, data={**images, "range": [0.0, 1.0]}, fingerprint="g")
    assert compare(one, other).names == ("a", "b")


def test_a_result_survives_json_and_becomes_tables(seeds: tuple[Path, Path], tmp_path: Path) -> None:
    result = compare(*seeds)
    assert ComparisonResult.of_plain(json.loads(result.json)) == result
    written = write_comparison(result, tmp_path / "result.json")
    assert ComparisonResult.of_plain(json.loads(written.read_text())) == result
    assert result.tables["scores"][0]["first mean"] == pytest.approx(1.2)
    assert len(result.tables["values"]) == 8
    assert result.places["a/seed-0"] == str(seeds[0] / "seed-0")


def test_tables_for_pandas(seeds: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pandas is missing, a sentence says so; a stand-in shows what it would get."""

    class Stand:
        DataFrame = staticmethod(len)

    result = compare(*seeds)
    monkeypatch.setattr("agon.arena.tabulating.installed", lambda package: False)
    with pytest.raises(AgonError, match="pip install pandas"):
        result.to_pandas()
    monkeypatch.setattr("agon.arena.tabulating.installed", lambda package: True)
    monkeypatch.setitem(sys.modules, "pandas", Stand)  # type: ignore[arg-type]
    assert result.to_pandas() == {"scores": 1, "values": 8, "left out": 0}


def test_the_picture_does_not_depend_on_units(seeds: tuple[Path, Path], tmp_path: Path) -> None:
    """A PNG; and a row of a score in thousands is drawn as one in thousandths."""
    one = write_comparison(compare(*seeds), tmp_path / "plot.png").read_bytes()
    assert one.startswith(b"\x89PNG")
    assert forest(compare(*seeds)) == one, "reproducible"
    with pytest.raises(SettingError, match=r"NAME\.png or NAME\.json"):
        write_comparison(compare(*seeds), tmp_path / "plot.pdf")


def test_the_command(seeds: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = map(str, seeds)
    assert main(["compare", first, "--with", second, "--out", str(tmp_path / "plot.png")]) == 0
    table = capsys.readouterr().out.splitlines()
    assert table[0].split() == ["score", "a", "b", "difference", "95", "%", "interval", "p", "seeds", "verdict"]
    assert table[1].startswith("fid ↓")
    assert table[-1] == str(tmp_path / "plot.png")
    assert main(["compare", first, "--with", second, "--json", "--metrics", "fid"]) == 0
    assert ComparisonResult.of_plain(json.loads(capsys.readouterr().out)) == agon.compare(*seeds)
