"""Two experiments fight with all their seeds: every critic before every generator, mirrored when sides change."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agon.arena import SeedBattle, TournamentSettings, battle_of_seeds, tournament
from agon.arena.ratings.panels import panel
from agon.cli import main
from agon.errors import RunError
from agon.recipes import find
from agon.training import train

pytestmark = pytest.mark.usefixtures("one_core")
FEW = TournamentSettings(n=60)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two seeds of each of two experiments on the ring, of three steps and of one."""
    folder = tmp_path_factory.mktemp("experiments")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("agon.training.compute.cores", lambda: 1)
        for name, steps in (("three", 3), ("one", 1)):
            for seed in (0, 1):
                experiment = replace(find("first/ring").experiment(scale="smoke"), steps=steps, seed=seed)
                train(experiment, folder / name / f"seed-{seed}", show=False)
    return folder / "three", folder / "one"


@pytest.fixture(scope="module")
def fought(folders: tuple[Path, Path]) -> SeedBattle:
    return battle_of_seeds(*folders, settings=FEW, show=False)


def test_every_critic_judges_every_generator(fought: SeedBattle, folders: tuple[Path, Path]) -> None:
    """The areas are those of a tournament, and the panel is that of its matrix."""
    runs = [run for folder in folders for run in sorted(folder.iterdir())]
    result = tournament(runs, settings=FEW, references=False, show=False)
    assert fought.matrix.areas.shape == (4, 4)
    assert np.array_equal(fought.matrix.areas, result.matrix.areas)
    assert fought.panel == panel(fought.matrix, "three", "one")
    assert (fought.panel.seeds, fought.panel.covers) == ((2, 2), "seeds")
    assert fought.lines[-1] == fought.panel.sentence()
    assert "(2 x 2)" in fought.lines[1]
    assert fought.lines[-2].startswith("Budgets differ: three was trained for 3 steps, one for 1; to compare settings")
    assert SeedBattle.of_plain(json.loads(fought.json)).budgets == fought.budgets


def test_exchanged_sides_mirror_the_panel(fought: SeedBattle, folders: tuple[Path, Path]) -> None:
    exchanged = battle_of_seeds(*folders[::-1], settings=FEW, show=False)
    assert exchanged.panel == fought.panel.mirrored()
    assert SeedBattle.of_plain(json.loads(fought.json)).panel == fought.panel


def test_seeds_of_one_experiment_may_fight(folders: tuple[Path, Path]) -> None:
    """They are one contestant of a tournament, and two of a battle."""
    one, other = sorted(folders[0].iterdir())
    alone = battle_of_seeds(one, other, settings=FEW, show=False)
    assert (alone.panel.first, alone.panel.second, alone.panel.covers) == ("seed-0", "seed-1", "samples")
    assert alone.budgets == ""


def test_the_command(folders: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Folders fight by all seeds, unfinished ones are named, and what needs a threshold is refused."""
    copy = shutil.copytree(folders[0], tmp_path / "three")
    described = json.loads((copy / "seed-1" / "experiment.json").read_text())
    (copy / "seed-1" / "experiment.json").write_text(json.dumps({**described, "steps": 1000, "seed": 5}))
    assert main(["battle", str(copy), str(folders[1]), "--n", "60"]) == 0
    printed = capsys.readouterr().out
    assert "left out: three/seed-1: it stopped at step 3 of 1000" in printed
    assert "over 1 x 2 trainings" in printed
    assert main(["battle", str(folders[0]), str(folders[1]), "--tie", "2"]) == 2
    assert "--tie: expected with single runs" in capsys.readouterr().err
    with pytest.raises(RunError, match="on both"):
        battle_of_seeds(folders[0], sorted(folders[0].iterdir())[0], settings=FEW)
