"""Folders of runs, and runs that differ in their seed alone."""

import json
from pathlib import Path

from agon.runs.groups import by_experiment, runs_in


def make(path: Path, seed: int = 0, **settings: object) -> Path:
    path.mkdir(parents=True)
    (path / "experiment.json").write_text(json.dumps({"type": "Experiment", "seed": seed, **settings}))
    return path


def test_a_folder_of_runs_stands_for_them_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    runs = [make(tmp_path / f"seed-{seed}", seed) for seed in (2, 10, 1)]
    (tmp_path / "notes").mkdir()
    assert runs_in(tmp_path) == [runs[2], runs[0], runs[1]]
    assert runs_in(runs[0]) == [runs[0]]
    assert runs_in(tmp_path / "notes") == [tmp_path / "notes"]
    assert runs_in(tmp_path / "nowhere") == [tmp_path / "nowhere"]


def test_a_link_in_a_folder_is_not_followed(tmp_path: Path) -> None:
    run = make(tmp_path / "elsewhere" / "run")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "link").symlink_to(run)
    assert runs_in(tmp_path / "runs") == [tmp_path / "runs"]


def test_seeds_of_one_experiment_are_one_group(tmp_path: Path) -> None:
    wide = [make(tmp_path / "wide" / str(seed), seed, width=64) for seed in range(3)]
    narrow = [make(tmp_path / "narrow" / str(seed), seed, width=8) for seed in range(2)]
    assert by_experiment([*wide, *narrow]) == {"wide": wide, "narrow": narrow}
    assert by_experiment([wide[0], narrow[0]]) == {"wide/0": wide[:1], "narrow/0": narrow[:1]}


def test_seeds_beside_other_runs_have_the_name_of_the_first(tmp_path: Path) -> None:
    """And a run that is given twice counts once."""
    seeds = [make(tmp_path / f"a{seed}", seed) for seed in range(3)]
    other = make(tmp_path / "b", 0, width=8)
    assert by_experiment([*seeds, other, seeds[1]]) == {"a0 and 2 more": seeds, "b": [other]}


def test_another_setting_is_another_experiment(tmp_path: Path) -> None:
    """The negative control: steps count, the seed does not."""
    runs = [make(tmp_path / "a", 0, steps=5), make(tmp_path / "b", 1, steps=6)]
    assert len(by_experiment(runs)) == 2


def test_a_copy_is_no_second_seed(tmp_path: Path) -> None:
    run, copy, seed = make(tmp_path / "run", 0), make(tmp_path / "copy", 0), make(tmp_path / "seed", 1)
    assert by_experiment([run, copy]) == {"run": [run], "copy": [copy]}
    assert by_experiment([run, copy, seed]) == {"run and 1 more": [run, seed], "copy": [copy]}
