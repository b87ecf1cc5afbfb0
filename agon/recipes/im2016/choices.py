"""The paper's choice of Adam's rates for generator and critic, on 10,000 of MNIST's training images.

| the paper | here |
|---|---|
| supplement: rates from a "discrete range"; its values are not stated | four each, with those of the authors' code |
| supplement: on a validation set of 10,000 training images; by which score is not stated | the same; kernel distance |
| for which of the networks the choice was made is not stated | GRAN3 |
"""

from agon.recipes.named_sweep import NamedSweep

RATES = NamedSweep(
    name="im2016/rates",
    paper="Im et al. 2016, supplement",
    claim="generator and critic have different learning rates, chosen on 10,000 training images that are held out",
    recipe="im2016/mnist-gran3",
    over={
        "optimisers.generator.lr": ("1e-4", "2e-4", "5e-4", "1e-3"),
        "optimisers.critic.lr": ("4e-5", "1e-4", "2.5e-4", "5e-4"),
    },
    metric="kid",
    extractor="classifier",
    n=10_000,
    seeds=2,
)
