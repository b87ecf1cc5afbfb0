"""Tools for networks with several time steps: separate statistics, and recomputation with the original state."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


class StepNorm(nn.Module):
    """Batch normalisation at step t with that step's statistics: y = γ (x - μ_t) / √(σ_t² + ε) + β.

    All steps share γ and β, but each has its own running μ_t and σ_t²: a layer's inputs change from step to step, and
    statistics over all steps describe none of them.

    Args:
        norms: a normalisation for each step; all get the first one's γ and β. Without any, x stays as it is.
    """

    def __init__(self, norms: Sequence[nn.BatchNorm1d | nn.BatchNorm2d]) -> None:
        super().__init__()
        for norm in norms[1:]:
            norm.weight, norm.bias = norms[0].weight, norms[0].bias
        self.norms = nn.ModuleList(norms)

    def forward(self, x: Float[Tensor, "n c ..."], step: int) -> Float[Tensor, "n c ..."]:
        """Normalise x at a step, counted from 0."""
        return self.norms[step](x) if len(self.norms) else x


class Adjoint(nn.Module):
    """y = Wᵀx + b, with the weight W of another linear layer and its own bias.

    Args:
        linear: the layer with the weight W; y has the length of that layer's input.
        bias: whether to add b.
    """

    def __init__(self, linear: nn.Linear, bias: bool) -> None:
        super().__init__()
        self.weight = linear.weight
        self.bias = nn.Parameter(linear.weight.new_zeros(linear.in_features)) if bias else None

    def forward(self, x: Float[Tensor, "n i"]) -> Float[Tensor, "n j"]:
        y = x @ self.weight
        return y if self.bias is None else y + self.bias


# A compiler decides what to keep, and does not support `context_fn`. This is torch's own decorator, as on `checkpoint`;
# torch.compiler.disable does the same, but imports the whole compiler, which takes a second.
@torch._disable_dynamo  # type: ignore[attr-defined]
def recomputed(module: nn.Module, function: Callable[..., Tensor], *args: object) -> Tensor:
    """Call function(*args) without keeping intermediate results; the backward pass recomputes them.

    Under vmap (several seeds as one program) they are kept.

    Args:
        module: the module with all parameters and buffers that `function` uses.
        function: a function that draws no random numbers.
        args: its arguments.
    """
    if torch._C._are_functorch_transforms_active():  # vmap's tensors are invalid by the backward pass
        return function(*args)
    outputs: Tensor = checkpoint(
        function,
        *args,
        use_reentrant=False,
        preserve_rng_state=False,
        context_fn=lambda: (nullcontext(), AsItWas(module)),
    )
    return outputs


class AsItWas(AbstractContextManager[None]):
    """A context in which a module has the parameters, buffers and training flags of when this object was made.

    By the time of the recomputation, running statistics have moved on and must not move a second time, and a
    functional copy may have other parameters, with which gradients would be silently wrong.

    Args:
        module: the module; on leaving the context its present state is restored.
    """

    def __init__(self, module: nn.Module) -> None:
        self._modules = list(module.modules())
        self._state = [
            (
                submodule.training,
                submodule._parameters.copy(),
                {name: buffer if buffer is None else buffer.clone() for name, buffer in submodule._buffers.items()},
            )
            for submodule in self._modules
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
