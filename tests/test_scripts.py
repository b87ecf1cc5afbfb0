"""Classes of scripts, notebooks and modules of one's own: who can load their runs, and that nobody else's code runs."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

import agon
from agon.cli import main
from agon.errors import SettingError
from agon.experiment import scripts
from agon.experiment.codec import _module, decode
from agon.networks import mlp
from tests.training.programs import ROOT, points

ONE_THREAD = agon.Compute(threads=1, device="cpu")
SCRIPT = """
import subprocess

import agon
from agon.networks import mlp
from tests.training.programs import points

WIDTH = 6


class Mine(mlp.Critic):
    def __init__(self, width: int = WIDTH) -> None:
        super().__init__(shape=(2,), widths=(width,))


agon.train(points(4, critic=agon.part(Mine)), "run", compute=agon.Compute(threads=1, device="cpu"))
open("ran", "w").close()
"""


@pytest.fixture(autouse=True)
def own_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a script may become in this process is undone afterwards."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    monkeypatch.setattr(scripts._Running, "path", None)
    monkeypatch.setattr("agon.experiment.experiment._REMEMBERED", {})
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script beside the run that it has trained, without a guard, in a process of its own."""
    folder = tmp_path_factory.mktemp("scripts")
    (folder / "mine.py").write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "mine.py"], env=environment, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "Mine: defined in a script, so later commands on this run need --from mine.py" in done.stderr
    (folder / "ran").unlink()
    return folder


def sampled(run: Path, *words: object) -> int:
    return main(["sample", str(run), "--n", "4", "--out", str(run.parent / "x.npz"), *map(str, words)])


