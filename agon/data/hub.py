"""Data sets of the Hugging Face Hub, by name, through the `datasets` library."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agon.data.cells import class_names, content_of, image_column, label_column
from agon.data.decode import Content, stored
from agon.data.labels import OFF, Column, Labels, numbered
from agon.data.names import pick
from agon.data.rows import ImageRows, Raw
from agon.data.source import Split
from agon.errors import DataError, require
from agon.untrusted import listed, shortened

TIMEOUT = 10.0  # seconds for the one request that checks whether the Hub answers
STREAM = "the classes of a stream are known only where the set names them; set data.streaming=false to read it whole"


class Hub(ImageRows):
    """One split of a data set on the Hub, downloaded as a whole or streamed shard by shard."""

    def __init__(self, name: str, table: Any) -> None:
        import datasets

        self._name = name
        self._known = isinstance(table, datasets.Dataset)  # else an IterableDataset
        features = table.features or dict.fromkeys(next(iter(table)))
        image = image_column(features)
        if image is None:
            raise DataError(
                f"expected a column of images in {name}, got the columns {listed(features)}; read numbers in Python, "
                "with agon.data.of(datasets.load_dataset(...))"
            )
        self._image = image
        self._label = label_column(features)
        self._names = class_names(features, self._label)
        # the library must not decode, because we count and name damaged images
        self._table = table.cast_column(self._image, datasets.Image(decode=False)) if table.features else table

    def column(self) -> Column:
        """The labels of all images; None for those of a stream, which are not known yet."""
        place = f"column '{self._label}' of {self._name}" if self._label else self._name
        values = list(self._table[self._label]) if self._label and self._known else [None] * len(self)
        return Column(place, values, self._names)

    def label(self, labels: Labels) -> None:
        """Set the labels; for a stream, only the names of the classes."""
        if not self._known and labels.classes:
            labels = labels._replace(numbers=None, reason="")
        elif not self._known and self._label and labels.reason != OFF:
            labels = labels._replace(reason=STREAM)
        super().label(labels)

    def __len__(self) -> int:
        return len(self._table) if self._known else 0

    @property
    def parts(self) -> int:
        """One part for a download, or one for each shard of a stream."""
        return 1 if self._known else int(self._table.num_shards)

    def part(self, number: int) -> Iterator[Raw]:
        """The images of one shard."""
        table = self._table if self.parts == 1 else self._table.shard(self.parts, number)
        try:
            for row, cells in enumerate(table):
                place = f"{self._name} row {row}" + (f" of shard {number}" if self.parts > 1 else "")
                yield Raw(place, _content(cells[self._image]), self._number(row, cells))
        except Exception as fault:  # from the network, the archive or the file system
            raise DataError(
                f"reading {self._name} from the Hub stopped ({shortened(str(fault))}); try again"
            ) from fault

    def digest(self) -> str:
        """Hash of every image's stored bytes and label."""
        total = hashlib.sha256()
        for raw in self:
            total.update(hashlib.sha256(stored(raw.content)).digest() + repr(raw.label).encode())
        return total.hexdigest()

    def _number(self, row: int, cells: Mapping[str, Any]) -> int | None:
        if self._known:
            return None if self.labels is None else int(self.labels[row])
        value = cells[self._label] if self._label and self.classes else None
        return value if isinstance(value, int) and 0 <= value < len(self.classes) else None


def read_hub(
    name: str, *, subset: str | None, revision: str | None, streaming: bool, labelled: bool = True
) -> Mapping[Split, ImageRows]:
    """Read a data set of the Hub; without a network, an earlier download is used.

    Args:
        name: "owner/name".
        subset: one of its configurations; None if it has only one.
        revision: a commit, tag or branch; None for the newest.
        streaming: whether to read it over the network during use instead of downloading it.
        labelled: whether to read labels.

    Raises:
        DataError: the set does not exist, the Hub cannot be reached, or the set holds no images.
    """
    require("datasets", "fsspec", "huggingface_hub")
    missing = _unreachable(name, revision)
    try:
        with _offline(missing is not None):
            splits = _load(name, subset, revision, streaming)
    except Exception as fault:  # the library raises its own, the network's and the formats' errors
        if missing is None:
            raise DataError(
                f"expected images in the Hub's data set {name}, but reading it failed: {shortened(str(fault))}"
            ) from fault
        raise DataError(
            f"expected the data set {name} from the Hub, but the Hub cannot be reached ({shortened(missing)}) and no "
            "earlier download is here; connect, or give the path of a local folder or file"
        ) from fault
    chosen = pick(splits)
    rows_of = {split: Hub(name, splits[hub_split]) for split, hub_split in chosen.items()}
    labels = numbered({split: [rows.column()] for split, rows in rows_of.items() if labelled})
    spare = [_counted(other, splits[other]) for other in splits if other not in chosen.values()]
    for split, rows in rows_of.items():
        rows.label(labels[split] if labelled else Labels(None, (), OFF))
        rows.left_out = (f"the set's splits {listed(spare)}",) if spare else ()
    return rows_of


def _counted(split: str, table: Any) -> str:
    """A split's name, with its number of images where that is known before they are read."""
    return f"{split} ({len(table):,} images)" if hasattr(table, "__len__") else split


def _unreachable(name: str, revision: str | None) -> str | None:
    """The reason why the Hub does not answer, or None; checked once, because `datasets` retries for 20 s or more."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    try:
        HfApi().dataset_info(name, revision=revision, timeout=TIMEOUT)
    except (RepositoryNotFoundError, RevisionNotFoundError) as fault:
        version = f" (revision {revision})" if revision else ""
        raise DataError(
            f"expected a data set on the Hub, but there is no public {name}{version}; check the name, or "
            "log in with `hf auth login` if it is private"
        ) from fault
    except Exception as fault:  # offline mode, name service, proxy, time-out: each client raises other types
        return str(fault)
    return None


def _load(name: str, subset: str | None, revision: str | None, streaming: bool) -> Mapping[str, Any]:
    import datasets

    splits: Mapping[str, Any] = datasets.load_dataset(name, subset, revision=revision, streaming=streaming)
    return splits


@contextmanager
def _offline(wanted: bool) -> Iterator[None]:
    """A context in which `datasets` uses only earlier downloads, without requests and retries."""
    import datasets

    before = datasets.config.HF_HUB_OFFLINE
    datasets.config.HF_HUB_OFFLINE = before or wanted
    try:
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE = before


def _content(value: Any) -> Content:
    if not isinstance(value, Mapping) or value.get("bytes") is not None:
        return content_of(value, Path())
    path = str(value.get("path"))
    if "://" not in path:
        return Path(path)  # a file that the library downloaded
    import fsspec  # type: ignore[import-untyped]

    with fsspec.open(path, "rb") as stream:
        return bytes(stream.read())
