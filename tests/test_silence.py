"""Every command says what it does: what takes long stands within a stage that is shown, whichever command it is."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from agon.cli import COMMANDS, main
from agon.errors import SettingError
from agon.terminal.waiting import Waiting, _shown

# What a command's time goes into, as it is imported. RUN, OTHER and FOLDER stand for paths.
LONG = [
    ("sample RUN --out FOLDER/grid.png", "agon.training.Training.samples"),
    ("sample RUN --out FOLDER/grid.png", "agon.samples.write"),
    ("sample RUN --interpolate 3 --out FOLDER/walk.gif", "agon.samples.moving.gif"),
    ("sample RUN --training --out FOLDER/frames.gif", "agon.samples.moving.gif"),
    ("evaluate RUN --n 50 --metrics kid", "agon.evaluation.evidence.latents"),
    ("battle RUN OTHER --n 50", "agon.arena.battles.battling.battle_of_games"),
    ("battle RUN --against FOLDER/samples.npz --n 20", "agon.arena.battles.battling.one_sided"),
    ("tournament RUN OTHER --n 50 --out FOLDER/arena", "agon.training.Training.painting"),
    ("skill RUN --n 50", "agon.arena.skills.skill.field_of"),
    ("diagnose RUN", "agon.training.Training.samples"),
    ("compare RUN --with OTHER", "agon.arena.compare"),
    ("export RUN --out FOLDER/generator.pt", "agon.exports.exporting.network_of"),
    ("push RUN me/model --out FOLDER/files", "agon.hub.publishing.release"),
    ("report RUN --out FOLDER/page.html", "agon.reports.page.written"),
    ("play RUN", "agon.play.page.serve"),
    ("data digits", "agon.data.description.describe"),
]
BY_PROGRESS = {"train", "resume", "sweep", "reproduce"}  # with a line of their own, test_progress and test_items
AT_ONCE = {"recipes"}  # prints a list


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Two runs of a few steps with recorded scores, and a file of samples."""
    folder = tmp_path_factory.mktemp("silence")
    tiny = ["--scale", "smoke", "--steps", "2", "--snapshots", "2", "--threads", "1", "--device", "cpu"]
    for seed, name in enumerate(("run", "other")):
        assert main(["train", "first/digits", *tiny, "--seed", str(seed), "--out", str(folder / name)]) == 0
    np.savez(folder / "samples.npz", samples=np.zeros((30, 8, 8, 1), np.uint8))
    return {"RUN": str(folder / "run"), "OTHER": str(folder / "other"), "FOLDER": str(folder)}


@pytest.fixture(autouse=True)
def without_a_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Displays that draw nothing: what they would draw is what counts."""
    monkeypatch.setattr(Waiting, "look", lambda _: None)
    yield
    assert not _shown


@pytest.mark.parametrize(("command", "long"), LONG)
def test_what_takes_long_is_shown(
    command: str, long: str, runs: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def stopped(*_: Any, **__: Any) -> None:
        assert _shown, "nothing is said meanwhile"
        assert _shown[-1].show
        told.append(_shown[-1].line())
        raise SettingError("stopped by the test")

    monkeypatch.setattr(long, stopped)
    words = command.split()
    for name, path in runs.items():
        words = [word.replace(name, path) for word in words]
    main(words)
    assert told, f"{long} is not what takes the time of: agon {command}"
    assert told[0], "no stage has a name"


def test_no_command_is_left_out() -> None:
    assert {command.split()[0] for command, _ in LONG} | BY_PROGRESS | AT_ONCE == set(COMMANDS)
