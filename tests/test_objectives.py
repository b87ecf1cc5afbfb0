"""The losses are their formulas, are finite where log(sigmoid) is not, and say truly what they see."""

from collections.abc import Callable, Iterator

import jaxtyping
import pytest
import torch
from torch import Tensor

from agon.errors import SettingError
from agon.objectives import OBJECTIVES, MarginEnergy, Objective

NAMES = sorted(OBJECTIVES)
Formula = Callable[[Tensor, Tensor], Tensor]


def log_sigmoid(a: Tensor) -> Tensor:
    return torch.log(torch.sigmoid(a))


def log_one_minus(a: Tensor) -> Tensor:
    return torch.log(1 - torch.sigmoid(a))


# The critic's and the generator's loss, as the papers print them.
FORMULAS: dict[str, tuple[Formula, Formula]] = {
    "minimax": (
        lambda r, f: -(log_sigmoid(r).mean() + log_one_minus(f).mean()),
        lambda r, f: log_sigmoid(r).mean() + log_one_minus(f).mean(),
    ),
    "non-saturating": (
        lambda r, f: -log_sigmoid(r).mean() - log_one_minus(f).mean(),
        lambda r, f: -log_sigmoid(f).mean(),
    ),
    "least-squares": (
        lambda r, f: 0.5 * ((r - 1) ** 2).mean() + 0.5 * (f**2).mean(),
        lambda r, f: 0.5 * ((f - 1) ** 2).mean(),
    ),
    "hinge": (
        lambda r, f: torch.clamp(1 - r, min=0).mean() + torch.clamp(1 + f, min=0).mean(),
        lambda r, f: -f.mean(),
    ),
    "wasserstein": (lambda r, f: f.mean() - r.mean(), lambda r, f: -f.mean()),
    "relativistic": (lambda r, f: -log_sigmoid(r - f).mean(), lambda r, f: -log_sigmoid(f - r).mean()),
    "margin-energy": (  # energies D = -a, margin 1
        lambda r, f: (-r).mean() + torch.maximum(torch.zeros_like(f), 1.0 - (-f)).mean(),
        lambda r, f: (-f).mean(),
    ),
}


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def objective(name: str) -> Objective:
    return OBJECTIVES[name]()


@pytest.fixture
def logits() -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(3)
    real, fake = torch.randn(2, 16, generator=rng, dtype=torch.float64) * 3
    return real, fake


@pytest.fixture
def no_shape_checks() -> Iterator[None]:
    """As a user has it, without jaxtyping's checks."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def both(objective: Objective) -> tuple[Formula, Formula]:
    return objective.critic, objective.generator


def test_every_objective_has_its_formula_here() -> None:
    assert set(FORMULAS) == set(OBJECTIVES)


def test_the_losses_are_their_formulas(name: str, objective: Objective, logits: tuple[Tensor, Tensor]) -> None:
    for loss, formula in zip(both(objective), FORMULAS[name], strict=True):
        torch.testing.assert_close(loss(*logits), formula(*logits), rtol=1e-12, atol=1e-12)


def test_the_gradients_are_finite_differences(objective: Objective, logits: tuple[Tensor, Tensor]) -> None:
    inputs = [logit.requires_grad_() for logit in logits]
    assert torch.autograd.gradcheck(objective.critic, inputs)
    assert torch.autograd.gradcheck(objective.generator, inputs)


def test_losses_and_gradients_are_finite_at_extreme_logits(objective: Objective) -> None:
    extremes = torch.tensor([1e4, -1e4, 0.0])
    real, fake = (x.flatten().clone().requires_grad_() for x in torch.meshgrid(extremes, extremes, indexing="ij"))
    for loss in both(objective):
        value = loss(real, fake)
        assert torch.isfinite(value)
        gradients = torch.autograd.grad(value, (real, fake), allow_unused=True)
        assert all(torch.isfinite(g).all() for g in gradients if g is not None)


def test_log_of_sigmoid_would_be_caught_by_the_extremes() -> None:
    logit = torch.tensor([-1e4], requires_grad=True)
    value = -log_sigmoid(logit).mean()
    assert not torch.isfinite(value)
    with_epsilon = -torch.log(torch.sigmoid(logit) + 1e-8).mean()
    assert torch.autograd.grad(with_epsilon, logit)[0] == 0  # finite, and dead where it is needed


def test_a_confidently_rejected_sample_still_pulls_the_generator() -> None:
    """Of the losses that promise it: the non-saturating pair keeps a gradient of -1 where σ(a) is 0."""
    for name in ("non-saturating", "relativistic"):
        fake = torch.tensor([-1e4], requires_grad=True)
        loss = OBJECTIVES[name]().generator(torch.zeros(1), fake)
        assert torch.autograd.grad(loss, fake)[0] == -1


@pytest.mark.usefixtures("no_shape_checks")
@pytest.mark.parametrize("shapes", [((8,), (8, 1)), ((8, 1), (8,)), ((8, 1), (8, 1)), ((8,), (4,)), ((), ())])
def test_logits_of_other_shapes_are_refused(objective: Objective, shapes: tuple[tuple[int, ...], ...]) -> None:
    real, fake = (torch.zeros(shape) for shape in shapes)
    for loss in both(objective):
        with pytest.raises(SettingError, match=r"one shape \(n,\).*flatten"):
            loss(real, fake)


def test_the_minimax_generator_keeps_the_real_term(logits: tuple[Tensor, Tensor]) -> None:
    minimax, (real, fake) = OBJECTIVES["minimax"](), logits
    torch.testing.assert_close(minimax.generator(real, fake), -minimax.critic(real, fake))
    real.requires_grad_()
    (gradient,) = torch.autograd.grad(minimax.generator(real, fake), real)
    torch.testing.assert_close(gradient, (1 - torch.sigmoid(real)) / len(real))


def test_generator_sees_real_says_whether_the_loss_changes_with_real(
    objective: Objective, logits: tuple[Tensor, Tensor]
) -> None:
    real, fake = logits
    changes = objective.generator(real, fake) != objective.generator(real + 1, fake)
    assert bool(changes) is objective.generator_sees_real
    if objective.generator_sees_real:
        with pytest.raises(SettingError, match="needs the real logits"):
            objective.generator(None, fake)
    else:
        assert objective.generator(None, fake) == objective.generator(real, fake)


def best_logit(objective: Objective, share_real: float) -> float:
    """The critic's best logit at a point where this share of the density is real, by brute force."""
    a = torch.linspace(-4, 4, 8001, dtype=torch.float64)
    nothing = torch.zeros_like(a)  # the losses that fix a boundary are sums of a real and a fake term
    real = objective.critic_terms(a, nothing) - objective.critic_terms(nothing, nothing)
    fake = objective.critic_terms(nothing, a) - objective.critic_terms(nothing, nothing)
    return float(a[(share_real * real + (1 - share_real) * fake).argmin()])


