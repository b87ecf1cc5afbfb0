"""docs/benchmarks.md: each section says when and where it was measured, and whoever is older than its code is named."""

import subprocess
from pathlib import Path

import pytest
import torch
from torch import nn

from agon.recipes import find
from benchmarks import accelerator, operators
from benchmarks.provenance import ROOT, Provenance, here, warnings
from benchmarks.report import PAGE, Section, updated
from benchmarks.sections import SECTIONS

STEP = Section("One step", "Of a loop.", "| ms |\n| --- |\n| 3 |")
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
