"""Arrays of images: a .npy or .npz file, and the handwritten digits that come with scikit-learn."""

import hashlib
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int, UInt8

from agon.data.mapped import forget
from agon.data.rows import Raw, Rows, numbered
from agon.data.source import Split
from agon.errors import DataError

NAMES: dict[Split, tuple[str, ...]] = {  # names that images have in .npz files, the first found is taken
    "train": ("train_images", "x_train", "train", "images", "x", "data", "arr_0"),
    "test": ("test_images", "x_test", "test", "val_images", "x_val"),
}
LABELS: dict[Split, tuple[str, ...]] = {
    "train": ("train_labels", "y_train", "labels", "label", "y", "arr_1"),
    "test": ("test_labels", "y_test", "val_labels", "y_val"),
}
PART = 1024  # images a part


class Arrays(Rows):
    """Decoded images in one array, which may be a memory-map."""

    def __init__(
        self, place: str, images: UInt8[np.ndarray, "n h w c"], labels: Int[np.ndarray, " n"] | None = None
    ) -> None:
        self.labels, self.classes = numbered([] if labels is None else labels.tolist(), None)
        self._place = place
        self._images = images

    def __len__(self) -> int:
        return len(self._images)

    @property
    def parts(self) -> int:
        """One for every PART images."""
        return -(-len(self) // PART)

    def part(self, number: int) -> Iterator[Raw]:
        """Images number·PART and on."""
        for row in range(number * PART, min((number + 1) * PART, len(self))):
            label = None if self.labels is None else int(self.labels[row])
            yield Raw(f"{self._place} row {row}", self._images[row], label)

    def digest(self) -> str:
        """Of shape, pixels and labels."""
        total = hashlib.sha256(repr(self._images.shape).encode())
        for first in range(0, len(self), PART):
            total.update(np.ascontiguousarray(self._images[first : first + PART]).data)
            forget(self._images)
        if self.labels is not None:
            total.update(self.labels.data)
        return total.hexdigest()


def read_digits() -> Mapping[Split, Rows]:
    """1797 handwritten digits of 8x8 pixels with 17 grey levels: the test set of E. Alpaydin and C. Kaynak,
    "Optical recognition of handwritten digits", UCI (1998), bundled with scikit-learn under CC BY 4.0.
    """
    table = _digits_table()  # "n 65": the pixels in reading order, 0 to 16, and the class
    images = np.rint(table[:, :-1] * (255 / 16)).astype(np.uint8).reshape(-1, 8, 8, 1)
    return {"train": Arrays("digits", images, table[:, -1].astype(np.int64))}


def _digits_table() -> Float64[np.ndarray, "n 65"]:
    """scikit-learn's own file, without the 1.5 s that importing scikit-learn takes; by its loader elsewhere."""
    package = find_spec("sklearn")
    for folder in package.submodule_search_locations or () if package else ():
        file = Path(folder) / "datasets" / "data" / "digits.csv.gz"
        if file.is_file():
            return np.loadtxt(file, delimiter=",")
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return np.column_stack([bunch.data, bunch.target]).astype(np.float64)


def read_arrays(file: Path, values: tuple[float, float] | None) -> Mapping[Split, Rows]:
    """The images of a .npy or .npz file.

    Args:
        file: its arrays are "n h w", "n h w c" or "n c h w" with 1, 3 or 4 channels; in a .npz they
            have one of NAMES, or are the only array of 3 or 4 dimensions.
        values: the range (low, high) of numbers that are not bytes.

    Raises:
        DataError: it is no such file, holds Python objects, which are never read, or no such images.
    """
    found = _load(file)
    rows: dict[Split, Rows] = {}
    for split in NAMES:
        name = _first(found, NAMES[split]) or (_only_images(found, file) if split == "train" else None)
        if name is not None:
            images = _bytes(_channels_last(found[name], f"{file} [{name}]"), values, f"{file} [{name}]")
            rows[split] = Arrays(str(file), images, _labels(found, split, len(images), file))
    return rows


def _load(file: Path) -> dict[str, np.ndarray]:
    try:
        with file.open("rb") as stream:
            if stream.read(2) != b"PK":
                return {"array": np.load(file, mmap_mode="r", allow_pickle=False)}
            stream.seek(0)  # the open file and not its name: numpy leaves a broken archive open
            with np.load(stream, allow_pickle=False) as archive:
                return {name: np.asarray(archive[name]) for name in archive.files}
    except Exception as fault:  # zip, zlib and numpy's header reader raise a dozen kinds on foreign bytes
        objects = any(words in str(fault) for words in ("allow_pickle", "Object arrays", "Python objects"))
        reason = f"{fault}"
        if objects:
            reason = "it is none or holds Python objects, which could run code and are never read"

        raise DataError(
            f"expected arrays of numbers in {file}, but {reason}; save it again with numpy.savez(file, images=...)"
        ) from fault


def _first(found: Mapping[str, np.ndarray], names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in found), None)