@pytest.mark.parametrize("name", ["minimax", "non-saturating", "least-squares", "hinge"])
def test_the_boundary_is_where_the_best_critic_changes_its_mind(objective: Objective) -> None:
    assert objective.boundary is not None
    assert best_logit(objective, 0.49) < objective.boundary < best_logit(objective, 0.51)


def test_a_loss_fixes_a_boundary_unless_it_depends_on_differences_only(
    objective: Objective, logits: tuple[Tensor, Tensor]
) -> None:
    """Where a shift of all logits changes nothing, no logit in itself is real or generated. An energy's is below."""
    if isinstance(objective, MarginEnergy):
        return
    real, fake = logits
    shifted = objective.critic(real + 5, fake + 5)
    assert (objective.boundary is None) == torch.allclose(shifted, objective.critic(real, fake))


def test_the_relativistic_pair_is_one_loss_with_its_players_swapped(logits: tuple[Tensor, Tensor]) -> None:
    pairing, (real, fake) = OBJECTIVES["relativistic"](), logits
    assert pairing.generator(real, fake) == pairing.critic(fake, real)
    assert pairing.generator(real + 5, fake + 5).isclose(pairing.generator(real, fake))


def test_an_energy_is_pushed_up_to_its_margin_and_no_further() -> None:
    """zhao2016, equations 1 and 2, at energies below, at and beyond a margin of 2, with both gradients."""
    objective = MarginEnergy(margin=2.0)
    energies = torch.tensor([0.5, 1.5, 2.5, 1e4], dtype=torch.float64)
    real, fake = (-energies).clone().requires_grad_(), (-energies).clone().requires_grad_()
    loss = objective.critic(real, fake)
    assert loss == (0.5 + 1.5 + 2.5 + 1e4) / 4 + (1.5 + 0.5 + 0 + 0) / 4
    to_real, to_fake = torch.autograd.grad(loss, (real, fake))
    assert (4 * to_real).tolist() == [-1, -1, -1, -1]
    assert (4 * to_fake).tolist() == [1, 1, 0, 0]
    (pull,) = torch.autograd.grad(objective.generator(None, fake), fake)
    assert (4 * pull).tolist() == [-1, -1, -1, -1]  # beyond the margin too


def test_any_logit_above_minus_the_margin_would_do_as_an_energys_boundary() -> None:
    """The best critic jumps from one end to the other, so none is fixed."""
    assert MarginEnergy().boundary is None
    assert best_logit(MarginEnergy(), 0.49) == pytest.approx(-1)
    assert best_logit(MarginEnergy(), 0.51) == 4  # the end of the grid


@pytest.mark.parametrize("margin", [0.0, -1.0, float("nan"), float("inf")])
def test_a_margin_is_a_number_over_0(margin: float) -> None:
    with pytest.raises(SettingError, match="margin of MarginEnergy: expected a number over 0"):
        MarginEnergy(margin=margin)
