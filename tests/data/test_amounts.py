"""Sets that are too small are called so, and what is left out of a training is counted."""

from dataclasses import replace

import pytest

from agon.cli import main
from agon.data import Images, Ring
from agon.data.amounts import FEW, few, unreadable
from agon.data.findings import findings
from agon.data.inspection import inspect
from agon.recipes import RECIPES
from agon.training.replicates import replicate

from .test_settling import photographs

TRAIN = ["train", "radford2015/dcgan", "--scale", "smoke", "--steps", "1", "--threads", "1"]


@pytest.fixture
def damaged(tmp_path):
    """Seven images, of which two cannot be read."""
    folder = photographs(tmp_path / "photos", [(8, 8)] * 7, ending="png")
    for number in (2, 4):
        (folder / f"00{number}.png").write_bytes(b"no image")
    return folder


def test_the_warning_begins_below_a_number():
    assert few(1, "image").startswith("1 image in the training set, fewer than 8: a generator can only repeat")
    assert few(FEW - 1).startswith("7 samples in the training set")
    assert (few(FEW), few(None)) == ("", "")


def test_images_that_cannot_be_read_are_counted_where_they_are_left_out(damaged):
    """Whatever is held out, and nothing where they are refused, or where nothing is wrong."""
    skipping = Images(path=str(damaged), skip_corrupt=True)
    assert unreadable(skipping) == 2
    assert unreadable(replace(skipping, holdout=0.4, validation=0.3)) == 2
    assert unreadable(replace(skipping, streaming=True)) == 0
    assert unreadable(Images(path=str(damaged))) == 0
    assert unreadable(Images(path="digits", skip_corrupt=True)) == unreadable(Ring()) == 0


def test_training_says_what_it_leaves_out_and_that_the_rest_is_little(damaged, tmp_path, capsys):
    words = ["--data", str(damaged), "--skip-corrupt", "--batch", "2", "--out", str(tmp_path / "run")]
    assert main([*TRAIN, *words]) == 0
    told = capsys.readouterr().err
    assert "not used for training: 2 images that cannot be read; agon data names them" in told
    assert "4 samples in the training set, fewer than 8: a generator can only repeat what it is shown" in told


def test_trainings_of_many_seeds_say_it_too(damaged, tmp_path, capsys, monkeypatch):
    """Once, before any begins."""
    monkeypatch.setattr("agon.training.replicates.replicates._trained", lambda *arguments: [])
    experiment = RECIPES["own"].experiment(Images(path=str(damaged), skip_corrupt=True), steps=1)
    replicate(experiment, tmp_path / "seeds", 3, strategy="processes")
    told = capsys.readouterr().err
    assert told.count("not used for training: 2 images that cannot be read") == 1
    assert "4 samples in the training set, fewer than 8" in told
    assert all(note in told for note in experiment.notes)


def test_training_on_a_whole_set_says_neither(tmp_path, capsys):
    assert main([*TRAIN, "--data", "digits", "--skip-corrupt", "--out", str(tmp_path / "run")]) == 0
    told = capsys.readouterr().err
    assert "not used" not in told
    assert "fewer than" not in told


def test_the_lines_of_agon_data_add_up(damaged):
    """Formats and what cannot be read are all that was looked at; one of a kind has no plural."""
    (damaged / "002.png").unlink()
    source = Images(path=str(damaged), skip_corrupt=True)
    lines = dict(findings(source, inspect(source)))
    assert (lines["formats"], lines["seen"]) == ("PNG 5, 1 cannot be read", "all 6 images")
    assert lines["broken"].startswith("1 image of 6 cannot be read: ")
    assert lines["few"].startswith("4 images in the training set")
    assert "by class" not in lines


def test_classes_name_the_recipe_that_uses_them():
    """Of digits there are enough, and ten classes."""
    lines = dict(findings(Images(path="digits"), inspect(Images(path="digits"))))
    assert lines["by class"].startswith("agon train miyato2018b/projection ")
    assert "few" not in lines
