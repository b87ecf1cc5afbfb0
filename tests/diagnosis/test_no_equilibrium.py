"""Steps that circle are found on demand, and what could not be computed is said."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import agon
from agon.cli import main
from agon.diagnosis import no_equilibrium, view_of
from agon.diagnosis.one_batch import batch_of, rates_of
from agon.diagnosis.vector_field import VectorField
from agon.errors import DataError
from agon.games import Batch
from agon.networks import dcgan
from agon.training import Training
from tests.diagnosis.hospital import ONE_THREAD, orbit

OPTIMISERS: dict[str, Callable[..., agon.Part]] = {
    "sgd": lambda: agon.part(torch.optim.SGD, lr=0.05),
    "adam": lambda: agon.part(torch.optim.Adam, lr=1e-2, betas=(0.0, 0.9)),
    "rmsprop": lambda: agon.part(torch.optim.RMSprop, lr=1e-2),
}


@pytest.mark.parametrize("name", OPTIMISERS)
def test_rates_are_those_of_the_next_step(name: str) -> None:
    """Without momentum, the optimiser's next step is rate · gradient, weight by weight."""
    training = Training(orbit_of(optimisers=OPTIMISERS[name]()), ONE_THREAD.resolved(), torch.device("cpu"))
    for _ in range(3):
        training.advance()
    given = training.draw()
    field = VectorField(training.game, given)
    rates = rates_of(training, field.value)
    assert not isinstance(rates, str)
    before = torch.cat([p.detach().reshape(-1).clone() for p in training.game.parameters()])
    agon.Turns((("generator", "critic"),)).step(training.game, training.optimisers, lambda: given)
    after = torch.cat([p.detach().reshape(-1) for p in training.game.parameters()])
    assert (before - after).numpy() == pytest.approx(rates * field.value, rel=1e-3, abs=1e-6)


def orbit_of(**changes: object) -> agon.Experiment:
    return replace(orbit(), **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def circling(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The orbit of a bilinear game."""
    folder = tmp_path_factory.mktemp("spectrum") / "orbit"
    agon.train(orbit(), folder, compute=ONE_THREAD, show=False)
    return folder


def test_an_orbit_is_found_on_demand(circling: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no-equilibrium" not in agon.diagnose(circling).looked_at
    assert main(["diagnose", str(circling), "--spectrum"]) == 3
    told = capsys.readouterr().out
    assert "no-equilibrium" in told
    assert "dynamics=extragradient" in told
    assert "a turn leaves at most 1.4 with plain steps, 1 with steps in turns" in told
    diagnosis = agon.diagnose(circling, spectrum=True)
    (finding,) = [finding for finding in diagnosis.findings if finding.sickness == "no-equilibrium"]
    assert finding.evidence["left"] == pytest.approx(1.0, abs=0.01)
    assert finding.evidence["left after a turn, extragradient"] < 0.9
    assert finding.evidence["left after a turn, a tenth of the rate"] > 1 - 1e-6
    assert finding.remedies[0].option == "--set dynamics=extragradient"


def test_its_remedy_is_healthy(tmp_path: Path) -> None:
    treated = orbit_of(dynamics=agon.Extragradient())
    agon.train(treated, tmp_path / "run", compute=ONE_THREAD, show=False)
    diagnosis = agon.diagnose(tmp_path / "run", spectrum=True)
    assert "no-equilibrium" in diagnosis.looked_at
    assert "no-equilibrium" not in diagnosis.names


def test_without_data_and_above_the_limit(circling: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kept real samples stand in for the data; a game that is too large is a sentence."""

    def lost(_: Training) -> Batch:
        raise DataError("the folder has gone")

    with_data = no_equilibrium.spectrum_of(view_of(agon.Run(circling)))
    monkeypatch.setattr(Training, "draw", lost)
    without = no_equilibrium.spectrum_of(view_of(agon.Run(circling)))
    assert not isinstance(with_data, str)
    assert not isinstance(without, str)
    assert without.left("own") == pytest.approx(with_data.left("own"), abs=0.01)
    monkeypatch.setattr(no_equilibrium, "MOST", 1)
    assert "at most 1" in str(no_equilibrium.spectrum_of(view_of(agon.Run(circling))))


def test_time_is_bounded(circling: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(no_equilibrium, "SECONDS", -1.0)
    assert "seconds" in str(no_equilibrium.spectrum_of(view_of(agon.Run(circling))))


def test_kept_images_have_the_range_of_their_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes of a snapshot become numbers of the range again, so that both batches are alike."""
    data = agon.Images(path="digits", range=(-1.0, 1.0))
    players = agon.part(
        agon.Adversarial,
        generator=agon.part(dcgan.Generator, shape=data.shape, latent=4, width=4),
        critic=agon.part(dcgan.Critic, shape=data.shape, width=4),
    )
    experiment = agon.Experiment(game=players, data=data, steps=1, batch=8, grid=16)
    agon.train(experiment, tmp_path / "run", compute=ONE_THREAD, show=False)
    view = view_of(agon.Run(tmp_path / "run"))
    assert not isinstance(view.live, str)
    monkeypatch.setattr(Training, "draw", lambda _: (_ for _ in ()).throw(DataError("gone")))
    kept = batch_of(view, view.live, 4)
    assert not isinstance(kept, str)
    assert kept.real.shape == (4, *data.shape)
    assert float(kept.real.min()) == -1.0
    assert float(kept.real.max()) > 0.5


def test_what_is_told_where_nothing_turns() -> None:
    still = dict.fromkeys((no_equilibrium.AFTER + rule for rule in no_equilibrium.WORDS), 0.0)
    assert "turns" in no_equilibrium.told(still)
    assert "0.5 with extragradient" in no_equilibrium.told({**still, f"{no_equilibrium.AFTER}extragradient": 0.5})
