"""ARGAN's losses are those of a NumPy transcription of Algorithm 1, and each player's gradient is its own loss's."""

import itertools
from collections import Counter
from typing import Any

import pytest
import torch
from torch import nn

from agon.dynamics import Turns, Unrolled
from agon.errors import SettingError
from agon.games import Autoregressive, Batch, PatchAutoregressive, parameters_of
from agon.games.autoregressive import prediction_errors
from agon.networks import argan, cnn
from agon.objectives import Minimax

from ..dynamics.differences import by_differences, surrogate
from .transcription import FEATURES, SHAPE, N, Transcription

FOLDS = {"space": {}, "channels": {"by": "channels", "layers": 2}, "pairs": {"group": 2}}
GAMES = pytest.mark.parametrize("kind", [Autoregressive, PatchAutoregressive])


def game_of(kind: type[Autoregressive] = Autoregressive, normalise: bool = True, **fold: Any) -> Autoregressive:
    """Tiny networks with weights that leave nothing saturated."""
    torch.manual_seed(0)
    generator = nn.Sequential(nn.Linear(2, 16, bias=False), nn.Tanh(), nn.Unflatten(1, SHAPE))
    generator.latent_shape = (2,)  # type: ignore[assignment]
    layers: dict[str, nn.Module] = {
        "generator": generator,
        "encoder": cnn.Encoder(
            shape=SHAPE, layers=((2, 2, 2),), normalise_first=normalise, normalise=normalise, gain=0.7
        ),
        "autoregressor": argan.Autoregressor(features=FEATURES, hidden=3, **fold),
    }
    if issubclass(kind, PatchAutoregressive):
        layers["patch"] = argan.Patch(features=FEATURES, gain=0.7)
    return kind(**layers).double()


def batch(seed: int = 0) -> Batch:
    rng = torch.Generator().manual_seed(seed)
    real = torch.randn(N, *SHAPE, generator=rng, dtype=torch.float64)
    return Batch(real, torch.randn(N, 2, generator=rng, dtype=torch.float64), {})


@GAMES
@pytest.mark.parametrize("fold", FOLDS.values(), ids=FOLDS)
def test_the_losses_are_those_of_algorithm_1(kind: type[Autoregressive], fold: dict[str, Any]) -> None:
    game = game_of(kind, **fold)
    told = game(batch(), of=tuple(game.players)).players
    expected = Transcription(game).losses(batch())
    assert told.keys() == expected.keys()
    for player, value in expected.items():
        assert float(told[player].detach()) == pytest.approx(value, rel=1e-10, abs=1e-10), player


@GAMES
def test_squares_and_equation_5_are_those_of_the_transcription(kind: type[Autoregressive]) -> None:
    """The sum of squares in the place of absolute values; and the autoregressor's loss is the encoder's energies."""
    game = game_of(kind)
    game.norm, game.contrastive = 2, True
    told = game(batch(), of=tuple(game.players)).players
    expected = Transcription(game).losses(batch())
    assert {player: float(value.detach()) for player, value in told.items()} == pytest.approx(expected, rel=1e-10)
    game.norm = 1
    other = game(batch(), of=("autoregressor",)).players["autoregressor"]
    assert float(other.detach()) != pytest.approx(expected["autoregressor"], rel=1e-3)


def test_another_norm_is_refused() -> None:
    game = game_of()
    with pytest.raises(SettingError, match="norm: expected 1 or 2, got 3"):
        Autoregressive(
            generator=game.generator,
            encoder=game.encoder,
            autoregressor=game.autoregressor,
            norm=3,  # type: ignore[arg-type]
        )


@GAMES
def test_whoever_moves_the_losses_are_the_same(kind: type[Autoregressive]) -> None:
    """A pass left out changes no loss that is asked for; nor does a batch handed in."""
    game, given = game_of(kind), batch()
    whole = game(given, of=tuple(game.players)).players
    fake = game.generate(given.latent).detach()
    for count in range(1, len(game.players)):
        for movers in itertools.combinations(game.players, count):
            for samples in (None, fake):
                told = game(given, samples, of=movers)
                assert told.players.keys() == set(movers)
                assert all(torch.equal(told.players[player], whole[player]) for player in movers), movers
                assert not any(value.requires_grad or value.ndim for value in told.seen.values())


@GAMES
def test_each_gradient_is_the_whole_one_of_its_own_loss(kind: type[Autoregressive]) -> None:
    """Nothing on the way is detached, targets included: central differences in every parameter."""
    game = game_of(kind)
    for player in game.players:
        loss = game(batch(), of=tuple(game.players)).players[player]
        found = torch.autograd.grad(loss, parameters_of(game, player))
        expected = by_differences(game, player, lambda p=player: float(game(batch(), of=(p,)).players[p].detach()))
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-7)


