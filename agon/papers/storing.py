"""The folder of a paper in storage: its pages at an address, and each run below it under its name in the folder."""

import json
from collections.abc import Iterable
from pathlib import Path

from agon.errors import RunError
from agon.recipes import Scale
from agon.runs import Directory
from agon.runs.layout import PAPER
from agon.runs.mirrors import (
    Addresses,
    begin_folder,
    inside,
    is_stored,
    mirror_now,
    stored_at,
    stored_file,
    up_to_date,
)
from agon.untrusted import shortened


def begin(folder: Path, paper: str, scale: Scale, storage: str) -> str:
    """Begin to mirror a paper's folder, or go on; what storage has of its pages is fetched.

    Args:
        folder: of the pages and runs; new, or of the same paper and scale.
        paper: the paper's name.
        scale: scale of its trainings.
        storage: the address; "" for the one that the folder has, if it has any.

    Returns:
        The address; "" if the folder is not mirrored.

    Raises:
        SettingError: it is no address of storage.
        RunError: the address or the folder is of something else, or storage does not answer.
    """
    files, own = Directory(folder), (json.dumps({"paper": paper, "scale": scale}) + "\n").encode()
    if not (storage := storage or stored_at(folder)):
        return ""
    here = files.read(PAPER) if files.is_file(PAPER) else b""
    there = stored_file(storage, PAPER) if (stored := is_stored(storage)) else b""
    for content, place, is_there in ((here, folder, bool(here)), (there, storage, stored)):
        if is_there and content != own:
            got = repr(shortened(content.decode(errors="replace").strip())) if content else "something else"
            raise RunError(f"expected {paper} at scale {scale} in {place}, got {got}; choose another place")
    if stored or here:
        up_to_date(folder, storage)
    else:
        files.make(".")
        begin_folder(files, storage)
        files.write(PAPER, own)
    mirror_now(folder)
    return storage


def addresses(folder: Path, runs: Iterable[Path], storage: str) -> Addresses:
    """The address of each run in a paper's folder, "" where that is not mirrored.

    >>> addresses(Path("p"), [Path("p/dcgan/seed-0")], "s3://bucket/p")
    {PosixPath('p/dcgan/seed-0'): 's3://bucket/p/dcgan/seed-0'}
    """
    return {run: inside(storage, run.relative_to(folder).as_posix()) for run in runs}
