"""Seeds that are trained as one program are what they are alone, up to rounding, or are refused."""

import json
import signal
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import agon
from agon.cli import main
from agon.dynamics import Dynamics, Extragradient, Optimistic, Turns, Unrolled
from agon.dynamics.unrolled import CompiledUnrolled
from agon.errors import Interrupted, SettingError
from agon.games import Losses
from agon.networks import mlp
from agon.penalties import R1, WeightDecay
from agon.training import Training
from agon.training.randomness import derived
from agon.training.replicates import ReplicatesError, resume, strategy
from agon.training.replicates.batched_training import BatchedTraining
from agon.training.replicates.equivalence import refuse_unequal, trainings
from agon.training.replicates.folder import Plan, make_plan
from agon.training.replicates.strategy import StrategyChoice, choose_strategy
from tests.training.compare import assert_same, log_of
from tests.training.programs import points, small
from tests.training.test_replicates import ONE_THREAD, alone

DOUBLE = replace(ONE_THREAD, precision="fp64")
CPU = torch.device("cpu")
UNROLLED = Unrolled(steps=3)


class Clipped(agon.Adversarial):
    """Wasserstein's first critic: its weights are clipped after each of its moves."""

    def after_update(self, player: str, seen: Mapping[str, Tensor]) -> None:
        if player == "critic":
            for parameter in self.critic.parameters():
                parameter.clamp_(-0.1, 0.1)


def game(kind: type[agon.Adversarial] = agon.Adversarial, normalise: bool = False, **settings: object) -> agon.Part:
    """Two tiny perceptrons for the ring."""
    generator = agon.part(mlp.Generator, shape=(2,), latent=4, widths=(8, 8), normalise=normalise)
    critic = settings.pop("critic", agon.part(mlp.Critic, shape=(2,), widths=(8, 8), normalise=normalise))
    return agon.part(kind, generator=generator, critic=critic, **settings)


class Kept(mlp.Critic):
    """Plays from a list of its layers, by a bound method that it has stored."""

    def __init__(self) -> None:
        super().__init__(shape=(2,), widths=(8, 8))
        self.all, self.play = [self.layers], self.from_list

    def from_list(self, x: Tensor) -> Tensor:
        return self.all[0](x)

    def forward(self, x: Tensor) -> Tensor:
        return self.play(x)


class Hidden(mlp.Critic):
    """Keeps its layers where no copy can follow."""

    class Slots:
        __slots__ = ("layers",)

    def __init__(self) -> None:
        super().__init__(shape=(2,), widths=(8, 8))
        self.kept = self.Slots()
        self.kept.layers = self.layers

    def forward(self, x: Tensor) -> Tensor:
        return self.kept.layers(x)


def plan(experiment: agon.Experiment, seeds: int = 3, precision: str = "fp32") -> Plan:
    return make_plan(experiment, seeds, replace(ONE_THREAD, precision=precision))


def distance(one: Training, other: Training) -> float:
    """Of all weights, buffers and averages together, relative to their size.

    Not of each: what adds the same to every sample of a batch has no gradient but rounding before batch
    normalisation, and Adam makes steps of full length of it.
    """
    mine, theirs = (torch.cat([t.flatten().double() for t in _tensors(each)]) for each in (one, other))
    return float((mine - theirs).norm() / theirs.norm())


def _tensors(training: Training) -> list[Tensor]:
    assert training.average is not None
    return [*training.game.state_dict().values(), *training.average.state().values()]