def test_detached_targets_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: the encoder's gradient is another one."""
    monkeypatch.setattr(Autoregressive, "errors", lambda self, f: prediction_errors(self.autoregressor(f), f.detach()))
    with pytest.raises(AssertionError):
        test_each_gradient_is_the_whole_one_of_its_own_loss(Autoregressive)


@GAMES
@pytest.mark.parametrize("contrastive", [False, True])
def test_the_autoregressor_fits_real_features_only(kind: type[Autoregressive], contrastive: bool) -> None:
    """Its gradient does not change with the generated samples; with equation 5 it does."""
    game = game_of(kind)
    game.contrastive = contrastive
    gradients = []
    for scale in (1.0, 3.0):
        fake = scale * torch.randn(N, *SHAPE, dtype=torch.float64)
        loss = game(batch(), fake.requires_grad_(), of=tuple(game.players)).players["autoregressor"]
        reached = torch.autograd.grad(loss, fake, allow_unused=True, retain_graph=True)[0]
        assert (reached is None) == (not contrastive)
        gradients.append(torch.autograd.grad(loss, parameters_of(game, "autoregressor")))
    same = all(torch.equal(one, other) for one, other in zip(*gradients, strict=True))
    assert same == (not contrastive)


ENERGIES = {"generator": (0, 1), "encoder": (1, -1), "autoregressor": (1, 0)}  # weights of e(real) and e(fake)


@pytest.mark.parametrize("player", ENERGIES)
def test_a_small_step_lowers_what_its_player_wants_low(player: str) -> None:
    game = game_of()
    optimiser = torch.optim.SGD(parameters_of(game, player), lr=1e-3)

    def wanted() -> float:
        given = batch()
        with torch.no_grad():
            real, fake = (game.errors(game.encoder(x)).mean() for x in (given.real, game.generate(given.latent)))
        return float(ENERGIES[player][0] * real + ENERGIES[player][1] * fake)

    before = wanted()
    Turns(((player,),)).step(game, {player: optimiser}, batch)
    assert wanted() < before - 1e-6


JOINT = ("generator", "encoder", "autoregressor")
PASSES = [  # movers, whether with a patch critic, passes of encoder, autoregressor, patch critic, generator
    (JOINT, False, (2, 2, 0, 1)),
    (("generator",), False, (1, 1, 0, 1)),
    (("encoder",), False, (2, 2, 0, 1)),
    (("autoregressor",), False, (1, 1, 0, 0)),
    ((*JOINT, "patch"), True, (2, 2, 2, 1)),
    (("generator",), True, (1, 1, 1, 1)),
    (("autoregressor",), True, (1, 1, 0, 0)),
    (("patch",), True, (2, 0, 2, 1)),
    (("autoregressor", "patch"), True, (2, 1, 2, 1)),
]


def counted(game: Autoregressive) -> Counter[str]:
    """How often each network is called, from now on."""
    calls: Counter[str] = Counter()
    for name, module in game.named_children():
        module.register_forward_hook(lambda *_, name=name: calls.update([name]))
    return calls


@pytest.mark.parametrize(("movers", "patch", "passes"), PASSES)
def test_all_losses_share_one_pass_and_none_is_made_in_vain(
    movers: tuple[str, ...], patch: bool, passes: tuple[int, ...]
) -> None:
    game = game_of(PatchAutoregressive if patch else Autoregressive)
    calls = counted(game)
    game(batch(), of=movers)
    assert tuple(calls[name] for name in ("encoder", "autoregressor", "patch", "generator")) == passes


def test_an_objective_that_sees_real_logits_gets_them() -> None:
    """Minimax in the patch critic's place of least squares: the generator's turn looks at real samples there."""
    game = game_of(PatchAutoregressive)
    least = game(batch(), of=("generator",)).players["generator"]
    game.objective = Minimax()
    calls = counted(game)
    told = game(batch(), of=("generator",)).players["generator"]
    assert dict(calls) == {"encoder": 2, "autoregressor": 1, "patch": 2, "generator": 1}
    logits = [game.patch(game.encoder(x)).flatten() for x in (batch().real, game.generate(batch().latent))]
    energy = game.errors(game.encoder(game.generate(batch().latent))).mean()
    torch.testing.assert_close(told, energy + Minimax().generator(*logits))
    assert not torch.equal(told, least)


def rounds(game: Autoregressive) -> Turns:
    """argan2018's t = 3."""
    return Turns((("generator",), ("generator",), tuple(game.players)))


def adam(game: Autoregressive) -> dict[str, torch.optim.Optimizer]:
    return {p: torch.optim.Adam(parameters_of(game, p), lr=1e-2, betas=(0.5, 0.999)) for p in game.players}


