"""The tables of sicknesses: the name of each look -> the pure function that makes it; always, or on demand.

Causes stand before their effects: of two findings that are equally grave, the first one is told first.
"""

from collections.abc import Callable, Mapping

from agon.diagnosis import (
    batch_statistics,
    class_balance,
    collapse,
    copies,
    dead_units,
    divergence,
    few_images,
    first_order,
    idle,
    lagging_average,
    latent_use,
    lost_classes,
    memorisation,
    no_equilibrium,
    oscillation,
    overfitting,
    overpowering,
    rotation,
    setback,
    settings,
    skill,
    undecided,
    value_range,
)
from agon.diagnosis.finding import Examination
from agon.diagnosis.view import RunView

SICKNESSES: Mapping[str, Callable[[RunView], Examination]] = {
    "idle-player": idle.examine,
    "ignored-latent": latent_use.examine,
    "dead-units": dead_units.examine,
    "divergence": divergence.examine,
    "batch-statistics": batch_statistics.examine,
    "lagging-average": lagging_average.examine,
    "collapse": collapse.examine,
    "lost-classes": lost_classes.examine,
    "rotation": rotation.examine,
    "overpowering-critic": overpowering.examine,
    "undecided-critic": undecided.examine,
    "oscillation": oscillation.examine,
    "setback": setback.examine,
    "first-order-gradient": first_order.examine,
    "no-progress": skill.examine,
    "wrong-range": value_range.examine,
    "overfitting-critic": overfitting.examine,
    "memorisation": memorisation.examine,
    "few-images": few_images.examine,
    "class-imbalance": class_balance.examine,
    "copies": copies.examine,
    "settings": settings.examine,
}
ON_DEMAND: Mapping[str, Callable[[RunView], Examination]] = {"no-equilibrium": no_equilibrium.examine}
