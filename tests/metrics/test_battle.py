"""GAM: by hand from logits, from both sides, with and without boundaries, and on wrong input."""

import copy
import json
import math

import pytest
import torch
from torch import Tensor, nn

from agon.data import Ring
from agon.errors import DataError, SettingError
from agon.games import Adversarial, Autoregressive, BoundaryEquilibrium, Game, Variational
from agon.metrics import battle, one_sided
from agon.metrics.auroc import auroc
from agon.networks import mlp
from agon.networks.vae import Vae
from agon.objectives import OBJECTIVES, LeastSquares, NonSaturating, Objective, Wasserstein

RING = Ring()


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Shift(nn.Module):
    """z -> z + mean in one dimension."""

    latent_shape = (1,)

    def __init__(self, mean: float) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.tensor(mean))

    def forward(self, latent: Tensor) -> Tensor:
        return latent + self.mean


class Line(nn.Module):
    """x -> slope · (x - place): real samples lie at 0, generated ones below."""

    def __init__(self, place: float, slope: float = 1.0) -> None:
        super().__init__()
        self.place, self.slope = nn.Parameter(torch.tensor(place)), slope

    def forward(self, x: Tensor) -> Tensor:
        return self.slope * (x - self.place).flatten()


def line(mean: float, place: float, objective: Objective | None = None, slope: float = 1.0) -> Adversarial:
    """Samples N(mean, 1) and a critic that decides at `place`."""
    objective = objective or NonSaturating()
    return Adversarial(generator=Shift(mean), critic=Line(place, slope), objective=objective)


def perceptrons(seed: int, normalise: bool = False) -> Adversarial:
    """Untrained networks of points of the ring."""
    torch.manual_seed(seed)
    generator = mlp.Generator(shape=(2,), latent=3, widths=(8,))
    return Adversarial(generator=generator, critic=mlp.Critic(shape=(2,), widths=(8,), normalise=normalise))


def real(n: int = 4000) -> Tensor:
    return torch.randn(n, 1, generator=rng(7))


def phi(x: float) -> float:
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


def test_gam_by_hand_from_logits() -> None:
    """A loop over the critics' logits, sample by sample."""
    one, two = perceptrons(3), perceptrons(7)
    test, drawn = RING.sample(300, rng()), []

    def kept(game: Game) -> object:
        def generate(latents: Tensor) -> Tensor:
            drawn.append((game, game.generate(latents)))
            return drawn[-1][1]

        return generate

    result = battle(one, two, test, n=311, generate=(kept(one), kept(two)))
    generated = {game: torch.cat([x for g, x in drawn if g is game]) for game in (one, two)}
    errors = {}
    for name, game, other in (("first", one, two), ("second", two, one)):
        for kind, x, is_real in (
            ("test", test, True),
            ("foreign", generated[other], False),
            ("own", generated[game], False),
        ):
            wrong = sum((logit > 0) != is_real for logit in game.critic(x).tolist())
            rate = getattr(getattr(result, name), kind)
            assert rate == (wrong, len(x))
            errors[name, kind] = wrong / len(x)
    assert result.test.value == pytest.approx(errors["first", "test"] / errors["second", "test"], rel=1e-12)
    assert result.sample.value == pytest.approx(errors["first", "foreign"] / errors["second", "foreign"], rel=1e-12)
    accuracies = (1 - errors["first", "foreign"]) / (1 - errors["second", "foreign"])
    assert result.sample.accuracies == pytest.approx(accuracies, rel=1e-12)


def test_error_rates_of_known_distributions() -> None:
    """N(0, 1) is real; samples are N(-2, 1) and N(-1, 1); both critics decide at -1."""
    result = battle(line(-2.0, -1.0), line(-1.0, -1.0), real(), names=("far", "near"))
    assert result.first.test.value == pytest.approx(phi(-1), abs=0.025)
    assert result.first.foreign.value == pytest.approx(0.5, abs=0.03)
    assert result.second.foreign.value == pytest.approx(phi(-1), abs=0.025)
    assert (result.test.value, result.winner, result.verdict.outcome) == (1.0, "second", "second")
    assert result.words(result.winner) == "near wins"


