"""Which values of a score are good: every score declares its direction here."""

import math
from collections.abc import Container
from typing import NamedTuple


class Direction(NamedTuple):
    """Where the best values of a score are.

    Attributes:
        best: infinity if higher is better, minus infinity if lower is, or the best value itself.

    >>> HIGHER.sign, LOWER.words, Direction(0.5).sign
    ('↑', 'lower is better', '→ 0.5')
    """

    best: float

    @property
    def sign(self) -> str:
        """An arrow for tables."""
        return "↑" if self.best == math.inf else "↓" if self.best == -math.inf else f"→ {self.best:g}"

    @property
    def words(self) -> str:
        """The direction in words."""
        if math.isinf(self.best):
            return "higher is better" if self.best > 0 else "lower is better"
        return f"{self.best:g} is best"

    def badness(self, value: float) -> float:
        """How far from the best a value is; lower is better.

        >>> HIGHER.badness(0.25) > HIGHER.badness(0.75), Direction(0.5).badness(0.25)
        (True, 0.25)
        """
        if math.isinf(self.best):
            return -value if self.best > 0 else value
        return abs(value - self.best)


HIGHER, LOWER = Direction(math.inf), Direction(-math.inf)

DIRECTIONS: dict[str, Direction | None] = {  # None: describes, and no value is better than another
    "accuracy": HIGHER,
    "alike": LOWER,
    "auroc": None,
    "battle": None,
    "best-rank": HIGHER,
    "change": None,
    "classes": HIGHER,
    "collapsed": LOWER,
    "confidence": HIGHER,
    "copied": LOWER,
    "coverage": HIGHER,
    "critic-gap": LOWER,
    "critic-slope": None,
    "density": Direction(1.0),
    "detail": Direction(1.0),
    "distance": Direction(1.0),
    "distance-gain": None,
    "distance-kept": HIGHER,
    "distance-from-data": LOWER,
    "distance-to-data": LOWER,
    "divergence": LOWER,
    "early-distance": LOWER,
    "error": None,
    "exact-copies": LOWER,
    "feature-distance": LOWER,
    "fid": LOWER,
    "fid-shrunk": LOWER,
    "intra-fid-shrunk": LOWER,
    "intra-kid": LOWER,
    "fineness": Direction(1.0),
    "fineness-gain": None,
    "frechet-distance": LOWER,
    "frechet-distance-shrunk": LOWER,
    "from-half": LOWER,
    "fullest-class": LOWER,
    "inception-score": HIGHER,
    "jensen-shannon": LOWER,
    "jump": Direction(1.0),
    "kernel-distance": LOWER,
    "kid": LOWER,
    "mean": None,
    "median-ratio": Direction(1.0),
    "memorisation": Direction(0.5),
    "memorisation-held": Direction(0.5),
    "modes": HIGHER,
    "modes-held": LOWER,
    "movement": None,
    "nearest": None,
    "pairwise": LOWER,
    "precision": HIGHER,
    "quality": HIGHER,
    "r_train": None,
    "ratio": None,
    "recall": HIGHER,
    "recognised": HIGHER,
    "redrawn": None,
    "rejected": None,
    "redrawn-gain": None,
    "reconstruction": LOWER,
    "rendering-error": LOWER,
    "score": HIGHER,
    "seen": Direction(0.5),
    "seen-first": Direction(0.5),
    "seen-second": Direction(0.5),
    "second-term": None,
    "seconds-an-epoch": LOWER,
    "shift": None,
    "skill": HIGHER,
    "std-ratio": Direction(1.0),
    "still": LOWER,
    "straightness": None,
    "won": HIGHER,
}


RATIOS = frozenset(  # positive, and twice as large is as far away as half: compared as logarithms
    {
        "battle",
        "critic-slope",
        "detail",
        "distance",
        "distance-kept",
        "fineness",
        "jump",
        "median-ratio",
        "r_sample",
        "r_sample-batch",
        "r_test",
        "r_test-batch",
        "r_train",
        "ratio",
        "second-term",
        "seconds-an-epoch",
        "std-ratio",
    }
)


SHARES = frozenset(  # from 0 to 1, and so are the ends of their intervals
    {
        "accuracy",
        "alike",
        "auroc",
        "best-rank",
        "class-accuracy",
        "confidence",
        "coverage",
        "error",
        "exact-copies",
        "from-half",
        "fullest-class",
        "memorisation",
        "memorisation-held",
        "precision",
        "quality",
        "recall",
        "recognised",
        "rejected",
        "seen",
        "seen-first",
        "seen-second",
        "still",
        "straightness",
    }
)


def bounds_of(name: str) -> tuple[float, float]:
    """The least and the greatest value that a score can have.

    >>> bounds_of("pixels-precision"), bounds_of("kid")
    ((0.0, 1.0), (-inf, inf))
    """
    return (0.0, 1.0) if _ending(name, (*DIRECTIONS, *SHARES)) in SHARES else (-math.inf, math.inf)


def direction_of(name: str) -> Direction | None:
    """Return the direction of a score; None if it has none, or is unknown.

    A score of features has its extractor before its name, a score of paths their kind: the longest ending counts. What
    follows a space, as in a table of several measurements, does not.

    >>> direction_of("pixels-kernel-distance").sign, direction_of("linear-jump").sign, direction_of("foreign")
    ('↓', '→ 1', None)
    """
    return DIRECTIONS.get(_ending(name, DIRECTIONS))


def opposite(one: str, other: str) -> bool:
    """Whether higher is better for one score, and lower for the other.

    >>> opposite("classifier-score", "efficientnet-kernel-distance"), opposite("fid", "kid"), opposite("fid", "mean")
    (True, False, False)
    """
    directions = [direction_of(name) for name in (one, other)]
    return {direction.best for direction in directions if direction is not None} == {math.inf, -math.inf}


def is_ratio(name: str) -> bool:
    """Whether a score is a positive ratio, of which logarithms are compared.

    >>> is_ratio("linear-jump"), is_ratio("r_sample-batch"), is_ratio("pixels-kernel-distance")
    (True, True, False)
    """
    return _ending(name, (*DIRECTIONS, *RATIOS)) in RATIOS


def _ending(name: str, known: Container[str]) -> str:
    """The longest ending of a score's name that is known; empty if none is."""
    words = name.partition(" ")[0].split("-")
    endings = ("-".join(words[first:]) for first in range(len(words)))
    return next((ending for ending in endings if ending in known), "")
