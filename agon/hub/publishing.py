"""Publish a run: its files in one folder, and one request to the Hub."""

import json
import tempfile
from pathlib import Path

from agon.errors import RunError, SettingError, require
from agon.exports.checking import BATCHES
from agon.exports.exporting import write
from agon.exports.formats import NotExportableError
from agon.exports.network import network_of
from agon.hub.card import card
from agon.hub.release import release
from agon.places import is_pair
from agon.runs import Run
from agon.samples import load
from agon.terminal import warn
from agon.terminal.waiting import stage, waiting
from agon.training import Training
from agon.untrusted import shortened

CONFIG, WEIGHTS, PROGRAM, README = "config.json", "model.safetensors", "model.py", "README.md"


def push(
    run: Run | Path | str,
    name: str,
    *,
    private: bool = False,
    licence: str | None = None,
    trust: bool = False,
    show: bool = True,
) -> str:
    """Publish a run on the Hugging Face Hub, and return the address of the commit.

    The repository holds what `prepare` writes. It is created if it is missing. The token is the one of
    `hf auth login`, or $HF_TOKEN.

    Args:
        run: the run, or its directory.
        name: owner/name of a model on the Hub.
        private: whether a new repository is visible to its owner alone.
        licence: identifier of the weights' licence, such as apache-2.0.
        trust: whether a user's classes may be imported.
        show: whether to show the progress on standard error.

    Raises:
        SettingError: the name is not owner/name.
        NotInstalledError: huggingface_hub is not installed.
        RunError: there is no intact checkpoint, there is no token, or the Hub refuses or cannot be reached.
    """
    check_name(name)
    require("huggingface_hub")
    from huggingface_hub import HfApi, get_token

    if get_token() is None:
        raise RunError("expected a token of the Hub, which may write, got none; `hf auth login`, or set HF_TOKEN")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "run"
        prepare(run, name, folder, licence=licence, trust=trust, show=show)
        try:
            HfApi().create_repo(name, private=private, exist_ok=True)
            commit = HfApi().upload_folder(repo_id=name, folder_path=folder, commit_message="agon push")
        except Exception as fault:  # from the Hub, the network, or the offline mode, each of its own type
            raise _refused(name, fault) from fault
    return str(commit.commit_url)


def prepare(
    run: Run | Path | str,
    name: str,
    out: Path,
    *,
    licence: str | None = None,
    trust: bool = False,
    show: bool = True,
) -> Path:
    """Write the files of a repository into a folder, and return it.

    | file | content |
    |---|---|
    | README.md | the model card, with samples and scores |
    | config.json, model.safetensors, model.py | the generator (or classifier) without agon, if a file can hold it |
    | experiment.json, arithmetic.json, checkpoints/ | the run, with which agon samples, evaluates and battles |
    | metrics.jsonl, metrics/, log.jsonl, samples/ | scores, log, and the last samples of the fixed latents |

    Where no file can hold the network, config.json and model.* are left out: a line on standard error and the card say
    why.

    Args:
        run: the run, or its directory.
        name: owner/name of a model on the Hub.
        out: a new or empty folder.
        licence: identifier of the weights' licence, such as apache-2.0.
        trust: whether a user's classes may be imported.
        show: whether to show the progress on standard error.

    Raises:
        SettingError: the name is not owner/name.
        RunError: there is no intact checkpoint, or the folder cannot be written.
    """
    check_name(name)
    with waiting(show), stage(f"files of {name}"):
        run = Run.of(run)
        training = load(run, trust=trust)
        published = release(run, training, out)
        description, refusal = _exported(training, out)
        text = card(name, published, training, description, licence)
        published.files.write(README, text.encode("utf-8", "backslashreplace"))
    if refusal:
        warn(f"agon: {name} has no {WEIGHTS}, {PROGRAM} and {CONFIG}, for programs without agon: {refusal}")
    return out


def check_name(name: str) -> None:
    """Raise a SettingError if this is not owner/name."""
    if not is_pair(name):
        raise SettingError(f"expected OWNER/NAME of a model on the Hub, got '{shortened(name)}'")


def _exported(training: Training, out: Path) -> tuple[dict[str, object] | None, str]:
    """Write the network that generates or classifies; its description, or why no file can hold it."""
    player = "generator" if training.game.generating_players else "classifier"
    try:
        network = network_of(training, player, max(BATCHES))
        write(network, out / WEIGHTS, "safetensors")
    except NotExportableError as error:  # the run itself is published all the same
        return None, error.typed
    config = {"library_name": "agon", **network.description}
    Run(out).files.write(CONFIG, (json.dumps(config, indent=2) + "\n").encode())
    return network.description, ""


def _refused(name: str, fault: Exception) -> RunError:
    """One sentence for what the Hub or the network answered."""
    status = getattr(getattr(fault, "response", None), "status_code", None)
    reason = shortened(str(fault).partition("\n")[0])
    if status in (401, 403):
        advice = "see that the token may write there: `hf auth login`, or set HF_TOKEN"
        return RunError(f"the Hub refuses to write {name} ({reason}); {advice}")
    if status is not None:
        return RunError(f"the Hub refuses {name} ({reason}); try again, or choose another name")
    return RunError(f"{name} cannot be sent, because the Hub cannot be reached ({reason}); connect, and try again")
