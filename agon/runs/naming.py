"""Short names for several runs."""

from collections.abc import Sequence
from pathlib import Path, PurePath


def names(paths: Sequence[Path]) -> list[str]:
    """Return the shortest ends of the paths that differ; equal paths have equal names.

    Args:
        paths: at least one path, of runs or of what they are compared with.

    >>> names([Path("a/gan/0"), Path("a/gan/1")]), names([Path("/a/gan/0"), Path("/a/wgan/0")])
    (['0', '1'], ['gan/0', 'wgan/0'])
    """
    return ends([path.resolve() for path in paths])


def ends(paths: Sequence[PurePath]) -> list[str]:
    """Return the shortest ends that differ, without resolving the paths, which may be of another machine."""
    deepest = max(len(path.parts) for path in paths)
    for depth in range(1, deepest):
        short = [PurePath(*path.parts[-depth:]).as_posix() for path in paths]
        if len(set(short)) == len(set(paths)):
            return short
    return [path.as_posix() for path in paths]
