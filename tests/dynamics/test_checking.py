"""The check of an unrolled gradient decides: what it is, and by how much it is off."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from agon import check_unrolling, unrolled_loss
from agon.dynamics.unrolled.check import Verdict

from .test_aliases import InList, InSlots, Plain, alike, losses, unrolled


def checked(make: Callable[[], nn.Module], gradient: Tensor | None = None, lr: float = 5e-2) -> Verdict:
    """Of the generator's weight after 3 steps; by default of the gradient that `unrolled_loss` gives."""
    critic, generator = alike(make)
    optimiser, given = torch.optim.Adam(critic.parameters(), lr=lr), losses(generator)
    if gradient is None:
        loss = unrolled_loss(critic, optimiser, **given, steps=3)
        (gradient,) = torch.autograd.grad(loss, [generator.weight])
    own = [generator.weight]
    return check_unrolling(critic, optimiser, **given, steps=3, parameters=own, gradient=[gradient])


def first_order(lr: float = 5e-2) -> Tensor:
    """The generator's gradient at the critic after three real steps."""
    critic, generator = alike(Plain)
    optimiser, given = torch.optim.Adam(critic.parameters(), lr=lr), losses(generator)
    for _ in range(3):
        optimiser.zero_grad()
        given["inner"](critic).backward()
        optimiser.step()
    return torch.autograd.grad(given["outer"](critic), [generator.weight])[0]


GRADIENTS: dict[str, Callable[[], Tensor]] = {
    "unrolled": lambda: unrolled(Plain),
    "not unrolled": lambda: unrolled(Plain, steps=0),
    "first-order": first_order,
    "neither": lambda: 1.2 * unrolled(Plain),
}


@pytest.mark.parametrize("kind", GRADIENTS)
def test_it_tells_what_a_gradient_is(kind: str) -> None:
    """Of a critic that can be unrolled, and of one that cannot: then by finite differences alone."""
    gradient = GRADIENTS[kind]()
    off = float((gradient - unrolled(Plain)).norm() / unrolled(Plain).norm())
    for make in (Plain, InList, InSlots):
        verdict = checked(make, gradient)
        assert verdict.kind == kind, str(verdict)
        assert bool(verdict) == (kind == "unrolled")
        assert verdict.off == pytest.approx(off, abs=1e-5)
        assert ("itself, which stays where it is" in str(verdict)) == (make is InSlots)


def test_a_small_reaction_is_told_too() -> None:
    """A slow critic, whose first-order gradient is off by little."""
    verdict = checked(Plain, first_order(lr=5e-3), lr=5e-3)
    assert 1e-4 < verdict.first_order_off < 0.05
    assert verdict.kind == "first-order"
    assert checked(Plain, lr=5e-3)


class Dropping(Plain):
    def forward(self, x: Tensor) -> Tensor:
        return self.b(nn.functional.dropout(torch.tanh(self.a(x)), 0.1)).flatten()


class Noisy(Plain):
    """Draws from a stream of its own."""

    def prepare(self) -> None:
        self.rng = torch.Generator().manual_seed(0)

    def forward(self, x: Tensor) -> Tensor:
        return self.core(x + 1e-3 * torch.randn(x.shape, generator=self.rng, dtype=x.dtype))


@pytest.mark.parametrize("make", [Dropping, Noisy])
def test_random_losses_are_told(make: Callable[[], nn.Module]) -> None:
    verdict = checked(make)
    assert verdict.kind == "random"
    assert "dropout" in str(verdict)


class Detached(Plain):
    """Part of it is hidden from autograd, and moves all the same."""

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            scale = 1 + self.a(x).square().mean()
        return self.core(x) * scale


class Straight(Plain):
    """Rounded to 1/64, with a derivative as if it were not."""

    def forward(self, x: Tensor) -> Tensor:
        y = self.core(x)
        return y + (torch.round(y * 64) / 64 - y).detach()


@pytest.mark.parametrize("make", [Detached, Straight])
def test_what_autograd_does_not_see_is_told(make: Callable[[], nn.Module]) -> None:
    verdict = checked(make)
    assert verdict.kind == "detached", str(verdict)
    assert "no_grad" in str(verdict)
    assert verdict.off > 0.05


class Faint(Plain):
    """What differs is lost among the last digits of float32."""

    def forward(self, x: Tensor) -> Tensor:
        return (1 + 1e-6 * self.core(x)).float()


def test_it_is_undecided_where_differences_are_blurred() -> None:
    verdict = checked(Faint)
    assert verdict.kind == "undecided", str(verdict)


class Moving(Plain):
    def prepare(self) -> None:
        self.register_buffer("mean", torch.zeros(2).double())
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.mean = 0.9 * self.mean + 0.1 * x.detach().mean(0)
        return self.core(x - self.mean)


def test_all_is_put_back() -> None:
    critic, generator = alike(Moving)
    optimiser, given = torch.optim.Adam(critic.parameters(), lr=5e-2), losses(generator)
    given["inner"](critic).backward()
    optimiser.step()

    def present() -> dict[str, Tensor]:
        moments = {f"{i}.{n}": v for i, s in enumerate(optimiser.state.values()) for n, v in s.items()}
        own = {f"generator.{name}": p.detach() for name, p in generator.named_parameters()}
        return {name: t.clone() for name, t in {**critic.state_dict(), **own, **moments}.items()}

    before, slopes, calls = present(), [p.grad for p in critic.parameters()], critic.calls
    unrolled_loss(critic, optimiser, **given, steps=3).backward()
    check_unrolling(critic, optimiser, **given, steps=3, parameters=generator.parameters())
    assert all(torch.equal(value, before[name]) for name, value in present().items())
    assert all(p.grad is not None and p.grad is s for p, s in zip(critic.parameters(), slopes, strict=True))
    assert critic.calls == calls
