"""Two batches that pass a perceptron as one get the logits and the gradients that they get one after another."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from agon.games import Adversarial, Batch
from agon.networks import mlp, residual_mlp
from agon.networks.fused import fuse
from agon.networks.fused.apart import APART, pass_as_one
from agon.penalties import R1, GradientPenalty, Penalty

N, SHAPE = 5, (3, 2)
CRITICS: dict[str, Callable[[], nn.Module]] = {
    "scaled": lambda: mlp.Critic(shape=SHAPE, widths=(6, 4), nonlinearity="leaky-relu", scale=0.25),
    "residual": lambda: residual_mlp.Critic(shape=SHAPE, width=4, normalise=False),
    **{
        name: lambda name=name: mlp.Critic(shape=SHAPE, widths=(6,), nonlinearity=name)  # type: ignore[misc]
        for name in ("relu", "elu", "tanh", "sigmoid", "linear")
    },
}
CONDITIONS: dict[str, tuple[tuple[Penalty, ...], bool, int]] = {  # penalties, whether G moves too, passes of the critic
    "critic": ((), False, 1),
    "gradient penalty": ((GradientPenalty(),), False, 2),
    "gradient in real samples": ((R1(),), False, 2),
    "both players": ((), True, 2),
}


class Mine(nn.Linear):
    """Centres a batch."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        return super().forward(input - input.mean(0))


def test_every_layer_is_tried() -> None:
    assert {type(layer) for make in CRITICS.values() for layer in make().modules()} == set(APART)


@pytest.mark.parametrize("name", CRITICS)
@pytest.mark.parametrize("condition", CONDITIONS)
def test_losses_and_gradients_are_those_of_two_passes(name: str, condition: str) -> None:
    torch.manual_seed(0)
    penalties, both, passes = CONDITIONS[condition]
    generator = mlp.Generator(shape=SHAPE, latent=2, widths=(4,))
    plain = Adversarial(generator=generator, critic=CRITICS[name](), penalties=penalties).double()
    fused, of = fuse(copy.deepcopy(plain)), ("generator", "critic") if both else ("critic",)
    noise = {"epsilon": torch.rand(N, 1, 1).double()}
    batch = Batch(torch.randn(N, *SHAPE).double(), torch.randn(N, 2).double(), noise)
    calls: list[object] = []
    fused.critic.register_forward_hook(lambda *_: calls.append(1))
    results = []
    for game in (plain, fused):
        fake = None if both else game.generate_for(batch).detach()
        losses = game.losses(batch, fake, of=of)
        gradients = torch.autograd.grad(losses.players["critic"], list(game.critic.parameters()))
        results.append([*losses.players.values(), *losses.seen.values(), *gradients])
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)
    assert len(calls) == passes


def test_batch_normalisation_other_layers_and_evaluation_keep_batches_apart() -> None:
    x = torch.randn(N, *SHAPE)
    plain = CRITICS["relu"]()
    assert not pass_as_one(plain, x, x)
    fuse(plain)
    assert pass_as_one(plain, x, x)
    assert not pass_as_one(plain, x, x.clone().requires_grad_())
    assert not pass_as_one(plain.eval(), x, x)
    assert not pass_as_one(fuse(mlp.Critic(shape=SHAPE, widths=(4, 4), normalise=True)), x, x)
    mine = CRITICS["relu"]()
    mine.layers[2] = Mine(6, 6)  # type: ignore[index,operator]
    assert not pass_as_one(fuse(mine), x, x)