def test_the_better_generator_wins_from_both_sides() -> None:
    """Exchanged: the ratios are inverted, the verdicts mirrored, the critics' errors the same."""
    good, bad = line(-0.5, -1.0), line(-3.0, -0.9)
    result = battle(good, bad, real(), names=("good", "bad"))
    other = battle(bad, good, real(), names=("bad", "good"))
    for battled in (result, other, other.swapped):
        assert battled.words(battled.winner) == battled.words(battled.verdict.outcome) == "good wins"
    assert (other.swapped.first, other.swapped.second) == (result.first, result.second)
    for one, two in ((result.test, other.test.inverse), (result.sample, other.sample.inverse)):
        assert (one.value, *one.interval) == pytest.approx((two.value, *two.interval), rel=1e-12)


def test_a_battle_with_oneself_is_undecided() -> None:
    """Both ratios are exactly 1, also if one of both works on pixels of another range."""
    game = line(-1.0, -0.5)
    result = battle(game, game, real())
    assert (result.test.value, result.sample.value) == (1.0, 1.0)
    assert (result.winner, result.verdict.outcome) == ("tie", "undecided")
    halved = Adversarial(generator=Halved(), critic=Line(0.25, 2.0))
    ranged = battle(game, halved, real(), ranges=((-1.0, 1.0), (0.0, 1.0)))
    assert (ranged.test.value, ranged.sample.value) == (1.0, 1.0)
    assert battle(game, halved, real()).sample.value != 1.0, "the negative control: without the ranges"


class Halved(Shift):
    """Shift(-1) in the range (0, 1) instead of (-1, 1)."""

    def __init__(self) -> None:
        super().__init__(-1.0)

    def forward(self, latent: Tensor) -> Tensor:
        return (super().forward(latent) + 1) / 2


def test_perfect_critics_give_finite_numbers() -> None:
    """No error anywhere: smoothed, and undecided, as JSON."""
    result = battle(line(-100.0, -50.0), line(-90.0, -50.0), real(200))
    assert result.sample.smoothed
    assert result.test.smoothed
    assert result.sample.value == 1
    assert result.verdict.outcome == "undecided"
    json.dumps(result.score().record(), allow_nan=False)


def test_a_critic_at_exactly_its_boundary_errs_in_half() -> None:
    """It knows nothing: neither an error on all real samples nor on all generated ones."""
    result = battle(line(-1.0, 0.0, slope=0.0), line(-1.0, -1.0), real(100))
    assert [result.first.test, result.first.foreign, result.first.own] == [(50.0, 100)] * 3


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objectives_boundary(name: str) -> None:
    """Where there is none, a threshold is calibrated, and the score says so; a boundary is taken unless asked."""
    game = line(-2.0, 0.0, OBJECTIVES[name]())
    known = {"least-squares": 0.5, "wasserstein": None, "relativistic": None, "margin-energy": None}.get(name, 0.0)
    assert game.boundary == known
    result = battle(game, line(-2.0, -1.0), real(2000))
    threshold = result.first.threshold
    assert (threshold.n, threshold.value) == (800, pytest.approx(-1, abs=0.3)) if known is None else (None, known)
    assert ("calibrated on 800" in result.protocol) == (known is None)
    assert result.first.test.n == (1600 if known is None else 2000)
    forced = battle(game, line(-2.0, -1.0), real(2000), calibrate=True)
    assert forced.second.threshold.value == pytest.approx(0, abs=0.3)
    assert forced.sample.value == pytest.approx(1, abs=0.25)


def test_games_without_an_objective_of_logits_have_no_boundary() -> None:
    vae = Variational(autoencoder=Vae(shape=(1, 2, 2), latent=2, widths=(4,)))
    energy = Autoregressive(generator=Shift(0.0), encoder=nn.Identity(), autoregressor=nn.Linear(1, 1))
    equilibrium = BoundaryEquilibrium(generator=Shift(0.0), critic=Line(0.0))
    assert vae.boundary is energy.boundary is equilibrium.boundary is None
    result = battle(energy, line(-2.0, -1.0), real(500))
    assert result.first.threshold.n == 200


