"""Figure 4, and appendix D's figures 6 to 10 (one for each seed): images that only one of two models can make."""

from agon.papers.metz2017.drawing import compared_reconstructions
from agon.papers.metz2017.measuring import reconstruction_rows
from agon.papers.metz2017.models import BETTER, SEEDS, on_cifar10

FIGURE_4 = on_cifar10(
    "figure 4",
    claim="images that one model cannot make and another can: the zero step model's are often fuzzy",
    measure=reconstruction_rows,
    draw=compared_reconstructions(seed=0),
    expects=BETTER,
)

APPENDIX_D = tuple(
    on_cifar10(
        f"figure {6 + seed}",
        claim=f"the same as figure 4, by the models of run {seed + 1} of 5",
        measure=reconstruction_rows,
        draw=compared_reconstructions(seed),
        expects=BETTER,
    )
    for seed in range(SEEDS)
)
