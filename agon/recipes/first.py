"""The first training of every user: a DCGAN on the real digits that scikit-learn bundles, in minutes."""

from dataclasses import replace

from agon.averaging import Averaging
from agon.data import Images, Source
from agon.experiment import Experiment, changed
from agon.recipes import radford2015
from agon.recipes.recipe import Recipe, Scale

STEPS = {"smoke": 20, "quick": 6_500, "paper": 20_000}


def experiment(data: Source, scale: Scale) -> Experiment:
    """A DCGAN with a stage more than its resolution needs, whose samples come from averaged weights."""
    dcgan = radford2015.experiment(data, "smoke" if scale == "smoke" else "quick")
    for network in ("generator", "critic"):  # with one stage only, the critic never leaves logits near 0
        dcgan = changed(dcgan, f"game.{network}.smallest", "2")
    return replace(dcgan, steps=STEPS[scale], averaging=Averaging(decay=0.999))


DIGITS = Recipe(
    name="first/digits",
    paper="Radford et al. 2015, on 8x8 digits",
    claim="all ten digits from 1,797 bundled images, without a download",
    data=lambda: Images(path="digits"),
    make=experiment,
    minutes={"smoke": 0.1, "quick": None, "paper": None},
)