def stepped(
    whole: Plan, steps: int = 8, **changes: object
) -> tuple[BatchedTraining, list[Training], Losses, list[Losses]]:
    """Together and alone, and what the last step told of them."""
    lone = trainings(whole, whole.seeds, whole.compute, CPU)
    batched = BatchedTraining(trainings(whole, whole.seeds, replace(whole.compute, **changes), CPU))
    for _ in range(steps):
        told = [training.advance() for training in lone]
        losses = batched.advance()
    return batched, lone, losses, told


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-4), ("fp64", 1e-10)])
@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("dynamics", [Turns(), UNROLLED])
def test_together_is_alone_up_to_rounding(
    dynamics: Dynamics, normalise: bool, precision: str, tolerance: float
) -> None:
    """Weights, statistics, averages and losses; the negative control is another seed."""
    averaging = agon.Averaging(decay=0.9)
    whole = plan(points(dynamics=dynamics, game=game(normalise=normalise), averaging=averaging), precision=precision)
    batched, lone, losses, told = stepped(whole)
    for index, (one, other) in enumerate(zip(batched.trainings, lone, strict=True)):
        assert distance(one, other) < tolerance
        assert distance(one, lone[index - 1]) > 0.1
        own = batched.own(index, losses)
        record, expected = one.record(own), other.record(told[index])
        assert record == pytest.approx(expected, rel=1e-3)
        assert own.seen.keys() == told[index].seen.keys()


@pytest.mark.parametrize(
    "experiment",
    [
        points(game=game(Clipped)),
        points(game=game(Clipped), dynamics=UNROLLED),
        points(game=game(penalties=(WeightDecay(),))),
        points(game=game(normalise=True), dynamics=Turns(draws="round")),
        points(game=game(normalise=True), dynamics=Unrolled(steps=2, batches="fresh", checkpoint=True)),
        points(dynamics=Extragradient()),
        points(dynamics=Optimistic(), optimisers=agon.part(torch.optim.SGD, lr=0.1, momentum=0.5)),
        points(optimisers=agon.part(torch.optim.RMSprop, lr=1e-3)),
        points(dynamics=UNROLLED, game=game(critic=agon.part(Kept))),
        small(),
    ],
)
def test_what_can_be_batched(experiment: agon.Experiment) -> None:
    refuse_unequal(plan(experiment, seeds=2))


def test_layers_that_no_copy_can_reach_are_refused() -> None:
    with pytest.raises(SettingError, match=r"the live parameter critic\.layers\.\S+ itself"):
        refuse_unequal(plan(points(dynamics=UNROLLED, game=game(critic=agon.part(Hidden))), seeds=2))
    with pytest.raises(SettingError, match="is not what it is alone"):
        refuse_unequal(plan(points(game=game(critic=agon.part(Hidden))), seeds=2))


@pytest.mark.evidence
def test_a_compiled_look_ahead_is_too() -> None:
    """In float64, with batch normalisation; compiling takes half a minute."""
    whole = plan(points(dynamics=UNROLLED, game=game(normalise=True), averaging=agon.Averaging()), precision="fp64")
    batched, lone, losses, told = stepped(whole, compile="on")
    assert isinstance(batched.dynamics, CompiledUnrolled)
    assert batched.dynamics.working
    for index, (one, other) in enumerate(zip(batched.trainings, lone, strict=True)):
        assert distance(one, other) < 1e-10
        assert one.record(batched.own(index, losses)) == pytest.approx(other.record(told[index]), rel=1e-6)


class Small(mlp.Critic):
    def __init__(self) -> None:
        super().__init__(shape=(2,), widths=(8,))
        self.factor = float(torch.rand(()))
        self.register_buffer("count", torch.zeros(()))


class Dropping(Small):
    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.dropout(super().forward(x))


class Deciding(Small):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * (2.0 if float(x.detach().mean()) > 0 else 1.0)


class Spectral(Small):
    def __init__(self) -> None:
        super().__init__()
        nn.utils.parametrizations.spectral_norm(self.layers[2])


class Secret(Small):
    """Has drawn something that is no tensor, so the first seed's would be everyone's."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * self.factor


class Replacing(Small):
    """Puts another tensor in its buffer's place."""

    def forward(self, x: Tensor) -> Tensor:
        self.count = self.count + 1
        return super().forward(x)


