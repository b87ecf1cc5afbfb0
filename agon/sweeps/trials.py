"""The trials of a sweep: all combinations of some values, or random draws; and the names of their folders."""

import itertools
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import NamedTuple

import numpy as np

from agon.errors import SettingError
from agon.runs.naming import ends

MOST = 1_000  # trials of a sweep
LONGEST = 80  # characters of a trial's name
BOUNDS = re.compile(r"([-+\w.]+?)\.\.([-+\w.]+)")
Settings = Mapping[str, str]  # path of a setting -> its value, as it is typed


class Interval(NamedTuple):
    """The range of a setting in a random search, with both ends.

    Attributes:
        low: least value.
        high: greatest value.
        whole: whether the values are whole numbers.

    >>> Interval.read("1e-5..1e-3")
    Interval(low=1e-05, high=0.001, whole=False)
    >>> Interval.read("0.5") is None
    True
    """

    low: float
    high: float
    whole: bool

    @classmethod
    def read(cls, text: str) -> "Interval | None":
        """Read LOW..HIGH; None for any other text.

        Raises:
            SettingError: an end is not a finite number, or the ends are not in order.
        """
        match = BOUNDS.fullmatch(text)
        if match is None:
            return None
        try:
            low, high = float(match[1]), float(match[2])
        except ValueError:
            return None
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise SettingError(f"over: expected a range LOW..HIGH, such as 1e-5..1e-3, got {text}")
        whole = all(re.fullmatch(r"[-+]?\d+", end) for end in match.groups())
        return cls(low, high, whole)

    @property
    def logarithmic(self) -> bool:
        """Whether values are drawn log-uniformly: where all of them are above 0."""
        return self.low > 0

    def draw(self, rng: np.random.Generator) -> str:
        """Draw a value, as the text of four digits that the trial then has.

        Uniform in log x where the range is above 0, else uniform in x.
        """
        low, high = (math.log(self.low), math.log(self.high)) if self.logarithmic else (self.low, self.high)
        value = rng.uniform(low, high)
        return self.text(math.exp(value) if self.logarithmic else value)

    def text(self, value: float) -> str:
        """Return the text of a value: a whole number, or four digits; all digits where four leave the range.

        >>> Interval(1.2344, 2.0, whole=False).text(1.50001), Interval(1.2344, 2.0, whole=False).text(1.23441)
        ('1.5', '1.23441')
        """
        if self.whole:
            return str(round(value))
        short = f"{value:.4g}"
        return short if self.low <= float(short) <= self.high else repr(value)


def grid(over: Mapping[str, Sequence[str]]) -> list[Settings]:
    """Return all combinations; the last setting changes fastest.

    >>> grid({"lr": ["0.1", "0.2"], "steps": ["5"]})
    [{'lr': '0.1', 'steps': '5'}, {'lr': '0.2', 'steps': '5'}]

    Raises:
        SettingError: there is nothing to vary, a range, or too many combinations.
    """
    refuse_empty(over)
    for path, values in over.items():
        if any(Interval.read(value) for value in values):
            raise SettingError(f"over {path}: expected values, got a range; --search random --trials N draws from it")
    count = math.prod(len(values) for values in over.values())
    if count > MOST:
        raise SettingError(f"over: expected at most {MOST:,} combinations, got {count:,}; give fewer values")
    return [dict(zip(over, values, strict=True)) for values in itertools.product(*over.values())]


def draws(over: Mapping[str, Sequence[str]], count: int, seed: int) -> list[Settings]:
    """Return random trials: of a range LOW..HIGH any value, of several values one of them.

    Trials are drawn one after another from one stream, so that more of them begin with the same ones. Source: Bergstra
    and Bengio 2012.

    Args:
        over: path -> values, or one range.
        count: number of trials, from 1 to 1,000.
        seed: of the draws.

    Raises:
        SettingError: there is nothing to vary.
    """
    refuse_empty(over)
    rng = np.random.default_rng(seed)
    return [{path: _drawn(values, rng) for path, values in over.items()} for _ in range(count)]


def _drawn(values: Sequence[str], rng: np.random.Generator) -> str:
    choice = values[int(rng.integers(len(values)))] if len(values) > 1 else values[0]
    interval = Interval.read(choice)
    return choice if interval is None else interval.draw(rng)


def refuse_empty(over: Mapping[str, Sequence[str]]) -> None:
    """Raise a SettingError if there is nothing to vary, or a setting that cannot be varied."""
    if not over:
        raise SettingError("over: expected settings to vary, such as optimisers.lr, got none")
    for path, values in over.items():
        if not values:
            raise SettingError(f"over {path}: expected one value or more, got none")
        if len(set(values)) < len(values):
            raise SettingError(f"over {path}: expected values that differ, got {', '.join(values)}")
        if path == "seed":
            raise SettingError("over seed: expected a setting, got the seed; --seeds N trains each trial N times")


def names_of(trials: Sequence[Settings]) -> list[str]:
    """Return the name of each trial's folder, which says its settings.

    >>> names_of([{"optimisers.lr": "1e-4", "dynamics.steps": "5"}, {"optimisers.lr": "1e-4", "dynamics.steps": "0"}])
    ['lr=1e-4,steps=5', 'lr=1e-4,steps=0']
    """
    short = short_names(list(trials[0])) if trials else {}
    seen: Counter[str] = Counter()
    names = []
    for trial in trials:
        name = ",".join(f"{short[path]}={_plain(value)}" for path, value in trial.items())[:LONGEST]
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name},{seen[name]}")
    return names


def short_names(paths: Sequence[str]) -> dict[str, str]:
    """Return the shortest ends of settings' paths that differ.

    >>> short_names(["optimisers.generator.lr", "optimisers.critic.lr"])
    {'optimisers.generator.lr': 'generator.lr', 'optimisers.critic.lr': 'critic.lr'}
    """
    short = ends([PurePath(path.replace(".", "/")) for path in paths])
    return {path: end.replace("/", ".") for path, end in zip(paths, short, strict=True)}


def _plain(value: str) -> str:
    """A value with the characters of a folder's name alone."""
    return re.sub(r"[^\w.+-]+", "-", value).strip("-" if not value.startswith("-") else "") or "empty"
