"""Numbers that are no images: points of any dimension, from tables and arrays, and series."""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple, get_args

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

from agon.data import expect
from agon.data.alignment import aligned
from agon.data.finite import Finite
from agon.data.labels import OFF, Column, Labels, numbered
from agon.data.layouts import Layout
from agon.data.number_files import read_numbers
from agon.data.order import Order
from agon.data.scaling import Scaling, measured, refuse_infinite
from agon.data.source import MEMORY, Opened, Source, Split
from agon.data.splits import Membership, class_number
from agon.data.table import Table
from agon.errors import DataError
from agon.places import CONTENT, located
from agon.untrusted import listed, printable

COLUMNS = 10_000  # most columns or channels, since experiment.json holds a few numbers for each


class Splits(NamedTuple):
    """What is read of a set of numbers: the tables of its splits, and their labels."""

    tables: Mapping[Split, Table]
    labels: Mapping[Split, Labels]


@dataclass(frozen=True, kw_only=True)
class Numeric(Source):
    """Points "n d" or series "n c t" of a table or an array, scaled for training: x = (stored - offset) / scale.

    Each column of points, or each channel of series, has its own offset and scale. `restored` maps samples back. A run
    writes columns, offset and scale in its experiment.json, so that its samples need no data.

    Args:
        path: a .csv, .tsv, .parquet, .npy or .npz file; or "sha256:..." of data that were handed over in Python, see
            `agon.data.of`. Paths are made absolute.
        columns: names of a table's columns, in order; None takes all numbers except a column of labels (named label,
            class or target, with words or whole numbers).
        layout: "n d" or "n c t", for an array that could be either or images.
        scaling: "standard" gives mean 0 and standard deviation 1, "range" gives -1 to 1, over the training split;
            "none" leaves the numbers as they are.
        offset: of each column or channel; None takes it from the training split as `scaling` says.
        scale: of each column or channel, above 0; None as for offset.
        only: one class, by number or name.
        holdout: share of the rows held out as "test" if the set has no test split, in [0, 1).
        skip_missing: leave out rows in which a number is missing, instead of raising an error.
        labelled: whether to read labels.
        content: the numbers of a "sha256:..." path, from `agon.data.of`; it is no setting, and not written in runs.

    Raises:
        SettingError: a value has the wrong type or is out of range.

    >>> from agon.data import of
    >>> source = of([[1.0, 10.0], [3.0, 30.0], [5.0, 50.0]], holdout=0.0)
    >>> source.shape, source.settled().offset
    ((2,), (3.0, 30.0))
    """

    path: str = ""
    columns: tuple[str, ...] | None = None
    layout: Layout | None = None
    scaling: Scaling = "standard"
    offset: tuple[float, ...] | None = None
    scale: tuple[float, ...] | None = None
    only: int | str | None = None
    holdout: float = 0.1
    skip_missing: bool = False
    labelled: bool = True
    content: Mapping[Split, Table] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        path: object = os.fspath(self.path) if isinstance(self.path, os.PathLike) else self.path
        if not isinstance(path, str) or not path or "\0" in path:
            raise expect.setting(self, "path", "a .csv, .tsv, .parquet, .npy or .npz file", path)
        object.__setattr__(self, "path", located(path))
        if self.layout not in (None, "n d", "n c t"):
            raise expect.setting(self, "layout", "'n d' or 'n c t'", self.layout)
        if self.scaling not in get_args(Scaling):
            raise expect.setting(self, "scaling", "'standard', 'range' or 'none'", self.scaling)
        if self.columns is not None:
            self._check_columns()
        for name in ("offset", "scale"):
            if getattr(self, name) is not None:
                self._check_numbers(name)
        if self.columns is not None:
            self._check_lengths(self.columns)
        if self.only is not None and type(self.only) not in (int, str):
            raise expect.setting(self, "only", "a class's number or name, or None for all", self.only)
        expect.share(self, holdout=self.holdout)
        expect.flags(self, {name: getattr(self, name) for name in ("skip_missing", "labelled")})

    def _check_columns(self) -> None:
        names = (self.columns,) if isinstance(self.columns, str) else tuple(self.columns or ())
        if not names or any(type(name) is not str for name in names) or len(set(names)) < len(names):
            raise expect.setting(self, "columns", "names of different columns, or None for all", self.columns)
        object.__setattr__(self, "columns", names)

    def _check_numbers(self, name: str) -> None:
        value = getattr(self, name)
        numbers = tuple(value) if isinstance(value, list | tuple) else (value,)
        expect.finite(self, **{f"{name}[{i}]": number for i, number in enumerate(numbers)})
        if not numbers or (name == "scale" and min(numbers) <= 0):
            raise expect.setting(self, name, "a number for each column, above 0 for a scale", value)
        object.__setattr__(self, name, tuple(map(float, numbers)))

    def _check_lengths(self, names: Sequence[str]) -> None:
        """Refuse an offset or a scale that is not of each column or channel."""
        for name in ("offset", "scale"):
            stated = getattr(self, name)
            if stated is not None and len(stated) != len(names):
                raise expect.setting(self, name, f"a number for each of the {len(names)} columns", stated)

    @property
    def shape(self) -> tuple[int, ...]:
        """(d,) for points, (c, t) for series."""
        if self.known is not None:
            return self.known.shape
        return tuple(self._read().tables["train"].values.shape[1:])

    @property
    def range(self) -> tuple[float, float] | None:
        """(-1, 1) with scaling "range", which the held-out samples may exceed; else None."""
        return (-1.0, 1.0) if self.scaling == "range" else None

    def count(self, split: Split = "train") -> int | None:
        """Number of rows in the split."""
        return len(self._members(self._read(), split))

    @property
    def classes(self) -> Sequence[str]:
        """Names of the classes, in the order of their labels."""
        return self.known.classes if self.known is not None else self._read().labels["train"].classes

    def remarks(self) -> dict[str, str]:
        """The columns, how they are scaled, and what was left out."""
        raw, read = self._stored(), self._read()
        train, settled = read.tables["train"], self.settled()
        notes = {"columns" if train.values.ndim == 2 else "channels": listed(train.names)}
        notes["scaling"] = f"{self.scaling}; offset {_few(settled.offset)}, scale {_few(settled.scale)}"
        if not read.labels["train"].classes:
            notes["classes"] = printable(read.labels["train"].reason)
        rows = sum(len(raw[split].values) - len(table.values) for split, table in read.tables.items())
        left_out = [f"the columns {listed(train.left_out)}, which hold no numbers"] if train.left_out else []
        left_out += [f"{rows:,} rows with a missing number"] if rows else []
        return {**notes, **({"left out": "; ".join(left_out)} if left_out else {})}

    def check(self) -> str:
        """Read every row."""
        return f"all {sum(len(table.values) for table in self._read().tables.values()):,} rows can be read"

    def settled(self) -> "Numeric":
        """The same source with columns, offset and scale stated, as a run writes it."""
        if self.offset is not None and self.scale is not None and (self.columns or self.layout == "n c t"):
            return self
        read = self._read()
        train = read.tables["train"]
        if len(train.names) > COLUMNS:
            raise DataError(
                f"expected at most {COLUMNS:,} columns in {self.path}, whose scales a run can write down, got "
                f"{len(train.names):,}; choose some, or take principal components"
            )
        values = train.values[self._members(read, "train").numpy()]
        middle, width = self.offset, self.scale
        if middle is None or width is None:
            middle, width = measured(train, values, self.scaling)
        return replace(
            self,
            columns=train.names if values.ndim == 2 else None,
            layout="n d" if values.ndim == 2 else "n c t",
            offset=middle if self.offset is None else self.offset,
            scale=width if self.scale is None else self.scale,
        )

    def open(
        self,
        *,
        seed: int,
        split: Split = "train",
        device: torch.device | str = "cpu",
        memory: int = MEMORY,
        cache: Path | None = None,
    ) -> Opened:
        """Read and scale the numbers; more than `memory` bytes of them are not kept on the device.

        Raises:
            DataError: the file cannot be read, or a number is missing.
        """
        table, labels, members = self._split(split)
        samples = self.scaled(torch.from_numpy(table.values[members.numpy()])).float()
        refuse_infinite(samples, table)
        numbers = None if labels.numbers is None else torch.from_numpy(labels.numbers)[members]
        return Finite(
            samples.to(device) if samples.nbytes <= memory else samples,
            labels=numbers,
            seed=seed,
            device=device,
            fingerprint=self._fingerprint(table, split),
        )

    def first(self, n: int, *, seed: int = 0, split: Split = "train") -> Float[Tensor, "n ..."]:
        """The rows that `take` draws, or all if there are fewer, exactly as they are stored, in float64."""
        table, _, members = self._split(split)
        rows = members[Order(len(members), seed)(min(n, len(members)), 0)]
        return torch.from_numpy(table.values[rows.numpy()]).double()

    def scaled(self, stored: Shaped[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        """(stored - offset) / scale, in float64."""
        offset, scale = self._units(stored)
        return (stored.double() - offset) / scale

    def restored(self, samples: Shaped[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        """samples · scale + offset, in float64, since an offset can be large."""
        offset, scale = self._units(samples)
        return samples.double() * scale + offset

    def _units(self, samples: Shaped[Tensor, "n ..."]) -> tuple[Tensor, Tensor]:
        settled = self.settled()
        columns = len(settled.offset or ())
        if samples.ndim < 2 or samples.shape[1] != columns:
            raise DataError(
                f"expected samples with the {columns} columns or channels of {self.path}, got samples of shape "
                f"{tuple(samples.shape[1:])}; give them the same ones"
            )
        shape = (-1,) if samples.ndim == 2 else (-1, 1)  # d, or c t
        offset, scale = (torch.tensor(numbers, dtype=torch.float64) for numbers in (settled.offset, settled.scale))
        return offset.reshape(shape), scale.reshape(shape)

    def _stored(self) -> Mapping[Split, Table]:
        if not self.path.startswith(CONTENT):
            return read_numbers(Path(self.path), self.layout)
        if self.content is None:
            raise handed_over(self.path)
        return self.content

    def _read(self) -> Splits:
        chosen = aligned(self._stored(), self.columns)
        self._check_lengths(chosen["train"].names)
        tables = {split: table.whole(skip_missing=self.skip_missing) for split, table in chosen.items()}
        labels = numbered({split: [_labels(table)] for split, table in tables.items()}) if self.labelled else {}
        return Splits(tables, {split: labels.get(split, Labels(None, (), OFF)) for split in tables})

    def _split(self, split: Split) -> tuple[Table, Labels, Int[Tensor, " m"]]:
        """The table and the labels that hold a split, and its rows in them."""
        read = self._read()
        members = self._members(read, split)
        if not len(members):
            raise DataError(f"expected rows in the split '{split}' of {self.path}, got none; set holdout above 0")
        return read.tables.get(split, read.tables["train"]), read.labels.get(split, read.labels["train"]), members

    def _members(self, read: Splits, split: Split) -> Tensor:
        expect.split(self, split)
        labels = read.labels.get(split, read.labels["train"])
        only = class_number(self.only, read.labels["train"].classes, self.path, read.labels["train"].reason)
        share = None if "test" in read.tables else self.holdout
        rows = len(read.tables.get(split, read.tables["train"]).values)
        return Membership(split=split, share=share, only=only).members(rows, labels.numbers)

    def _fingerprint(self, table: Table, split: Split) -> str:
        settled = self.settled()
        how = (split, self.only, self.holdout, settled.offset, settled.scale, self.labelled)
        return hashlib.sha256(f"{table.digest()} {how!r}".encode()).hexdigest()


def handed_over(path: str) -> DataError:
    """The error for data that exist in another process only."""
    return DataError(
        f"expected the data that were handed over in Python, of which a run keeps only the checksum {path}; hand them "
        "over again with agon.resume(run, data=...) or agon.evaluate(run, data=...), or begin a new run from a file"
    )


def _labels(table: Table) -> Column:
    return table.labels if table.label else Column(table.place, [])


def _few(numbers: Sequence[float] | None) -> str:
    return listed([f"{number:.4g}" for number in numbers or ()])
