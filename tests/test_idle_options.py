"""Options that would do nothing are refused, before anything is done; with what they need, they are accepted."""

from pathlib import Path

import pytest

from agon.cli import main
from agon.cli.checks import refuse_idle
from agon.errors import SettingError

TRAIN = ("train", "first/ring", "--scale", "smoke", "--steps", "1", "--out", "OUT")
SWEEP = ("sweep", "first/ring", "--over", "lr=1e-3", "--metric", "modes", "--out", "OUT")
RANDOM = ("--search", "random", "--trials", "2")
IDLE = {
    "--strategy": ((*TRAIN, "--strategy", "processes"), "--seeds N"),
    "--evaluate-every, --evaluate-n": ((*TRAIN, "--evaluate-every", "5", "--evaluate-n", "9"), "--evaluate METRICS"),
    "--evaluate-extractor": ((*TRAIN, "--evaluate", "modes", "--evaluate-extractor", "pixels"), "such as kid"),
    "--extractor, --download": (
        ("evaluate", "pretrained:ring", "--metrics", "modes", "--extractor", "inception", "--download"),
        "such as kid",
    ),
    "--weights": (("evaluate", "pretrained:ring", "--metrics", "modes,paths", "--weights", "x.pt"), "such as kid"),
    "--n": (("data", "ring", "--n", "9"), "--out FILE"),
    "--private": (("push", "pretrained:ring", "me/ring", "--private", "--out", "OUT"), "without --out"),
    "--at-once": ((*SWEEP, *RANDOM, "--at-once", "2"), "--search bayes"),
    "--first-rung": ((*SWEEP, "--first-rung", "9"), "--stop halving"),
}


@pytest.mark.parametrize("idle", IDLE)
def test_what_would_do_nothing_is_refused(idle: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words, needs = IDLE[idle]
    assert main([str(tmp_path / "out") if word == "OUT" else word for word in words]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert told[0].startswith(f"agon: {idle}: expected with ")
    assert needs in told[0]
    assert list(tmp_path.iterdir()) == []


def test_what_was_not_given_is_not_refused() -> None:
    refuse_idle({"--a": False}, "--b")
    with pytest.raises(SettingError, match=r"^--a, --c: expected with --b alone; add that, or leave them out$"):
        refuse_idle({"--a": True, "--b": False, "--c": True}, "--b")


def test_negative_control_with_what_they_need_they_are_accepted(tmp_path: Path) -> None:
    assert main(["data", "ring", "--n", "9", "--out", str(tmp_path / "ring.csv")]) == 0
    out = str(tmp_path / "run")
    asked = ("--evaluate", "kid", "--evaluate-every", "1", "--evaluate-n", "100")
    assert main([*TRAIN[:-1], out, *asked]) == 0
    assert main(["evaluate", out, "--metrics", "modes,kid", "--n", "200", "--extractor", "pixels"]) == 0
