"""The file of Inception-v3's weights: find or download it, verify it, and read its plain tensors.

torch-fidelity unpickles that file, and a pickle can run code. So torch-fidelity never opens it: this module reads the
whole file, computes the checksum of the very bytes it then parses, and parses them as plain tensors only.
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
LARGEST = 2**30  # the most bytes of a file that is read


class Weights(NamedTuple):
    """The contents of a file of weights.

    Attributes:
        tensors: the tensors by their names.
        hash: hex SHA-256 of the file.
    """

    tensors: Mapping[str, Tensor]
    hash: str


def inception_weights(file: Path | None = None, download: bool = False) -> Weights:
    """Read the weights from a file, by default from where torch-fidelity keeps them.

    Args:
        file: a file written by `torch.save` or, with the suffix .safetensors, by safetensors; None for the published
            file in torch's folder of checkpoints.
        download: whether to download the published file if that folder does not have it; its checksum is verified
            before it gets its name.

    Raises:
        DataError: there is no file, it is damaged, it holds anything but tensors, or a file with the published one's
            name has another checksum.
    """
    path = cached_file() if file is None else file
    if file is None and download and not path.is_file():
        _download(path)
    if not path.is_file():
        raise DataError(
            f"Inception-v3's weights: expected the file {path} ({INCEPTION_BYTES:,} bytes, SHA-256 "
            f"{INCEPTION_SHA256}), got none; put it there, name another place (--weights), allow the "
            "download (--download), or compare by the data's own classifier (--extractor classifier), which needs none"
        )
    if path.stat().st_size > LARGEST:
        raise DataError(f"{path}: expected about {INCEPTION_BYTES:,} bytes of weights, got {path.stat().st_size:,}")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"Inception-v3's weights: {path} cannot be read ({error.strerror})") from error
    digest = hashlib.sha256(data).hexdigest()
    if file is None and digest != INCEPTION_SHA256:
        raise DataError(
            f"{path}: expected the published weights of SHA-256 {INCEPTION_SHA256}, got a file of SHA-256 {digest}; "
            "remove it and get it again (--download), or, if you do want these, name the file (--weights)"
        )
    return Weights(plain(data, path), digest)


def cached_file() -> Path:
    """The path where torch-fidelity looks for the published weights, in torch's folder of checkpoints."""
    return Path(torch.hub.get_dir()) / "checkpoints" / INCEPTION_FILE


def plain(data: bytes, path: Path) -> Mapping[str, Tensor]:
    """Parse a file's tensors without running any code in it."""
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load

            content: object = load(data)
        else:
            content = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # which ones a damaged or hostile file leads to is not documented
        raise DataError(
            f"{path}: expected a file of plain tensors, got one that is damaged or asks for more "
            f"({type(error).__name__}); nothing in it was run, so get it again from where it came"
        ) from error
    if not isinstance(content, Mapping) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items()
    ):
        raise DataError(f"{path}: expected tensors by their names, got a {type(content).__name__} of something else")
    return dict(content)


def _download(path: Path) -> None:
    """Download the published file under a temporary name, verify it, and rename it atomically."""
    require("torch_fidelity")
    from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

    part = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(prefix=path.stem, suffix=".part", dir=path.parent)
        os.close(handle)
        torch.hub.download_url_to_file(URL_INCEPTION_V3, part, hash_prefix=INCEPTION_SHA256, progress=False)
        os.replace(part, path)
    except (OSError, RuntimeError) as error:  # no network, no room, or another checksum
        raise DataError(
            f"Inception-v3's weights cannot be downloaded from {URL_INCEPTION_V3} ({error}); fetch them by other "
            f"means, and put them at {path}"
        ) from error
    finally:
        with suppress(OSError):
            os.unlink(part)
