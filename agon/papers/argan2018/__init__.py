"""Yazıcı, Yap, Winkler 2018, "Autoregressive generative adversarial networks".

Section 4: table 1, figures 5 to 8, samples of its models, and what the text says of other choices (`sections`).

| the paper | here |
|---|---|
| table 1: Inception scores of 50,000 samples in 10 splits | the score of CIFAR-10's own classifier; n: `CLASSIFIED` |
| footnote 2: the mean of more than 10 scores of one model | the last step's samples, once a seed |
| table 1: real data 11.24 ± 0.16; of which images is not stated | the test split, which the classifier has not seen |
| table 1, STL-10: Inception scores | no classifier of a stand-in's classes: the second judge, and distances of pixels |
| table 1: Inception scores, of ImageNet's 1,000 classes | beside all others, `papers.second_judge` |
| table 1: DCGAN, WGAN-GP, EBGAN, BEGAN by other papers' networks | by the networks of appendix A |
| figures 5 to 8: samples, "none cherry picked"; no number | the run's fixed latents, the first seed |
| section 4.1: samples are "sharp", and realistic "in general" | by eye; a column for the table's numbers |
"""

from agon.papers.argan2018.figures import FIGURES
from agon.papers.argan2018.sections import SECTIONS
from agon.papers.argan2018.table1 import TABLE_1

ITEMS = (TABLE_1, *FIGURES, *SECTIONS)

__all__ = ["ITEMS"]
