"""Evaluating runs of images: one set of samples and features, recorded once, with the same scores from a folder."""

import inspect
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from agon import Run, load, sample
from agon.arena import ranked
from agon.cli import Evaluate
from agon.data import Images
from agon.errors import DataError, SettingError
from agon.evaluation import METRICS, ExtractorSpec, IncompleteError, evaluate, evaluate_samples, write
from agon.evaluation.extractors import RealFeatures
from agon.metrics.extractors import Pixels
from agon.runs import read
from agon.samples import write as written
from agon.training import Training
from tests.evaluation.counting import Counting

pytestmark = pytest.mark.usefixtures("one_core")
Trained = Callable[[int], Run]
COUNTING = ExtractorSpec("tests.evaluation.counting:Counting", trust=True)
BY_FEATURES = ["is", "fid", "kid", "pr", "prdc"]


def test_many_metrics_make_samples_and_features_once(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    run, painted = trained(0), []
    batch, paint = load(run).experiment.batch, Training._generate

    def counted(training: Training, latents: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        painted.append(len(latents))
        return paint(training, latents, labels)

    monkeypatch.setattr(Training, "_generate", counted)
    monkeypatch.setattr(Counting, "seen", 0)
    scores = evaluate(run, metrics=[*BY_FEATURES, "pairwise"], n=150, extractor=COUNTING)
    assert [n for n in painted if n != batch] == [150]  # batches restate an average's statistics
    assert Counting.seen == 2 * 150  # generated and real
    names = [score.name for score in scores]
    assert len(set(names)) == len(names) == 1 + 1 + 1 + 2 + 4 + 1
    assert {"counting-score", "counting-frechet-distance", "counting-precision", "pairwise"} <= set(names)


def test_asking_again_gives_what_was_recorded(trained: Trained) -> None:
    run, asked = trained(0), {"metrics": ["kid"], "extractor": ExtractorSpec("pixels")}
    first = evaluate(run, n=120, **asked)
    lines = read(run.metrics)
    assert evaluate(run, n=120, **asked) == first
    assert read(run.metrics) == lines
    others = [evaluate(run, n=130, **asked), evaluate(run, n=120, seed=1, **asked)]
    assert len(read(run.metrics)) == len(lines) + 2
    assert all(other[0].value != first[0].value for other in others)


@pytest.mark.parametrize(
    ("name", "value"),
    [("value", [["critic"]] * 10), ("value", None), ("error", "x"), ("interval", [1.0]), ("n", {}), ("detail", [1])],
)
def test_what_is_damaged_is_measured_again(trained: Trained, name: str, value: object) -> None:
    """A record that holds something else than a score is none."""
    run, asked = trained(0), {"metrics": ["kid"], "extractor": ExtractorSpec("pixels"), "n": 110}
    first = evaluate(run, **asked)
    lines = run.metrics.read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if json.loads(line)["asked"] == 110)
    damaged = json.dumps(json.loads(lines[at]) | {name: value})
    run.metrics.write_text("".join(f"{line}\n" for line in [*lines[:at], damaged, *lines[at + 1 :]]))
    assert evaluate(run, **asked) == first
    run.metrics.write_text("".join(f"{line}\n" for line in lines))


def test_a_score_has_its_passport(trained: Trained) -> None:
    run = trained(0)
    (score,) = evaluate(run, metrics=["fid"], n=140, extractor=COUNTING)
    record = next(r for r in read(run.metrics) if r["name"] == "counting-frechet-distance" and r["n"] == 140)
    assert record["n_real"] == 140
    assert record["extractor"] == {
        "name": Counting.name,
        "hash": Counting.hash,
        "resizer": "none",
        "precision": "float32",
    }
    assert {"seed", "step", "version", "torch", "metric", "asked", "features"} <= set(record)
    assert score.error is not None


def test_a_folder_of_the_same_samples_has_the_same_scores(trained: Trained, tmp_path: Path) -> None:
    """Also through files: what is compared are the bytes that a file holds."""
    run = trained(0)
    training = load(run)
    written(sample(training, 150), training.experiment.data, tmp_path / "pictures")
    mine = evaluate(run, metrics=BY_FEATURES, n=150, extractor=COUNTING)
    found = evaluate_samples(tmp_path / "pictures", Images(), metrics=BY_FEATURES, n=150, extractor=COUNTING)
    theirs = [score for measured in found.values() for score in measured.scores]
    assert [(s.name, s.value, s.error) for s in mine] == [(s.name, s.value, s.error) for s in theirs]
    write(found, tmp_path / "out")
    assert [record["name"] for record in read(tmp_path / "out" / "metrics.jsonl")] == [score.name for score in theirs]


def test_another_seed_has_files_of_its_own(trained: Trained) -> None:
    """The ranking reads the reconstructions of the very scores that it is given, whatever was measured since."""
    runs = [trained(0), trained(1)]
    first = [evaluate(run, metrics=["reconstruction"], n=8)[0] for run in runs]
    shares = [score.value for score in ranked(runs, first)]
    for run in runs:
        evaluate(run, metrics=["reconstruction"], n=12, seed=3)
    again = [evaluate(run, metrics=["reconstruction"], n=8)[0] for run in runs]
    assert again == first
    lines = len(read(runs[0].metrics))
    assert [score.value for score in ranked(runs, again)] == shares
    assert len(read(runs[0].metrics)) == lines  # recorded once


def test_other_weights_are_another_measurement(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    run, asked = trained(0), {"metrics": ["kid"], "n": 60, "extractor": COUNTING}
    evaluate(run, **asked)
    lines = len(read(run.metrics))
    monkeypatch.setattr(Counting, "hash", "1" * 64)
    evaluate(run, **asked)
    assert len(read(run.metrics)) == lines + 1


def test_some_of_several_metrics_may_fail(trained: Trained) -> None:
    with pytest.raises(IncompleteError, match="expected a known distribution") as told:
        evaluate(trained(0), metrics=["modes", "pairwise"], n=50)
    assert [score.name for score in told.value.scores] == ["pairwise"]


def test_nobody_takes_the_name_of_another_extractor() -> None:
    assert ExtractorSpec("mine:Inception").kind == "mine.Inception"
    assert ExtractorSpec("mine:Net").kind == "net"


def test_random_samples_of_a_larger_folder_are_taken(trained: Trained, tmp_path: Path) -> None:
    """Not the first: a folder may have them class by class."""
    folder = _folder(trained(0), tmp_path)

    def value(seed: int, n: int = 6) -> float:
        return evaluate_samples(folder, Images(), metrics=["pairwise"], n=n, seed=seed)["pairwise"].scores[0].value

    assert value(0) == value(0) != value(1)
    with pytest.raises(SettingError, match="at least 1 sample, got 0"):
        value(0, n=0)
    with pytest.raises(SettingError, match="at least 1 sample, got 0"):
        evaluate(trained(0), metrics=["pairwise"], n=0)


def test_evaluating_leaves_the_run_and_the_random_streams_alone(trained: Trained) -> None:
    run = trained(0)
    before = torch.get_rng_state(), {f.name: f.read_bytes() for f in run.checkpoints.rglob("*") if f.is_file()}
    evaluate(run, metrics=["paths", "reconstruction", "neighbours"], n=16, seed=5)
    after = torch.get_rng_state(), {f.name: f.read_bytes() for f in run.checkpoints.rglob("*") if f.is_file()}
    assert torch.equal(before[0], after[0])
    assert before[1] == after[1]


def test_runs_are_ranked_by_their_reconstructions(trained: Trained) -> None:
    runs = [trained(0), trained(1)]
    scores = [evaluate(run, metrics=["reconstruction"], n=24)[0] for run in runs]
    assert all(0 < score.value < 0.25 for score in scores)
    shares = ranked(runs, scores)
    assert sum(score.value for score in shares) == pytest.approx(100)
    for run in runs:
        record = read(run.metrics)[-1]
        assert record["name"] == "best-rank"
        assert (run.path / record["pictures"]["reconstructions"]).is_file()


def test_what_cannot_be_measured_is_told(trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = trained(0)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(DataError, match=r"(?s)6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"):
        evaluate(run, metrics=["fid"], n=100, extractor=ExtractorSpec("inception"))
    with pytest.raises(SettingError, match=r"fdi.*did you mean.*fid"):
        evaluate(run, metrics=["fdi"])
    with pytest.raises(DataError, match="expected a known distribution"):
        evaluate(run, metrics=["modes"], n=10)
    with pytest.raises(DataError, match="no such path"):
        evaluate_samples(tmp_path / "nowhere", Images(), metrics=["pairwise"])
    with pytest.raises(DataError, match=r"65"):
        evaluate(run, metrics=["fid"], n=20, extractor=ExtractorSpec("pixels"))
    with pytest.raises(SettingError, match="--trust"):
        evaluate(run, metrics=["fid"], n=20, extractor=ExtractorSpec("mine:Extractor"))
    with pytest.raises(SettingError, match="whose generator can be asked"):
        evaluate_samples(_folder(run, tmp_path), Images(), metrics=["paths"])
    with pytest.raises(SettingError, match="name them with --data"):
        evaluate_samples(_folder(run, tmp_path), metrics=["kid"], extractor=ExtractorSpec("pixels"))
    with pytest.raises(DataError, match=r"\(1, 16, 16\), got \(1, 8, 8\)"):
        evaluate_samples(_folder(run, tmp_path), Images(size=16), metrics=["pairwise"])


def test_a_broken_file_among_samples_is_named(trained: Trained, tmp_path: Path) -> None:
    folder = _folder(trained(0), tmp_path)
    (folder / "000003.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    with pytest.raises(DataError, match=r"000003\.png"):
        evaluate_samples(folder, Images(), metrics=["pairwise"])


def test_samples_that_are_no_numbers_are_refused(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Training, "_generate", lambda training, z, label: torch.full((len(z), 1, 8, 8), torch.nan))
    with pytest.raises(DataError, match="expected finite numbers, got 12 of 12"):
        evaluate(trained(0), metrics=["pairwise"], n=12, seed=9)


def _folder(run: Run, place: Path) -> Path:
    training = load(run)
    if not (place / "pictures").exists():
        written(sample(training, 12), training.experiment.data, place / "pictures")
    return place / "pictures"


def test_every_metric_is_told() -> None:
    """In the command's help, and on the page about metrics."""
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
    told = inspect.getsource(Evaluate).partition('metrics: str = ""')[2].partition("n: int")[0]
    for name in METRICS:
        assert f"`{name}`" in page, name
        assert f" {name}," in told.replace(".", ","), name


def test_features_of_equal_real_images_are_computed_once() -> None:
    """Runs of one data set share them; other images, or another extractor, do not."""
    features, counting = RealFeatures(), Counting()
    images = torch.randint(0, 256, (6, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    Counting.seen = 0
    one, again = features(counting, images), features(counting, images.clone())
    assert Counting.seen == 6
    assert torch.equal(one.features, again.features)
    features(counting, images.flip(0))
    features(counting, images.view(6, 1, 4, 16))
    assert Counting.seen == 18
    assert features(Pixels(), images.view(6, 1, 4, 16)).features.shape == (6, 64)