def test_a_named_script_is_run_up_to_its_training(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sampled(trained / "run") == 2
    assert "Mine was defined in a script or a notebook: name the script with --from" in capsys.readouterr().err
    assert sampled(trained / "run", "--trust") == 2, "which script is not known"
    assert sampled(trained / "run", "--from", trained / "mine.py") == 0
    assert np.load(trained / "x.npz")["samples"].shape == (4, 2)
    assert not (trained / "ran").exists()


def test_every_command_takes_the_script(trained: Path) -> None:
    run, script = str(trained / "run"), ["--from", str(trained / "mine.py")]
    page = trained / "run" / "report.html"
    assert main(["report", run]) == 0
    assert "name the script with --from" in page.read_text(), "the looks that need its class were not made"
    assert main(["resume", run, "--steps", "6", *script]) == 0
    described = json.loads((trained / "run" / "experiment.json").read_text())
    assert described["steps"] == 6
    assert described["game"]["critic"]["import"] == "__main__:Mine"
    assert main(["evaluate", run, "--metrics", "modes", "--n", "100", *script]) == 0
    assert main(["battle", run, run, "--n", "100", *script]) == 0
    assert main(["report", run, *script]) == 0
    assert "--from" not in page.read_text()


def test_a_class_that_has_changed_is_refused(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = trained / "other.py"
    other.write_text(SCRIPT.replace("super().__init__(shape=(2,), widths=(width,))", "super().__init__(shape=(2,))"))
    assert sampled(trained / "run", "--from", other) == 2
    assert "Mine has changed since the run was begun" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("raise KeyError('x')", r"fails before its first training \(KeyError\('x'\)\)"),
        ("import sys; sys.exit(3)", r"fails before its first training \(SystemExit\(3\)\)"),
        ("import agon; agon.recipe('x/y')", "there is no recipe 'x/y'"),
        ("class", "SyntaxError"),
        (None, "expected a Python script, such as mine.py, got"),
    ],
)
def test_a_script_that_fails_is_one_sentence(text: str | None, message: str, tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    if text is not None:
        script.write_text(text)
    with pytest.raises(SettingError, match=message):
        scripts.run_script(script)
    assert "__agon_script__" not in sys.modules
    agon.train(points(1), tmp_path / "run", compute=ONE_THREAD, show=False)  # the process itself still trains


def test_what_a_script_guards_is_not_run(tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text("class Mine: pass\nif __name__ == '__main__':\n    raise KeyError\n")
    scripts.run_script(script)
    assert sys.modules["__main__"].Mine.__module__ == "__main__"  # type: ignore[attr-defined]


@pytest.mark.parametrize("words", [[], ["--trust"], ["--from"], ["--trust", "--from"]])
def test_a_run_names_no_other_things_of_a_script(
    words: list[str], trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The script imports subprocess, and a run that has been tampered with asks for subprocess.Popen."""
    run = tmp_path / "run"
    run.symlink_to(trained / "run")
    described = json.loads((run / "experiment.json").read_text())
    described["game"]["critic"] = {
        "import": "__main__:subprocess.Popen", "sha256": "0" * 64, "args": ["touch", str(tmp_path / "owned")]
    }  # fmt: skip
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in ("arithmetic.json", "log.jsonl"):
        (copy / file).write_bytes((run / file).read_bytes())
    (copy / "experiment.json").write_text(json.dumps(described))
    script = [str(trained / "mine.py")] if "--from" in words else []
    assert sampled(copy, *words, *script) == 2
    assert "subprocess.Popen was defined in a script" in capsys.readouterr().err
    assert not (tmp_path / "owned").exists()


def session(monkeypatch: pytest.MonkeyPatch) -> type[mlp.Critic]:
    """A class of an interactive session, whose module has no file."""
    module = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", module)
    exec("from agon.networks import mlp\nclass Mine(mlp.Critic):\n    pass\n", module.__dict__)
    return module.Mine  # type: ignore[no-any-return]


def test_a_session_loads_its_own_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The text that this process wrote stands for the experiment that it has; any other text needs trust."""
    critic = agon.part(session(monkeypatch), shape=(2,), widths=(6,))
    run = tmp_path / "run"
    agon.train(points(4, critic=critic), run, compute=ONE_THREAD)
    assert "Mine: defined in an interactive session, so only this session can load" in capsys.readouterr().err
    first = agon.sample(agon.load(run), 4)
    agon.resume(run, steps=6, show=False)
    assert not torch.equal(agon.sample(agon.load(run), 4), first)
    file = run / "experiment.json"
    file.write_text(file.read_text() + "\n")
    with pytest.raises(SettingError, match="load the run in it with trust=True"):
        agon.load(run)
    assert agon.load(run, trust=True).step == 6


def test_the_seeds_of_a_session_are_loaded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    critic = agon.part(session(monkeypatch), shape=(2,), widths=(6,))
    runs = agon.replicate(
        points(4, critic=critic), tmp_path / "all", 2, compute=ONE_THREAD, strategy="batched", show=False
    )
    assert [agon.load(run).step for run in runs] == [4, 4]


def test_a_module_in_the_current_folder_is_found_when_it_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mynets.py").write_text("from agon.networks import mlp\n\n\nclass Mine(mlp.Critic):\n    pass\n")
    mine = _module("mynets").Mine
    experiment = points(4, critic=agon.part(mine, shape=(2,), widths=(6,)))
    agon.train(experiment, "run", compute=ONE_THREAD)
    assert "mynets.Mine: not agon's own, so later commands on this run need --trust" in capsys.readouterr().err
    monkeypatch.setattr("agon.experiment.experiment._REMEMBERED", {})
    monkeypatch.delitem(sys.modules, "mynets")
    path = list(sys.path)
    assert sampled(Path("run")) == 2
    assert "mynets" not in sys.modules
    assert sampled(Path("run"), "--trust") == 0
    assert sys.path == path
    monkeypatch.chdir(tmp_path.parent)
    monkeypatch.delitem(sys.modules, "mynets")
    assert sampled(tmp_path / "run", "--trust") == 2
    assert "its module must be in the current folder or on PYTHONPATH" in capsys.readouterr().err


def test_a_module_in_the_current_folder_shadows_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "colorsys.py").write_text("raise SystemExit('imported')")
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    assert _module("colorsys").rgb_to_hsv(0, 0, 0) == (0, 0, 0)


def test_what_cannot_be_loaded_is_said_before_the_training(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    class Inside(mlp.Critic):
        pass

    local = points(1, critic=agon.part(Inside, shape=(2,), widths=(6,)))
    agon.train(local, tmp_path / "a", compute=ONE_THREAD)
    assert "<locals>.Inside: defined inside a function" in capsys.readouterr().err
    ready = points(1, critic=mlp.Critic(shape=(2,), widths=(6,)))
    agon.train(ready, tmp_path / "b", compute=ONE_THREAD)
    assert "Critic: ready instances, which no file can rebuild" in capsys.readouterr().err
    agon.train(points(1), tmp_path / "c", compute=ONE_THREAD)
    assert "later" not in capsys.readouterr().err


def test_why_a_script_is_not_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a class of a module that it imports, and for one that it does not define; without one, no word of it."""
    imported, own = {"import": "mynets:Texture", "sha256": ""}, {"import": "__main__:Texture", "sha256": ""}
    with pytest.raises(SettingError) as alone:
        decode(imported)
    assert str(alone.value).endswith("if the run directory is yours")
    monkeypatch.setattr(scripts._Running, "path", Path("own.py"))
    with pytest.raises(SettingError, match=r"say --trust .* yours; --from own\.py is not enough, .* not in mynets$"):
        decode(imported)
    with pytest.raises(SettingError, match=r"but own\.py defines no Texture; name the script that does with --from"):
        decode(own)
