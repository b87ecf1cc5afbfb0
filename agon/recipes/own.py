"""One's own images: networks, batch and loss for their shape and number and for a budget of minutes.

The choice is a function of the data and the minutes alone; only the number of steps depends on the machine's speed,
which `agon.training.within` measures. `benchmarks/own.py` compares the families, and docs/own_images.md has its table.

| what | how it is chosen |
|---|---|
| family | DEFAULT, what measured best |
| width | the one that makes a step of the family affordable at this size: see `width_for`; MODERATE for given steps |
| batch | 64; 32 for sets of less than 1,000 images |
| stages | halved until the longer side is at most 4; to 2 for images of at most 8 pixels |
| average | of the last tenth of the steps, at most the last 1,000 |
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import gcd, prod
from typing import Any

import torch

from agon.averaging import Averaging
from agon.data import Images, Source
from agon.experiment import Budget, Experiment, Part, part
from agon.figures.numbers import counted
from agon.games import Adversarial
from agon.networks import dcgan, resnext
from agon.objectives import Hinge, NonSaturating, Relativistic
from agon.penalties import R1, R2
from agon.recipes.recipe import Recipe
from agon.recipes.scales import SMOKE, Scale

WIDTHS = (16, 24, 32, 48, 64, 96)  # channels next to the image, for most families
MODERATE = 32  # the width where a number of steps is given and no time
SMALL = 1_000  # images, under which the batch is smaller
MINUTES: Mapping[Scale, float] = {"quick": 20.0, "paper": 240.0}

Family = Callable[[Source, int], dict[str, Any]]  # of the data and the width: settings of an experiment


def _dcgan(data: Source, width: int, *, critic: Mapping[str, Any], **game: Any) -> dict[str, Any]:
    smallest = 2 if max(data.shape[1:]) <= 8 else 4
    network = {"shape": data.shape, "width": width, "smallest": smallest}
    return {
        "game": part(
            Adversarial,
            generator=part(dcgan.Generator, range=data.range, **network),
            critic=part(dcgan.Critic, **network, **critic),
            **game,
        )
    }


def standard(data: Source, width: int) -> dict[str, Any]:
    """DCGAN: batch normalisation in both networks, the non-saturating loss."""
    adam = part(torch.optim.Adam, lr=2e-4, betas=(0.5, 0.999))
    return {**_dcgan(data, width, critic={}, objective=NonSaturating()), "optimisers": adam}


def hinge(data: Source, width: int) -> dict[str, Any]:
    """The networks of DCGAN, the critic with spectral in the place of batch normalisation, and the hinge loss."""
    adam = part(torch.optim.Adam, lr=2e-4, betas=(0.0, 0.9))
    critic = {"normalise": False, "spectral": True}
    return {**_dcgan(data, width, critic=critic, objective=Hinge()), "optimisers": adam}


def regularised(data: Source, width: int) -> dict[str, Any]:
    """The networks of DCGAN, the critic without normalisation, and R3GAN's loss: relativistic pairs with R1 and R2."""
    adam = part(torch.optim.Adam, lr=2e-4, betas=(0.0, 0.9))
    critic = {"normalise": False, "initialisation": "xavier", "gain": 1.0}
    game = _dcgan(data, width, critic=critic, objective=Relativistic(), penalties=(R1(weight=1.0), R2(weight=1.0)))
    return {**game, "optimisers": adam}


