"""The Jacobian of a game's vector field and its eigenvalues, against closed forms and finite differences."""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import agon
from agon.data.toy import Gaussian
from agon.diagnosis.spectrum import (
    DENSE,
    after_a_turn,
    eigenvalues,
    extragradient,
    plain,
    rotating,
    smaller,
    turns_product,
)
from agon.diagnosis.vector_field import VectorField
from agon.games import Batch, Game, Losses, parameters_of
from agon.networks import mlp
from agon.objectives import Minimax, NonSaturating, Wasserstein
from agon.penalties import R1, R2, GradientPenalty, Penalty

RNG = np.random.default_rng(0)
A, B, C = (RNG.normal(size=shape) for shape in ((3, 3), (3, 4), (4, 4)))
A, C = A @ A.T, C @ C.T


class Quadratic(Game):
    """x minimises x'Ax/2 + x'By, and y minimises y'Cy/2 - x'By: J = [[A, B], [-B', C]] everywhere."""

    players: ClassVar[Mapping[str, Sequence[str]]] = {"x": ("x",), "y": ("y",)}
    generating_players: ClassVar[Sequence[str]] = ()

    def __init__(self, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> None:
        super().__init__()
        self.a, self.b, self.c = map(torch.from_numpy, (a, b, c))
        self.x, self.y = (nn.Linear(n, 1, bias=False) for n in b.shape)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return ()

    def generate(self, latent: Tensor) -> Tensor:
        return latent

    def losses(self, batch: Batch, fake: Tensor | None = None, *, of: Collection[str]) -> Losses:
        x, y = self.x.weight[0], self.y.weight[0]
        both = x @ self.b @ y
        return Losses({"x": x @ self.a @ x / 2 + both, "y": y @ self.c @ y / 2 - both}, {})


class Point(nn.Module):
    """The generator of the Dirac-GAN: all samples are θ."""

    latent_shape = (1,)

    def __init__(self) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.zeros(1))

    def forward(self, latent: Tensor) -> Tensor:
        return self.place.expand(len(latent), 1)


class Slope(nn.Module):
    """Its critic: D(x) = ψx."""

    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.slope).squeeze(1)


def batch(n: int, *shape: int, latent: int = 3) -> Batch:
    rng = torch.Generator().manual_seed(1)
    real, epsilon = torch.randn(n, *shape, generator=rng), torch.rand(n, *[1] * len(shape), generator=rng)
    return Batch(real, torch.randn(n, latent, generator=rng), {"epsilon": epsilon})


def close(found: np.ndarray, expected: Sequence[complex] | np.ndarray) -> None:
    """The same numbers in any order."""
    left = list(found)
    for value in expected:
        nearest = min(left, key=lambda other: abs(other - value))
        assert nearest == pytest.approx(value, abs=1e-7)
        left.remove(nearest)
    assert not left


def test_quadratic_game() -> None:
    """The Jacobian is the known matrix, and that of a bilinear game has the eigenvalues ±iσ."""
    game = Quadratic(A, B, C)
    field = VectorField(game, batch(2, 1))
    matrix = np.block([[A, B], [-B.T, C]])
    assert field.jacobian() == pytest.approx(matrix, abs=1e-12)
    assert field.players.tolist() == [0] * 3 + [1] * 4
    close(eigenvalues(field.vjp, len(field)), np.linalg.eigvals(matrix))
    bilinear = VectorField(Quadratic(0 * A, B, 0 * C), batch(2, 1))
    sigma = np.linalg.svd(B)[1]
    close(eigenvalues(bilinear.vjp, 7), [*(1j * sigma), *(-1j * sigma), 0])


