"""What networks need that are played at several time steps: statistics for each, and recomputation as it was."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


class StepNorm(nn.Module):
    """Batch normalisation at step t with that step's statistics: y = γ (x - μ_t) / √(σ_t² + ε) + β.

    One γ and β for all steps, but running μ_t and σ_t² for each: what a layer sees changes from step to step, and
    statistics of all steps together describe none of them.

    Args:
        norms: a normalisation for each step; the first one's γ and β become all others'. None leave x as it is.
    """

    def __init__(self, norms: Sequence[nn.BatchNorm1d | nn.BatchNorm2d]) -> None:
        super().__init__()
        for norm in norms[1:]:
            norm.weight, norm.bias = norms[0].weight, norms[0].bias
        self.norms = nn.ModuleList(norms)

    def forward(self, x: Tensor, step: int) -> Tensor:
        """`step` counts from 0."""
        return self.norms[step](x) if len(self.norms) else x


class Adjoint(nn.Module):
    """y = Wᵀx + b, with the weight W of another linear layer and a bias of its own.

    Args:
        linear: whose weight it uses; y has as many numbers as its input.
        bias: whether there is a b.
    """

    def __init__(self, linear: nn.Linear, bias: bool) -> None:
        super().__init__()
        self.weight = linear.weight
        self.bias = nn.Parameter(linear.weight.new_zeros(linear.in_features)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        y = x @ self.weight
        return y if self.bias is None else y + self.bias


# A compiler decides for itself what it keeps, and knows no `context_fn`. torch's own decorator, as on `checkpoint`:
# torch.compiler.disable does the same, but imports the whole compiler at once, which takes a second.
@torch._disable_dynamo  # type: ignore[attr-defined]
def recomputed(module: nn.Module, play: Callable[..., Tensor], *given: object) -> Tensor:
    """play(*given), keeping no intermediate result of it: the backward pass computes them anew.

    Under vmap (several seeds as one program) they are kept after all.

    Args:
        module: has all parameters and buffers that `play` uses.
        play: draws nothing.
        given: its arguments.
    """
    if torch._C._are_functorch_transforms_active():  # vmap's tensors are dead by the backward pass
        return play(*given)
    made: Tensor = checkpoint(
        play,
        *given,
        use_reentrant=False,
        preserve_rng_state=False,
        context_fn=lambda: (nullcontext(), AsItWas(module)),
    )
    return made


class AsItWas(AbstractContextManager[None]):
    """Within it, a module has the parameters, buffers and training flags with which this was made.

    Since then its running statistics have moved on, and must not move a second time; a functional module may have
    been given other parameters: computed anew with those, gradients would be wrong without a word.

    Args:
        module: back in its present state afterwards.
    """

    def __init__(self, module: nn.Module) -> None:
        self._modules = list(module.modules())
        self._state = [
            (
                each.training,
                each._parameters.copy(),
                {n: b if b is None else b.clone() for n, b in each._buffers.items()},
            )
            for each in self._modules
        ]

    def __enter__(self) -> None:
        self._exchange()

    def __exit__(self, *error: object) -> None:
        self._exchange()

    def _exchange(self) -> None:
        for i, (module, (training, parameters, buffers)) in enumerate(zip(self._modules, self._state, strict=True)):
            self._state[i] = (module.training, module._parameters.copy(), module._buffers.copy())
            module.training = training
            module._parameters.update(parameters)
            module._buffers.update(buffers)
