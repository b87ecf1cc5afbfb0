"""What runs are called beside each other."""

from collections.abc import Sequence
from pathlib import Path, PurePath


def names(paths: Sequence[Path]) -> list[str]:
    """The shortest ends of the paths that differ; a path that is given twice has one name.

    Args:
        paths: at least one, of runs or of what they are compared with.

    >>> names([Path("a/gan/0"), Path("a/gan/1")]), names([Path("/a/gan/0"), Path("/a/wgan/0")])
    (['0', '1'], ['gan/0', 'wgan/0'])
    """
    return ends([path.resolve() for path in paths])


def ends(paths: Sequence[PurePath]) -> list[str]:
    """As `names`, of paths as they are: those of another machine are not looked up on this one's disk."""
    deepest = max(len(path.parts) for path in paths)
    for depth in range(1, deepest):
        found = [PurePath(*path.parts[-depth:]).as_posix() for path in paths]
        if len(set(found)) == len(set(paths)):
            return found
    return [path.as_posix() for path in paths]
