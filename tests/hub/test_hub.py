"""Runs on the Hub, against a server of this machine that speaks its API; nothing here knows a real token."""

import errno
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import agon
from agon.cli import main
from agon.errors import RunError
from agon.exports.exporting import WRITERS
from agon.hub import prepare
from agon.runs import Run, append
from agon.runs.named import RUN_FILES
from tests.hub.server import COMMIT, TOKEN, Hub, served

ROOT = Path(__file__).parents[2]
TINY = ["--threads", "1", "--device", "cpu", "--scale", "smoke", "--steps", "4"]
MIXIN = """
import sys
sys.modules["agon"] = None
from huggingface_hub import PyTorchModelHubMixin, hf_hub_download
import importlib.util, torch

described = importlib.util.spec_from_file_location("model", hf_hub_download("me/digits", "model.py"))
model = importlib.util.module_from_spec(described)
described.loader.exec_module(model)

class FromHub(model.Generator, PyTorchModelHubMixin):
    pass

network = FromHub.from_pretrained("me/digits").eval()
latents = torch.load("latents.pt", weights_only=True)
with torch.no_grad():
    torch.save(network(latents), "samples.pt")
"""


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with served() as server:
        yield server


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "digits"
    assert main(["train", "first/digits", *TINY, "--out", str(folder)]) == 0
    assert main(["evaluate", str(folder), "--metrics", "pairwise", "--n", "50"]) == 0
    score = {"name": "gam", "value": 1.0, "metric": "battle", "opponent_path": "/home/me/other"}
    append(folder / "metrics.jsonl", score)
    return folder


