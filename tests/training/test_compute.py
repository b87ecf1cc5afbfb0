"""Choices that change arithmetic: made once, written, restored, and refused where they cannot be had."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import agon
from agon.dynamics.unrolled.compiled import split_program, tracing
from agon.dynamics.unrolled.compiled.vjp import StepFunctions
from agon.errors import SettingError
from agon.penalties import PENALTIES, R1
from agon.runs import Run
from agon.training import Training
from tests.dynamics.test_compiled import flat, unsplit
from tests.training.compare import log_of
from tests.training.programs import command, finished, points, small


def training(compute: agon.Compute, **changes: object) -> Training:
    return Training(small(**changes), compute.resolved(), torch.device("cpu"))  # type: ignore[arg-type]


def test_bfloat16_networks_with_float32_weights_and_losses() -> None:
    """The networks run in bfloat16; weights, moments and losses do not, and the loss is near that of float32."""
    half = training(agon.Compute(precision="bf16", device="cpu", threads=1))
    whole = training(agon.Compute(device="cpu", threads=1))
    seen: list[torch.dtype] = []
    half.game.generator.register_forward_hook(lambda module, args, out: seen.append(out.dtype))
    for _ in range(5):
        losses, exact = half.advance(), whole.advance()
    assert set(seen) == {torch.bfloat16}
    assert {p.dtype for p in half.game.parameters()} == {torch.float32}
    assert {loss.dtype for loss in losses.players.values()} == {torch.float32}
    for player, loss in losses.players.items():
        assert float(loss) == pytest.approx(float(exact.players[player]), abs=0.05)


@pytest.mark.parametrize("penalty", ["gradient-penalty", "r1", "r2"])
def test_penalties_are_near_those_of_float32_under_bfloat16(penalty: str) -> None:
    """A generator's samples are bfloat16 there, and real ones are not."""
    losses = []
    for precision in ("bf16", "fp32"):
        experiment = points(3)
        game = experiment.game.changed(penalties=(PENALTIES[penalty](),))  # type: ignore[union-attr]
        compute = agon.Compute(precision=precision, device="cpu", threads=1).resolved()
        losses.append(Training(replace(experiment, game=game), compute, torch.device("cpu")).advance())
    for player, loss in losses[0].players.items():
        assert loss.dtype == torch.float32
        assert float(loss) == pytest.approx(float(losses[1].players[player]), rel=0.05, abs=0.05)


def test_each_player_meets_the_others_weights_of_now_under_autocast() -> None:
    """autocast's cache of cast weights would show the generator the critic of before its move."""
    with torch.autocast("cpu", torch.bfloat16):  # the negative control
        layer, x = torch.nn.Linear(1, 1), torch.ones(1, 1)
        before = layer(x)
        with torch.no_grad():
            layer.weight += 10
        assert torch.equal(layer(x), before)
    with agon.Compute(precision="bf16", device="cpu").autocast():
        before = layer(x)
        with torch.no_grad():
            layer.weight += 10
        assert not torch.equal(layer(x), before)


def test_float64_is_float64_throughout() -> None:
    done = training(agon.Compute(precision="fp64", device="cpu", threads=1))
    losses = done.advance()
    assert {p.dtype for p in done.game.parameters()} == {torch.float64}
    assert {loss.dtype for loss in losses.players.values()} == {torch.float64}


def test_choices_are_written_and_restored(tmp_path: Path) -> None:
    chosen = agon.Compute(device="cpu", threads=1, precision="bf16", channels_last=False)
    agon.train(small(5), tmp_path / "run", compute=chosen, show=False)
    torch.set_num_threads(2)
    agon.resume(tmp_path / "run", steps=10, show=False)
    assert torch.get_num_threads() == 1
    expected = replace(chosen.resolved(), compile="off")  # what "auto" came to
    assert agon.Compute.read(Run.open(tmp_path / "run").compute) == expected
    assert [record["step"] for record in log_of(tmp_path / "run")] == [5, 10]


def test_memory_format_changes_no_more_than_rounding() -> None:
    assert_alike(channels_last=False)


def test_layers_are_fused_for_first_derivatives_in_the_memory_format_that_they_are_for() -> None:
    def fused(compute: agon.Compute, **changes: object) -> bool:
        made = training(compute, **changes)
        return any(type(layer).__module__.startswith("agon.networks.fused") for layer in made.game.modules())

    default = agon.Compute(device="cpu", threads=1)
    assert fused(default)
    assert not any(fused(replace(default, **one)) for one in ({"fused": False}, {"channels_last": False}))
    assert not any(fused(replace(default, **one)) for one in ({"precision": "bf16"}, {"compile": "on"}))  # type: ignore[arg-type]
    assert not fused(default, dynamics=agon.Unrolled())


