"""The image in a table's cell: a file's bytes, or a path relative to the table."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agon.data.decode import Content, NoImage
from agon.untrusted import shortened

IMAGES = ("image", "img", "images", "picture", "photo")
LABELS = ("label", "labels", "fine_label", "class", "target")


def image_column(features: Mapping[str, Any]) -> str | None:
    """The column of images: the first of type Image, else the first with a usual name, else None."""
    typed = [name for name, kind in features.items() if type(kind).__name__ == "Image"]
    named = [name for name in IMAGES if name in features]
    return next(iter(typed + named), None)


def label_column(features: Mapping[str, Any]) -> str | None:
    """The column of class numbers or names, or None."""
    return next((name for name in LABELS if name in features), None)


def class_names(features: Mapping[str, Any], column: str | None) -> list[str] | None:
    """The class names that a column of type ClassLabel states, or None."""
    return None if column is None else getattr(features[column], "names", None)


def content_of(value: Any, folder: Path) -> Content:
    """The content of a cell.

    Args:
        value: the cell's value: bytes, a path, or a struct of both, as the Hub stores them.
        folder: the folder to which a path is relative, and in which it must stay.
    """
    if isinstance(value, Mapping):
        value = value.get("bytes") or value.get("path")
    if isinstance(value, bytes) and value:
        return value
    if value is None or value in ("", b""):
        return NoImage("its cell is empty")
    if not isinstance(value, str):
        return NoImage(f"its cell holds a {type(value).__name__}, expected an image file's bytes or a path")
    if "://" in value or "\0" in value or Path(value).is_absolute() or ".." in Path(value).parts:
        return NoImage(f"its cell names {shortened(value)}, expected a path relative to the table and below it")
    return folder / value


def may_hold_paths(about: Any, column: str) -> bool:
    """Whether cells of an image column may hold only paths, judging by the parquet file's metadata."""
    for group in range(about.num_row_groups):
        row_group = about.row_group(group)
        for number in range(row_group.num_columns):
            leaf = row_group.column(number)
            if leaf.path_in_schema == column and str(about.schema.column(number).logical_type) == "String":
                return True
            if leaf.path_in_schema == f"{column}.bytes":
                known = leaf.statistics is not None and leaf.statistics.has_null_count
                if not known or leaf.statistics.null_count:
                    return True
    return False
