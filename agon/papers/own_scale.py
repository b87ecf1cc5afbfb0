"""What an item would cost at the paper's own scale, for its page and the index."""

from collections.abc import Iterable
from dataclasses import fields

from agon.experiment import Experiment
from agon.figures.numbers import number
from agon.papers.item import CORES, Item
from agon.recipes.costs import at_paper_scale

DAY = 24 * 60 * CORES  # core-minutes that this machine has in a day
LOOKS = {"log_every", "sample_every", "checkpoint_every", "grid", "keep", "snapshots", "recipe", "notes"}


def minutes(item: Item, done: Iterable[str] = ()) -> float | None:
    """Core-minutes of one seed of an item's trainings at the paper's scale.

    They are measured where the training was run, and else estimated from some steps (`recipes.costs`).

    Args:
        item: the table or figure.
        done: recipes that were run.

    Returns:
        The sum over the recipes that were not, each once; None if one was never timed.
    """
    names = {recipe.name for recipe in item.trainings.values()} - set(done)
    costs = [at_paper_scale(name) for name in sorted(names)]
    return None if None in costs else sum(cost for cost in costs if cost is not None)


def full_size(item: Item) -> bool:
    """Whether the item's trainings at quick scale are the paper's own, but for how often they are looked at."""
    pairs = ((recipe.experiment(None, "quick"), recipe.experiment(None, "paper")) for recipe in item.trainings.values())
    return all(_same(quick, paper) for quick, paper in pairs)


def _same(one: Experiment, other: Experiment) -> bool:
    names = {each.name for each in fields(Experiment)} - LOOKS
    return all(repr(getattr(one, name)) == repr(getattr(other, name)) for name in names)


def needs_gpu(cost: float) -> bool:
    """Whether one seed takes more than a day of two cores."""
    return cost > DAY


def amount(cost: float) -> str:
    """Core-minutes, or above a day of two cores their days.

    >>> amount(61.2), amount(9_900)
    ('61 core-minutes', '3.4 days of two cores')
    """
    return f"{number(cost / DAY, 2)} days of two cores" if needs_gpu(cost) else f"{number(cost, 2)} core-minutes"


def sentence(item: Item, done: Iterable[str] = ()) -> str:
    """What of an item was not run at the paper's scale, what a seed of it would take, and the command."""
    cost = minutes(item, done)
    if cost is None or (cost == 0 and done):
        return ""
    rest = "the other trainings were" if done else "it was"
    device = " --device cuda" if needs_gpu(cost) else ""
    where = " Too long for a CPU; with a GPU:" if needs_gpu(cost) else ""
    same = " Those of quick scale have the paper's size and number of steps already." if full_size(item) else ""
    command = f"`agon reproduce {item.name} --scale paper{device}`"
    return (
        f"At the paper's own scale {rest} not run. One seed would take about {amount(cost)}, estimated from some steps "
        f"of each training.{same}{where} {command}"
    )