def r3gan(data: Source, width: int) -> dict[str, Any]:
    """R3GAN: its residual networks without normalisation, relativistic pairs with R1 and R2."""
    widths = (2 * width, 2 * width, width, width // 2)
    network = {"shape": data.shape, "widths": widths, "blocks": 1, "group": gcd(16, width)}
    game = part(
        Adversarial,
        generator=part(resnext.Generator, latent=64, range=None, **network),
        critic=part(resnext.Critic, **network),
        objective=Relativistic(),
        penalties=(R1(weight=1.0), R2(weight=1.0)),
    )
    return {"game": game, "optimisers": part(torch.optim.Adam, lr=2e-4, betas=(0.0, 0.9))}


FAMILIES: dict[str, Family] = {"standard": standard, "hinge": hinge, "regularised": regularised, "r3gan": r3gan}
DEFAULT = "standard"


AIM = 4_000  # steps that a budget should allow: with fewer, a wider network has not yet learned more
COST = 3.5e-7  # seconds of a step on one core = COST · factor · batch/64 · pixels · width^1.6, within a factor of 1.5
FACTORS = {"standard": 1.0, "hinge": 1.0, "regularised": 1.8, "r3gan": 8.0}


def planned(data: Source, minutes: float, family: str = DEFAULT) -> Experiment:
    """The experiment for a set of images and a budget; its notes say what was chosen, and why.

    Args:
        data: the images, with a size.
        minutes: of training on one core; the steps are those that an ordinary one makes in them.
        family: one of FAMILIES.

    Raises:
        SettingError: the images are smaller than 4x4.
    """
    batch = batch_for(data)
    width = width_for(data.shape, batch, minutes, family)
    steps = max(1, int(60 * minutes / seconds_of(data.shape, batch, width, family)))
    sides = "x".join(map(str, data.shape[1:]))
    why = (
        f"the widest of {', '.join(map(str, WIDTHS))} of which {minutes:g} minutes on one core allow "
        f"about {AIM:,} steps at {sides}"
    )
    return _experiment(data, family, width, steps, notes_of(family, width, why))


def stepped(data: Source, steps: int) -> Experiment:
    """The experiment for a set of images and a number of steps, whatever time they take: networks of MODERATE width.

    Raises:
        SettingError: the images are smaller than 4x4.
    """
    why = "a moderate one, as a number of steps is given and no time; --minutes chooses by time"
    return _experiment(data, DEFAULT, MODERATE, steps, notes_of(DEFAULT, MODERATE, why))


def continued(chosen: Experiment, earlier: Experiment) -> Experiment:
    """The chosen experiment, with the networks and the loss of an earlier one from whose weights it begins.

    They are taken if they are a family's, at some width, for data of this shape and range; else the choice stays.
    """
    found = family_of(chosen.data, earlier)
    if found is None:
        return chosen
    family, width = found
    notes = (f"family {family} and width {width}: those of the run that it begins from", *chosen.notes[2:])
    return replace(chosen, notes=notes, **FAMILIES[family](chosen.data, width))


def family_of(data: Source, experiment: Experiment) -> tuple[str, int] | None:
    """The family and the width that make an experiment's networks and loss on these data; None if none does."""
    game = experiment.game
    if not isinstance(game, Part) or game.make is not Adversarial:
        return None
    plain, generator = game.changed(augmentation=None), game.settings["generator"]
    set_by_user = generator.settings.get("width") if isinstance(generator, Part) else None
    widths = [*WIDTHS, *([set_by_user] if type(set_by_user) is int else [])]
    pairs = ((family, width) for family in FAMILIES for width in widths)
    return next((pair for pair in pairs if FAMILIES[pair[0]](data, pair[1])["game"] == plain), None)


def batch_for(data: Source) -> int:
    """64, or 32 for small sets, or all images of a smaller one."""
    count = data.count() or SMALL
    return min(32 if count < SMALL else 64, count)


def notes_of(family: str, width: int, why: str) -> tuple[str, str]:
    """What is said of the family and the width."""
    words = (FAMILIES[family].__doc__ or "").rstrip(".")
    return (
        f"family {family}: {words}; the best of {len(FAMILIES)} in docs/own_images.md",
        f"width {width}: {why}",
    )


def _experiment(data: Source, family: str, width: int, steps: int, notes: tuple[str, ...]) -> Experiment:
    batch = batch_for(data)
    notes = (*notes, f"batch {batch}: the set has {counted(data.count() or SMALL, 'image')}")
    if len(data.classes) > 1:
        notes += (
            f"classes: the {len(data.classes)} of the set are not used; for a generator by class: agon train "
            "miyato2018b/projection",
        )
    budget = Budget(steps=steps, batch=batch, **recorded(steps))
    game = FAMILIES[family](data, width)
    return Experiment(data=data, averaging=Averaging(decay=0.999), notes=notes, **game, **budget.settings)


def width_for(shape: tuple[int, ...], batch: int, minutes: float, family: str = DEFAULT) -> int:
    """The widest of WIDTHS with which the minutes allow AIM steps, or the narrowest.

    >>> [width_for(shape, 64, 20) for shape in ((1, 28, 20), (3, 32, 32), (3, 64, 64))]
    [96, 64, 24]
    """
    affordable = [width for width in WIDTHS if AIM * seconds_of(shape, batch, width, family) <= 60 * minutes]
    return max(affordable, default=WIDTHS[0])


def seconds_of(shape: tuple[int, ...], batch: int, width: int, family: str = DEFAULT) -> float:
    """Roughly, the seconds of one step on one core."""
    return COST * FACTORS[family] * batch / 64 * prod(shape[1:]) * float(width**1.6)


def recorded(steps: int) -> dict[str, int]:
    """How often a training of so many steps records: 20 pictures, 10 checkpoints."""
    every = {"log_every": min(50, steps // 100), "sample_every": steps // 20, "checkpoint_every": steps // 10}
    return {name: max(1, value) for name, value in every.items()}


def experiment(data: Source, scale: Scale) -> Experiment:
    """The experiment for the scale's minutes; the smoke scale has the narrowest networks and few steps."""
    if scale == "smoke":
        return replace(planned(data, 0.0), notes=(), **SMOKE.settings)
    return planned(data, MINUTES[scale])


OWN = Recipe(
    name="own",
    paper="no paper: for images of your own",
    claim="networks, batch and loss for the shape and number of your images, and for the minutes that you have",
    data=lambda scale: Images(path="digits"),
    make=experiment,
    timed=planned,
    stepped=stepped,
    continued=continued,
    budgets=MINUTES,
)