def test_a_threshold_is_not_tested_on_what_it_was_calibrated_on() -> None:
    """Held-out samples can be given; then the whole test is tested, and nothing else moves the threshold."""
    game, other, held = line(-2.0, 0.0, Wasserstein()), line(-1.0, -1.0), real(5000)[4000:]
    result = battle(game, other, real(), held=held)
    assert (result.first.test.n, result.first.threshold.n) == (4000, 2000)
    again = battle(game, other, real()[:10], held=held, n=4000)
    assert again.first.threshold == result.first.threshold


def test_training_samples_are_told_beside_the_test() -> None:
    """Each critic judges its own; the areas are those of its realness, and the text has a line on them."""
    train = real(50), real(5000)[4000:4080]
    one, two = line(-2.0, -1.0), line(-1.0, -0.5)
    result = battle(one, two, real(100), train=train, names=("one", "two"))
    for judgement, game, own in zip((result.first, result.second), (one, two), train, strict=True):
        of_train, of_test = (game.critic(x).detach().numpy().astype(float) for x in (own, real(100)))
        assert judgement.train == (float((of_train <= 0).sum()), len(own))
        assert judgement.seen == auroc(of_train, of_test)
        assert judgement.plain()["seen"]["value"] == judgement.seen.value
    assert result.train is not None
    assert result.first.train is not None
    assert result.second.train is not None
    assert result.train.value == pytest.approx(result.first.train.value / result.second.train.value)
    assert result.score().detail["r_train"] == result.train.value
    assert result.swapped.train == result.train.inverse
    (told,) = [row for row in str(result).splitlines() if row.startswith("overfitting, by areas: one's critic ")]
    assert "two's critic" in told
    plain = battle(one, two, real(100))
    assert (plain.train, plain.first.train, plain.first.seen) == (None, None, None)
    assert "overfitting" not in str(plain)
    assert "r_train" not in plain.score().detail
    assert (plain.test, plain.sample) == (result.test, result.sample), "training samples change nothing else"


def test_training_samples_of_another_range_or_shape() -> None:
    """They are mapped as the test is, and refused where they do not fit."""
    game, halved = line(-1.0, -0.5), Adversarial(generator=Halved(), critic=Line(0.25, 2.0))
    ranged = battle(game, halved, real(200), ranges=((-1.0, 1.0), (0.0, 1.0)), train=(real(50), real(50)))
    assert ranged.first.train == ranged.second.train
    with pytest.raises(DataError, match=r"samples of shape \(1,\), got 9 of \(2,\)"):
        battle(game, game, real(20), train=(real(20), torch.zeros(9, 2)))


class Remembered(nn.Module):
    """A critic that knows some samples by heart, and finds all others a little less real than the nearer they are."""

    def __init__(self, known: Tensor) -> None:
        super().__init__()
        self.place, self.known = nn.Parameter(torch.tensor(-1.0)), known

    def forward(self, x: Tensor) -> Tensor:
        seen = (x[:, None] == self.known[None]).flatten(1).any(1)
        return (x - self.place).flatten() + 100 * seen


def test_a_critic_that_has_memorised_is_caught() -> None:
    """Its area is 1; that of a critic which has not, is 1/2, though both err as often on test samples."""
    train = real(5000)[4000:]
    learned = Adversarial(generator=Shift(-2.0), critic=Remembered(train))
    result = battle(learned, line(-2.0, -1.0), real(), train=(train, train), names=("by heart", "fair"))
    assert result.test.value == 1.0
    seen = {judgement.name: judgement.seen for judgement in (result.first, result.second)}
    assert seen["by heart"] is not None
    assert seen["by heart"].value == 1.0
    assert seen["fair"] is not None
    assert seen["fair"].interval[0] < 0.5 < seen["fair"].interval[1]
    assert result.train is not None
    assert result.train.interval[1] < 0.1, "it errs on none of what it knows"


