"""Unrolling for your own training loop, with your own modules and optimiser."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from agon.dynamics.unrolled.functional_module import FunctionalModule, eager_modules
from agon.dynamics.unrolled.referee import LossOf
from agon.dynamics.unrolled.unroll import Unroll
from agon.errors import SettingError
from agon.games.game import Losses


def unrolled_loss(
    critic: nn.Module,
    critic_optimiser: torch.optim.Optimizer,
    *,
    inner: LossOf,
    outer: LossOf,
    steps: int,
    checkpoint: bool = False,
) -> Float[Tensor, ""]:
    """The surrogate loss f_K = outer(θ^K), θ^{k+1} = θ^k + Δ(∇ inner(θ^k)); call `.backward()` on it.

    Both losses are called with the looked-ahead critic: a module that is used like `critic`, whose
    weights are functions of everything that `inner` depends on. So generated samples must keep their
    history in `inner` too: pass them without `.detach()`.

    The live critic, its gradients, buffers and optimiser are not changed, and the gradient flows through
    both terms of metz2017's equation 12. With several processes of torch.distributed, the inner
    gradients are averaged differentiably. Not to be confused with taking the critic's steps first and
    differentiating only through its last state, which drops the second term.

    Args:
        critic: any module; its parameters that require gradients take the inner steps.
        critic_optimiser: its own torch.optim.SGD, Adam, AdamW or RMSprop; the inner steps continue from its
            settings and moments.
        inner: the loss that the critic minimises, a scalar (). It may draw a new batch at each call,
            unless `checkpoint` is set, which calls it twice for each step.
        outer: the loss that the generator minimises, a scalar ().
        steps: K, from 0; with 0, the ordinary loss.
        checkpoint: recompute inner steps in the backward pass instead of storing them: less memory, more time.

    Returns:
        The loss, a scalar () with history.

    Raises:
        SettingError: no look-ahead is possible with these arguments, or a loss depends on the critic's live
            weights in a way that the looked-ahead module cannot follow.

    Source: metz2017, equations 6 to 12.

    >>> generator, critic = nn.Linear(1, 2), nn.Linear(2, 1)
    >>> optimiser = torch.optim.Adam(critic.parameters())
    >>> real, fake = torch.ones(4, 2), generator(torch.ones(4, 1))
    >>> loss = unrolled_loss(critic, optimiser, inner=lambda c: c(fake).mean() - c(real).mean(),
    ...                      outer=lambda c: -c(fake).mean(), steps=5)
    >>> loss.backward()
    >>> generator.weight.grad is not None, critic.weight.grad is None
    (True, True)
    """
    parameters = dict(critic.named_parameters())
    _refuse(parameters, critic_optimiser, steps)

    def losses_of(module: nn.Module, k: int) -> Losses:
        loss = inner(module)
        if k == 0:
            unroll.guard.refuse_strangers(loss, critic_optimiser)
        return Losses({"critic": loss}, {})

    def surrogate(functional: FunctionalModule) -> Losses:
        return Losses({"generator": outer(functional.module)}, {})

    with eager_modules():
        unroll = Unroll(
            critic, {"critic": parameters}, {"critic": critic_optimiser}, losses_of, checkpointed=checkpoint
        )
        losses = unroll.surrogate(steps, surrogate)
        unroll.guard.refuse_changed()
        return losses.players["generator"]


def _refuse(parameters: dict[str, nn.Parameter], optimiser: torch.optim.Optimizer, steps: int) -> None:
    if steps < 0:
        raise SettingError(f"steps: expected a number from 0, got {steps}")
    if not torch.is_grad_enabled():
        raise SettingError("unrolled_loss: expected gradients to be enabled, got torch.no_grad(); leave that block")
    known = {id(p) for group in optimiser.param_groups for p in group["params"]}
    free = [p for p in parameters.values() if p.requires_grad]
    if not any(id(p) in known for p in free):
        raise SettingError(
            f"unrolled_loss: expected an optimiser of the critic's parameters, got one that moves none of its "
            f"{len(free)} free ones; hand in the critic's own, and do not freeze the critic"
        )
