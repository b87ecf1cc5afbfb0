"""A source of whatever a user has in Python: arrays, tensors, data sets, data frames, pictures, paths."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agon.arguments import written
from agon.data.by_name import named, with_fields
from agon.data.contents import Content, Numbers, Pictures, gathered, labelled_rows, leveled
from agon.data.images import Images
from agon.data.numeric import Numeric
from agon.data.pairs import parted
from agon.data.source import Source, Split
from agon.data.table import Table
from agon.errors import DataError, SettingError
from agon.places import CONTENT
from agon.untrusted import listed

HELD = ("test", "validation", "valid", "val")  # names of the split that is held out; the first that exists is taken


def of(x: Any, *, labels: Any = None, **settings: Any) -> Source:
    """The source of any data: what they are decides between `Images` and `Numeric`.

    Args:
        x: an array or a tensor ("n d", "n h w", "n h w c", "n c h w", or series "n c t"); a pair of one and its labels;
            a torch `Dataset` or `DataLoader`; a data frame of pandas or polars, or an Arrow table; a `Dataset` or
            `DatasetDict` of Hugging Face; an iterable of pictures, arrays or tensors; a mapping of "train" and "test"
            to any of these; or a path or name as on the command line. A source is returned as it is.
        labels: one label for each sample: class numbers, names, or one-hot rows.
        **settings: fields of `Images` or `Numeric`, such as layout, values, size, scaling or holdout.

    Returns:
        The source. Data in memory are described by the checksum of their content.

    Raises:
        DataError: what x means is not clear, or it holds no samples.
        SettingError: the source has no such field, or a field does not accept the value.

    >>> import numpy as np
    >>> of(np.zeros((100, 5))).shape, of(np.zeros((100, 28, 20), np.uint8)).shape
    ((5,), (1, 28, 20))
    """
    if isinstance(x, Source):
        return replace(x, **settings) if settings else x
    if isinstance(x, str | os.PathLike):
        return named(os.fspath(x), **settings)
    if isinstance(x, type):
        raise SettingError(f"data: expected data, got the class {x.__name__}; write {written(x)}")
    values = Images(values=settings.get("values")).values  # checked
    parts: dict[Split, Content | Numbers] = {}
    for split, (samples, targets) in _splits(x, labels).items():
        place = f"the {type(x).__name__}" + (f" of the split '{split}'" if isinstance(x, Mapping) else "")
        parts[split] = gathered(samples, targets, place, settings.get("layout"), values)
    contents = leveled(parts, values)
    kinds = {type(content) for content in contents.values()}
    if kinds == {Table}:
        return _numeric({split: part for split, part in contents.items() if isinstance(part, Table)}, settings)
    if kinds == {Pictures}:
        return _images({split: part for split, part in contents.items() if isinstance(part, Pictures)}, settings)
    raise DataError("expected splits of one kind, got images in one and numbers in the other; give both one shape")


def given_again(source: Source, x: Any) -> Source:
    """A run's source with its data, which were handed over in Python, in place again.

    Args:
        source: the source as the run's experiment.json describes it.
        x: the same data, as for `of`.

    Raises:
        SettingError: the source reads its data itself.
        DataError: the data are not those of the run.
    """
    if not isinstance(source, Images | Numeric) or not source.path.startswith(CONTENT):
        raise SettingError(
            f"data: expected none, since the run's {type(source).__name__} reads its data itself; leave `data` out"
        )
    names = ("layout", "values", "labelled") if isinstance(source, Images) else ("layout",)
    again = of(x, **({} if isinstance(x, Source) else {name: getattr(source, name) for name in names}))
    if not isinstance(again, type(source)) or again.path != source.path:
        raise DataError(
            f"expected the data that the run was begun with, {source.path}, got others, "
            f"{getattr(again, 'path', type(again).__name__)}; hand over the same, or begin a new run"
        )
    content: Any = again.content
    if isinstance(source, Numeric):
        content = {split: table.under(source.columns) for split, table in content.items()}
    return replace(source, content=content)


def kept_in_memory(source: Source) -> Source | None:
    """The source itself, if its data were handed over in Python and are at hand; None for one that reads its data."""
    if isinstance(source, Images | Numeric) and source.path.startswith(CONTENT) and source.content is not None:
        return source
    return None


def _splits(x: Any, labels: Any) -> dict[Split, tuple[Any, Any]]:
    """The samples and labels of each split."""
    if isinstance(x, Mapping):
        held = next((name for name in HELD if name in x), None)
        if "train" not in x or labels is not None:
            raise DataError(
                f"expected splits 'train' and 'test', got a mapping of {listed(x)}"
                + (" and labels, which belong to one split; pair each split with its own" if "train" in x else "")
            )
        train = parted(x["train"])
        return {"train": train} if held is None else {"train": train, "test": parted(x[held])}
    return {"train": (x, labels) if labels is not None else parted(x)}


def _numeric(tables: Mapping[Split, Table], settings: Mapping[str, Any]) -> Source:
    path = _checksum({split: table.digest() for split, table in tables.items()})
    return with_fields(Numeric, {**settings, "path": path, "content": tables})


def _images(pictures: Mapping[Split, Pictures], settings: Mapping[str, Any]) -> Source:
    rows = labelled_rows(pictures, labelled=settings.get("labelled", True))
    path = _checksum({split: part.identity() for split, part in rows.items()})
    train = pictures["train"]
    stated = {"layout": train.layout, "values": train.values}
    fields = {**settings, **{name: value for name, value in stated.items() if value is not None}}
    return with_fields(Images, {**fields, "path": path, "content": rows})


def _checksum(digests: Mapping[Split, str]) -> str:
    return CONTENT + hashlib.sha256(repr(sorted(digests.items())).encode()).hexdigest()
