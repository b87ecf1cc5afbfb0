"""What an unrolled gradient has beside the ordinary one, and how far the critic is from an optimum."""

from jaxtyping import Float
from torch import Tensor

from agon.metrics.score import Score


def second_term(first: Float[Tensor, " p"], second: Float[Tensor, " p"], n: int) -> Score:
    """The norm of the second term of an unrolled gradient by that of the whole: "second-term", from 0.

        |∂f/∂θ_D^K · dθ_D^K/dθ_G| / |df_K/dθ_G|

    It is 0 where the critic does not react, or where its reaction no longer matters, and may be above 1, as the terms
    can point in opposite directions.

    Args:
        first: ∂f/∂θ_G at the critic after K steps.
        second: the rest of the gradient.
        n: samples in the batch, real and generated each.

    Source: metz2017, equation 12.

    >>> import torch
    >>> second_term(torch.tensor([3.0, 0.0]).double(), torch.tensor([0.0, 4.0]).double(), n=16).value
    0.8
    """
    share = float(second.norm() / (first + second).norm())
    protocol = "norm of equation 12's second term by that of the whole gradient, on one batch"
    return Score(name="second-term", value=share, n=n, n_real=n, protocol=protocol)


def critic_slope(after: Float[Tensor, " p"], before: Float[Tensor, " p"], n: int) -> Score:
    """The norm of f's gradient in the critic's parameters after K steps by that before: "critic-slope", from 0.

        |∂f/∂θ_D^K| / |∂f/∂θ_D^0|

    Args:
        after: the gradient at the critic after K steps.
        before: at the critic itself.
        n: samples in the batch, real and generated each.

    Source: metz2017, section 2.4: the second term goes to 0 with it.

    >>> import torch
    >>> critic_slope(torch.tensor([1.0]), torch.tensor([-4.0]), n=16).value
    0.25
    """
    protocol = "norm of f's gradient in the critic's parameters after K steps by that before them, on one batch"
    return Score(name="critic-slope", value=float(after.norm() / before.norm()), n=n, n_real=n, protocol=protocol)
