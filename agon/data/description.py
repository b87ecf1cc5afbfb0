"""A source described in a few lines of text."""

from collections.abc import Iterable

from agon.data.source import Source, Split
from agon.untrusted import listed, printable


def describe(source: Source) -> str:
    """Describe a source: samples of each split, shape, range and classes. Reads no more than necessary.

    >>> from agon.data import Ring
    >>> print(describe(Ring()))
    ring
      train    endless
      test     endless
      shape    2
      range    no bounds
      classes  none
    """
    splits: list[Split] = ["train", "validation", "test"] if source.held_out == "validation" else ["train", "test"]
    counts = {split: source.count(split) for split in splits}
    rows: dict[str, str] = {split: "endless" if n is None else f"{n:,} samples" for split, n in counts.items()}
    rows["shape"] = " x ".join(map(str, source.shape))
    rows["range"] = "no bounds" if source.range is None else f"{source.range[0]:g} to {source.range[1]:g}"
    rows["classes"] = f"{len(source.classes)}: {listed(source.classes)}" if source.classes else "none"
    for key, remark in source.remarks().items():
        rows[key] = f"{rows[key]} ({remark})" if key in rows else remark
    name = printable(str(getattr(source, "path", type(source).__name__.lower())))
    return "\n".join([name, *aligned(rows.items())])


def aligned(rows: Iterable[tuple[str, str]], width: int = 8) -> list[str]:
    """A line for each name and text, the texts below each other.

    >>> aligned([("shape", "2"), ("similar", "none")])
    ['  shape    2', '  similar  none']
    """
    rows = list(rows)
    width = max([width, *(len(name) for name, _ in rows)])
    return [f"  {name:{width}} {text}" for name, text in rows]
