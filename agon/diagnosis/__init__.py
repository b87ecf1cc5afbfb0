"""Say what is wrong with a run: findings with their evidence, since which step, and what to try.

`SICKNESSES` is the table of looks, one module each: a pure function from a `RunView` to an `Examination`. `ON_DEMAND`
are those that take longer. `Alarms` makes some looks while a run trains.
"""

from agon.diagnosis.alarms import ACTIONS, Action, Alarms
from agon.diagnosis.diagnosing import Diagnosis, diagnose, of_view
from agon.diagnosis.finding import SEVERITIES, Examination, Finding, Remedy, Severity
from agon.diagnosis.log import Log
from agon.diagnosis.table import ON_DEMAND, SICKNESSES
from agon.diagnosis.view import RunView, view_of

__all__ = [
    "ACTIONS",
    "ON_DEMAND",
    "SEVERITIES",
    "SICKNESSES",
    "Action",
    "Alarms",
    "Diagnosis",
    "Examination",
    "Finding",
    "Log",
    "Remedy",
    "RunView",
    "Severity",
    "diagnose",
    "of_view",
    "view_of",
]