class Alike(nn.Module):
    """Samples of the real distribution itself: all that a critic can learn is which points it was shown."""

    latent_shape = (10,)

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, latent: Tensor) -> Tensor:
        return self.scale * latent


def shown(batches: list[Tensor]) -> Adversarial:
    """A critic of a step of Adam for each batch of real points."""
    torch.manual_seed(0)
    game = Adversarial(generator=Alike(), critic=mlp.Critic(shape=(10,), widths=(64,)))
    optimiser, fakes = torch.optim.Adam(game.critic.parameters(), lr=1e-2), rng(1)
    for batch in batches:
        fake = torch.randn(batch.shape, generator=fakes)
        loss = NonSaturating().critic(game.critic(batch), game.critic(fake))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return game


def test_a_critic_that_was_shown_few_points_knows_them() -> None:
    """32 points 300 times, and 9,600 points once each; the test ratio alone could be that of a stricter critic."""
    fresh = list(torch.randn(300, 32, 10, generator=rng(2)))
    few, many = shown([fresh[0]] * 300), shown(fresh)
    test = torch.randn(1000, 10, generator=rng(3))
    result = battle(few, many, test, train=(fresh[0], torch.cat(fresh)), names=("few", "many"))
    assert result.first.seen is not None
    assert result.second.seen is not None
    assert result.first.seen.value > 0.95
    assert result.second.seen.value == pytest.approx(0.5, abs=0.05)
    assert result.train is not None
    assert result.train.value < 0.5 < result.test.value


def test_the_score_tells_all() -> None:
    """From the first game's side; the text is a row of im2016's Table 1 with its uncertainty."""
    result = battle(line(-2.0, -1.0), line(-1.0, -1.0), real(), names=("far", "near"))
    score = result.score()
    assert (score.name, score.value, score.n, score.n_real) == ("battle", result.sample.value, 4000, 4000)
    assert score.interval is not None
    assert score.interval[0] > 1
    assert (score.detail["opponent"], score.detail["verdict"]) == ("near", "near wins")
    assert result.swapped.score().value == pytest.approx(1 / score.value)
    rows = str(result).splitlines()
    assert rows[0].split() == ["Battler", "r_test", "r_sample", "Winner"]
    assert rows[1].split()[:4] == ["far", "vs.", "near", "1"]
    assert rows[1].split()[-1] == "near"
    assert rows[2].startswith("near wins: r_sample")


def test_the_block_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does the remainder: 7 leaves one, and all 300 pass."""
    one, two, test = perceptrons(0), perceptrons(1), RING.sample(300, rng())
    whole = battle(one, two, test, calibrate=True)
    for block in (7, 299, 1000):
        monkeypatch.setattr("agon.metrics.gam.critic.BLOCK", block)
        result = battle(one, two, test, calibrate=True)
        assert (result.test, result.sample) == (whole.test, whole.sample)
        assert result.first.threshold == pytest.approx(whole.first.threshold, abs=1e-6)


def test_the_seed_decides() -> None:
    one, two, test = perceptrons(0), perceptrons(1), RING.sample(300, rng())
    before = copy.deepcopy(one.state_dict())
    state = torch.get_rng_state()
    assert battle(one, two, test, seed=3) == battle(one, two, test, seed=3) != battle(one, two, test, seed=4)
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in one.state_dict().items())


def test_one_sided_is_the_error_on_foreign_samples() -> None:
    """As in a battle; with Wilson's interval, and the errors that tell whether the critic knows anything."""
    judge, other = line(-2.0, -1.0), line(-1.0, -1.0)
    result = battle(judge, other, real(500))
    latents = torch.randn(500, 1, generator=rng(3))
    score = one_sided(judge, other.generate(latents).detach(), real(500))
    assert score.value == float((latents > 0).double().mean())
    assert score.value == pytest.approx(result.first.foreign.value, abs=0.1)
    assert score.interval is not None
    assert score.interval[0] < score.value < score.interval[1]
    assert score.detail["error_test"] == result.first.test.value
    assert score.detail["error_own"] == result.first.own.value
    assert score.detail["area"]["value"] == auroc((latents - 1).numpy()[:, 0], real(500).numpy()[:, 0]).value
    alone = one_sided(judge, real(500))
    assert alone.n_real is None
    assert "area" not in alone.detail
    with pytest.raises(DataError, match="expected real test samples, got none"):
        one_sided(line(-2.0, 0.0, Wasserstein()), real(500))
    with pytest.raises(DataError, match=r"samples of shape \(1,\), got 9 of \(2,\)"):
        one_sided(judge, torch.zeros(9, 2), real(500))


