"""Skill over a training rises where later generators are better by construction, and not where they are shuffled."""

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import agon
from agon.arena import Skill, TournamentSettings, read_skill
from agon.arena.skills.past import field_of, meet
from agon.cli import main
from agon.errors import DataError, RunError
from agon.metrics.gam.critic import Judge
from agon.recipes import find
from agon.runs import Checkpoint, Run
from agon.samples.making import load
from agon.training import Training
from tests.training.programs import points

ONE_THREAD = agon.Compute(threads=1, device="cpu")
N = 100
BETTER = [3.0, 2.7, 2.4, 2.1, 1.8, 1.6, 1.4, 1.2]  # the shift of the samples, in order


def linear() -> agon.Experiment:
    """A generator that shifts normal numbers, and a critic of four units, on the ring of radius 2 around 0."""
    game = agon.part(
        agon.Adversarial,
        generator=agon.part(agon.networks.mlp.Generator, shape=(2,), latent=2, widths=()),
        critic=agon.part(agon.networks.mlp.Critic, shape=(2,), widths=(4,)),
    )
    return points(1, game=game)


def forged(path: Path, shifts: Sequence[float]) -> Run:
    """A run whose k-th generator makes N((shift_k, shift_k), I), and whose critics say -|x_1| - |x_2|."""
    run = agon.train(linear(), path, compute=ONE_THREAD, show=False)
    last = run.last_good()[0]
    assert last is not None
    state = {name: last.state[name] for name in ("experiment", "arithmetic", "fingerprint")}
    signs = torch.tensor([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
    for number, shift in enumerate(shifts):
        generator = {"weight": torch.eye(2), "bias": torch.full((2,), shift)}
        critic = {"2.weight": signs, "2.bias": torch.zeros(4), "4.weight": -torch.ones(1, 4), "4.bias": torch.zeros(1)}
        tensors = {f"game/generator.layers.0.{name}": tensor for name, tensor in generator.items()}
        tensors |= {f"game/critic.layers.{name}": tensor for name, tensor in critic.items()}
        assert tensors.keys() == {name for name in last.tensors if name.startswith("game/")}
        run.save_light(Checkpoint(2 ** (number + 1), tensors, {"light": True, **state, "seconds": 0.0}))
    return run


def rated(run: Run, **options: Any) -> list[float]:
    return [rating.value for rating in agon.skill(run, n=N, show=False, **options).generators]


@pytest.fixture(scope="module")
def better(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Generators that come nearer to the data from snapshot to snapshot."""
    return forged(tmp_path_factory.mktemp("skill") / "better", BETTER)


@pytest.fixture(scope="module")
def found(better: Run) -> Skill:
    """Their skill."""
    return agon.skill(better, n=N, show=False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A real training whose critic has batch normalisation, with averaged weights; only skill.json is written."""
    critic = agon.part(agon.networks.mlp.Critic, shape=(2,), widths=(8, 8), normalise=True)
    experiment = points(16, critic, snapshots=6, averaging=agon.Averaging(decay=0.9))
    return agon.train(experiment, tmp_path_factory.mktemp("skill") / "trained", compute=ONE_THREAD, show=False)


def test_skill_rises_where_later_generators_are_better(found: Skill) -> None:
    values = [rating.value for rating in found.generators]
    assert found.steps == tuple(2 ** (number + 1) for number in range(len(BETTER)))
    assert values == sorted(values)
    assert found.trend().course == "rises"
    assert "still rises at the end" in found.sentence
    assert [rating.value for rating in found.critics] == pytest.approx([found.critics[0].value] * len(BETTER), abs=1e-3)


def test_a_rating_that_explains_little_is_said_to(found: Skill) -> None:
    assert "trust this curve little" not in found.sentence
    unexplained = replace(found, ratings=replace(found.ratings, unexplained=0.5))
    assert unexplained.sentence.startswith(found.sentence)
    assert unexplained.sentence.endswith("so trust this curve little.")


def test_skill_does_not_rise_where_the_steps_are_shuffled(tmp_path: Path, found: Skill) -> None:
    """The negative control: the same generators in another order have the same skill each, and no trend."""
    order = random.Random(3).sample(range(len(BETTER)), len(BETTER))
    shuffled = forged(tmp_path / "shuffled", [BETTER[index] for index in order])
    again = agon.skill(shuffled, n=N, show=False)
    assert again.trend().course == "flat"
    expected = [found.generators[index].value for index in order]
    assert [rating.value for rating in again.generators] == pytest.approx(expected)


def test_a_snapshot_ties_with_its_own_copies(tmp_path: Path) -> None:
    found = agon.skill(forged(tmp_path / "same", [3.0] * 6), n=N, show=False)
    assert [rating.value for rating in found.generators] == pytest.approx([0.0] * 6)
    assert len(set(found.matrix.areas.flatten().tolist())) == 1
    assert found.trend().course == "flat"


def test_the_areas_are_the_probabilities_that_the_normal_distribution_has(better: Run) -> None:
    """P(|x_1| + |x_2| <= |r_1| + |r_2|) of x ~ N((3, 3), I) and r of the ring, by many draws of another stream."""
    found = agon.skill(better, n=2_000, show=False)
    rng = torch.Generator().manual_seed(1)
    x = torch.randn(20_000, 2, generator=rng) + BETTER[-1]
    ring = load(better).experiment.data.take(20_000, split="test").real
    truth = float((x.abs().sum(1) <= ring[torch.randperm(20_000, generator=rng)].abs().sum(1)).double().mean())
    last = f"step {2 ** len(BETTER)}"
    assert found.matrix.area(last, "step 2") == pytest.approx(truth, abs=0.03)


def test_every_sample_set_and_every_pass_is_made_once(trained: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """S sets of samples to judge, S of own ones for the statistics, and S² + S passes through critics."""
    made, passes = Counter[int](), Counter[int]()
    samples, realness = Training.samples, Judge.realness

    def counted(self: Training, latents: torch.Tensor, *rest: Any, **options: Any) -> torch.Tensor:
        made[len(latents)] += 1
        return samples(self, latents, *rest, **options)

    def judged(self: Judge, x: torch.Tensor) -> Any:
        passes[len(x)] += 1
        return realness(self, x)

    monkeypatch.setattr(Training, "samples", counted)
    monkeypatch.setattr(Judge, "realness", judged)
    found = agon.skill(trained, n=N, show=False)
    many = len(found.steps)
    assert many == 6
    assert made == {N: many, found.matrix.n_real // 4: many}  # a fifth of the test samples is held out for statistics
    assert passes == {N: many**2, found.matrix.n_real: many}


def test_statistics_are_those_of_battles(trained: Run) -> None:
    """Own samples and held-out real ones re-estimate them; running ones give other areas; nothing is disturbed."""
    files = [path for path in trained.path.rglob("*") if path.is_file() and "skill" not in path.name]
    before = {path: path.read_bytes() for path in files}
    one, two = (rated(trained, statistics=statistics) for statistics in ("reestimated", "running"))
    assert one != two
    assert one == rated(trained)
    assert before == {path: path.read_bytes() for path in before}


def test_the_record_reads_back(trained: Run, tmp_path: Path) -> None:
    found = agon.skill(trained, n=N, out=tmp_path / "out", show=False)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"skill.json", "skill.png"}
    again = Skill.of_plain(json.loads((tmp_path / "out" / "skill.json").read_text()))
    assert again.plain() == found.plain()
    assert again.lines == found.lines
    row, rating = again.rows[2], found.critics[2]
    assert (row["step"], row["critic"]) == (found.steps[2], rating.value)
    assert (row["critic_low"], row["critic_high"]) == rating.interval
    agon.skill(trained, n=N, show=False)
    kept = read_skill(trained)
    assert kept is not None
    assert kept.plain() == found.plain()
    (tmp_path / "broken").mkdir()
    for content in ("[]", "{", '{"steps": 3}'):
        (tmp_path / "broken" / "skill.json").write_text(content)
        with pytest.raises(RunError, match=r"skill\.json"):
            read_skill(Run(tmp_path / "broken"))


def test_a_damaged_snapshot_is_left_out_and_the_rest_goes_on(tmp_path: Path) -> None:
    run = forged(tmp_path / "run", BETTER[:3])
    file = run.history / "00000004" / "tensors.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    found = agon.skill(run, n=N, show=False)
    assert list(found.left_out) == [4]
    assert "does not have the checksum" in found.left_out[4]
    assert "Left out: step 4: " in str(found)
    assert found.steps == (2, 8)


def test_a_generator_that_has_diverged_is_left_out_and_the_rest_goes_on(tmp_path: Path) -> None:
    run = forged(tmp_path / "run", [BETTER[0], float("nan"), *BETTER[1:3]])
    found = agon.skill(run, n=N, show=False)
    assert list(found.left_out) == [4]
    assert "expected finite samples" in found.left_out[4]
    assert found.steps == (2, 8, 16)


def test_snapshots_enter_a_tournament(better: Run) -> None:
    """By their steps; the later one wins."""
    entrants = [f"{better.path}@{step}" for step in (4, 256)]
    result = agon.tournament(entrants, settings=TournamentSettings(n=N), references=False, show=False)
    assert result.left_out == {}
    assert [rating.name for rating in result.ratings.generators] == ["better@256", "better@4"]


def test_checkpoints_serve_where_there_are_no_snapshots(tmp_path: Path) -> None:
    run = agon.train(points(20, checkpoint_every=5, keep=9), tmp_path / "run", compute=ONE_THREAD, show=False)
    found = agon.skill(run, n=N, show=False)
    assert found.steps == (5, 10, 15, 20)
    assert "too few to say" in found.sentence


def test_the_command_line(trained: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["skill", str(trained.path), "--n", str(N), "--out", str(tmp_path / "out")]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split()[:2] == ["step", "generator"]
    assert len([line for line in printed if line.lstrip()[:1].isdigit()]) == 6
    assert printed[-1].startswith("The generator's skill")
    few = agon.train(points(4), tmp_path / "few", compute=ONE_THREAD, show=False)
    assert main(["skill", str(few.path)]) == 2
    assert "--snapshots 20 makes the next run keep" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["history", "skill.json", "skill.png"])
def test_nothing_is_reached_through_a_link(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a run from elsewhere: neither its snapshots are read there, nor its skill written."""
    run, outside = forged(tmp_path / "run", BETTER[:2]), tmp_path / "outside"
    if name == "history":
        run.history.rename(outside)
    else:
        outside.write_text("mine")
    (run.path / name).symlink_to(outside)
    assert main(["skill", str(run.path), "--n", "20"]) == 2
    assert f"{name} is a symbolic link" in capsys.readouterr().err
    assert name == "history" or outside.read_text() == "mine"


def test_a_run_without_a_critic_is_refused(tmp_path: Path) -> None:
    experiment = find("im2016/mnist-vae").experiment(agon.Images(path="digits"), "smoke").with_steps(2)
    run = agon.train(
        agon.experiment.changed(experiment, "snapshots", "2"), tmp_path / "vae", compute=ONE_THREAD, show=False
    )
    with pytest.raises(DataError, match="expected a run with a generator and a critic, got a variational"):
        agon.skill(run, n=N, show=False)


def test_areas_do_not_depend_on_who_else_meets(better: Run, found: Skill) -> None:
    """Two steps alone have the areas that they have among all."""
    training = load(better, step=2)
    field = field_of(better, training, N, 0, "reestimated")
    matrix, _ = meet([2, 256], lambda step: load(better, step=step), field)
    assert matrix.area("step 256", "step 2") == found.matrix.area("step 256", "step 2")
