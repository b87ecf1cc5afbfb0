"""Mean and covariance of features in a file, with which a Fréchet distance is computed without the real images."""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from agon.data.archive import Archive
from agon.errors import DataError
from agon.metrics.extractors import Extractor
from agon.metrics.moments import Moments
from agon.untrusted import parse_json

KNOWN = "agon"  # the array with what agon writes beside mu and sigma


class Statistics(NamedTuple):
    """The mean and covariance of the features of real samples.

    Attributes:
        mean: μ.
        covariance: Σ, unbiased.
        n: how many samples they come from; None if the file does not say.
        extractor: hash of the extractor of the features; None if the file does not say.
        kind: `--extractor` that made them; None if the file does not say.
        name: the file's name, for the protocol.
        hash: hex SHA-256 of the file.
    """

    mean: Float[Tensor, " d"]
    covariance: Float[Tensor, "_ _"]
    n: int | None
    extractor: str | None
    kind: str | None
    name: str
    hash: str


def is_statistics(path: Path) -> bool:
    """Whether a file is an archive of the arrays "mu" and "sigma"; nothing of them is read."""
    if path.suffix != ".npz" or not path.is_file():
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return {"mu.npy", "sigma.npy"} <= set(archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def read_statistics(path: Path) -> Statistics:
    """Read "mu" and "sigma" from a .npz file as pytorch-fid, clean-fid or `write_statistics` write it.

    Raises:
        DataError: the file cannot be read, lacks one of the two, or their shapes or numbers do not fit.
    """
    archive = Archive(path)
    names = [archive.first([name]) for name in ("mu", "sigma", KNOWN)]
    if names[0] is None or names[1] is None:
        raise DataError(f"{path}: expected the arrays mu and sigma, got {', '.join(archive.shapes) or 'none'}")
    try:
        mean, covariance = (torch.from_numpy(archive[name].astype(np.float64)) for name in names[:2] if name)
        known = parse_json(archive[names[2]].tobytes()) if names[2] else {}
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except (ValueError, TypeError, OSError) as error:
        raise DataError(f"{path}: expected statistics of features, got arrays that cannot be read ({error})") from error
    if mean.ndim != 1 or covariance.shape != (len(mean), len(mean)) or not isinstance(known, dict):
        shapes = f"{tuple(mean.shape)} and {tuple(covariance.shape)}"
        raise DataError(f"{path}: expected mu of d numbers and sigma of d x d, got the shapes {shapes}")
    n, extractor, kind = (known.get(name) for name in ("n", "extractor", "kind"))
    return Statistics(mean, covariance, n, extractor, kind, path.name, digest)


def write_statistics(path: Path, features: Float[Tensor, "n d"], extractor: Extractor, kind: str) -> None:
    """Write mean and covariance to a .npz file that pytorch-fid and clean-fid read, too.

    Args:
        path: the file; one that exists is replaced.
        features: of at least 2 real samples.
        extractor: what made the features; its hash is written.
        kind: its word for `--extractor`.

    Raises:
        DataError: there are fewer than 2 samples, or the file cannot be written.
    """
    moments = Moments().add(features)
    known = json.dumps({"n": moments.n, "extractor": extractor.hash, "kind": kind, "name": extractor.name})
    mean, covariance = moments.mean.cpu().numpy(), moments.covariance.cpu().numpy()
    try:
        with path.open("wb") as file:
            np.savez(file, mu=mean, sigma=covariance, agon=np.frombuffer(known.encode(), np.uint8))
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror or error}); choose another file") from error
