"""The tables of sicknesses: the name of each look -> the pure function that makes it; always, or on demand.

Causes stand before their effects: of two findings that are equally grave, the first one is told first.
"""

from collections.abc import Callable, Mapping

from agon.diagnosis import (
    batch_statistics,
    collapse,
    divergence,
    idle,
    lagging_average,
    latent_use,
    no_equilibrium,
    oscillation,
    overpowering,
    rotation,
    setback,
    settings,
    undecided,
)
from agon.diagnosis.finding import Examination
from agon.diagnosis.view import RunView

SICKNESSES: Mapping[str, Callable[[RunView], Examination]] = {
    "idle-player": idle.examine,
    "ignored-latent": latent_use.examine,
    "divergence": divergence.examine,
    "lagging-average": lagging_average.examine,
    "collapse": collapse.examine,
    "rotation": rotation.examine,
    "overpowering-critic": overpowering.examine,
    "undecided-critic": undecided.examine,
    "oscillation": oscillation.examine,
    "setback": setback.examine,
    "batch-statistics": batch_statistics.examine,
    "settings": settings.examine,
}
ON_DEMAND: Mapping[str, Callable[[RunView], Examination]] = {"no-equilibrium": no_equilibrium.examine}
