"""A checkpoint whose checksums fit, but whose content does not, is named, and the one before it used."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import agon
from agon.errors import RunError
from agon.runs import Run, checkpoints
from agon.samples.making import load
from tests.training.compare import assert_same
from tests.training.programs import points

ONE_THREAD = agon.Compute(threads=1, device="cpu")
Tensors = dict[str, Tensor]


def train(run: Path) -> Path:
    settings = {"log_every": 1, "sample_every": 2, "checkpoint_every": 2}
    agon.train(points(4, **settings), run, compute=ONE_THREAD, show=False)
    return run


def rewritten(run: Path, step: int, state: Any, tensors: Tensors) -> None:
    """Write a checkpoint with checksums that fit, whatever it holds."""
    place = run / "checkpoints" / f"{step:08d}"
    checkpoints.save(run / "checkpoints", checkpoints.Checkpoint(step, tensors, {}))
    content = json.loads((place / "state.json").read_text())
    content = {"step": step, "tensors": content["tensors"], "state": state}
    digest = checkpoints._digest(checkpoints._canonical(content))
    (place / "state.json").write_text(json.dumps({**content, "sha256": digest}))


def put(name: str, change: Callable[[Tensor], Tensor]) -> Callable[[Any, Tensors], None]:
    def do(state: Any, tensors: Tensors) -> None:
        tensors[name] = change(tensors[name])

    return do


def drop(*names: str) -> Callable[[Any, Tensors], None]:
    def do(state: Any, tensors: Tensors) -> None:
        for name in names:
            del tensors[name]

    return do


def tell(*path: str, value: Any) -> Callable[[Any, Tensors], None]:
    def do(state: Any, tensors: Tensors) -> None:
        for part in path[:-1]:
            state = state[int(part) if part.isdecimal() else part]
        state[path[-1]] = value

    return do


WEIGHT, MOMENT = "game/generator.layers.0.weight", "optimiser/critic/0/exp_avg"
DAMAGE: dict[str, Callable[[Any, Tensors], None]] = {
    "a weight of another shape": put(WEIGHT, lambda t: t[:1].clone()),
    "a weight of another type": put(WEIGHT, lambda t: t.double()),
    "a weight of complex numbers": put(WEIGHT, lambda t: t.to(torch.complex64)),
    "a weight is missing": drop(WEIGHT),
    "no weight at all": lambda _, tensors: tensors.clear(),
    "a moment of another shape": put(MOMENT, lambda t: torch.cat([t, t])),
    "a moment of bits": put(MOMENT, lambda t: t.bool()),
    "a moment is missing": drop(MOMENT),
    "one moment of all": drop(*(f"optimiser/critic/{index}/exp_avg_sq" for index in range(4))),
    "a moment of no parameter": lambda _, t: t.update({"optimiser/critic/99/step": torch.tensor(1.0)}),
    "a moment of a huge parameter": lambda _, t: t.update({f"optimiser/critic/{'9' * 40}/step": torch.tensor(1.0)}),
    "a moment of a word": lambda _, t: t.update({"optimiser/critic/x/step": torch.tensor(1.0)}),
    "a random state of zeros": put("random/latents", torch.zeros_like),
    "an empty random state": put("random/torch", lambda t: t[:0].clone()),
    "a random state of floats": put("random/noise", lambda t: t.float()),
    "a random state is missing": drop("random/torch"),
    "a learning rate of text": tell("optimisers", "critic", "0", "lr", value="fast"),
    "a learning rate of nothing": tell("optimisers", "critic", "0", "lr", value=None),
    "betas of one number": tell("optimisers", "critic", "0", "betas", value=0.5),
    "betas of texts": tell("optimisers", "critic", "0", "betas", value=["a", "b"]),
    "another algorithm": tell("optimisers", "critic", "0", "amsgrad", value=True),
    "no groups": tell("optimisers", "critic", value=[]),
    "groups of numbers": tell("optimisers", "critic", value=[5]),
    "no optimisers": tell("optimisers", value=None),
    "a position of text": tell("data", value={"drawn": "many"}),
    "a position before the first": tell("data", value={"drawn": -1}),
    "no position": tell("data", value=None),
    "seconds of text": tell("seconds", value="long"),
    "no seconds": lambda state, _: state.pop("seconds"),
    "settings of the arithmetic in a list": tell("arithmetic", value=[None, "cpu"]),
    "a log of a negative length": tell("log_bytes", value=-5),
    "a log of a part of a byte": tell("log_bytes", value=0.5),
    "another fingerprint": tell("fingerprint", value=None),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_the_one_before_it_is_used(damage: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, whole = train(tmp_path / "run"), train(tmp_path / "whole")
    checkpoint = checkpoints.load(run / "checkpoints" / "00000004")
    DAMAGE[damage](checkpoint.state, checkpoint.tensors)
    rewritten(run, 4, checkpoint.state, checkpoint.tensors)
    assert load(Run.open(run)).step == (4 if damage == "another fingerprint" else 2)  # samples need no data
    capsys.readouterr()
    agon.resume(run)
    told = capsys.readouterr().err
    assert "checkpoints/00000004" in told
    assert "goes on from step 2" in told
    assert_same(run, whole)


@pytest.mark.parametrize("state", [None, 5, [], "text"])
def test_a_state_that_is_no_object(state: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = train(tmp_path / "run")
    rewritten(run, 4, state, checkpoints.load(run / "checkpoints" / "00000004").tensors)
    agon.resume(run)
    assert "goes on from step 2" in capsys.readouterr().err


def test_a_type_that_torch_has_not(tmp_path: Path) -> None:
    run = train(tmp_path / "run")
    place = run / "checkpoints" / "00000004"
    content = (place / "tensors.safetensors").read_bytes().replace(b'"F32"', b'"X99"')
    (place / "tensors.safetensors").write_bytes(content)
    state = json.loads((place / "state.json").read_text())
    signed = {"step": 4, "tensors": checkpoints._digest(content), "state": state["state"]}
    (place / "state.json").write_text(
        json.dumps({**signed, "sha256": checkpoints._digest(checkpoints._canonical(signed))})
    )
    checkpoint, complaints = Run.open(run).last_good()
    assert checkpoint is not None
    assert checkpoint.step == 2
    assert "00000004" in complaints[0]


def test_a_deep_state_and_another_steps_are_damaged(tmp_path: Path) -> None:
    run = train(tmp_path / "run")
    (run / "checkpoints" / "00000004" / "state.json").write_text("[" * 100_000)
    (run / "checkpoints" / "00000002").rename(run / "checkpoints" / "00000003")
    checkpoint, complaints = Run.open(run).last_good()
    assert checkpoint is not None
    assert (checkpoint.step, len(complaints)) == (0, 2)
    assert "nested" in complaints[0]
    assert "expected the state of step 00000003" in complaints[1]


def test_if_none_fits_the_newest_is_told(tmp_path: Path) -> None:
    run = train(tmp_path / "run")
    for step in (0, 2, 4):
        checkpoint = checkpoints.load(run / "checkpoints" / f"{step:08d}")
        del checkpoint.tensors[WEIGHT]
        rewritten(run, step, checkpoint.state, checkpoint.tensors)
    with pytest.raises(RunError, match=r"checkpoint of step 4 does not fit .*layers\.0\.weight is missing"):
        agon.resume(run, steps=6, show=False)


def test_settings_of_another_version_of_torch_are_left_out(tmp_path: Path) -> None:
    """One that this version does not know, and one that an older version did not."""
    run, whole = train(tmp_path / "run"), train(tmp_path / "whole")
    checkpoint = checkpoints.load(run / "checkpoints" / "00000004")
    group = checkpoint.state["optimisers"]["critic"][0]
    del group["decoupled_weight_decay"]
    rewritten(run, 4, {**checkpoint.state, "optimisers": checkpoint.state["optimisers"]}, checkpoint.tensors)
    group["unheard"] = True
    for each in (run, whole):
        agon.resume(each, steps=6, show=False)
    assert_same(run, whole)
