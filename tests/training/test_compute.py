"""Choices that change arithmetic: made once, written, restored, and refused where they cannot be had."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import agon
from agon.errors import SettingError
from agon.penalties import R1
from agon.runs import Run
from agon.training import Training
from tests.training.compare import log_of
from tests.training.programs import command, finished, small


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


@pytest.mark.evidence
def test_compiled_is_eager_up_to_rounding(tmp_path: Path) -> None:
    """torch.compile of both networks on this machine, in processes of their own: shape checks cannot be compiled."""
    for how in ("on", "off"):
        train = ("train", "radford2015/dcgan", "--scale", "smoke", "--steps", 5, "--compile", how)
        status, _, err = finished(command(*train, "--device", "cpu", "--out", tmp_path / how))
        assert status == 0, err
    for one, other in zip(log_of(tmp_path / "on"), log_of(tmp_path / "off"), strict=True):
        assert one == pytest.approx(other, rel=1e-3, abs=1e-4)
