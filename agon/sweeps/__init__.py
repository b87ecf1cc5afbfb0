"""Sweeps: one experiment under many settings and seeds, each run scored, and a table that says which is best.

| module | content |
|---|---|
| trials | all combinations of values, random draws, names of folders |
| search | how trials are chosen |
| bayesian, searching | Bayesian search: proposals, and the rounds |
| scoring | how runs are scored, and which score decides |
| halving | stop the worse trials early |
| folder | the directory of a sweep |
| running | the jobs: train, score, go on with the best |
| standings, result | the order of the trials, and what follows |
| sweeping | `sweep` and `resume` |
"""

from agon.sweeps.folder import SweepFolder, SweepPlan, SweepRecord
from agon.sweeps.halving import Halving
from agon.sweeps.result import SweepResult, result_of
from agon.sweeps.scoring import Scoring
from agon.sweeps.search import BayesianSearch, RandomSearch
from agon.sweeps.standings import TrialResult
from agon.sweeps.sweeping import SAMPLES, resume, sweep

__all__ = [
    "SAMPLES",
    "BayesianSearch",
    "Halving",
    "RandomSearch",
    "Scoring",
    "SweepFolder",
    "SweepPlan",
    "SweepRecord",
    "SweepResult",
    "TrialResult",
    "result_of",
    "resume",
    "sweep",
]
