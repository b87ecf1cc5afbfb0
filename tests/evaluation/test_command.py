"""agon evaluate: of samples and of seeds, whatever refuses."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from agon.cli import main
from agon.cli.evaluate import over_seeds
from agon.data import Images, Ring, Stacked
from agon.figures.pictures import png
from agon.metrics import Score
from agon.runs import read

TINY = ("--scale", "smoke", "--steps", "1", "--threads", "1", "--device", "cpu")
PIXELS = ("--extractor", "pixels")


def pictures(folder: Path, n: int, shape: tuple[int, int, int] = (8, 8, 1), seed: int = 0) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(seed)
    for i in range(n):
        (folder / f"{i}.png").write_bytes(png(rng.integers(0, 256, shape, np.uint8)))
    return folder


def told(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    capsys.readouterr()
    status = main(list(map(str, words)))
    return status, *capsys.readouterr()


def test_a_metric_that_refuses_leaves_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples, out = pictures(tmp_path / "samples", 8), tmp_path / "out"
    words = ("evaluate", "--samples", samples, "--data", "digits", *PIXELS, "--n", 8, "--out", out)
    status, scores, complaint = told(capsys, *words, "--metrics", "fid,pairwise,modes,kid")
    assert status == 2
    assert [line.split()[0] for line in scores.splitlines()] == ["pairwise", "pixels-kernel-distance"]
    assert "Fréchet distance: expected" in complaint
    assert "--metrics modes: expected" in complaint
    assert len(complaint.splitlines()) == 1
    assert [record["name"] for record in read(out / "metrics.jsonl")] == ["pairwise", "pixels-kernel-distance"]
    status, scores, _ = told(capsys, *words, "--metrics", "fid")
    assert (status, scores) == (2, "")


def test_a_folder_is_at_no_distance_from_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is held out of it, unless that is asked for."""
    same = pictures(tmp_path / "same", 100, (4, 4, 1))
    words = ("evaluate", "--samples", same, "--data", same, *PIXELS, "--metrics", "fid,pairwise,prdc")
    _, scores, complaint = told(capsys, *words)
    values = {line.split()[0]: float(line.split()[1]) for line in scores.splitlines()}
    assert values["pixels-frechet-distance"] < 1e-6, complaint
    assert values["pixels-coverage"] == 1.0
    assert "against 100 real" in scores
    assert "against 90 real" in told(capsys, *words, "--set", "data.holdout=0.1")[1]
    assert "against 90 real" not in told(capsys, *words, "--set", "data.holdout=0")[1]
    neighbours = told(capsys, "evaluate", "--samples", same, "--data", same, "--metrics", "neighbours")[1]
    assert "90 training" in neighbours


def test_what_is_whole() -> None:
    from agon.cli.evaluate import whole

    assert whole(Images()) == Images(holdout=0.0)
    assert whole(Stacked()) == Stacked(of=Images(holdout=0.0))
    assert whole(Ring()) == Ring()


@pytest.mark.parametrize(
    ("shape", "advice"),
    [
        ((8, 8, 3), "--set data.channels=3"),
        ((16, 16, 1), "--set data.size=16"),
        ((12, 16, 3), "--set data.channels=3 and --set data.size='[12, 16]'"),
    ],
)
def test_advice_on_another_shape_can_be_followed(
    shape: tuple[int, int, int], advice: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    samples = pictures(tmp_path / "samples", 8, shape)
    words = ("evaluate", "--samples", samples, "--data", "digits", "--metrics", "pairwise")
    status, _, complaint = told(capsys, *words)
    assert status == 2
    assert complaint.rstrip().endswith(advice)
    followed = advice.replace("'", "").replace("[12, 16]", "[12,16]").replace(" and", "").split()
    assert told(capsys, *words, *followed)[0] == 0


def test_points_against_images_get_no_advice_that_cannot_be_followed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "points.npz", samples=np.zeros((9, 2), np.float32))
    words = ("evaluate", "--samples", tmp_path / "points.npz", "--data", "digits", "--metrics", "pairwise")
    assert "--set" not in told(capsys, *words)[2]


