"""The file of Inception-v3's weights: where it is, whether it is the published one, and its plain tensors.

torch-fidelity unpickles that file, and a pickle can run code. So it never gets one that was not made here: a file is
read whole, its checksum is of the very bytes that are then read, and these are only ever read as plain tensors.
"""

import hashlib
import io
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from agon.errors import DataError, require

INCEPTION_SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
INCEPTION_FILE = "weights-inception-2015-12-05-6726825d.pth"
INCEPTION_BYTES = 95_628_359
LARGEST = 2**30  # bytes of a file that is read at all


class Weights(NamedTuple):
    """What a file of weights holds.

    Attributes:
        tensors: by their names.
        hash: hex SHA-256 of the file.
    """

    tensors: Mapping[str, Tensor]
    hash: str


def inception_weights(file: Path | None = None, download: bool = False) -> Weights:
    """The weights from a file, or from where torch-fidelity keeps them.

    Args:
        file: written by `torch.save` or, with the suffix .safetensors, by safetensors; None for the published one
            in torch's folder of checkpoints.
        download: whether the published one may be fetched where that folder has none; its checksum is verified
            before it gets its name.

    Raises:
        DataError: no file, one that is damaged, one that holds anything but tensors, or, under the published one's
            name, another one.
    """
    place = cached_file() if file is None else file
    if file is None and download and not place.is_file():
        _download(place)
    if not place.is_file():
        raise DataError(
            f"Inception-v3's weights: expected the file {place} ({INCEPTION_BYTES:,} bytes, SHA-256 "
            f"{INCEPTION_SHA256}), got none; put it there, name another place (--weights), allow the "
            "download (--download), or compare by the data's own classifier (--extractor classifier), which needs none"
        )
    if place.stat().st_size > LARGEST:
        raise DataError(f"{place}: expected about {INCEPTION_BYTES:,} bytes of weights, got {place.stat().st_size:,}")
    try:
        data = place.read_bytes()
    except OSError as error:
        raise DataError(f"Inception-v3's weights: {place} cannot be read ({error.strerror})") from error
    found = hashlib.sha256(data).hexdigest()
    if file is None and found != INCEPTION_SHA256:
        raise DataError(
            f"{place}: expected the published weights of SHA-256 {INCEPTION_SHA256}, got a file of SHA-256 {found}; "
            "remove it and get it again (--download), or, if you do want these, name the file (--weights)"
        )
    return Weights(_plain(data, place), found)


def cached_file() -> Path:
    """Where torch-fidelity looks for the published weights: in torch's folder of checkpoints."""
    return Path(torch.hub.get_dir()) / "checkpoints" / INCEPTION_FILE


def _plain(data: bytes, place: Path) -> Mapping[str, Tensor]:
    """The tensors in a file, without running anything that is in it."""
    try:
        if place.suffix == ".safetensors":
            from safetensors.torch import load

            found: object = load(data)
        else:
            found = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # which ones a damaged or hostile file leads to is not documented
        raise DataError(
            f"{place}: expected a file of plain tensors, got one that is damaged or asks for more "
            f"({type(error).__name__}); nothing in it was run, so get it again from where it came"
        ) from error
    if not isinstance(found, Mapping) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in found.items()
    ):
        raise DataError(f"{place}: expected tensors by their names, got a {type(found).__name__} of something else")
    return dict(found)


def _download(place: Path) -> None:
    """Fetch the published file under another name, verify it, and give it its name at once."""
    require("torch_fidelity")
    from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

    part = ""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(prefix=place.stem, suffix=".part", dir=place.parent)
        os.close(handle)
        torch.hub.download_url_to_file(URL_INCEPTION_V3, part, hash_prefix=INCEPTION_SHA256, progress=False)
        os.replace(part, place)
    except (OSError, RuntimeError) as error:  # no network, no room, or another checksum
        raise DataError(
            f"Inception-v3's weights cannot be downloaded from {URL_INCEPTION_V3} ({error}); fetch them by other "
            f"means, and put them at {place}"
        ) from error
    finally:
        with suppress(OSError):
            os.unlink(part)
