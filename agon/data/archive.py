"""The arrays of a .npy or .npz file, whose sizes are checked before they are read."""

import math
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from agon.data.source import MEMORY
from agon.errors import DataError
from agon.untrusted import open_regular, shortened


class Archive:
    """The arrays of a file by name; a .npy file has one, "array", which is mapped from the disk.

    Args:
        file: a regular file.

    Attributes:
        shapes: name -> shape of an array.

    Raises:
        DataError: the file is not a .npy or .npz file, or an array is cut off.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        try:
            with open_regular(file) as stream:
                self._zipped = stream.read(2) == b"PK"
                stream.seek(0)
                self.shapes = self._measured(zipfile.ZipFile(stream)) if self._zipped else {"array": self._load().shape}
        except DataError:
            raise
        except Exception as fault:  # zip, zlib and numpy's header reader raise a dozen types on damaged bytes
            raise self._refused(fault) from fault

    def __getitem__(self, name: str) -> np.ndarray:
        """Read an array; one of a .npz file is loaded into memory.

        Raises:
            DataError: the array is damaged, holds Python objects, or is too large for memory.
        """
        try:
            return self._unpacked(name) if self._zipped else self._load()
        except DataError:
            raise
        except Exception as fault:
            raise self._refused(fault) from fault

    def first(self, names: Iterable[str]) -> str | None:
        """The first of these names that an array has, ignoring case."""
        lower = {name.lower(): name for name in self.shapes}
        return next((lower[name] for name in names if name in lower), None)

    def _load(self) -> np.ndarray:
        array: np.ndarray = np.load(self.file, mmap_mode="r", allow_pickle=False)
        return array

    def _unpacked(self, name: str) -> np.ndarray:
        with open_regular(self.file) as stream, zipfile.ZipFile(stream) as archive:
            info = archive.getinfo(self._member[name])
            if info.file_size > MEMORY:
                raise DataError(
                    f"expected arrays of at most {MEMORY / 2**30:.0f} GiB in {self.file}, got "
                    f"{info.file_size / 2**30:.1f} GiB in [{shortened(name)}]; save it alone with numpy.save, whose "
                    "files are mapped"
                )
            with archive.open(info) as member:
                return np.lib.format.read_array(member, allow_pickle=False)

    def _measured(self, archive: zipfile.ZipFile) -> dict[str, tuple[int, ...]]:
        """Read the shapes from the headers, and check that each file holds as many bytes as its header promises."""
        shapes: dict[str, tuple[int, ...]] = {}
        self._member = {info.filename.removesuffix(".npy"): info.filename for info in archive.infolist()}
        for name, member in self._member.items():
            info = archive.getinfo(member)
            with archive.open(info) as stream:
                version = np.lib.format.read_magic(stream)
                read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                shape, _, dtype = read(stream)
            if not dtype.hasobject and math.prod(shape) * dtype.itemsize > info.file_size:
                raise ValueError(f"[{shortened(name)}] is cut: {info.file_size:,} bytes of shape {shape}")
            shapes[name] = shape
        return shapes

    def _refused(self, fault: Exception) -> DataError:
        objects = any(words in str(fault) for words in ("allow_pickle", "Object arrays", "Python objects"))
        reason = shortened(f"{fault}" or type(fault).__name__)
        if objects:
            reason = "it is none or holds Python objects, which could run code and are never read"
        return DataError(
            f"expected arrays of numbers in {self.file}, but {reason}; save it again with numpy.savez(file, images=...)"
        )
