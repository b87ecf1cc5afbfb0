"""Runs by name: "hub:owner/name" on the Hugging Face Hub, "s3://bucket/name" in storage, "pretrained:digits" in agon.

All are copied into the cache, $AGON_CACHE/runs, and used from there like any other run. Only files of a run are
downloaded, never code and never a pickle. The command line asks here before it imports torch.
"""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agon.errors import RunError, SettingError, require, unknown
from agon.places import HUB, is_pair
from agon.runs.files import writing
from agon.runs.layout import EXPERIMENT
from agon.runs.mirrors import check_storage, fetched
from agon.storage import is_address
from agon.untrusted import shortened

PRETRAINED = "pretrained:"
BUNDLED = Path(__file__).with_name("pretrained")
TIMEOUT = 10.0  # seconds for the first request
RUN_FILES = re.compile(
    r"(experiment|arithmetic)\.json|(metrics|log)\.jsonl|(samples|metrics)/[\w.-]+\.(png|npy|npz)"
    r"|checkpoints/[0-9]{8,18}/(tensors\.safetensors|state\.json)"
)


def is_named(run: Path | str) -> bool:
    """Whether this is a name rather than a path.

    >>> is_named("hub:owner/name"), is_named("pretrained:ring"), is_named("s3://bucket/ring"), is_named("runs/ring")
    (True, True, True, False)
    """
    return str(run).startswith((HUB, PRETRAINED)) or is_address(run)


def check_run_name(run: Path | str) -> None:
    """Refuse a name that no run can have; nothing is downloaded. Paths pass.

    Raises:
        SettingError: the text after "hub:" is not owner/name, agon brings no such run, or it is no address of storage.
    """
    text = str(run)
    if is_address(text):
        check_storage(text)
    if text.startswith(HUB) and not is_pair(text.removeprefix(HUB)):
        raise SettingError(f"expected {HUB}owner/name, got '{shortened(text)}'; an example is {HUB}openai/digits")
    names = sorted(place.name for place in BUNDLED.iterdir())
    if text.startswith(PRETRAINED) and text.removeprefix(PRETRAINED) not in names:
        raise SettingError(unknown("pretrained run", text.removeprefix(PRETRAINED), names))


def local(run: Path | str) -> Path:
    """Return the directory of a run: a path as it is, and a name's copy in the cache, made if it is missing.

    Raises:
        SettingError: it is a name that no run can have.
        RunError: the Hub or storage has no such run, or cannot be reached and there is no earlier copy.
    """
    check_run_name(run)
    text = str(run)
    if is_address(text):
        return fetched(text)
    if text.startswith(PRETRAINED):
        return _unpacked(BUNDLED / text.removeprefix(PRETRAINED))
    return _downloaded(text.removeprefix(HUB)) if text.startswith(HUB) else Path(run)


def _unpacked(bundled: Path) -> Path:
    """The copy of a bundled run, in a folder named by its content."""
    digest = hashlib.sha256()
    for file in sorted(path for path in bundled.rglob("*") if path.is_file()):
        digest.update(file.read_bytes())
    place = _cache() / "pretrained" / digest.hexdigest()[:16] / bundled.name
    with _made(place) as folder:
        if folder is not None:
            shutil.copytree(bundled, folder, dirs_exist_ok=True, copy_function=shutil.copyfile)
    return place


def _downloaded(name: str) -> Path:
    """The newest version of a run on the Hub, or without a network the newest copy that is here."""
    require("huggingface_hub")
    from huggingface_hub import HfApi

    copies = _cache() / "hub" / name.replace("/", "--")
    try:
        info = HfApi().model_info(name, timeout=TIMEOUT)
    except Exception as fault:  # each client and the offline mode raise types of their own
        return _earlier(copies, name, fault)
    files = [file.rfilename for file in info.siblings or () if RUN_FILES.fullmatch(file.rfilename)]
    if EXPERIMENT not in files or not re.fullmatch(r"[0-9a-f]{7,64}", str(info.sha)):
        raise RunError(f"expected a run of agon at {HUB}{name}, got a repository without {EXPERIMENT}")
    with _made(copies / str(info.sha)) as folder:
        if folder is not None:
            try:
                HfApi().snapshot_download(name, revision=info.sha, local_dir=folder, allow_patterns=files)
            except Exception as fault:
                raise RunError(f"{HUB}{name}: the download stopped ({shortened(str(fault))}); try again") from fault
            shutil.rmtree(folder / ".cache", ignore_errors=True)
    return copies / str(info.sha)


def _earlier(copies: Path, name: str, fault: Exception) -> Path:
    """The newest copy of a run on the Hub, where the Hub does not answer.

    Raises:
        RunError: there is none, or the Hub answered that it has no such run.
    """
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    if isinstance(fault, RepositoryNotFoundError | GatedRepoError):
        raise RunError(
            f"expected a run on the Hub, but there is no public {name}; check the name, or log in with "
            "`hf auth login` if it is private"
        ) from fault
    found: list[Any] = sorted(copies.glob("*/experiment.json"), key=lambda file: file.stat().st_mtime)
    if found:
        return Path(found[-1]).parent
    raise RunError(
        f"expected the run {name} from the Hub, but the Hub cannot be reached ({shortened(str(fault))}) and no earlier "
        "download is here; connect, or give the directory of a run"
    ) from fault


@contextmanager
def _made(place: Path) -> Iterator[Path | None]:
    """A folder to fill, which gets its place when it is complete; None if the place is filled already."""
    if (place / EXPERIMENT).is_file():
        yield None
        return
    with writing(place, instead="set AGON_CACHE to a folder that can be written"):
        place.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".", dir=place.parent))
    try:
        yield folder
        with writing(place):
            if not (place / EXPERIMENT).is_file():
                shutil.rmtree(place, ignore_errors=True)
                os.replace(folder, place)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _cache() -> Path:
    """The folder of named runs."""
    from agon.data.cache import default_folder

    return default_folder() / "runs"
