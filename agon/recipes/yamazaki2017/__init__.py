"""Yamazaki 2017, "On depth and complexity of generative adversarial networks": deeper networks by residual blocks.

| the paper | here |
|---|---|
| 4.4.1: 10,000 points of a Swiss roll of noise 0.2, not preprocessed; its scale is absent | finite; scikit-learn's |
| 4.4.1: 10,000 points of 8 Gaussians around the origin; radius and deviation not stated | 2 and 0.02, metz2017's |
| 4.5.1: images in [-1, 1] | the same |
| chapter 4: z ~ U(-1, 1); table A.1: 32 numbers; A.2, CIFAR-10: 100; MNIST is illegible | the same; 100 for MNIST |
| table A.1: M0 is a perceptron of 3 layers; M1 has 7 blocks of 2 layers as its middle | the same: 3 and 16 layers |
| table A.2: sizes and widths; "Repetitions c > 0" of a pair whose first layer strides by 2 | only the first pair can: \
the first layers of the others are 3x3 of stride 1 |
| equation 3.2: H(x) = F(x) + x, summed "at the end", with F = 0 the identity | no activation after the sum, unlike \
He et al. 2015, on whom the choices are "based" |
| the shortcut past a change of size or width is absent | nearest pixels or means of 2x2, a bare 1x1 convolution |
| 4.1: batch normalisation but for G's output and D's first layer; "G" in table 5.1: none in D | the same; `-nobn` |
| 4.1: leaky ReLU; its slope is not stated | 0.2, radford2015's |
| 4.1: both networks use the same number of layers; appendix C: unbalanced pairs of points' networks | the same |
| 4.2: the non-saturating loss | the same; D's two halves are added, which is not stated |
| A.2, table A.3: batch 64, Adam 1e-4 (points), 2e-4 (images), β 0.5 and 0.999 | the same |
| A.3: "L2 regularization term with a rate of 0.00001" in each loss | rate/2 · ‖θ‖², all parameters, as Chainer's hook |
| A.4, table A.4: all weights N(0, 0.1) (points), N(0, 0.02) (images), zero biases | the same; γ of batch \
normalisation is no weight and begins at 1 |
| 5.1, 5.2: 20,000, 30,000, 80,000 iterations; A.2: ten times as many | the former at paper scale: figure 5.1 ends at \
20,000; `--steps` takes the latter |
| which samples D and G are updated on, and who moves first, is not stated | D first; both on one batch |
| what an iteration is, is not stated | one update of each |
| table B.1: the classifier; its training is stopped when the test set's accuracy reaches 0.9809 | a fixed number of \
steps, so that the test set decides nothing; Adam 1e-3, batch 64, torch's initialisation: not stated |
| 4.4.3, 5.2: 10,000 points, 5,000 images of latents fixed beforehand | the same at paper; 2,500 and 1,000 at quick |
| 5.2: the score every 100 iterations | the same, where an item trains it |
| A.2, 5.2: widths, iterations | at quick a quarter and 1,400 (MNIST), an eighth and 2,400 (CIFAR-10) |
"""

from agon.recipes.yamazaki2017 import images, points

RECIPES = (*points.RECIPES, *images.RECIPES)

__all__ = ["RECIPES"]
