"""Tables of plain dictionaries as data frames, where pandas is installed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from agon.errors import NotInstalledError, installed

if TYPE_CHECKING:
    import pandas


def data_frames(tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> "dict[str, pandas.DataFrame]":
    """Each table, a list of rows by column, as a data frame.

    Raises:
        NotInstalledError: pandas is not installed.
    """
    if not installed("pandas"):
        raise NotInstalledError("expected pandas, which is not installed; pip install pandas, or use .tables")
    import pandas

    return {name: pandas.DataFrame(rows) for name, rows in tables.items()}
