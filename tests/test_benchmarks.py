"""docs/benchmarks.md: each section says when and where it was measured, and whoever is older than its code is named."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from agon.dynamics import Unrolled
from agon.dynamics.unrolled.compiled.round_plan import RoundPlan, rounds_of
from agon.experiment import Experiment
from agon.recipes import find
from benchmarks import __main__ as command
from benchmarks import accelerator, operators
from benchmarks.compiled import look_aheads
from benchmarks.provenance import ROOT, Provenance, here, provenances, took, warnings
from benchmarks.report import PAGE, Section, updated
from benchmarks.sections import SECTIONS, WHOLE, Measurement

STEP = Section("One step", "Of a loop.", "| ms |\n| --- |\n| 3 |")
LAST = STEP._replace(title="Another")
PLAIN = Provenance("2026-11-22", "0123abc", "step", "2 cores")
TOLD = {"capture_output": True, "text": True}
MEASURES = {"step": ("code/step.py",), "import": ("code/start.py", "code/names")}


def git(root: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
    command = ["git", "-C", str(root), *identity, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def commit(root: Path, file: str, content: str) -> str:
    """Write a file and commit it; the commit's abbreviated name."""
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(content)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "a change")
    return git(root, "rev-parse", "--short", "HEAD")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with the code of two sections."""
    git(tmp_path, "init", "-q")
    for name in ("step", "start"):
        commit(tmp_path, f"code/{name}.py", "1")
    return tmp_path


def page_of(root: Path) -> str:
    """Both sections, measured now."""
    revision = git(root, "rev-parse", "--short", "HEAD")
    page = updated("# Benchmarks\n", STEP, Provenance("2026-11-22", revision, "step", "2 cores"))
    other = STEP._replace(title="Import")
    return updated(page, other, Provenance("2026-11-22", revision, "import", "2 cores"))


def test_what_was_just_measured_is_not_old(root: Path) -> None:
    page = page_of(root)
    assert list(warnings(page, MEASURES, root)) == []
    commit(root, "docs/benchmarks.md", page)  # no code
    assert list(warnings(page, MEASURES, root)) == []


def test_only_the_section_whose_code_has_changed_is_named(root: Path) -> None:
    page = page_of(root)
    measured, change = git(root, "rev-parse", "--short", "HEAD"), commit(root, "code/names/one.py", "2")
    (sentence,) = warnings(page, MEASURES, root)
    assert f"the section 'import' was measured on 2026-11-22 at revision {measured}, before" in sentence
    assert f"{change} of 20" in sentence
    assert sentence.endswith(": python -m benchmarks import")


def test_a_change_that_is_not_committed_counts(root: Path) -> None:
    page = page_of(root)
    (root / "code" / "step.py").write_text("2")
    (sentence,) = warnings(page, MEASURES, root)
    assert "the uncommitted change of code/step.py" in sentence


def test_minutes_of_recipes_are_no_code(root: Path) -> None:
    page, measures = page_of(root), {"step": ("code/step.py", "agon/recipes")}
    commit(root, "agon/recipes/costs.json", "{}")
    assert list(warnings(page, measures, root)) == []
    commit(root, "agon/recipes/costs.py", "1")
    assert len(list(warnings(page, measures, root))) == 1


def test_a_revision_that_is_not_there_and_a_section_that_is_not(root: Path) -> None:
    page = updated("# Benchmarks\n", STEP, Provenance("2026-11-22", "0123abc", "step", "2 cores"))
    elsewhere, missing = warnings(page, MEASURES, root)
    assert "at revision 0123abc, before the history that this repository has" in elsewhere
    assert missing == "the section 'import' was never measured: python -m benchmarks import"


def test_a_line_notes_the_time_and_lines_without_one_are_read() -> None:
    timed, before = Provenance("2026-11-22", "0123abc", "step", "2 cores", 412), PLAIN
    assert str(timed) == str(before).replace("step`:", "step` in 412 s:")
    for line in (timed, before):
        assert provenances(f"## One step\n\n{line}\n") == {"step": line}


def test_the_times_of_a_page_are_added_up_and_compared_with_their_shares() -> None:
    page = updated("# Benchmarks\n", STEP, PLAIN._replace(seconds=90))
    page = updated(page, STEP._replace(title="Import"), PLAIN._replace(name="import"))
    whole, longer = took(page, {"step": 60, "import": 30, "memory": 30})
    assert whole == "1 of 3 sections took 1.5 min in all (all shares: 2.0 min); without a time: import, memory"
    assert longer == "the section 'step' took 90 s; its share is 60 s"
    assert len(list(took(page, {"step": 90}))) == 1


def test_all_shares_together_are_within_the_page_s_time() -> None:
    assert sum(measurement.share for measurement in SECTIONS.values()) <= WHOLE < 40 * 60


@pytest.fixture
def small_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`python -m benchmarks` measures three sections for a page of its own, and the middle one fails."""

    def fails(*_: object) -> Section:
        subprocess.run([sys.executable, "-c", "import sys; sys.exit('there is no peer')"], check=True, **TOLD)
        raise AssertionError

    @contextmanager
    def no_sets() -> Iterator[list[object]]:
        yield []

    page, makers = tmp_path / "benchmarks.md", {"step": lambda *_: STEP, "peer": fails, "last": lambda *_: LAST}
    page.write_text("# Benchmarks\n")
    monkeypatch.setattr(command, "PAGE", page)
    monkeypatch.setattr(command, "sets", no_sets)
    monkeypatch.setattr(command, "SECTIONS", {n: Measurement(make, 60, ("Makefile",)) for n, make in makers.items()})
    return page


