"""Table 1: the paper's three models and two baselines on CIFAR-10 and STL-10."""

from agon.papers.argan2018.measuring import table_rows
from agon.papers.argan2018.models import CIFAR10, MODELS, PAPER, STL10, training
from agon.papers.expectation import Expectation
from agon.papers.item import Item, each_alone
from agon.papers.pictures import sample_table

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
EXPECTED = (
    ("6.86 against 6.50: a patch critic helps", "PARGAN", "S-ARGAN"),
    ("6.86 against 6.46", "PARGAN", "C-ARGAN"),
    ("6.86 against 6.40: PARGAN outperforms a classifying critic", "PARGAN", "DCGAN"),
    ("6.50 against 6.40: S-ARGAN is competitive", "S-ARGAN", "DCGAN"),
    ("6.46 against 6.40: C-ARGAN is competitive", "C-ARGAN", "DCGAN"),
)

TABLE_1 = Item(
    name="argan2018/table1",
    paper=f"{PAPER}, table 1",
    claim="S- and C-ARGAN are competitive with a DCGAN of the same networks, and PARGAN is better than all three",
    trainings={f"{title}: {model}": training(name, model) for title, name in SETS.items() for model in MODELS},
    rows=each_alone(f"{title}: {model}" for title in SETS for model in MODELS),
    measure=table_rows,
    draw=sample_table(list(SETS), list(MODELS), across=4, count=16),
    published={
        f"{title}: {model}": {"paper: Inception score": scores[column]}
        for column, title in enumerate(SETS)
        for model, scores in PRINTED.items()
        if scores[column] != "-"
    },
    expects=[
        Expectation(says=says, score="classifier-score", row=f"{CIFAR10}: {row}", above=f"{CIFAR10}: {above}")
        for says, row, above in EXPECTED
    ],
    seeds=1,
)