def broken(value: float) -> Tensor:
    return torch.cat([real(20), torch.tensor([[value]])])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test": torch.zeros(20, 2)}, r"samples of shape \(2,\), got 20 of \(1,\)"),
        ({"test": torch.zeros(0, 1)}, "more than 0 samples .* got 0"),
        ({"test": broken(math.nan)}, "expected finite samples, got 1 of 21 that are not"),
        ({"held": broken(math.inf), "calibrate": True}, "expected finite samples, got 1 of 21"),
        ({"test": torch.zeros(4, 1), "calibrate": True}, "at least 5 test samples, of which some are held out, got 4"),
        ({"b": line(math.nan, 0.0)}, "expected finite samples, got 20 of 20"),
        ({"b": line(-1.0, math.nan)}, "expected finite realness, got 20 of 20 that are not"),
        ({"b": Variational(autoencoder=Vae(shape=(1,), latent=1, widths=(4,)))}, "in which nobody judges"),
    ],
)
def test_what_cannot_be_fought_is_a_sentence(change: dict[str, object], message: str) -> None:
    arguments = {"a": line(-1.0, 0.0), "b": line(-1.0, 0.0, LeastSquares()), "test": real(20), **change}
    with pytest.raises(DataError, match=message):
        battle(**arguments)  # type: ignore[arg-type]


def test_settings_out_of_range_are_a_sentence() -> None:
    game = line(-1.0, 0.0)
    with pytest.raises(SettingError, match="n of a battle: expected at least 1 sample, got 0"):
        battle(game, game, real(20), n=0)
    result = battle(game, game, real(20), tie=0.5)
    with pytest.raises(SettingError, match="a bound of at least 1"):
        _ = result.winner


def test_a_trained_pair_on_the_ring() -> None:
    """Critics trained a little, each against its own generator: the one that blurs the ring less wins.

    Its critic has had the harder task and errs on real samples as well, so that the tie rule calls it unfair.
    """
    contenders = [taught(blur, seed) for seed, blur in enumerate((0.1, 0.5))]
    test = RING.sample(1000, rng(5))
    wide = battle(*contenders, test, names=("sharp", "blurred"), tie=1e12)
    assert wide.words(wide.winner) == wide.words(wide.verdict.outcome) == "sharp wins"
    ruled = battle(*contenders, test, names=("sharp", "blurred"))
    assert (ruled.winner, ruled.verdict.outcome) == ("tie", "unfair")
    assert "sharp's critic errs more on real samples than blurred's" in ruled.verdict.reason


class Blurred(nn.Module):
    """The ring's points, moved by N(0, std²)."""

    latent_shape = (2,)

    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = std

    def forward(self, latent: Tensor) -> Tensor:
        return RING.sample(len(latent), rng(len(latent))) + self.std * latent


def taught(blur: float, seed: int) -> Adversarial:
    """A critic of 300 steps of Adam between the ring and a hand-made generator."""
    torch.manual_seed(seed)
    game = Adversarial(generator=Blurred(blur), critic=mlp.Critic(shape=(2,), widths=(64, 64)))
    optimiser = torch.optim.Adam(game.critic.parameters(), lr=3e-3)
    for step in range(300):
        scored = game.critic(RING.sample(128, rng(step))), game.critic(game.generate(torch.randn(128, 2)))
        optimiser.zero_grad()
        game.objective.critic(*scored).backward()
        optimiser.step()
    return game