@pytest.mark.parametrize(
    "penalties", [(), (R1(weight=2.0),), (R2(weight=2.0), GradientPenalty(weight=3.0))], ids=["none", "R1", "R2, GP"]
)
def test_products_against_finite_differences(penalties: tuple[Penalty, ...]) -> None:
    """Also through penalties, whose gradients contain second derivatives already."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        generator = mlp.Generator(shape=(2,), latent=3, widths=(4,), nonlinearity="tanh", normalise=True)
        game = agon.Adversarial(
            generator=generator,
            critic=mlp.Critic(shape=(2,), widths=(5,), nonlinearity="tanh"),
            objective=NonSaturating(),
            penalties=penalties,
        )
    given, game = batch(6, 2), game.double()
    before = {name: value.clone() for name, value in game.state_dict().items()}
    field = VectorField(game, given)
    assert all(torch.equal(value, before[name]) for name, value in game.state_dict().items()), "a copy was used"
    u = RNG.normal(size=len(field))
    by_differences = np.array([u @ (slope - other) for slope, other in _ends(game, given)]) / 2e-6
    assert field.vjp(u) == pytest.approx(by_differences, rel=1e-5, abs=1e-6)


def _ends(game: Game, given: Batch) -> list[tuple[np.ndarray, np.ndarray]]:
    """v at w + 1e-6 e_i and at w - 1e-6 e_i, for each i."""
    ends = []
    for parameter in (p for player in game.players for p in parameters_of(game, player)):
        for i in range(parameter.numel()):
            values = []
            for move in (1e-6, -2e-6):
                parameter.data.view(-1)[i] += move
                values.append(VectorField(game, given).value)
            parameter.data.view(-1)[i] += 1e-6
            ends.append((values[0], values[1]))
    return ends


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0, 4.0])
def test_dirac(weight: float) -> None:
    """γ/2 ± √(γ²/4 - f'(0)²), f'(0) = 1/2: imaginary without R1, and with a positive real part with it.

    Source: Mescheder et al. 2018, lemmas 2.3 and 4.1.
    """
    game = agon.Adversarial(generator=Point(), critic=Slope(), objective=Minimax(), penalties=(R1(weight=weight),))
    given = Batch(torch.zeros(4, 1), torch.zeros(4, 1), {})
    root = np.sqrt(complex(weight**2 / 4 - 1 / 4))
    # a double root moves by the square root of the rounding
    found = np.sort_complex(eigenvalues(VectorField(game, given).vjp, 2))
    assert found == pytest.approx(np.sort_complex(np.array([weight / 2 + root, weight / 2 - root])), abs=1e-6)


def test_arpack_finds_both_ends() -> None:
    """Of a matrix with known eigenvalues, the largest and the most imaginary ones."""
    n = DENSE + 44
    real, turning = np.linspace(0.0, 1.0, n - 6), [0.3 + 0.9j, 0.01 + 0.5j, 2.0 + 0.4j]
    matrix = np.zeros((n, n))
    matrix[range(n - 6), range(n - 6)] = real
    for i, value in enumerate(turning):
        at = slice(n - 6 + 2 * i, n - 4 + 2 * i)
        matrix[at, at] = [[value.real, value.imag], [-value.imag, value.real]]
    mixing = np.linalg.qr(RNG.normal(size=(n, n)))[0]
    mixed = mixing @ matrix @ mixing.T
    found = eigenvalues(lambda u: u @ mixed, n)
    for value in turning:
        assert min(abs(found - value)) < 1e-5
        assert min(abs(found - value.conjugate())) < 1e-5
    assert eigenvalues(np.zeros_like, n).size in (0, *range(13)), "a game without gradients is no error"


@pytest.mark.parametrize("h", [0.05, 0.5])
def test_rules_on_a_bilinear_game(h: float) -> None:
    """Simultaneous steps grow by √(1 + h²σ²), turns conserve, extragradient shrinks, smaller steps still grow."""
    sigma = 0.8
    product = lambda u: u @ (h * np.array([[0.0, sigma], [-sigma, 0.0]]))  # noqa: E731
    values, s = eigenvalues(product, 2), h * sigma
    assert abs(plain(values)) == pytest.approx(np.sqrt(1 + s**2))
    assert abs(extragradient(values)) == pytest.approx(np.sqrt(1 - s**2 + s**4))
    assert (abs(smaller(values)) > 1).all()
    in_turns = plain(eigenvalues(turns_product(product, np.array([0, 1]), [[0], [1]]), 2))
    assert abs(in_turns) == pytest.approx(1.0)
    assert after_a_turn(in_turns) == pytest.approx(1.0)
    assert (after_a_turn(extragradient(values)) < 1).all()


@pytest.mark.parametrize("order", [[[0], [1]], [[1], [0], [1]], [[0, 1]]])
def test_turns_are_the_map_of_real_steps(order: list[list[int]]) -> None:
    """I - N is the linear map of a round of steps by hand, for any order."""
    matrix = 0.1 * np.block([[A, B], [-B.T, C]])
    players = np.repeat([0, 1], [3, 4])
    steps = np.eye(7)
    for turn in order:
        moving = np.isin(players, turn)[:, None]
        steps = steps - moving * (matrix @ steps)
    product = turns_product(lambda u: u @ matrix, players, order)
    assert np.eye(7) - np.stack([product(unit) for unit in np.eye(7)]) == pytest.approx(steps)


def test_rotating_values() -> None:
    assert rotating(np.array([1.0, 0.5 + 0.6j, -0.1j, 2 + 1j])).tolist() == [0.5 + 0.6j, -0.1j]


def test_one_player_has_real_eigenvalues() -> None:
    """Its Jacobian is the Hessian of its loss, and symmetric."""
    game = agon.Adversarial(
        generator=mlp.Generator(shape=(1,), latent=1, widths=()),
        critic=mlp.Critic(shape=(1,), widths=(3,), nonlinearity="tanh"),
        objective=Wasserstein(),
    )
    for parameter in game.generator.parameters():
        parameter.requires_grad_(False)
    field = VectorField(game, Batch(Gaussian().take(8).real, torch.zeros(8, 1), {}))
    jacobian = field.jacobian()
    assert len(field) == sum(p.numel() for p in game.critic.parameters())
    assert jacobian == pytest.approx(jacobian.T, abs=1e-12)
