"""Section 4 and figure 6: D(x_train) beside D(x_test) in a battle of critics that were shown few images and many.

| the paper | here |
|---|---|
| figure 6: D_1(x_train), D_2(x_train) in its table; no number of either | "error-train", "seen", "r_train" |
| "overfitted on the training data": by how much, and when, is not stated | 600 images for as many steps as 50,000 |
| the battles of table 1 | GRAN1 against GRAN1 on MNIST, which differ in the number of training images alone |

"seen" is how often a critic finds a training image at least as real as a test image, 0.5 if it does not know them.
What is expected, and why:

* A critic that was shown 600 images again and again knows them: "seen" is greater than for one of 50,000.
* "The test ratio tells us which model generalizes better": r_test shows it, beyond the range in which a battle counts
  as fair (1.3, `metrics.winner`); its direction: above 1.
* "When the discriminator is overfitted to the training data, the generator will also be affected [...] biased samples
  towards the training data": more of its samples are nearer to a training image than to a held-out one
  ("memorisation", as if there were as many of both).
"""

from collections.abc import Mapping
from functools import lru_cache

from agon.arguments import TIE
from agon.data import Source
from agon.data.source import as_bytes
from agon.evaluation.evidence import ALL as EVERY
from agon.metrics import Score
from agon.metrics.gam.critic import DEFAULT
from agon.metrics.gam.scores import judged_training
from agon.metrics.memorisation import Partition
from agon.papers.expectation import Expectation
from agon.papers.im2016.measuring import SEARCHED, battle_scores, fought
from agon.papers.item import Item, Rows
from agon.papers.pictures import sample_panels
from agon.recipes.im2016.trainings import TRAININGS
from agon.recipes.scales import Scale
from agon.runs import Run
from agon.samples.making import load, sample
from agon.samples.reading import real_samples

FEW, ALL = "GRAN1, 600 images", "GRAN1, 50,000 images"
PAIR = f"{FEW} vs. {ALL}"
HELD = 10_000  # most held-out images among which the nearest is sought


def overfitting_rows(runs: Mapping[str, Run], scale: Scale) -> Rows:
    """A row for each training's critic on training and test images, and one of their battle."""
    battle = fought(runs[FEW], runs[ALL], scale, DEFAULT)
    return {
        FEW: [*judged_training(battle.first), _memorised(runs[FEW], scale)],
        ALL: [*judged_training(battle.second), _memorised(runs[ALL], scale)],
        PAIR: battle_scores(runs[FEW], runs[ALL], scale),
    }


def _memorised(run: Run, scale: Scale) -> Score:
    """How much nearer samples are to training images than to others of the same random split."""
    training = load(run)
    source = training.experiment.data
    return _partition(source).memorisation(as_bytes(sample(training, SEARCHED[scale]), source))


@lru_cache(maxsize=2)
def _partition(source: Source) -> Partition:
    """The training images, and at most `HELD` of those that were kept out of training."""
    return Partition(real_samples(source, EVERY), real_samples(source, HELD, split=source.held_out))


SECTION_4 = Item(
    name="im2016/section4",
    paper="Im et al. 2016, section 4, and figure 6",
    claim="the test ratio shows a critic that is overfitted to its training data, which biases its generator's samples",
    trainings={FEW: TRAININGS["mnist-gran1-600"], ALL: TRAININGS["mnist-gran1"]},
    measure=overfitting_rows,
    draw=sample_panels(across=8, count=64, columns=2),
    expects=(
        Expectation(
            says="the critic that was shown few images tells them from test images better",
            score="seen",
            row=FEW,
            above=ALL,
        ),
        Expectation(
            says="r_test shows it: its error on test images is so much greater that the battle is unfair",
            score="r_test",
            row=PAIR,
            above=TIE,
            direction=1.0,
        ),
        Expectation(
            says="its generator's samples are biased towards the training images",
            score="memorisation",
            row=FEW,
            above=ALL,
        ),
    ),
    seeds=3,
)
