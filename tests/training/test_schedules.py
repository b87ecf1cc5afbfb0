"""Scheduled learning rates: torch's own, resumed bit for bit, followed by look-aheads and by batched seeds."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler

import agon
from agon import Experiment, part
from agon.cli import main
from agon.errors import SettingError
from agon.experiment import SCHEDULES
from agon.runs import Run, read
from agon.training import Compute, Training
from agon.training.replicates import replicate
from tests.training.compare import assert_same, log_of
from tests.training.programs import points, small

ONE_THREAD = Compute(threads=1, device="cpu")
EXACT = Compute(threads=1, device="cpu", precision="fp64", compile="off")
ADAM = part(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.999))
COSINE = part(lr_scheduler.CosineAnnealingLR, T_max=10, eta_min=1e-5)
WARM = part(
    lr_scheduler.SequentialLR,
    schedulers=[part(lr_scheduler.LinearLR, start_factor=0.1, total_iters=4), COSINE],
    milestones=[4],
)
EVERY: dict[str, dict[str, Any]] = {  # a short one of every schedule by its name
    "constant-lr": {"total_iters": 3},
    "linear-lr": {"total_iters": 7},
    "polynomial-lr": {"total_iters": 7, "power": 2.0},
    "exponential-lr": {"gamma": 0.9},
    "step-lr": {"step_size": 3},
    "multi-step-lr": {"milestones": [2, 5]},
    "cosine-annealing-lr": {"T_max": 5},
    "cosine-annealing-warm-restarts": {"T_0": 3, "T_mult": 2},
    "cyclic-lr": {"base_lr": 1e-4, "max_lr": 1e-3, "step_size_up": 3},
    "one-cycle-lr": {"max_lr": 1e-3, "total_steps": 20},
    "sequential-lr": dict(WARM.settings),
    "chained-scheduler": {"schedulers": [part(lr_scheduler.ExponentialLR, gamma=0.9), COSINE]},
}


def run_of(path: Path, experiment: Experiment, compute: Compute = ONE_THREAD) -> Path:
    agon.train(experiment, path, compute=compute, show=False)
    return path


def rates(run: Path, player: str = "generator") -> list[float]:
    return [record[f"rate/{player}"] for record in log_of(run)]


def training(experiment: Experiment) -> Training:
    return Training(experiment, EXACT.resolved(), torch.device("cpu"))


def test_the_rates_are_the_closed_form_and_in_the_log(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", points(12, log_every=1, optimisers=ADAM, schedules=COSINE))
    expected = [1e-5 + (1e-3 - 1e-5) * (1 + math.cos(math.pi * step / 10)) / 2 for step in range(1, 13)]
    assert rates(run) == pytest.approx(expected, rel=1e-9)
    assert rates(run, "critic") == rates(run)


def test_warming_up_before_a_cosine(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", points(8, log_every=1, optimisers=ADAM, schedules=WARM))
    assert rates(run)[:3] == pytest.approx([1e-3 * (0.1 + 0.9 * step / 4) for step in (1, 2, 3)])
    assert rates(run)[3] == pytest.approx(1e-3)
    assert rates(run)[7] == pytest.approx(1e-5 + (1e-3 - 1e-5) * (1 + math.cos(math.pi * 4 / 10)) / 2)


def test_one_player_has_a_schedule_and_the_other_a_constant_rate(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", points(6, log_every=1, optimisers=ADAM, schedules={"critic": COSINE}))
    assert "rate/generator" not in log_of(run)[0]
    checkpoint = Run.open(run).checkpoint(6)
    groups = checkpoint.state["optimisers"]
    assert groups["generator"][0]["lr"] == 1e-3
    assert groups["critic"][0]["lr"] == rates(run, "critic")[-1] < 1e-3


@pytest.mark.parametrize("name", SCHEDULES)
def test_resumed_equals_uninterrupted(name: str, tmp_path: Path) -> None:
    schedule = part(SCHEDULES[name], **EVERY[name])
    settings: dict[str, Any] = {"optimisers": ADAM, "schedules": schedule, "log_every": 1, "checkpoint_every": 4}
    whole = run_of(tmp_path / "whole", points(9, **settings))
    run = run_of(tmp_path / "run", points(5, **settings))
    agon.resume(run, steps=9, show=False)
    assert_same(run, whole)
    assert len(set(rates(whole))) > 1


def test_every_schedule_is_tested() -> None:
    assert EVERY.keys() == SCHEDULES.keys()


def by_hand(experiment: Experiment, planned: Training, *, ahead: bool = True) -> Training:
    """The same training with rates that are set by hand before each step; without `ahead`, looks use the first one."""
    other = training(experiment)
    for _ in range(6):
        rate = planned.optimisers["critic"].param_groups[0]["lr"]
        for optimiser in other.optimisers.values():
            optimiser.param_groups[0]["lr"] = rate if ahead else 1e-3
        planned.advance()
        other.advance()
    return other


@pytest.mark.parametrize(
    "dynamics",
    [
        agon.Turns(),
        agon.Unrolled(steps=3),
        agon.Unrolled(steps=2, checkpoint=True),
        agon.Extragradient(),
        agon.Optimistic(),
    ],
    ids=lambda dynamics: type(dynamics).__name__,
)
@pytest.mark.parametrize("optimiser", [ADAM, part(torch.optim.SGD, lr=1e-3), part(torch.optim.RMSprop, lr=1e-3)])
def test_every_dynamics_follows_the_live_rate(dynamics: agon.Dynamics, optimiser: agon.Part) -> None:
    """The same as with rates set by hand; with constant rates, the negative control, it is another training."""
    plain = points(6, dynamics=dynamics, optimisers=optimiser)
    scheduled = points(6, dynamics=dynamics, optimisers=optimiser, schedules=COSINE)
    planned = training(scheduled)
    hand, constant = by_hand(plain, planned), by_hand(plain, training(scheduled), ahead=False)
    for name, tensor in planned.game.state_dict().items():
        torch.testing.assert_close(tensor, hand.game.state_dict()[name], rtol=1e-12, atol=1e-14)
    assert any(
        not torch.allclose(tensor, constant.game.state_dict()[name], rtol=1e-6)
        for name, tensor in planned.game.state_dict().items()
    )


def test_batched_seeds_follow_the_schedule(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"optimisers": ADAM, "schedules": {"generator": WARM, "critic": COSINE}, "log_every": 1}
    runs = replicate(points(6, **settings), tmp_path / "seeds", 2, compute=EXACT, strategy="batched", show=False)
    for seed, run in enumerate(runs):
        alone = run_of(tmp_path / f"{seed}", points(6, seed=seed, **settings), EXACT)
        one, other = run.checkpoint(6), Run.open(alone).checkpoint(6)
        assert rates(run.path) == rates(alone)
        assert one.state["optimisers"] == other.state["optimisers"]
        for name, tensor in one.tensors.items():
            torch.testing.assert_close(tensor, other.tensors[name], rtol=1e-9, atol=1e-12)
    read(runs[0].log)


def test_batched_seeds_resume_with_their_rates(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"optimisers": ADAM, "schedules": COSINE, "log_every": 1}
    options: dict[str, Any] = {"compute": EXACT, "strategy": "batched", "show": False}
    whole = replicate(points(6, **settings), tmp_path / "whole", 2, **options)
    half = replicate(points(3, **settings), tmp_path / "half", 2, **options)
    agon.training.replicates.resume(tmp_path / "half", steps=6, show=False)
    for one, other in zip(half, whole, strict=True):
        assert_same(one.path, other.path)


@pytest.mark.parametrize("schedules", [COSINE, {"generator": WARM, "critic": COSINE}, None])
def test_it_reads_back_equal(schedules: Any) -> None:
    experiment = small(5, schedules=schedules)
    again = Experiment.from_json(experiment.to_json())
    assert again.describe() == experiment.describe()
    assert again == experiment


@pytest.mark.parametrize(
    ("schedules", "message"),
    [
        (part(lr_scheduler.ReduceLROnPlateau), "depends on the number of the step alone, got ReduceLROnPlateau"),
        (part(torch.optim.Adam), "expected a class of torch.optim.lr_scheduler"),
        (part(lr_scheduler.CosineAnnealingLR), "missing a required argument: 'T_max'; give it to agon.part"),
        ({"critc": COSINE}, "did you mean 'critic'"),
        (
            part(lr_scheduler.OneCycleLR, max_lr=1e-3, total_steps=3),
            "expected OneCycleLR for all 6 steps, got total_steps=3",
        ),
    ],
)
def test_what_cannot_be_is_refused(schedules: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=message):
        run_of(tmp_path / "run", points(6, optimisers=ADAM, schedules=schedules))


def test_the_command_line_names_them(tmp_path: Path) -> None:
    words = ["train", "first/ring", "--scale", "smoke", "--threads", "1", "--steps", "6", "--out", str(tmp_path / "a")]
    words += ["--set", "schedules=cosine-annealing-lr", "--set", "schedules.T_max=6", "--set", "log_every=1"]
    assert main(words) == 0
    assert rates(tmp_path / "a")[-1] == 0
    described = Run.open(tmp_path / "a").described["schedules"]
    assert described == {"type": "cosine-annealing-lr", "T_max": 6}
