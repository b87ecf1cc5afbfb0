"""Two processes with half the batch each take the steps of one process with the whole batch."""

import shutil
import signal
from pathlib import Path

import pytest
import torch
from filelock import FileLock

from agon.runs import Checkpoint, Run
from tests.training.compare import assert_same, log_of
from tests.training.programs import command, finished, here, module
from tests.training.test_stopping import SMALL, only_sentence, wait_for_step

PENALTIES = ("--set", 'game.penalties=["r1", "r2", "gradient-penalty", "weight-decay"]')
DEEP = [word for name in ("generator", "critic") for word in ("--set", f"game.{name}.smallest=2")]
AUGMENTED = ("--augment", "ada,flip", "--set", "game.augmentation.initial=0.3", "--set", "game.augmentation.images=500")


def train(run: Path, steps: int, *more: object) -> Checkpoint:
    """In a process of its own if it starts another."""
    words = ("train", "radford2015/dcgan", "--out", run, "--steps", steps, *SMALL, *more)
    if "--devices" in more:
        status, _, err = finished(command(*words))
        assert status == 0, err
    else:
        here(*words)
    return last(run)


def last(run: Path) -> Checkpoint:
    checkpoint = Run.open(run).last_good()[0]
    assert checkpoint is not None
    return checkpoint


def largest_difference(one: Checkpoint, other: Checkpoint, prefix: str = "") -> float:
    """Over all tensors of the state whose name has the prefix, random streams of the first process included."""
    shared = [{name for name in each.tensors if not name.startswith("random/torch/")} for each in (one, other)]
    assert shared[0] == shared[1]
    names = [name for name in shared[0] if name.startswith(prefix)]
    return max(float((one.tensors[n].double() - other.tensors[n].double()).abs().max()) for n in names)


@pytest.mark.parametrize(
    "more",
    [pytest.param((), marks=pytest.mark.evidence), (*PENALTIES, *AUGMENTED, *DEEP)],
    ids=["plain", "penalties, augmentations and several stages"],
)
def test_float64_state_after_fifty_steps(tmp_path: Path, more: tuple[str, ...]) -> None:
    """Gradients cross processes as one vector, and reach the fused optimiser in their parameters' layout."""
    alone = train(tmp_path / "alone", 50, "--precision", "fp64", *more)
    two = train(tmp_path / "two", 50, "--precision", "fp64", "--devices", 2, *more)
    assert two.state["processes"] == 2
    assert largest_difference(alone, two) < 1e-9
    for one, other in zip(log_of(tmp_path / "alone"), log_of(tmp_path / "two"), strict=True):
        assert one == pytest.approx(other, rel=1e-9, abs=1e-9)


@pytest.mark.evidence  # in float64, the state after fifty steps says more
def test_float32_gradients_of_the_first_step(tmp_path: Path) -> None:
    """With plain descent at rate 1 the first step's change of the weights is the gradient."""
    descent = ("--set", "optimisers=sgd", "--set", "optimisers.lr=1.0")
    alone = train(tmp_path / "alone", 1, *descent)
    two = train(tmp_path / "two", 1, *descent, "--devices", 2)
    assert largest_difference(alone, two, "game/") < 1e-5


def test_unsynchronised_normalisation_is_caught(tmp_path: Path) -> None:
    """The negative control: one batch of half the size is another step altogether."""
    alone = train(tmp_path / "alone", 1)
    half = train(tmp_path / "half", 1, "--set", "batch=8")
    assert largest_difference(alone, half, "game/") > 1e-5


@pytest.fixture(scope="module")
def ten_steps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of two processes, not to be written; trained once, whichever process tests it first."""
    base = tmp_path_factory.getbasetemp()
    run = (base if base.parent.name.startswith("pytest-of") else base.parent) / "two-processes"
    with FileLock(run.with_suffix(".lock")):
        if not run.exists():
            train(run, 10, "--devices", 2)
    return run


def test_begun_with_two_resumed_with_one(ten_steps: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The state is taken over exactly; from there on it is the training of one process."""
    before, run = last(ten_steps), Path(shutil.copytree(ten_steps, tmp_path / "run"))
    here("resume", run, "--steps", 20, "--devices", 1)
    assert "goes on from step 10" in capsys.readouterr().err
    taken_over = Run.open(run)
    assert taken_over.compute["devices"] == 1
    kept = [p for p in taken_over.checkpoints.iterdir() if p.name == "00000010"]
    assert kept
    assert all(torch.equal(before.tensors[n], t) for n, t in _load(kept[0]).tensors.items())
    whole = train(tmp_path / "whole", 20)
    assert largest_difference(last(run), whole, "game/") < 1e-3


@pytest.mark.evidence  # with dropout, the next test says more
def test_resumed_with_two_is_bit_for_bit(ten_steps: Path, tmp_path: Path) -> None:
    run, whole = Path(shutil.copytree(ten_steps, tmp_path / "run")), tmp_path / "whole"
    assert finished(command("resume", run, "--steps", 20))[0] == 0
    train(whole, 20, "--devices", 2)
    assert_same(run, whole)


def test_every_process_goes_on_with_its_own_random_stream(tmp_path: Path) -> None:
    """Dropout draws from each process's global stream: all of them are in the checkpoint.

    A training returns in every process, with a finished run, so that a script can train once more.
    """
    run, whole = tmp_path / "run", tmp_path / "whole"
    for words in ((run, 10, whole, 20), (run, 20)):  # goes on in other processes than those that began
        status, out, err = finished(module("tests.training.dropping", *words))
        assert status == 0, err
        ends = zip(words[::2], words[1::2], strict=True)
        returned = [f"{Path(str(path)).name} {process} {step}" for path, step in ends for process in ("main", "other")]
        assert sorted(out.splitlines()) == sorted(returned)
    assert_same(run, whole)
    streams = last(run).tensors
    assert not torch.equal(streams["random/torch"], streams["random/torch/1"])


def test_a_signal_to_one_stops_both(tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = command("train", "radford2015/dcgan", "--out", run, "--steps", 100_000, *SMALL, "--devices", 2)
    wait_for_step(run, 5)
    process.send_signal(signal.SIGTERM)
    status, _, err = finished(process)
    assert status == 128 + signal.SIGTERM
    assert "go on with: agon resume" in only_sentence(err)


def test_a_batch_that_cannot_be_shared(tmp_path: Path) -> None:
    process = command("train", "radford2015/dcgan", "--out", tmp_path / "run", *SMALL, "--devices", 3)
    status, _, err = finished(process)
    assert status == 2
    assert "expected a multiple of the 3 processes, got 16" in only_sentence(err)


def test_under_torchrun(tmp_path: Path) -> None:
    launched = ("--standalone", "--nproc-per-node", 2, "-m", "agon", "train", "radford2015/dcgan")
    process = module("torch.distributed.run", *launched, "--out", tmp_path / "run", "--steps", 10, *SMALL)
    status, _, err = finished(process)
    assert status == 0, err
    assert last(tmp_path / "run").state["processes"] == 2


def _load(path: Path) -> Checkpoint:
    from agon.runs.checkpoints import load

    return load(path)
