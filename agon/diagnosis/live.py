"""When a finding may be raised while a training goes on.

A diagnosis judges a run as it is. Halfway through, a healthy training looks sick for a while: its critic learns
first, its samples spread late, its modes are found one by one. So a finding becomes an alarm only if

1. the look for it finds it now,
2. the same look found it at two thirds of the steps made so far (`PAST`), when there were `SNAPSHOTS` snapshots or
   `RECORDS` records already, and
3. it was there at every look since then, and the samples are far from the real ones, and have not come nearer by a
   tenth (`NEARER`): by the median energy distance of the last three looks, against `FAR` = 0.1 and against that of the
   three looks then.

Some findings are true or false from the first step on, and need no second look (`at_once`); some need no third
condition, as samples that are near, or a good look, are no excuse (`in_spite`). After the last step a finding needs
only the first: then it is the diagnosis.

`RULES` has the looks that are made; the others wait for `agon diagnose`: they load weights, paint in other modes, or
judge the whole of a run.
"""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from agon.diagnosis.finding import Finding
from agon.diagnosis.geometry import spread
from agon.diagnosis.idle import APART
from agon.diagnosis.latent_use import NOTHING
from agon.diagnosis.live_view import LiveView
from agon.diagnosis.log import FEWEST
from agon.diagnosis.table import SICKNESSES
from agon.diagnosis.undecided import FAR

Kept = Literal["records", "samples"]
PAST, NEARER = 2 / 3, 0.9
SNAPSHOTS, RECORDS = 6, 12
FEW = 4  # snapshots, the one of step 0 among them


class Rule(NamedTuple):
    """When a look may raise an alarm.

    Attributes:
        of: what it looks at; it is made where there are new ones.
        at_once: whether one look is enough.
        in_spite: whether the third condition is left out.
        suspect: whether it is worth looking, by what costs nothing.
        settled: whether a look that finds nothing need not be made again.
    """

    of: Kept
    at_once: bool = False
    in_spite: bool = False
    suspect: Callable[[LiveView], bool] = lambda view: True
    settled: Callable[[LiveView], bool] = lambda view: False


def compared(view: LiveView) -> bool:
    """Whether there are records of the gradients, and two checkpoints between which weights move."""
    kept = view.run.kept
    return len(view.log) >= FEWEST and len(kept) > 1 and kept[-1] - kept[0] >= APART


def shown(view: LiveView) -> bool:
    """Whether there are samples of several steps."""
    return len(view.samples) >= FEW


def alike(view: LiveView) -> bool:
    """Whether the samples of every snapshot are the same."""
    if view.real is None or not shown(view):
        return False
    return max(map(spread, view.samples.values())) < NOTHING * spread(view.real)


RULES: Mapping[str, Rule] = {
    "idle-player": Rule("records", at_once=True, settled=compared),
    "ignored-latent": Rule("samples", at_once=True, suspect=alike, settled=shown),
    "divergence": Rule("records", in_spite=True),
    "collapse": Rule("samples"),
    "rotation": Rule("samples", in_spite=True),
    "overpowering-critic": Rule("records"),
    "undecided-critic": Rule("records"),
    "oscillation": Rule("samples", in_spite=True),
    "settings": Rule("records", at_once=True, settled=lambda view: True),
}


def sick(name: str, view: LiveView, last: bool) -> tuple[Finding, ...]:
    """What a look may raise now; `last` is whether the training ends with this step."""
    rule = RULES[name]
    if not rule.suspect(view):
        return ()
    findings = SICKNESSES[name](view).findings
    if not findings or last or rule.at_once:
        return findings
    then = int(PAST * view.training.step)
    before = view.until(then)
    if len(before.log) < RECORDS if rule.of == "records" else len(before.samples) <= SNAPSHOTS:
        return ()
    if not SICKNESSES[name](before).findings or (not rule.in_spite and well(view, before)):
        return ()
    return tuple(f for f in findings if rule.in_spite or (f.since_step is not None and f.since_step <= then))


def well(view: LiveView, before: LiveView) -> bool:
    """Whether the samples are near the real ones, or have come nearer."""
    if view.distance is None or before.distance is None:
        return False
    return view.distance < max(FAR, NEARER * before.distance)