class Normed(torch.optim.SGD):
    """Sees a parameter as a whole."""


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"critic": Dropping}, "cannot be played for all seeds at once .*random"),
        ({"critic": Deciding}, "cannot be played for all seeds at once"),
        ({"critic": Spectral}, "cannot be played for all seeds at once"),
        ({"critic": Secret}, "after 2 steps, so the game, its networks or an optimiser mix the seeds"),
        ({"critic": Replacing}, "critic.count is not what it is alone"),
        ({"game": game(penalties=(R1(),))}, "cannot be played for all seeds at once"),
        ({"optimisers": agon.part(Normed, lr=0.1)}, "expected an optimiser for .* out of SGD.*, got Normed"),
    ],
)
def test_what_cannot_is_refused_in_a_sentence_and_goes_by_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object], told: str
) -> None:
    settings = dict(changes)
    if "critic" in settings:
        settings["critic"] = agon.part(settings["critic"])
    experiment = points(**settings)  # type: ignore[arg-type]
    with pytest.raises(SettingError, match=told) as caught:
        agon.replicate(experiment, tmp_path / "all", 2, strategy="batched", show=False)
    assert str(caught.value).endswith("use strategy='processes'")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "all" / "replicates.json").exists()
    monkeypatch.setattr(strategy, "WORTH", 0)
    monkeypatch.setattr(strategy, "PAYS", 0.0)
    monkeypatch.setattr(strategy, "seconds", lambda each, **_: 1e-3)
    monkeypatch.setattr(strategy, "at_once", lambda plan: 1)
    name, why = choose_strategy(plan(experiment, seeds=4))
    assert name == "processes"
    assert "batched seeds" in why


@pytest.mark.parametrize(
    ("cores", "steps", "alone", "together", "name", "why"),
    [
        (2, 10_000, 0.002, 0.005, "processes", "a step of all 8 takes 5 ms batched and 8 ms by processes"),
        (2, 10_000, 0.002, 0.004, "batched", "a step of all 8 takes 4 ms batched and 8 ms by processes"),
        (2, 999, 0.02, 0.001, "processes", ""),
        (2, 7_000, 0.002, 0.001, "processes", ""),
        (4, 90_000, 0.002, 0.001, "processes", ""),
        (1, 1_000, 0.2, 0.001, "processes", "a step of 200 ms is too long for batched seeds to gain"),
    ],
)
def test_the_choice(
    monkeypatch: pytest.MonkeyPatch, cores: int, steps: int, alone: float, together: float, name: str, why: str
) -> None:
    """On a CPU, batched seeds must be twice as fast; where it cannot pay, nothing is measured."""
    monkeypatch.setattr(strategy, "seconds", lambda each, **_: together if isinstance(each, BatchedTraining) else alone)
    monkeypatch.setattr(strategy, "at_once", lambda plan: cores)
    assert choose_strategy(plan(points(steps), seeds=8)) == (name, why)


def assert_close(one: Path, other: Path) -> None:
    """The same run up to rounding: log, samples, and everything in the last checkpoint."""
    for record, expected in zip(log_of(one), log_of(other), strict=True):
        assert record == pytest.approx(expected, rel=1e-3, abs=1e-5)
    assert {p.name for p in (one / "samples").iterdir()} == {p.name for p in (other / "samples").iterdir()}
    a, b = agon.Run.open(one).last_good()[0], agon.Run.open(other).last_good()[0]
    assert a is not None
    assert b is not None
    assert a.tensors.keys() == b.tensors.keys()
    for name, tensor in a.tensors.items():
        torch.testing.assert_close(tensor, b.tensors[name], rtol=1e-4, atol=1e-5)
    own = {"seconds": 0, "log_bytes": 0, "arithmetic": {}}  # batched, or in processes
    assert {**a.state, **own} == {**b.state, **own}