def program(hub: Hub, folder: Path, *command: str) -> tuple[int, str, str]:
    """A program in a process that knows this Hub alone, and has a cache of its own."""
    settings = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "HF_ENDPOINT": hub.address,
        "HF_HOME": str(folder / "hf"),
        "HF_TOKEN": TOKEN,
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "AGON_CACHE": str(folder / "cache"),
    }
    start = [sys.executable, *command]
    ended = subprocess.run(start, cwd=folder, env=settings, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout, ended.stderr


@pytest.fixture
def online(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In this process too there is this Hub alone, a token for it, and an empty cache; the folder to work in."""
    import huggingface_hub.constants as constants
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
    monkeypatch.setattr(constants, "ENDPOINT", hub.address)
    template = hub.address + "/{repo_id}/resolve/{revision}/{filename}"  # which is made of it at the import
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("AGON_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def pushed(hub: Hub, run: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    command = ["-m", "agon", "push", str(run), "me/digits", "--license", "mit"]
    status, out, err = program(hub, tmp_path_factory.mktemp("push"), *command)
    assert status == 0, err
    assert out == f"{hub.address}/me/digits/commit/{COMMIT}\n"
    return hub.repositories["me/digits"]


def test_what_is_sent(pushed: dict[str, bytes]) -> None:
    """The card, the run, and the generator; no real samples, no moments, no battles, no paths, no pickles."""
    assert sorted(pushed) == [
        "README.md",
        "arithmetic.json",
        "checkpoints/00000004/state.json",
        "checkpoints/00000004/tensors.safetensors",
        "config.json",
        "experiment.json",
        "log.jsonl",
        "metrics.jsonl",
        "model.py",
        "model.safetensors",
        "samples/00000004.png",
    ]
    card = pushed["README.md"].decode()
    for words in (
        "library_name: agon",
        "license: mit",
        "![samples](samples/00000004.png)",
        "| pairwise",
        "hub:me/digits",
    ):
        assert words in card
    assert "/home/me" not in "".join(pushed[name].decode() for name in ("metrics.jsonl", "README.md"))
    config = json.loads(pushed["config.json"])
    assert config["input"] == {"name": "latents", "shape": ["n", 100], **LATENTS}


LATENTS = {"distribution": {"type": "uniform", "low": -1.0, "high": 1.0}}


def test_the_card_s_metadata_are_those_of_the_hub(pushed: dict[str, bytes]) -> None:
    from huggingface_hub import ModelCard

    data = ModelCard(pushed["README.md"].decode()).data
    assert (data.library_name, data.license, data.model_name) == ("agon", "mit", "digits")
    assert data.eval_results is not None
    assert {result.dataset_name for result in data.eval_results} == {"digits"}


def test_a_pushed_run_is_used_like_any_other(
    hub: Hub,
    pushed: dict[str, bytes],
    run: Path,
    online: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Sampled equally, scored, battled, exported and trained anew; downloaded once, and then without a network too."""
    run_name = "hub:me/digits"
    assert main(["sample", run_name, "--n", "9", "--out", "theirs.npz"]) == 0
    assert main(["sample", str(run), "--n", "9", "--out", "ours.npz"]) == 0
    assert (online / "theirs.npz").read_bytes() == (online / "ours.npz").read_bytes()
    (copy,) = (online / "cache" / "runs" / "hub" / "me--digits").iterdir()
    assert {path.name for path in copy.iterdir()} == {
        path.split("/")[0] for path in pushed if RUN_FILES.fullmatch(path)
    }
    files = [asked for asked in hub.asked if "/resolve/" in asked]
    assert main(["evaluate", run_name, "--metrics", "pairwise", "--n", "50"]) == 0
    assert main(["battle", run_name, run_name, "--n", "50"]) == 0
    assert [asked for asked in hub.asked if "/resolve/" in asked] == files
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert main(["export", run_name, "--out", "x.pt2"]) == 0
    assert main(["train", run_name, "--steps", "2", "--threads", "1", "--out", "new"]) == 0
    assert Run(run).described["game"] == Run(online / "new").described["game"]
    capsys.readouterr()
    assert main(["resume", str(copy), "--steps", "9"]) == 2
    assert "published with its weights alone" in capsys.readouterr().err


def test_the_layout_is_that_of_the_hub_s_mixin(hub: Hub, pushed: dict[str, bytes], run: Path, tmp_path: Path) -> None:
    """`from_pretrained` of a class that is made from model.py, where agon cannot be imported."""
    training = agon.load(run)
    latents = agon.samples.making.latents(training, 5, 0)
    torch.save(latents, tmp_path / "latents.pt")
    status, _, err = program(hub, tmp_path, "-c", MIXIN)
    assert status == 0, err
    samples = torch.load(tmp_path / "samples.pt", weights_only=True)
    assert (samples - training.samples(latents)).abs().max() < 1e-5


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["sample", "hub:me/nothing", "--out", "x.png"], "there is no public me/nothing; check the name, or log in"),
        (["sample", "hub:me/other", "--out", "x.png"], "got a repository without experiment.json"),
        (["evaluate", "hub:digits"], "expected hub:owner/name, got 'hub:digits'"),
        (["train", "hub:digits", "--out", "x"], "expected hub:owner/name, got 'hub:digits'"),
        (["push", "RUN", "digits"], "expected OWNER/NAME of a model on the Hub, got 'digits'"),
        (["push", "RUN", "me/digits", "-without-token"], "expected a token of the Hub, which may write, got none"),
        (["push", "RUN", "me/digits", "-wrong-token"], "the Hub refuses to write me/digits"),
        (["push", "RUN", "me/digits", "-offline"], "the Hub cannot be reached"),
        (["sample", "hub:me/digits", "--out", "x.png", "-offline"], "the Hub cannot be reached"),
    ],
)
@pytest.mark.usefixtures("pushed")
def test_what_goes_wrong_is_one_sentence(
    command: list[str],
    told: str,
    hub: Hub,
    run: Path,
    online: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    hub.repositories["me/other"] = {"README.md": b"# other", "pytorch_model.bin": b"\x80"}
    if "-without-token" in command:
        monkeypatch.delenv("HF_TOKEN")
    if "-wrong-token" in command:
        monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    if "-offline" in command:
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    words = [str(run) if word == "RUN" else word for word in command if not re.match("-[a-z]", word)]
    capsys.readouterr()
    assert main(words) == 2
    err = capsys.readouterr().err
    assert told in err
    assert len([line for line in err.splitlines() if not line.startswith("files of")]) == 1  # a slow machine waits
    assert not list(online.rglob("*.bin"))


def test_paths_of_the_data_are_not_published(run: Path, tmp_path: Path) -> None:
    """A path is cut to its name; the copy can still be sampled, because what differs is the data's place."""
    described = Run(run).described
    described["data"]["path"] = "/home/me/secret/photos"
    described["init"] = "/home/me/secret/runs/first"
    described["notes"] = ["channels 3: 1 image is coloured (/home/me/secret/photos/her name.png), 9 grey"]
    copied = tmp_path / "run"
    Run.create(copied)
    for file in (path for path in run.rglob("*") if path.is_file() and path.suffix != ".lock"):
        target = copied / file.relative_to(run)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    (copied / "experiment.json").write_text(json.dumps(described))
    folder = prepare(copied, "me/photos", tmp_path / "out")
    assert Run(folder).described["data"]["path"] == "photos"
    published = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
    assert not any(word in published for word in (b"secret", b"her name"))
    assert Run(folder).described["init"] == "first"
    assert agon.sample(agon.load(folder), 3).shape == (3, 1, 8, 8)


@pytest.fixture(scope="module")
def conditional(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "acgan"
    assert main(["train", "odena2017/acgan", "--data", "digits", *TINY, "--out", str(folder)]) == 0
    return folder


def test_what_no_file_can_hold_is_said(conditional: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A generator that takes classes: on standard error, in the card, and the run itself is whole."""
    out, reason = tmp_path / "out", "expected a network with one input, got one that takes classes too"
    capsys.readouterr()
    assert main(["push", str(conditional), "me/acgan", "--out", str(out)]) == 0
    (line,) = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("files of")]
    assert line.startswith("agon: me/acgan has no model.safetensors, model.py and config.json, for programs without")
    card = (out / "README.md").read_text()
    assert reason in line
    assert "agon alone reads these weights" in card  # the reason could name a path of this machine
    assert "from model import load" not in card
    assert not {"model.safetensors", "model.py", "config.json"} & {file.name for file in out.iterdir()}
    assert agon.sample(agon.load(out), 3).shape == (3, 1, 8, 8)


def test_a_full_disk_is_not_a_network_that_no_file_can_hold(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: the network can be exported, and what keeps it from the disk is the error."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setitem(WRITERS, "safetensors", full)  # type: ignore[arg-type]
    with pytest.raises(RunError, match=r"cannot be written \(No space left on device\); free some space"):
        prepare(run, "me/digits", tmp_path / "out")


def test_the_card_of_a_table_says_how_samples_become_its_numbers(tmp_path: Path) -> None:
    rows = "".join(f"{1000 + i},{i / 1000}\n" for i in range(400))
    (tmp_path / "table.csv").write_text(f"mm,volt\n{rows}")
    run = tmp_path / "run"
    words = ["train", "first/ring", *TINY, "--data", str(tmp_path / "table.csv"), "--out", str(run)]
    assert main(words) == 0
    folder = prepare(run, "me/table", tmp_path / "out", show=False)
    assert "own are stored = samples * scale + offset" in (folder / "README.md").read_text()
    assert json.loads((folder / "config.json").read_text())["output"]["columns"] == ["mm", "volt"]


def test_other_weights_than_described_are_refused(run: Path, tmp_path: Path) -> None:
    """The negative control of a published checkpoint: another width in experiment.json."""
    folder = prepare(run, "me/digits", tmp_path / "out")
    described = Run(folder).described
    described["game"]["generator"]["latent"] = 7
    (folder / "experiment.json").write_text(json.dumps(described))
    with pytest.raises(RunError, match="does not fit what"):
        agon.load(folder)
