"""Faults of processes that mirror: SIGKILL at random moments, SIGTERM, several processes, many seeds."""

import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from agon import Run, resume
from agon.runs.mirrors import opening
from agon.storage import Address
from agon.training.replicates import replicate
from tests.runs.stored import content_of, mirrored_step, objects_of
from tests.storage.buckets import Bucket
from tests.training.compare import assert_same
from tests.training.programs import command, finished, here, points
from tests.training.test_replicates import ONE_THREAD

pytestmark = pytest.mark.evidence
STEPS, KILLS = 400, 4
OPTIONS = ["--scale", "smoke", "--steps", STEPS, "--set", "checkpoint_every=20", "--threads", "1", "--device", "cpu"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that nothing disturbed."""
    path = tmp_path_factory.mktemp("whole") / "run"
    here("train", "first/ring", *OPTIONS, "--out", path)
    return path


@pytest.mark.parametrize("kind", ["s3", "file"])
def test_killed_at_random_moments_and_gone_on_elsewhere(kind: str, tmp_path: Path, whole: Path, served: Bucket) -> None:
    """Each time with an empty disk; at the end the run is the undisturbed one."""
    address = served.address("killed") if kind == "s3" else f"file://{tmp_path}/stored"
    moment, steps = random.Random(0), list[int]()
    for number in range(KILLS):
        run = tmp_path / f"run-{number}"
        words = ["resume", run] if opening.is_stored(address) else ["train", "first/ring", *OPTIONS, "--out", run]
        process = command(*words, "--storage", address)
        before = mirrored_step(address)
        while process.poll() is None and mirrored_step(address) == before:
            time.sleep(0.02)
        time.sleep(moment.uniform(0.0, 0.5))
        process.kill()
        status, _, told = finished(process)
        assert status == -signal.SIGKILL, told
        steps.append(mirrored_step(address))
        shutil.rmtree(run)
    assert steps == sorted(steps)
    assert steps[-1] > steps[0]
    last = opening.up_to_date(tmp_path / "last", address)
    resume(last, show=False)
    assert_same(last, whole)
    content = {name: each for name, each in content_of(last).items() if not name.startswith("tensorboard/")}
    assert objects_of(Address.read(address)) == content


def test_sigterm_mirrors_the_checkpoint_of_its_step(tmp_path: Path, whole: Path, served: Bucket) -> None:
    address, run = served.address("stopped"), tmp_path / "run"
    process = command("train", "first/ring", *OPTIONS, "--out", run, "--storage", address)
    while mirrored_step(address) < 40:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert finished(process)[0] == 143
    assert Run(run).kept[-1] == mirrored_step(address)
    shutil.rmtree(run)
    resume(opening.up_to_date(tmp_path / "elsewhere", address), show=False)
    assert_same(tmp_path / "elsewhere", whole)


def test_two_processes_mirror_once(tmp_path: Path) -> None:
    """And both take their beginning from storage."""
    address, out = f"file://{tmp_path}/stored", tmp_path / "run"
    words = ["train", "first/ring", "--scale", "smoke", "--steps", "40", "--devices", "2", "--threads", "1"]
    status, _, told = finished(command(*words, "--device", "cpu", "--out", out, "--storage", address))
    assert status == 0, told
    shutil.rmtree(out)
    status, _, told = finished(command("resume", out, "--storage", address, "--steps", "60"))
    assert status == 0, told
    assert told.count("goes on from step 40") == 1
    assert Run(out).kept[-1] == mirrored_step(address) == 60


def test_many_seeds_in_processes(tmp_path: Path) -> None:
    """The folder is lost, and everything is there again from the address of all."""
    address, experiment = f"file://{tmp_path}/stored", points(40)
    replicate(experiment, tmp_path / "seeds", 2, compute=ONE_THREAD, show=False, storage=address)
    replicate(experiment, tmp_path / "alone", 2, compute=ONE_THREAD, strategy="processes", show=False)
    shutil.rmtree(tmp_path / "seeds")
    here("resume", tmp_path / "seeds", "--storage", address, "--steps", "60")
    here("resume", tmp_path / "alone", "--steps", "60")
    for seed in range(2):
        assert_same(tmp_path / f"seeds/seed-{seed}", tmp_path / f"alone/seed-{seed}")
    assert {"replicates.json", "report.html"} <= objects_of(Address.read(address)).keys()
