"""Table 1: the paper's three models and four baselines on CIFAR-10 and STL-10.

The claims on CIFAR-10 are compared by its classifier, and again by the second judge (`papers.second_judge`). STL-10's
stand-in has no classifier: there the second judge is the only one.
"""

from agon.papers.argan2018.measuring import table_rows
from agon.papers.argan2018.models import CIFAR10, MODELS, PAPER, STL10, training
from agon.papers.expectation import Expectation
from agon.papers.item import Item, each_alone
from agon.papers.pictures import sample_table
from agon.papers.second_judge import DISTANCE

SETS = {CIFAR10: "cifar10", STL10: "stl10-48"}
PRINTED = {  # model: its Inception scores on CIFAR-10 and STL-10; "-" where the paper has none
    "real data": ("11.24 ± 0.16", "26.08 ± 0.26"),
    "ALI": ("5.34 ± 0.05", "-"),
    "BEGAN": ("5.62", "-"),
    "D2GAN": ("7.15 ± 0.07", "7.98"),
    "MGGAN": ("8.23", "9.09"),
    "DFM": ("7.72 ± 0.13", "8.51 ± 0.13"),
    "Improved-GAN": ("6.86 ± 0.06", "-"),
    "DCGAN": ("6.40 ± 0.05", "7.54"),
    "EBGAN": ("6.74 ± 0.09", "-"),
    "WGAN-GP, ResNet": ("7.86 ± 0.07", "9.05 ± 0.12"),
    "WGAN-GP": ("6.80", "-"),
    "S-ARGAN": ("6.50", "7.44"),
    "C-ARGAN": ("6.46", "7.60"),
    "PARGAN": ("6.86", "7.89"),
}
ON_CIFAR10 = (
    ("6.86 against 6.50: a patch critic helps", "PARGAN", "S-ARGAN"),
    ("6.86 against 6.46", "PARGAN", "C-ARGAN"),
    ("6.86 against 6.40: PARGAN outperforms a classifying critic", "PARGAN", "DCGAN"),
    ("6.50 against 6.40: S-ARGAN is competitive", "S-ARGAN", "DCGAN"),
    ("6.46 against 6.40: C-ARGAN is competitive", "C-ARGAN", "DCGAN"),
)
ON_STL10 = (  # S-ARGAN's 7.44 is below DCGAN's 7.54
    ("7.89 against 7.44: a patch critic helps", "PARGAN", "S-ARGAN"),
    ("7.89 against 7.60", "PARGAN", "C-ARGAN"),
    ("7.89 against 7.54: PARGAN outperforms a classifying critic", "PARGAN", "DCGAN"),
    ("7.60 against 7.54: C-ARGAN is competitive", "C-ARGAN", "DCGAN"),
)
EXPECTED = (
    *(
        Expectation(
            says=says,
            score="classifier-score",
            row=f"{CIFAR10}: {row}",
            above=f"{CIFAR10}: {other}",
            second=DISTANCE,
        )
        for says, row, other in ON_CIFAR10
    ),
    *(
        Expectation(says=says, score=DISTANCE, row=f"{STL10}: {row}", below=f"{STL10}: {other}")
        for says, row, other in ON_STL10
    ),
)

TABLE_1 = Item(
    name="argan2018/table1",
    paper=f"{PAPER}, table 1",
    claim="S- and C-ARGAN are competitive with a DCGAN of the same networks, and PARGAN is better than all three",
    trainings={f"{title}: {model}": training(name, model) for title, name in SETS.items() for model in MODELS},
    rows=each_alone(f"{title}: {model}" for title in SETS for model in MODELS),
    measure=table_rows,
    draw=sample_table(list(SETS), list(MODELS), across=3, count=12),
    published={
        f"{title}: {model}": {"paper: Inception score": scores[column]}
        for column, title in enumerate(SETS)
        for model, scores in PRINTED.items()
        if scores[column] != "-"
    },
    expects=EXPECTED,
    seeds=1,
)
