"""What the text says of other choices, without numbers: CIFAR-10, the networks and the budget of table 1.

| the paper | here |
|---|---|
| section 3.1: "Eq. 5 is unstable" | a lower score |
| section 4: "the L2 loss could not produce results as good as L1 loss" | the sum of squares; a lower score |
| section 4: "t [...] an important hyper-parameter"; 3 by grid search | 1 and 2 score lower, in equally many rounds |
| section 4: a C-ARGAN of "single level produces blurry results" | one layer of 128 units: less detail, a lower score |

"Lower" is by CIFAR-10's classifier, and again by the second judge (`papers.second_judge`).
"""

from agon.data.source import as_bytes
from agon.metrics.pixels import detail, relative_detail
from agon.papers.argan2018.measuring import CLASSIFIED, by_classes
from agon.papers.argan2018.models import PAPER, TRAININGS, training
from agon.papers.expectation import Expectation
from agon.papers.item import Item, Scores, per_training
from agon.papers.pictures import sample_panels
from agon.papers.second_judge import DISTANCE
from agon.recipes.scales import Scale
from agon.runs import Run
from agon.samples.making import load, sample
from agon.samples.reading import real_samples

S_ARGAN, C_ARGAN = "S-ARGAN", "C-ARGAN"
SCORE = "classifier-score"


def fine_by_classes(run: Run, scale: Scale) -> Scores:
    """The scores of the table, and how fine-grained samples are beside training images."""
    trained = load(run)
    source, n = trained.experiment.data, CLASSIFIED[scale]
    real = float(detail(real_samples(source, n)).mean())
    return [*by_classes(run, scale), relative_detail(as_bytes(sample(trained, n), source), real)]


def _lower(row: str, than: str, says: str) -> Expectation:
    return Expectation(says=says, score=SCORE, row=row, below=than, second=DISTANCE)


def _item(section: str, claim: str, model: str, others: dict[str, str], *more: Expectation) -> Item:
    """A model of table 1 beside variants of it, which do worse."""
    measure = fine_by_classes if more else by_classes
    return Item(
        name=f"argan2018/section{section}",
        paper=f"{PAPER}, section {section.rstrip('abc')}",
        claim=claim,
        trainings={
            model: training("cifar10", model),
            **{row: TRAININGS[f"cifar10-{name}"] for row, name in others.items()},
        },
        measure=per_training(measure),
        draw=sample_panels(across=6, count=36),
        expects=(*(_lower(row, model, f"{row} does worse than {model}") for row in others), *more),
    )


ONE_LAYER = "C-ARGAN, one layer"
SECTIONS = (
    _item(
        "3.1",
        "with equation 5, by which the autoregressor makes generated features hard to predict, training is unstable",
        S_ARGAN,
        {"S-ARGAN by equation 5": "s-argan-equation5"},
    ),
    _item("4a", "L2 errors do not do as well as L1 errors", S_ARGAN, {"S-ARGAN, L2": "s-argan-l2"}),
    _item(
        "4b",
        "how often the generator moves in a round is important, and 3 times is best",
        S_ARGAN,
        {"S-ARGAN, t = 1": "s-argan-t1", "S-ARGAN, t = 2": "s-argan-t2"},
    ),
    _item(
        "4c",
        "an autoregressor of channels with one layer makes blurry samples",
        C_ARGAN,
        {ONE_LAYER: "c-argan-one-layer"},
        Expectation(
            says="its samples are blurrier: they have less detail", score="detail", row=ONE_LAYER, below=C_ARGAN
        ),
    ),
)
