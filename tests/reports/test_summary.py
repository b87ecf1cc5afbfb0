"""The first line tells what a run is, and the last how to carry it on."""

import json
import shlex

from agon.cli import main
from agon.reports.reading import read
from agon.reports.summary import summary
from agon.runs.named import local
from tests.reports.conftest import lines, record


def test_a_run_that_stopped_early_goes_on_and_a_finished_one_gets_more(make_run):
    run = make_run("a run's name")
    finished = summary(0, read([run])[0])
    assert shlex.split(finished.command) == ["agon", "resume", str(run), "--steps", "2000"]
    (run / "log.jsonl").write_text(lines([record(700, 0)]))
    stopped = summary(0, read([run])[0])
    assert shlex.split(stopped.command) == ["agon", "resume", str(run)]
    assert "700 of 1,000 steps" in stopped.facts


def test_a_run_that_ended_of_a_number_that_is_not_finite_is_not_resumed(make_run):
    """It would end there again; an alarm of which it did not end is the negative control."""
    run = make_run()
    (run / "log.jsonl").write_text(lines([record(700, 0)]))
    alarm = {
        "step": 701,
        "sickness": "divergence",
        "severity": "fatal",
        "since_step": 701,
        "sentence": "it is endless",
    }
    for ended in (False, True):
        (run / "alarms.jsonl").write_text(lines([{**alarm, "ended": ended}]))
        told = summary(0, read([run])[0])
        assert shlex.split(told.command) == ["agon", "diagnose" if ended else "resume", str(run)]
        assert ("It ended at step 701: it is endless." in told.state) is ended


def test_an_experiment_of_another_form_is_still_told(make_run):
    run = make_run()
    (run / "experiment.json").write_text(json.dumps({"recipe": "radford2015/dcgan", "game": "mine", "data": None}))
    facts = summary(0, read([run])[0]).facts
    assert facts == ["radford2015/dcgan", "1,000 steps", "64,000 images", "2.05 min", "512 images per second"]


def test_a_published_run_is_begun_with_its_weights_and_not_resumed(tmp_path, capsys):
    """The command of the page works; the one it had does not."""
    (told,) = [summary(0, view) for view in read([local("pretrained:ring")])]
    assert "weights alone" in told.state
    words = shlex.split(told.command)[1:-1]
    assert main([*words, str(tmp_path / "run"), "--steps", "2"]) == 0
    assert main(["resume", words[1], "--steps", "1000000"]) == 2
    assert "--init RUN --out NEW" in capsys.readouterr().err