@GAMES
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("fold", FOLDS.values(), ids=FOLDS)
def test_every_parameter_has_a_finite_gradient(
    kind: type[Autoregressive], fold: dict[str, Any], dtype: torch.dtype
) -> None:
    """After one round of t = 3, of three draws; with and without a look-ahead."""
    for ahead in (False, True):
        game, drawn = game_of(kind, **fold).to(dtype), itertools.count()

        def draw(game: Autoregressive = game, drawn: Any = drawn) -> Batch:
            given = batch(next(drawn))
            return Batch(given.real.to(dtype), given.latent.to(dtype), {})

        turns, others = rounds(game), tuple(player for player in game.players if player != "generator")
        dynamics = Unrolled(turns, {"generator": others}, steps=2) if ahead else turns
        told = dynamics.step(game, adam(game), draw)
        assert next(drawn) == 3
        assert turns.real_batches_per_step(game) == 1  # the generator's further moves look at no real sample
        assert told.players.keys() == game.players.keys()
        for name, parameter in game.named_parameters():
            assert parameter.grad is not None, name
            assert torch.isfinite(parameter.grad).all(), name


@pytest.mark.parametrize(("kind", "rule"), [(Autoregressive, torch.optim.SGD), (PatchAutoregressive, torch.optim.Adam)])
def test_a_generator_can_look_ahead_at_all_its_judges(kind: type[Autoregressive], rule: Any) -> None:
    """Unrolled by two steps, the recurrent network is differentiated twice: finite differences of real steps."""
    game = game_of(kind)
    others = tuple(player for player in game.players if player != "generator")
    optimisers = {player: rule(parameters_of(game, player), lr=0.05) for player in game.players}
    Turns((tuple(game.players),)).step(game, optimisers, lambda: batch(1))
    expected = by_differences(
        game, "generator", lambda: surrogate(game, optimisers, "generator", others, [batch()] * 2, batch())
    )
    plain = torch.autograd.grad(game(batch(), of=("generator",)).players["generator"], parameters_of(game, "generator"))
    dynamics = Unrolled(Turns((("generator",),)), {"generator": others}, steps=2)
    dynamics.step(game, optimisers, batch)
    found, expected, first = (
        torch.cat([t.flatten() for t in each])
        for each in ([p.grad for p in parameters_of(game, "generator")], expected, plain)
    )
    assert float((found - expected).norm() / expected.norm()) < 1e-6
    assert float((first - expected).norm() / expected.norm()) > 1e-2  # without look-ahead it is another gradient


@GAMES
def test_realness_is_minus_the_error_of_each_sample_by_itself(kind: type[Autoregressive]) -> None:
    """In evaluation mode it does not depend on the batch; the patch critic has no part in it."""
    game = game_of(kind).eval()
    x = batch().real
    told = game.realness(x)
    gaps = game.autoregressor(game.encoder(x)) - game.encoder(x)
    torch.testing.assert_close(told, torch.stack([-each.abs().sum() for each in gaps]))
    torch.testing.assert_close(told, torch.cat([game.realness(each[None]) for each in x]))
    torch.testing.assert_close(game(batch(), of=("autoregressor",)).seen["energy/real"], -told.mean())
    assert told.shape == (N,)
    game.train()
    assert not torch.allclose(game.realness(x[:2]), game.realness(x)[:2])  # the negative control: batch statistics


def test_the_patch_critics_opinion_is_the_mean_over_positions() -> None:
    game = game_of(PatchAutoregressive).eval()
    logits = game.patch(game.encoder(batch().real))
    torch.testing.assert_close(game.patch_realness(batch().real), torch.stack([each.mean() for each in logits]))


def test_errors_of_half_precision_features_are_summed_in_float32() -> None:
    features = torch.full((2, 4096, 1, 1), 1.0, dtype=torch.bfloat16)
    errors = prediction_errors(torch.zeros_like(features), features)
    assert errors.dtype is torch.float32
    assert errors.tolist() == [4096.0, 4096.0]


def nothing(*_: Any) -> nn.Module:
    return nn.Flatten()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"autoregressor": argan.Autoregressor(features=(2, 1, 1))}, r"expected features of shape \(2, 1, 1\), got"),
        ({"autoregressor": nothing()}, r"predictions of the features' shape \(2, 2, 2\), got \(8,\)"),
        ({"patch": nn.Conv2d(2, 1, 1)}, r"a logit for each position, shape .* got \(2, 1, 2, 2\)"),
        ({"generator": nn.Linear(2, 16)}, r"expected an attribute latent_shape"),
    ],
)
def test_networks_that_do_not_fit_are_sentences(settings: dict[str, nn.Module], sentence: str) -> None:
    game = game_of(PatchAutoregressive)
    game.check(SHAPE)
    misfit = PatchAutoregressive(**{**dict(game.named_children()), **settings}).double()
    with pytest.raises(SettingError, match=sentence):
        misfit.check(SHAPE)
    with pytest.raises(SettingError, match=r"expected samples of the data's shape \(1, 8, 8\), got \(1, 4, 4\)"):
        game.check((1, 8, 8))
