"""Read arrays of any origin: compare the size that a file claims with its content before allocating memory."""

import math
import zipfile
import zlib
from io import BytesIO

import numpy as np


def array(content: bytes) -> np.ndarray:
    """Read the array of a file in numpy's format.

    Raises:
        ValueError: it holds no array, Python objects, or more or fewer numbers than it says.
    """
    file = BytesIO(content)
    try:
        shape, dtype = _header(file)
    except (RecursionError, MemoryError, EOFError, TypeError) as error:
        raise ValueError(f"its header cannot be read ({error})") from error
    claimed, held = math.prod(shape) * dtype.itemsize, len(content) - file.tell()
    if dtype.hasobject or min(shape, default=0) < 0 or claimed != held or not dtype.itemsize:
        raise ValueError(f"it says that it holds {dtype} {shape}, and has {held:,} bytes of them")
    values: np.ndarray = np.load(BytesIO(content), allow_pickle=False)
    return values


def arrays(content: bytes, most: int) -> dict[str, np.ndarray]:
    """Read the arrays of an .npz file by name, together at most `most` bytes.

    Raises:
        ValueError: it is not such a file, or an array in it is invalid.
    """
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            if size > most:
                raise ValueError(f"it unpacks to {size:,} bytes, more than the {most:,} that are read")
            return {name.removesuffix(".npy"): array(archive.read(name)) for name in archive.namelist()}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise ValueError(f"it is no archive of arrays ({error})") from error


def _header(file: BytesIO) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"its version is {version}; expected 1.0 or 2.0")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype
