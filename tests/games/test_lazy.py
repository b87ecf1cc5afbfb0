"""A batch whose real samples are read on first use is the batch, and a training reads what its losses look at."""

import pytest
import torch

from agon import Compute
from agon.data import Ring
from agon.data.source import RealBatch
from agon.data.stream import Stream
from agon.dynamics import ALTERNATING, Turns
from agon.experiment import Experiment, part
from agon.games import Adversarial, Batch
from agon.games.lazy import LazyBatch
from agon.networks import mlp
from agon.objectives import Minimax, NonSaturating, Objective
from agon.penalties import R1, Penalty
from agon.training import Training

REAL, LATENT, LABEL = torch.randn(3, 2), torch.randn(3, 4), torch.arange(3)
NOISE = {"epsilon": torch.rand(3, 1)}


def test_a_lazy_batch_is_the_batch_and_is_read_once() -> None:
    calls: list[int] = []

    def read() -> RealBatch:
        calls.append(1)
        return RealBatch(REAL, LABEL)

    lazy, batch = LazyBatch(read, LATENT, NOISE), Batch(REAL, LATENT, NOISE, LABEL)
    assert lazy.latent is LATENT
    assert lazy.noise is NOISE
    assert not calls
    assert all(one is other for one, other in zip(lazy, batch, strict=True))
    assert lazy[0] is lazy.real is REAL
    assert lazy[-1] is lazy.label is LABEL
    whole, changed = lazy.whole(), lazy._replace(real=LATENT)
    assert type(whole) is type(changed) is Batch
    assert whole.real is REAL
    assert changed.real is LATENT
    assert changed.label is LABEL
    assert len(calls) == 1


def training(objective: Objective, penalties: tuple[Penalty, ...] = (), **dynamics: object) -> Training:
    game = part(
        Adversarial,
        generator=part(mlp.Generator, shape=(2,), latent=4, widths=(5,)),
        critic=part(mlp.Critic, shape=(2,), widths=(5,)),
        objective=objective,
        penalties=penalties,
    )
    experiment = Experiment(game=game, data=Ring(), dynamics=Turns(**dynamics), batch=8, steps=9)  # type: ignore[arg-type]
    return Training(experiment, Compute(threads=1, device="cpu").resolved(), torch.device("cpu"))


CASES = [  # objective, penalties, dynamics, real batches that a step reads
    (NonSaturating(), (), {}, 1),
    (NonSaturating(), (R1(),), {"order": (("critic",), ("critic",), *ALTERNATING)}, 3),
    (NonSaturating(), (), {"draws": "round"}, 1),
    (NonSaturating(), (), {"accumulate": 2}, 1),
    (Minimax(), (), {}, 2),
]


@pytest.mark.parametrize(("objective", "penalties", "dynamics", "read"), CASES)
def test_a_step_reads_the_real_batches_that_its_losses_look_at(
    objective: Objective,
    penalties: tuple[Penalty, ...],
    dynamics: dict[str, object],
    read: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lazy, eager = (training(objective, penalties, **dynamics) for _ in range(2))
    monkeypatch.setattr(eager, "draw", lambda: Training.draw(eager).whole())  # type: ignore[attr-defined]
    assert trained(lazy, 3, monkeypatch) == 3 * read
    turns = len(dynamics.get("order", ALTERNATING)) if dynamics.get("draws") != "round" else 1  # type: ignore[arg-type]
    assert trained(eager, 3, monkeypatch) == 3 * turns
    pairs = zip(lazy.game.parameters(), eager.game.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
    assert lazy.data.state() == eager.data.state()


def trained(of: Training, steps: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """Train, and count the batches that were read."""
    calls: list[int] = []
    read = Stream._read

    def counted(stream: Stream, number: int) -> RealBatch:
        calls.append(number)
        return read(stream, number)

    with monkeypatch.context() as patch:
        patch.setattr(Stream, "_read", counted)
        for _ in range(steps):
            of.advance()
    return len(calls)
