"""A run of points with everything that a run can hold, to be damaged."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import agon
from agon.cli import main
from agon.figures.pictures import grid_png
from tests.training.programs import points, small

STEPS = 4
PICTURE = "neighbours-00000004-0badcafe.png"
Maker = Callable[[str], Path]


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with scores, a battle, a report and two checkpoints; not to be written."""
    run = tmp_path_factory.mktemp("whole") / "run"
    experiment = points(STEPS, log_every=1, sample_every=2, checkpoint_every=2)
    agon.train(experiment, run, compute=agon.Compute(threads=1, device="cpu"), show=False)
    for arguments in (["evaluate", run, "--n", 20], ["battle", run, run, "--n", 20], ["report", run]):
        assert main(list(map(str, arguments))) == 0
    (run / "metrics").mkdir(exist_ok=True)
    (run / "metrics" / PICTURE).write_bytes(grid_png(np.zeros((4, 1, 8, 8), np.uint8)))
    with (run / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"name": "copied", "value": 0, "pictures": {"neighbours": f"metrics/{PICTURE}"}}) + "\n")
    return run


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `whole`, of images, with averaged weights, pictures and arrays of scores."""
    run = tmp_path_factory.mktemp("images") / "run"
    experiment = small(STEPS, log_every=1, sample_every=2, checkpoint_every=2)
    agon.train(experiment, run, compute=agon.Compute(threads=1, device="cpu"), show=False)
    metrics = ["--metrics", "pairwise,neighbours,reconstruction", "--n", "9"]
    for arguments in (["evaluate", run, *metrics], ["battle", run, run, "--n", 20], ["report", run]):
        assert main(list(map(str, arguments))) == 0
    return run


@pytest.fixture
def copied(whole: Path, tmp_path: Path) -> Maker:
    """Copies the run: `copied(name)`."""

    def make(name: str) -> Path:
        return Path(shutil.copytree(whole, tmp_path / name))

    return make
