"""Nothing is silent for more than five seconds: what goes on is said with the time left, and nothing stays behind."""

import io
import threading
import time

import pytest
import torch

from agon.metrics import frechet_distance, kernel_distance, prdc
from agon.terminal import waiting as waiting_module
from agon.terminal.progress import Progress
from agon.terminal.waiting import EVERY, FIRST, TICK, Stage, Waiting, stage, tracked, waiting
from tests.test_progress import Clock, Terminal, terminal

__all__ = ["terminal"]


class Display(Waiting):
    """A display without its thread: the test looks at the clock."""

    def _watch(self) -> None:
        self._ended.wait()

    def after(self, seconds: float) -> None:
        assert isinstance(self.clock, Clock)
        for _ in range(round(seconds / TICK)):
            self.clock.now += TICK
            self.look()


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> Display:
    """The display that `stage` uses, into a file."""
    display = Display(stream=io.StringIO(), clock=Clock())
    monkeypatch.setattr(waiting_module, "_shown", [display])
    return display


def lines(display: Waiting) -> list[str]:
    assert isinstance(display._stream, io.StringIO)
    return display._stream.getvalue().splitlines()


def test_no_five_seconds_pass_without_a_line() -> None:
    assert FIRST + TICK < 5
    assert EVERY + TICK < 5


def test_outer_stages_say_how_far_they_are_and_the_time_left_of_all(display: Display) -> None:
    with display:
        for _ in tracked(range(4), "measuring, seed by seed", 4):
            with stage("features", total=10) as advance:
                advance(5)
                display.after(5)
    assert lines(display)[0] == "measuring, seed by seed 0/4: features  5/10 (50 %)  0:02 left"
    assert lines(display)[1] == "measuring, seed by seed 1/4: features  5/10 (50 %)  0:02 left, 0:20 in all"


def test_a_long_stage_says_how_far_it_is_and_how_long_it_will_take(display: Display) -> None:
    with display, stage("kid"), stage("features", total=1000) as advance:
        advance(100)
        display.after(3)
        advance(300)
        display.after(5)
    assert lines(display) == [
        "kid: features  100/1,000 (10 %)  0:18 left",
        "kid: features  400/1,000 (40 %)  0:10 left",
    ]


def test_an_estimate_is_said_before_the_wait(display: Display) -> None:
    with display, stage("fid"), stage("decompositions", seconds=lambda: 60.0):
        display.after(2.5)
        display.after(60)
    assert lines(display)[0] == "fid: decompositions  0:02 so far  0:58 left"
    assert lines(display)[-1].endswith("a little longer than expected")
    assert len(lines(display)) == 1 + 60 // 4.75 + 1


def test_a_short_stage_is_silent(display: Display) -> None:
    with display:
        for _ in tracked(range(10), "features", 10):
            display.after(FIRST / 20)
    assert lines(display) == []


def test_a_function_that_is_called_as_a_library_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(tracked(range(3), "nothing", 3)) == [0, 1, 2]
    with stage("nothing", seconds=lambda: pytest.fail("estimated for nobody")) as advance:
        advance(1)
    assert capsys.readouterr().err == ""


def test_it_ends_with_its_block_even_by_an_exception(capsys: pytest.CaptureFixture[str]) -> None:
    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt), waiting(), stage("features"):  # noqa: PT012
        assert len(threading.enumerate()) == len(before) + 1
        raise KeyboardInterrupt
    assert set(threading.enumerate()) == before
    assert capsys.readouterr().err == ""


def test_a_thread_speaks_during_one_call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """As during a decomposition that takes a minute."""
    monkeypatch.setattr(waiting_module, "FIRST", 0.0)
    with waiting(), stage("a single call"):
        time.sleep(4 * TICK)
    assert capsys.readouterr().err.startswith("a single call  0:0")


def test_a_training_shows_itself_and_takes_up_its_evaluations(display: Display) -> None:
    clock, stream = Clock(), io.StringIO()
    with display, stage("classifier"):
        with Progress(10, stream=stream, clock=clock) as progress:
            display.after(6)
            assert lines(display) == []
            with Display(clock=Clock()) as inner:
                inner.stages.append(Stage("kid", 10, None, inner.clock))
                inner.after(3)
            progress.update(10)
        display.after(1)
    assert stream.getvalue().splitlines()[0] == "kid  0/10 (0 %)"
    assert lines(display) == ["classifier  0:06 so far"]


def test_a_terminal_gets_a_bar_that_goes(terminal: Terminal) -> None:
    with Display(stream=terminal, clock=Clock()) as display:
        display.stages.append(Stage("features", 100, None, display.clock))
        display.stages[0].advance(25)
        display.after(4)
    assert "features  25/100 (25 %)" in terminal.getvalue()
    assert terminal.getvalue().endswith("\x1b[?25h"), "the cursor is given back"


def test_the_metrics_name_their_stages(display: Display, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Stage] = {}
    monkeypatch.setattr(display, "stages", Recorded(seen))
    real, fake = torch.randn(2, 60, 8, generator=torch.Generator().manual_seed(0))
    with display:
        kernel_distance(real, fake, subsets=3, size=20)
        prdc(real, fake)
        frechet_distance(real, fake)
    assert list(seen) == ["subsets of 20 samples", "distances", "decompositions of 8 x 8 covariances"]
    assert seen["subsets of 20 samples"].done == 3
    assert seen["distances"].done == seen["distances"].total == 3600
    assert seen["decompositions of 8 x 8 covariances"].seconds is not None


class Recorded(list[Stage]):
    """Stages that are remembered by name."""

    def __init__(self, seen: dict[str, Stage]) -> None:
        super().__init__()
        self.seen = seen

    def append(self, stage: Stage) -> None:
        self.seen[stage.what] = stage
        super().append(stage)


def test_a_narrow_terminal_shows_the_innermost_stage_and_its_time(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the names of the outer ones, with the time left cut away."""
    monkeypatch.setenv("COLUMNS", "80")
    display = Display(stream=terminal, clock=Clock())
    monkeypatch.setattr(waiting_module, "_shown", [display])
    with (
        display,
        stage("runs/faces of the second setting"),
        stage("kernel distance"),
        stage("features", 100) as advance,
    ):
        advance(50)
        display.after(4)
    assert "kernel distance: features  50/100 (50 %)  0:02 left" in terminal.getvalue()
    assert "…" not in terminal.getvalue()