def test_fused_layers_change_no_more_than_rounding() -> None:
    assert_alike(fused=False)


def assert_alike(**without: bool) -> None:
    """Three steps in float64 are the same by default and without a setting."""
    default = agon.Compute(device="cpu", threads=1, precision="fp64")
    with_it, plain = training(default), training(replace(default, **without))  # type: ignore[arg-type]
    for _ in range(3):
        with_it.advance(), plain.advance()
    for one, other in zip(with_it.game.parameters(), plain.game.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


def test_runs_of_before_keep_the_layers_that_they_had() -> None:
    described = agon.Compute(device="cpu", threads=1).describe()
    assert agon.Compute.read(described).fused
    del described["fused"]
    assert not agon.Compute.read(described).fused


def test_compilation_is_refused_where_networks_are_differentiated_twice(tmp_path: Path) -> None:
    game = small().game.changed(penalties=(R1(),))  # type: ignore[union-attr]
    with pytest.raises(SettingError, match="second derivatives"):
        agon.train(small(5, game=game), tmp_path / "run", compute=agon.Compute(compile="on", device="cpu"), show=False)


@pytest.mark.parametrize("wrong", [{"threads": -1}, {"devices": 0}])
def test_wrong_choices_are_sentences(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingError, match=next(iter(wrong))):
        agon.Compute(**wrong)  # type: ignore[arg-type]


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with a compiler, whose programs are the same functions, uncompiled."""
    monkeypatch.setattr(tracing, "compiled", flat)
    monkeypatch.setattr(split_program, "partition", unsplit)
    monkeypatch.setattr("agon.training.compilation.shutil.which", lambda name: name)


def lines(run: Path, capsys: pytest.CaptureFixture[str], experiment: agon.Experiment, **how: object) -> list[str]:
    """What the beginning of a training says of compilation; one that pauses after two steps."""
    compute = agon.Compute(device="cpu", threads=1, **how)  # type: ignore[arg-type]
    agon.train(experiment, run, compute=compute, until=2)
    return [line for line in capsys.readouterr().err.splitlines() if "compiled" in line]


LONG = 2_000  # steps, from a thousand of which on "auto" compiles
AHEAD = agon.Unrolled(steps=2)


@pytest.mark.usefixtures("traced")
def test_a_run_says_what_is_compiled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both = replace(AHEAD, looks_ahead={"generator": ("critic",), "critic": ("generator",)})
    for steps, rule, how in ((LONG, both, "auto"), (5, replace(AHEAD, batches="fresh"), "on")):
        said = lines(tmp_path / how, capsys, points(steps, dynamics=rule), compile=how)
        assert said == ["compiled: whole steps"]


@pytest.mark.usefixtures("traced")
def test_what_is_not_to_be_compiled_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Compilation that is off or does not pay, and a training without a look-ahead."""
    assert lines(tmp_path / "off", capsys, points(LONG, dynamics=AHEAD), compile="off") == []
    assert lines(tmp_path / "short", capsys, points(5, dynamics=AHEAD)) == []
    assert lines(tmp_path / "turns", capsys, points(LONG)) == []


@pytest.mark.usefixtures("traced")
def test_a_run_that_cannot_be_compiled_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no compiler; or the programs give the first-order gradient, and are refused."""
    experiment = points(LONG, dynamics=AHEAD)
    with monkeypatch.context() as without:
        without.setattr("agon.training.compilation.shutil.which", lambda name: None)
        (said,) = lines(tmp_path / "none", capsys, experiment)
        assert said.startswith("not compiled: no C++ compiler (g++) was found")
    monkeypatch.setattr(StepFunctions, "_through", lambda self, *given: given[-1])
    (said,) = lines(tmp_path / "refused", capsys, experiment)
    assert said.startswith("not compiled: no program of this look-ahead gave its gradient")
    assert Run.open(tmp_path / "refused").compute["compile"] == "off"
    with pytest.raises(SettingError, match="compile: expected off"):
        lines(tmp_path / "on", capsys, experiment, compile="on")


@pytest.mark.evidence
def test_compiled_is_eager_up_to_rounding(tmp_path: Path) -> None:
    """torch.compile of both networks on this machine, in processes of their own: shape checks cannot be compiled."""
    for how in ("on", "off"):
        train = ("train", "radford2015/dcgan", "--scale", "smoke", "--steps", 5, "--compile", how)
        status, _, err = finished(command(*train, "--device", "cpu", "--out", tmp_path / how))
        assert status == 0, err
    for one, other in zip(log_of(tmp_path / "on"), log_of(tmp_path / "off"), strict=True):
        assert one == pytest.approx(other, rel=1e-3, abs=1e-4)
