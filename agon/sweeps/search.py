"""How a sweep chooses its trials: all combinations of values, random draws, or Bayesian search."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from agon.errors import SettingError
from agon.sweeps.trials import MOST


@dataclass(frozen=True)
class RandomSearch:
    """Draw trials at random: of a range any value, log-uniformly above 0, of several values one of them.

    Source: Bergstra and Bengio 2012.

    Attributes:
        trials: how many, from 1 to 1,000.
        seed: of the draws; None for the experiment's own.

    Raises:
        SettingError: a number is out of range.
    """

    trials: int
    seed: int | None = None

    def __post_init__(self) -> None:
        _check_trials(self.trials)


@dataclass(frozen=True)
class BayesianSearch:
    """Propose trials where good scores are to be expected, from the scores so far.

    The proposals are those of the tree-structured Parzen estimator (TPE) of Optuna: it models the density of the
    settings of the good trials, l(x), and that of the others, g(x), and proposes what maximises l(x)/g(x). The first
    ten trials are random draws. `at_once` trials are proposed together, and the next ones when all of these are scored,
    so that neither the number of processes nor their speed changes a proposal. Source: Bergstra et al. 2011.

    Attributes:
        trials: how many in all, from 1 to 1,000.
        at_once: how many are proposed together; fewer learn more from each other, more use more cores.
        seed: of the proposals; None for the experiment's own.

    Raises:
        SettingError: a number is out of range.
    """

    trials: int
    at_once: int = 4
    seed: int | None = None

    def __post_init__(self) -> None:
        _check_trials(self.trials)
        if self.at_once < 1:
            raise SettingError(f"at once: expected at least 1 trial, got {self.at_once}")

    @classmethod
    def of_plain(cls, values: Mapping[str, Any] | None) -> "BayesianSearch | None":
        """The search of the JSON values of a sweep, if it is one of this kind."""
        if values is None:
            return None
        return cls(int(values["trials"]), int(values["at_once"]), int(values["seed"]))


Search = RandomSearch | BayesianSearch


def _check_trials(count: int) -> None:
    if not 1 <= count <= MOST:
        raise SettingError(f"trials: expected from 1 to {MOST:,}, got {count:,}")


def seeded(search: Search | None, seed: int) -> Search | None:
    """Return a search with a seed, if it has none."""
    return search if search is None or search.seed is not None else replace(search, seed=seed)
