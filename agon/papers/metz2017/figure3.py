"""Figure 3: samples of the four models on CIFAR-10."""

from agon.papers.item import per_training
from agon.papers.metz2017.measuring import classifier_scores
from agon.papers.metz2017.models import on_cifar10
from agon.papers.pictures import sample_panels

FIGURE_3 = on_cifar10(
    "figure 3",
    claim="samples look much alike with 0, 1, 5 and 10 unrolling steps",
    measure=per_training(classifier_scores),
    draw=sample_panels(across=6, count=36, columns=2),
)
