"""Data sets of the Hugging Face Hub, by name, through the `datasets` library."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agon.data.rows import Raw, Rows, numbered
from agon.data.source import Split
from agon.data.tables import class_names, image_column, label_column, pick
from agon.errors import DataError

TIMEOUT = 10.0  # seconds for the one question whether the Hub answers


class Hub(Rows):
    """One split of a data set of the Hub: downloaded as a whole, or streamed shard by shard."""

    def __init__(self, name: str, table: Any) -> None:
        import datasets

        self._name = name
        self._known = isinstance(table, datasets.Dataset)  # else an IterableDataset
        features = table.features or dict.fromkeys(next(iter(table)))
        self._image = image_column(features, name)
        self._label = label_column(features)
        names = class_names(features, self._label)
        values = list(table[self._label]) if self._known and self._label else []
        self.labels, self.classes = numbered(values, names)
        self._names = {name: i for i, name in enumerate(self.classes)}
        self.classes = self.classes or tuple(names or ())
        # the library must not decode: damaged images are counted and named by us
        self._table = table.cast_column(self._image, datasets.Image(decode=False)) if table.features else table

    def __len__(self) -> int:
        return len(self._table) if self._known else 0

    @property
    def parts(self) -> int:
        """One for a download, one a shard for a stream."""
        return 1 if self._known else int(self._table.num_shards)

    def part(self, number: int) -> Iterator[Raw]:
        """The images of one shard."""
        table = self._table if self.parts == 1 else self._table.shard(self.parts, number)
        try:
            for row, cells in enumerate(table):
                place = f"{self._name} row {row}" + (f" of shard {number}" if self.parts > 1 else "")
                yield Raw(place, _content(cells[self._image]), self._number(cells))
        except Exception as fault:  # of the network, the archive or the file system
            raise DataError(f"reading {self._name} from the Hub stopped ({fault}); try again") from fault

    def digest(self) -> str:
        """Of every image's stored bytes and label."""
        total = hashlib.sha256()
        for raw in self:
            content = raw.content.read_bytes() if isinstance(raw.content, Path) else bytes(raw.content)
            total.update(hashlib.sha256(content).digest() + repr(raw.label).encode())
        return total.hexdigest()

    def _number(self, cells: Mapping[str, Any]) -> int | None:
        value = cells[self._label] if self._label else None
        return value if isinstance(value, int) else self._names.get(str(value))


def is_name(path: str) -> bool:
    """Whether a path looks like "owner/name" on the Hub, and not like a file that is missing here.

    >>> is_name("ylecun/mnist"), is_name("./ylecun/mnist"), is_name("mnist"), is_name("a/b.npz")
    (True, False, False, False)
    """
    ending = path.endswith((".npz", ".npy", ".parquet", ".png", ".jpg", ".zip"))
    named = re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", path) is not None
    return named and not ending and not Path(path.split("/")[0]).exists()


def read_hub(name: str, *, subset: str | None, revision: str | None, streaming: bool) -> Mapping[Split, Rows]:
    """A data set of the Hub; one that was downloaded earlier is found without a network, too.

    Args:
        name: "owner/name".
        subset: one of its configurations; None where it has only one.
        revision: a commit, tag or branch; None for the newest.
        streaming: read it over the network as it is used instead of downloading it.

    Raises:
        DataError: it does not exist, the Hub cannot be reached, or it holds no images.
    """
    missing = _unreachable(name, revision)
    try:
        with _offline(missing is not None):
            splits = _load(name, subset, revision, streaming)
    except Exception as fault:  # the library raises its own, the network's and the formats' errors
        if missing is None:
            raise DataError(f"expected images in the Hub's data set {name}, but reading it failed: {fault}") from fault
        raise DataError(
            f"expected the data set {name} from the Hub, but the Hub cannot be reached ({missing}) and no "
            "earlier download is here; connect, or give the path of a local folder or file"
        ) from fault
    return {split: Hub(name, splits[own]) for split, own in pick(splits).items()}


def _unreachable(name: str, revision: str | None) -> str | None:
    """Why the Hub does not answer, or None; asked once, for `datasets` itself retries for 20 s and more."""
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
    except Exception as fault:  # offline mode, name service, proxy, time-out: each client has its own kinds
        return str(fault)
    return None


def _load(name: str, subset: str | None, revision: str | None, streaming: bool) -> Mapping[str, Any]:
    import datasets

    splits: Mapping[str, Any] = datasets.load_dataset(name, subset, revision=revision, streaming=streaming)
    return splits


@contextmanager
def _offline(wanted: bool) -> Iterator[None]:
    """Within it `datasets` looks only at what was downloaded earlier, without asking and retrying."""
    import datasets

    before = datasets.config.HF_HUB_OFFLINE
    datasets.config.HF_HUB_OFFLINE = before or wanted
    try:
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE = before


def _content(value: Any) -> bytes | Path:
    if not isinstance(value, Mapping):
        return value if isinstance(value, bytes) else b""
    if value.get("bytes") is not None:
        return bytes(value["bytes"])
    path = str(value.get("path"))
    if "://" not in path:
        return Path(path)
    import fsspec  # type: ignore[import-untyped]

    with fsspec.open(path, "rb") as stream:
        return bytes(stream.read())