class Doomed(mlp.Critic):
    """Ends the training of one seed by a NaN after some passes."""

    def __init__(self, diverges: int) -> None:
        super().__init__(shape=(2,), widths=(4,))
        mine = torch.initial_seed() == derived(diverges, "init")
        self.register_buffer("fate", torch.tensor(torch.nan if mine else 1.0))
        self.register_buffer("passes", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.passes.add_(1)
        return super().forward(x) * torch.where(self.passes > 25, self.fate, 1.0)


def test_one_that_diverges_is_named_and_harms_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are the runs alone; which strategy was chosen is told and written down."""
    monkeypatch.setattr(
        "agon.training.replicates.replicates.choose_strategy", lambda plan: StrategyChoice("batched", "it is faster")
    )
    doomed = points(critic=agon.part(Doomed, diverges=1), averaging=agon.Averaging(decay=0.9))
    with pytest.raises(ReplicatesError, match="1 of 3 replicates failed") as e:
        agon.replicate(doomed, tmp_path / "all", 3)
    assert "seed 1: the loss of generator is not finite any more at step" in str(e.value)
    assert f"the last good checkpoint is {tmp_path}/all/seed-1/checkpoints/000" in str(e.value)
    assert len(e.value.runs) == 3
    for seed in (0, 2):
        assert_close(tmp_path / "all" / f"seed-{seed}", alone(doomed, seed, tmp_path / str(seed)))
    assert json.loads((tmp_path / "all" / "replicates.json").read_text())["strategy"] == "batched"
    assert agon.Run.open(tmp_path / "all" / "seed-0").compute["strategy"] == "batched"
    shown = capsys.readouterr().err.splitlines()
    assert {line.partition(":")[0] for line in shown if line.startswith("seed-")} == {"seed-0", "seed-1", "seed-2"}
    assert "Doomed: not agon's own, so later commands on this run need --trust" in shown[0]
    assert shown[1] == "seeds are trained batched: it is faster"
    assert shown[-1] == "2 of 3 done  1 failed"


def stopping(at: int) -> Callable[[BatchedTraining], Losses]:
    advance = BatchedTraining.advance

    def stopped(batched: BatchedTraining) -> Losses:
        if batched.trainings[0].step == at:
            signal.raise_signal(signal.SIGTERM)
        return advance(batched)

    return stopped


@pytest.mark.usefixtures("one_core")
def test_a_signal_stops_all_and_resume_goes_on_bit_for_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also from different steps: the seed that was trained further by itself waits for nobody."""
    experiment = points(14, game=game(normalise=True), averaging=agon.Averaging(decay=0.9))
    batched = partial(agon.replicate, experiment, seeds=3, compute=DOUBLE, strategy="batched", show=False)
    batched(directory=tmp_path / "whole")
    with monkeypatch.context() as patched:
        patched.setattr(BatchedTraining, "advance", stopping(6))
        with pytest.raises(Interrupted, match="SIGTERM: stopped; 0 of 3 replicates are done"):
            batched(directory=tmp_path / "all")
    assert [(tmp_path / "all" / f"seed-{s}" / "checkpoints" / "00000007").is_dir() for s in range(3)] == [True] * 3
    resume(tmp_path / "all", show=False)
    for seed in range(3):
        assert_same(tmp_path / "all" / f"seed-{seed}", tmp_path / "whole" / f"seed-{seed}")
    agon.training.resume(tmp_path / "all" / "seed-1", steps=20, show=False)
    resume(tmp_path / "all", steps=20, show=False)
    resume(tmp_path / "whole", steps=20, strategy="processes", show=False)
    for seed in range(3):
        assert_close(tmp_path / "all" / f"seed-{seed}", tmp_path / "whole" / f"seed-{seed}")
    with pytest.raises(SettingError, match="there is no strategy 'batch'"):
        resume(tmp_path / "all", strategy="batch")


def test_the_command_line_names_a_strategy(tmp_path: Path) -> None:
    begin = ["train", "first/ring", "--scale", "smoke", "--steps", "2", "--device", "cpu", "--seeds", "2"]
    assert main([*begin, "--strategy", "batched", "--out", str(tmp_path / "all")]) == 0
    assert json.loads((tmp_path / "all" / "replicates.json").read_text())["strategy"] == "batched"
    assert (tmp_path / "all" / "report.html").exists()