def benchmarks(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    """The exit status of `python -m benchmarks`."""
    monkeypatch.setattr(sys, "argv", ["benchmarks", *arguments])
    with pytest.raises(SystemExit) as ended:
        command.main()
    return ended.value.code


def test_a_section_that_fails_is_named_and_the_others_are_measured(
    small_page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert benchmarks(monkeypatch) == 1
    out, err = capsys.readouterr()
    last = err.splitlines()[-1]
    assert last.startswith("failed: peer: CalledProcessError: Command ")
    assert last.endswith("; there is no peer")
    assert list(provenances(small_page.read_text())) == ["step", "last"]
    assert "measured: last in 0 s (share: 60 s)" in err
    assert "docs/benchmarks.md: 2 of 3 sections took 0.0 min in all (all shares: 3.0 min); without a time: peer" in out
    assert benchmarks(monkeypatch, "step", "last") == 0


def test_a_quick_run_and_a_check_write_nothing(
    small_page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert benchmarks(monkeypatch, "--quick") == 1
    assert benchmarks(monkeypatch, "step", "--quick") == 0
    capsys.readouterr()
    assert benchmarks(monkeypatch, "--check") == 0
    assert "0 of 3 sections took 0.0 min in all" in capsys.readouterr().out
    assert small_page.read_text() == "# Benchmarks\n"


def test_compiled_rows_are_every_kind_of_look_ahead() -> None:
    """Each is made of whole rounds, and together they are all that a round can be beyond the plain one."""
    plans = {name: list(plans_of(experiment)) for name, experiment in look_aheads().items()}
    every = [plan for several in plans.values() for plan in several]
    assert all(plan is not None for plan in every)
    assert any(plan.fresh for plan in every)
    assert any(len(several) == 2 for several in plans.values())  # both players look ahead
    assert any(plan.player in plan.others for plan in every)  # recursive
    assert any(plan.extrapolation != 1 for plan in every)
    assert any(plan.regenerates and plan.player == "critic" for plan in every)
    assert [name for name, one in look_aheads().items() if one.game.build().has_after_update] == list(plans)[-1:]


def plans_of(experiment: Experiment) -> Iterator[RoundPlan | None]:
    assert isinstance(experiment.dynamics, Unrolled)
    for turns in rounds_of(experiment.dynamics):
        yield RoundPlan.of(replace(experiment.dynamics, turns=turns), experiment.game.build())


def test_a_section_anew_leaves_the_others_as_they_were(root: Path) -> None:
    page = page_of(root)
    faster = STEP._replace(table="| ms |\n| --- |\n| 2 |")
    again = updated(page, faster, Provenance("2026-12-01", "89abcde", "step", "4 cores"))
    head, step, start = page.split("## ")
    new_head, new_step, new_start = again.split("## ")
    assert (new_head, new_start) == (head, start)
    assert new_step.startswith(
        "One step\n\nMeasured on 2026-12-01 at revision `89abcde` by `python -m benchmarks step`: "
    )
    assert new_step.splitlines()[3:] == [line.replace("3", "2") for line in step.splitlines()[3:]]


def test_every_section_of_the_page_has_its_line_and_its_code() -> None:
    _, *parts = PAGE.read_text().split("\n## ")
    lines = [part.splitlines()[2] for part in parts]
    assert sorted(line.split("`")[3].split()[-1] for line in lines) == sorted(SECTIONS)
    assert all(line.startswith("Measured on 20") for line in lines)
    missing = [path for m in SECTIONS.values() for path in m.measures if not (ROOT / path).exists()]
    assert missing == []


def test_a_line_says_the_machine() -> None:
    assert " cores, " in here("step", real=True).machine
    assert here("step", real=False).machine.endswith("; random bytes in the place of real images")


def test_the_gpu_benchmark_runs_to_its_end_without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """At smoke size on a CPU, with the code that measures on a GPU."""
    monkeypatch.setattr(accelerator, "TRAININGS", (("radford2015/dcgan", "paper"), ("metz2017/ring-k10", "paper")))
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    section = accelerator.section([], quick=False)
    assert section.text.startswith("No GPU here")
    *_, dcgan, ring, seeds = section.table.splitlines()
    assert dcgan.startswith("| radford2015/dcgan | fp32 | ")
    assert ring.startswith("| metz2017/ring-k10 | fp32 | ")
    assert seeds.startswith("| metz2017/ring-k10, 2 seeds | fp32; one alone ")


def test_a_training_that_cannot_be_compiled_has_a_dash() -> None:
    """A Wasserstein training with a penalty on gradients is differentiated twice."""
    experiment = find("gulrajani2017/wgan-gp").experiment(None, "smoke")
    assert accelerator.training(experiment, accelerator.Arithmetic("compiled", compile="on"), "cpu") is None
    assert accelerator.training(experiment, accelerator.Arithmetic("fp32"), "cpu") is not None


def test_a_profile_finds_every_kind_of_operation_and_python() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 1))
    optimiser, images = torch.optim.Adam(network.parameters()), torch.randn(4, 1, 8, 8)

    def step() -> None:
        optimiser.zero_grad()
        network(images).sum().backward()
        optimiser.step()

    profile = operators.profiled(step)
    assert list(profile.milliseconds) == list(operators.COLUMNS)
    assert all(profile.milliseconds[kind] > 0 for kind in (*operators.KINDS, operators.OPTIMISER))
    assert profile.launches > 20
    assert profile.moved > 2 * images.nbytes
    text = operators.explanation([("one", profile, profile)])
    assert [line.split(" | ")[:2] for line in text.splitlines()[-2:]] == [["| one", "ours"], ["| one", "theirs"]]
    assert operators.explanation([]) == ""