def test_samples_of_several_kinds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No setting changes how samples are read, so none is advised."""
    for name, shape in {"sizes": (9, 9, 1), "colours": (8, 8, 3)}.items():
        folder = pictures(tmp_path / name, 3)
        (folder / "other.png").write_bytes(png(np.zeros(shape, np.uint8)))
    broken = pictures(tmp_path / "broken", 3)
    (broken / "x.png").write_bytes(b"no image")
    for folder, advice in {"sizes": "in one size", "colours": "in grey or all in colour", "broken": "remove"}.items():
        words = ("evaluate", "--samples", tmp_path / folder, "--data", "digits", "--metrics", "pairwise")
        status, _, complaint = told(capsys, *words)
        assert status == 2
        assert advice in complaint
        assert not re.search(r"--set|size=|channels=|skip_corrupt", complaint)


def test_arrays_without_a_range(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "x.npy", np.random.default_rng(0).uniform(-1, 1, (9, 8, 8, 1)))
    words = ("evaluate", "--samples", tmp_path / "x.npy", "--data", "digits", "--metrics", "pairwise")
    status, _, complaint = told(capsys, *words)
    assert (status, complaint.rstrip().endswith("--values -1 1")) == (2, True)
    assert told(capsys, *words, "--values", -1, 1)[0] == 0


@pytest.mark.parametrize("n", [1, 2, 3])
def test_few_samples(n: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples = pictures(tmp_path / "samples", n)
    for metric in ("is", "fid", "fid-shrunk", "kid", "pr", "prdc", "pairwise", "neighbours", "modes", "paths"):
        words = ("evaluate", "--samples", samples, "--data", "digits", "--metrics", metric, *PIXELS)
        status, scores, complaint = told(capsys, *words)
        assert status in (0, 2), complaint
        assert "nan" not in scores
        if status:
            assert re.search("expected", complaint), complaint
    assert "at least 4 samples" in told(capsys, *words[:-4], "--metrics", "kid", *PIXELS)[2]


def test_samples_are_not_mixed_with_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    assert main(["train", "first/digits", *TINY, "--out", str(run)]) == 0
    assert told(capsys, "sample", run, "--n", 9, "--out", tmp_path / "samples")[0] == 0
    status, _, complaint = told(capsys, "sample", run, "--n", 4, "--out", tmp_path / "samples")
    assert status == 2
    assert "expected a new or an empty folder" in complaint
    assert len(list((tmp_path / "samples").iterdir())) == 9
    (tmp_path / "empty").mkdir()
    assert told(capsys, "sample", run, "--n", 4, "--out", tmp_path / "empty")[0] == 0
    assert told(capsys, "data", "digits", "--n", 4, "--out", tmp_path / "samples")[0] == 2


@pytest.fixture(scope="module")
def trained_seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "seeds"
    words = ["train", "first/ring", *TINY, "--seeds", "3", "--strategy", "batched", "--out", str(folder)]
    assert main(words) == 0
    return folder


@pytest.fixture
def seeds(trained_seeds: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(trained_seeds, tmp_path / "seeds"))


def test_seeds_are_evaluated_and_summed_up(seeds: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, scores, _ = told(capsys, "evaluate", seeds, "--metrics", "pairwise", "--n", 50)
    assert status == 0
    values = [read(seeds / f"seed-{seed}" / "metrics.jsonl")[0]["value"] for seed in range(3)]
    last = scores.splitlines()[-1].split()
    assert last[0] == "pairwise"
    assert float(last[1]) == pytest.approx(sum(values) / 3, rel=1e-3)
    assert last[-2:] == ["(3", "seeds)"]
    assert float(last[2].strip("[,")) < float(last[1]) < float(last[3].strip("],"))
    beside = told(capsys, "evaluate", seeds, seeds / "seed-1", "--metrics", "pairwise", "--n", 50)
    assert beside[0] == 0


def test_two_runs_end_with_a_sentence(seeds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a run and its copy, that they cannot be told apart; of seeds of one experiment, which is better by chance."""
    copy = shutil.copytree(seeds / "seed-0", tmp_path / "copy")
    words = ("--metrics", "pairwise,modes", "--n", 200)
    lines = told(capsys, "evaluate", seeds / "seed-0", copy, *words)[1].splitlines()
    assert lines[-1].startswith("seed-0 and copy cannot be told apart: jensen-shannon")
    assert "noise of sampling only" in lines[-1]
    assert any(line.startswith("pairwise ↓") and line.count("*") == 2 for line in lines), "both are the best"
    lines = told(capsys, "evaluate", seeds / "seed-0", seeds / "seed-1", *words)[1].splitlines()
    assert re.search("is better than|cannot be told apart", lines[-1])
    assert "Settings differ in the seed alone, so what differs below is chance:" in lines


def test_a_folder_of_runs_is_its_runs(seeds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a plan of replicates, too: they are seeds because their experiments say so."""
    (seeds / "replicates.json").unlink()
    (seeds / "report.html").unlink()
    status, scores, _ = told(capsys, "evaluate", seeds, "--metrics", "pairwise", "--n", 50)
    assert (status, scores.splitlines()[-1].split()[-2:]) == (0, ["(3", "seeds)"])
    assert told(capsys, "report", seeds)[:2] == (0, f"{seeds / 'report.html'}\n")
    assert "mean and 95 % interval of 3 seeds" in (seeds / "report.html").read_text()
    (tmp_path / "empty").mkdir()
    for command in ("evaluate", "report"):
        assert told(capsys, command, tmp_path / "empty")[0] == 2


def test_one_seed_that_fails_leaves_the_others(seeds: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(seeds / "seed-1" / "checkpoints")
    status, scores, complaint = told(capsys, "evaluate", seeds, "--metrics", "pairwise", "--n", 50)
    assert status == 2
    assert "(2 seeds)" in scores
    assert "seed-1 has no checkpoint" in complaint


def test_seeds_have_a_page(seeds: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (seeds / "report.html").unlink()
    assert told(capsys, "report", seeds) == (0, f"{seeds / 'report.html'}\n", "")
    page = (seeds / "report.html").read_text()
    assert all(f"seed-{seed}" in page for seed in range(3))
    alone = tmp_path / "alone"
    assert main(["train", "first/ring", *TINY, "--out", str(alone)]) == 0
    assert told(capsys, "report", alone, seeds)[:2] == (0, f"{alone / 'report.html'}\n")
    assert "seed-2" in (alone / "report.html").read_text()


@pytest.mark.parametrize(
    "content", ["", "[" * 100_000, "{}", '{"seeds": []}', '{"seeds": ["../../x"]}', '{"seeds": 3}']
)
def test_broken_seeds(content: str, seeds: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (seeds / "replicates.json").write_text(content)
    for command in ("evaluate", "report", "resume"):
        status, _, complaint = told(capsys, command, seeds)
        assert (status, len(complaint.splitlines())) == (2, 1)


def test_intervals_over_seeds() -> None:
    def score(value: float) -> Score:
        return Score(name="x", value=value, n=1, protocol="")

    assert over_seeds([[score(1.0)], [score(2.0)], [score(3.0)]]) == ["  x  2 [-0.4841, 4.484]  (3 seeds)"]
    assert over_seeds([[score(1.0)], []]) == ["  x  1  (1 seed)"]
    assert over_seeds([[], []]) == []
