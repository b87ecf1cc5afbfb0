"""The command line: every wrong input gets one sentence and a status, never a traceback."""

import json
import os
import shutil
import string
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agon.cli import INTERNAL, main
from agon.experiment import Experiment
from agon.runs import Run

TINY = ["--threads", "1", "--device", "cpu", "--scale", "smoke", "--steps", "2"]


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Status, standard output, standard error of one command in this process."""
    capsys.readouterr()
    try:
        status = main([str(a) for a in arguments])
    except SystemExit as exit_:  # the parser's own complaints
        status = int(exit_.code or 0)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def complaint(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What a command complains of; fails if it succeeds, or says more than a sentence."""
    status, _, err = run(capsys, *arguments)
    assert status not in (0, INTERNAL), err
    told = [line for line in err.splitlines() if line]
    assert len(told) == 1, err
    assert told[0].startswith("agon: ")
    return told[0]


@pytest.fixture
def trained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert run(capsys, "train", "first/digits", *TINY, "--out", tmp_path / "trained")[0] == 0
    return tmp_path / "trained"


def test_the_main_job(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Train, resume, sample in all three forms, interpolate, evaluate, report."""
    assert run(capsys, "resume", trained, "--steps", 4)[0] == 0
    assert run(capsys, "sample", trained, "--n", 10, "--out", tmp_path / "grid.png")[0] == 0
    assert run(capsys, "sample", trained, "--n", 10, "--out", tmp_path / "samples.npz")[0] == 0
    assert run(capsys, "sample", trained, "--n", 10, "--out", tmp_path / "folder")[0] == 0
    path = ("--n", 3, "--interpolate", 5, "--out", tmp_path / "path.png")
    assert run(capsys, "sample", trained, *path)[0] == 0
    with np.load(tmp_path / "samples.npz") as arrays:
        assert arrays["samples"].shape == (10, 8, 8, 1)
    assert len(list((tmp_path / "folder").glob("*.png"))) == 10
    assert "confidence" not in (trained / "report.html").read_text()
    assert run(capsys, "evaluate", trained, "--n", 50)[0] == 0
    assert "confidence" in (trained / "report.html").read_text(), "the page that the training left has the scores"
    status, out, _ = run(capsys, "report", trained, "--out", tmp_path / "page.html")
    assert (status, out.strip()) == (0, str(tmp_path / "page.html"))
    assert "confidence" in (tmp_path / "page.html").read_text()


def test_a_run_is_trained_anew_by_its_directory(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by its experiment.json. A recipe's name means the recipe, whatever lies there; a folder of runs is refused."""
    assert run(capsys, "train", trained, "--steps", 1, "--threads", 1, "--out", tmp_path / "anew")[0] == 0
    begun, anew = (json.loads(Run(path).experiment) for path in (trained, tmp_path / "anew"))
    assert {**begun, "steps": 1} == anew
    shutil.copytree(trained, tmp_path / "first" / "ring")
    monkeypatch.chdir(tmp_path)
    assert run(capsys, "train", "first/ring", *TINY, "--out", tmp_path / "ring")[0] == 0
    assert json.loads(Run(tmp_path / "ring").experiment)["data"]["type"] == "ring"
    told = complaint(capsys, "train", tmp_path / "first", "--out", tmp_path / "other")
    assert f"did you mean {tmp_path}/first/ring?" in told


def test_evaluating_twice_records_once(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = run(capsys, "evaluate", trained, "--n", 20)
    assert run(capsys, "evaluate", trained, "--n", 20)[:2] == first[:2]  # a slow machine shows its progress, too
    assert len((trained / "metrics.jsonl").read_text().splitlines()) == 4


def test_experiment_json_reads_back_equal(trained: Path) -> None:
    text = Run.open(trained).experiment
    assert Experiment.from_json(text).to_json() == text


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["train", "radford2015/dcgn"], "did you mean 'radford2015/dcgan'"),
        (["train", "first/digits", "--data", "../shared/data/mnsit"], "mnsit"),
        (["train", "first/digits", "--set", "game.generator.widht=8"], "did you mean 'width'"),
        (["train", "first/digits", "--set", "game.generator.width=wide"], "expected int, got 'wide'"),
        (["train", "first/digits", "--set", "game.generator.width=true"], "expected int, got True"),
        (["train", "first/digits", "--set", "game.generator.width=0"], "width: expected a number over 0, got 0"),
        (["train", "first/digits", "--set", "game.objective=hing"], "did you mean 'hinge'"),
        (["train", "first/digits", "--set", "optimisers.lr=-1"], "Invalid learning rate"),
        (["train", "first/digits", "--set", "dynamics.order=[[\"critik\"]]"], "did you mean 'critic'"),
        (["train", "first/digits", "--set", "batch"], "expected PART.FIELD=VALUE, got 'batch'"),
        (["train", "first/digits", "--set", "batch=100000"], "100000"),
        (["train", "first/digits", "--set", "data.channels=3", "--set", "game.generator.shape=[1,8,8]"], "(3, 8, 8)"),
        (["train", "first/digits", "--set", "game.objective=hinje"], "did you mean 'hinge'"),
        (["train", "first/digits", "--seed", "-1"], "0 <= seed < 2^63"),
        (["train", "first/digits", "--scale", "huge"], "huge"),
        (["train", "first/digits", "--steps", "many"], "many"),
        (["train", "first/digits", "--steps", "0"], "steps: expected at least 1, got 0"),
        (["train", "first/digits", "--device", "cuda"], "device cuda: expected 1 of them, got 0"),
        (["train"], "RECIPE"),
        (["trian"], "trian"),
    ],
)  # fmt: skip
def test_wrong_words(
    arguments: list[str],
    told: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    out = ["--out", tmp_path / "run"] if arguments[0] == "train" else []
    assert told.lower() in complaint(capsys, *arguments, *out).lower()
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("command", ["resume", "sample", "evaluate", "report"])
def test_what_is_no_run(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["--out", tmp_path / "x.png"] if command == "sample" else []
    assert "nowhere" in complaint(capsys, command, tmp_path / "nowhere", *out)
    assert str(tmp_path) in complaint(capsys, command, tmp_path, *out)


@pytest.mark.parametrize("name", ["experiment.json", "arithmetic.json", "log.jsonl"])
def test_broken_files_of_a_run(trained: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    for content in (b"", b"\x00\xff", b"[1, 2", b"{}", b'{"type": "experiment", "game": 7}', b"null", b"[]"):
        (trained / name).write_bytes(content)
        for command in (
            ["resume", trained, "--steps", 3],
            ["sample", trained, "--out", trained.parent / "g.png"],
        ):
            status, _, err = run(capsys, *command)
            assert status != INTERNAL, err
            assert name == "log.jsonl" or status == 2
        assert run(capsys, "report", trained)[0] in (0, 2)


def test_a_run_from_elsewhere_cannot_run_code(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """experiment.json names a class that would run code when it is imported or built."""
    described = json.loads((trained / "experiment.json").read_text())
    mark = tmp_path / "executed"
    described["game"] = {"import": "pathlib:Path.touch", "sha256": "", "self": str(mark)}
    (trained / "experiment.json").write_text(json.dumps(described))
    for command in (
        ["resume", trained],
        ["sample", trained, "--out", tmp_path / "g.png"],
        ["evaluate", trained],
    ):
        assert "is not agon's" in complaint(capsys, *command)
    assert not mark.exists()


@pytest.mark.parametrize("command", ["resume", "sample", "evaluate", "battle", "report", "data", "train"])
def test_what_no_file_system_can_have(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in ("/" + "a/" * 3_000, "a" * 5_000, tmp_path / "loop", "a\0b"):
        words = [command, path] if command != "train" else [command, "first/ring", "--out", path]
        told = complaint(capsys, *words, *(["--out", tmp_path / "x.png"] if command == "sample" else []))
        assert len(told) < 2_000


def test_names_that_are_no_text(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Bytes that are not UTF-8 in the names of runs, samples, sources and pages; they are only refused for new runs."""
    odd, folder = trained.rename(tmp_path / "run\udcff"), tmp_path / "samples\udcfe"
    assert run(capsys, "sample", odd, "--n", 20, "--out", folder)[0] == 0
    assert run(capsys, "sample", odd, "--n", 20, "--out", f"{folder}.npz")[0] == 0
    assert run(capsys, "evaluate", odd, "--n", 20)[0] == 0
    scored = ("--metrics", "pairwise", "--n", 20, "--out", tmp_path / "scores\udcfd")
    assert run(capsys, "evaluate", "--samples", folder, "--data", "digits", *scored)[0] == 0
    assert run(capsys, "battle", odd, "--against", folder, "--n", 20)[0] == 0
    assert run(capsys, "report", odd)[1] == f"{tmp_path}/run\\udcff/report.html\n"
    source = ("--data", folder, "--set", "batch=2", *TINY)
    told = run(capsys, "train", "first/digits", *source, "--out", tmp_path / "new")
    assert told[0] == 0, told
    told = run(capsys, "resume", tmp_path / "new", "--steps", 3)
    assert told[0] == 0, told
    told = complaint(capsys, "train", "first/digits", *source, "--out", tmp_path / "new\udcff")
    assert "expected a folder whose name is UTF-8" in told
    assert "UTF-8" in run(capsys, "resume", odd, "--steps", 3)[2]


def test_names_of_the_system_s_own_files(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A page or a grid in the place of a pipe or a device would destroy it."""
    os.mkfifo(tmp_path / "pipe.png")
    for words in (["sample", trained], ["report", trained], ["data", "digits"]):
        assert "a named pipe" in complaint(capsys, *words, "--out", tmp_path / "pipe.png")
    assert (tmp_path / "pipe.png").is_fifo()


@pytest.mark.parametrize("source", ["digits", "ring", "grid"])
def test_how_many_samples_a_picture_shows(source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for n in (-1, 0):
        words = ("data", source, "--n", n, "--out", tmp_path / "x.npz")
        assert run(capsys, *words)[2] == f"agon: --n: expected at least 1 sample, got {n}\n"
    if source != "digits":  # of which there are fewer
        assert "memory" in run(capsys, "data", source, "--n", 10**13, "--out", tmp_path / "x.npz")[2]


@pytest.mark.parametrize("name", ["RANK", "LOCAL_RANK"])
def test_a_rank_that_is_no_number(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "first")
    assert main(["report", "nowhere"]) == 2


SETTINGS = """
batch steps seed grid log_every latent latent.std dynamics dynamics.order dynamics.draws averaging
averaging.decay game game.generator game.generator.width game.generator.kernel game.generator.range
game.generator.gain game.critic.normalise game.critic.initialisation game.objective game.penalties
game.penalties.0.weight optimisers optimisers.lr optimisers.betas data data.size data.channels
data.only data.range data.holdout recipe checkpoint_every
"""
NAMES = st.sampled_from(SETTINGS.split())
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 40)
    | st.floats(width=16)
    | st.sampled_from(["r1", "hinge", "adam", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "import", "weight"]), inner),
    max_leaves=4,
)
WORDS = st.text(string.printable, max_size=12)


def assert_no_traceback(name: str, value: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(folder / "run", ignore_errors=True)
    arguments = ["train", "first/digits", *TINY, f"--set={name}={value}", "--out", folder / "run"]
    status, _, err = run(capsys, *arguments)
    assert status in (0, 2, 3), err
    assert "Traceback" not in err


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=NAMES | WORDS, value=JSON.map(json.dumps) | WORDS)
def test_no_setting_makes_a_traceback(
    name: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert_no_traceback(name, value, tmp_path, capsys)


@pytest.mark.evidence
@settings(max_examples=1_000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=NAMES | WORDS, value=JSON.map(json.dumps) | WORDS)
def test_nor_does_one_in_a_thousand(name: str, value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert_no_traceback(name, value, tmp_path, capsys)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    command=st.sampled_from(["data", "train", "resume", "sample", "evaluate", "report"]),
    words=st.lists(WORDS, max_size=3),
)
def test_no_words_make_a_traceback(command: str, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, command, *words)
    assert status in (0, 2), err
    assert "Traceback" not in err


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ending=st.sampled_from(["png", "jpg", "gif", "webp", "npz", "npy", "parquet"]),
    head=st.sampled_from(
        [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"PK\x03\x04", b"\x93NUMPY", b"PAR1"]
    ),
    tail=st.binary(max_size=60),
)
def test_no_broken_file_makes_a_traceback(
    ending: str, head: bytes, tail: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "broken"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / f"image.{ending}").write_bytes(head + tail)
    for place in (folder, folder / f"image.{ending}"):
        assert complaint(capsys, "data", place)
        assert complaint(capsys, "train", "first/digits", "--data", place, *TINY, "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()