def _only_images(found: Mapping[str, np.ndarray], file: Path) -> str:
    names = [name for name, array in found.items() if array.ndim in (3, 4)]
    if len(names) != 1:
        held = ", ".join(f"{name} {array.shape}" for name, array in found.items()) or "nothing"
        raise DataError(
            f"expected one array of images 'n h w', 'n h w c' or 'n c h w' in {file}, got {held}; "
            "name it 'images' and its classes 'labels'"
        )
    return names[0]


def _channels_last(array: np.ndarray, place: str) -> np.ndarray:
    if array.ndim == 3 and array.size:
        return array[..., None]
    last = array.ndim == 4 and array.shape[3] in (1, 3, 4)
    first = array.ndim == 4 and array.shape[1] in (1, 3)
    if not (last or first) or not array.size:
        raise DataError(
            f"expected images 'n h w', 'n h w c' or 'n c h w' with 1 or 3 channels (or 4, the last of them "
            f"opacity) in {place}, got shape {array.shape}; transpose it to 'n h w c'"
        )
    return array if last else array.transpose(0, 2, 3, 1)


def _bytes(array: np.ndarray, values: tuple[float, float] | None, place: str) -> UInt8[np.ndarray, "n h w c"]:
    if array.dtype != np.uint8 or values is not None:
        array = _quantised(array, values or _usual(array, place), place)
    if array.shape[3] == 4:  # opacity: over white, as in image files
        opacity = array[..., 3:].astype(np.float32) / 255
        array = np.rint(array[..., :3] * opacity + 255 * (1 - opacity)).astype(np.uint8)
    return array


def _usual(array: np.ndarray, place: str) -> tuple[float, float]:
    """The range that a type of numbers has by itself."""
    if array.dtype == np.bool_:
        return (0.0, 1.0)
    if array.dtype == np.uint16:
        return (0.0, 65535.0)
    if array.dtype.kind in "iu" and array.min() >= 0 and array.max() <= 255:
        return (0.0, 255.0)
    if array.dtype.kind not in "iuf":
        raise DataError(f"expected numbers in {place}, got dtype {array.dtype}; save bytes (uint8)")
    raise DataError(
        f"expected bytes or a stated range in {place}, got {array.dtype} from {array.min()} to "
        f"{array.max()}; say what black and white are, for example values=(0, 1)"
    )


def _quantised(array: np.ndarray, values: tuple[float, float], place: str) -> np.ndarray:
    low, high = values
    if array.dtype.kind not in "biuf":
        raise DataError(f"expected numbers in {place}, got dtype {array.dtype}; save bytes (uint8)")
    outside = int(np.count_nonzero(~((array >= low) & (array <= high))))  # NaN is outside, too
    if outside:
        raise DataError(
            f"expected values from {low} to {high} in {place}, got {outside} of {array.size} outside; "
            "state their true range in values=(low, high) or mend the file"
        )
    quantised: np.ndarray = np.rint((array.astype(np.float32) - low) * (255 / (high - low)))
    return quantised.astype(np.uint8)


def _labels(found: Mapping[str, np.ndarray], split: Split, n: int, file: Path) -> Int[np.ndarray, " n"] | None:
    name = _first(found, LABELS[split])
    if name is None or found[name].dtype.kind not in "iu":
        return None
    labels = found[name].reshape(-1)
    if len(labels) != n:
        raise DataError(f"expected {n} labels in {file} [{name}], got {len(labels)}: one for every image")
    return labels.astype(np.int64)
