"""Arrays that may come from elsewhere: what a file claims is compared with what it holds before memory is taken."""

import math
import zipfile
import zlib
from io import BytesIO

import numpy as np


def array(content: bytes) -> np.ndarray:
    """The array of a file in numpy's format.

    Raises:
        ValueError: it is none, of Python objects, or has more or fewer numbers than it says.
    """
    file = BytesIO(content)
    try:
        shape, dtype = _header(file)
    except (RecursionError, MemoryError, EOFError, TypeError) as error:
        raise ValueError(f"its header cannot be read ({error})") from error
    told, held = math.prod(shape) * dtype.itemsize, len(content) - file.tell()
    if dtype.hasobject or min(shape, default=0) < 0 or told != held or not dtype.itemsize:
        raise ValueError(f"it says that it holds {dtype} {shape}, and has {held:,} bytes of them")
    found: np.ndarray = np.load(BytesIO(content), allow_pickle=False)
    return found


def arrays(content: bytes, most: int) -> dict[str, np.ndarray]:
    """The arrays of an .npz file by name, together at most `most` bytes.

    Raises:
        ValueError: it is no such file, or one of its arrays none.
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
