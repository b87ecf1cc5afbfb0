"""Progress tells the truth, stays quiet in a file, and leaves nothing behind."""

import io
import re
import signal
import sys
import threading

import pytest

from agon.terminal.multi_progress import MultiProgress
from agon.terminal.progress import QUIET, Progress


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "150")
    return Terminal()


def train(progress: Progress, clock: Clock, steps: range, seconds: float) -> None:
    for step in steps:
        clock.now += seconds
        progress.update(step, {"loss/critic": step / 10, "logit/real": 5.0} if step % 10 == 0 else None)


def test_a_file_gets_a_line_each_five_seconds_and_the_last_step():
    stream, clock = io.StringIO(), Clock()
    with Progress(100, stream=stream, clock=clock) as progress:
        train(progress, clock, range(1, 101), seconds=0.25)
    told = [int(step) for step in re.findall(r"^step (\d+)/100", stream.getvalue(), re.MULTILINE)]
    assert told == [20, 40, 60, 80, 100]  # every 5 s, at 4 steps a second
    assert len(stream.getvalue().splitlines()) == 5
    assert "\x1b" not in stream.getvalue()


def test_a_line_tells_speed_time_left_and_the_last_losses():
    stream, clock = io.StringIO(), Clock()
    with Progress(100, stream=stream, clock=clock) as progress:
        train(progress, clock, range(1, 26), seconds=0.5)
        assert progress.line() == "step 25/100 (25 %)  2.0 steps/s  0:38 left  loss/critic 2"
    assert Progress(1000).line() == "step 0/1000 (0 %)"  # nothing is known yet, and nothing is invented


def test_the_speed_of_a_run_that_goes_on_counts_only_its_own_steps():
    clock = Clock()
    with Progress(1100, start=1000, stream=io.StringIO(), clock=clock) as progress:
        train(progress, clock, range(1001, 1021), seconds=2.0)
        assert progress.speed() == pytest.approx(0.5)
        assert "2 s/step  2:40 left" in progress.line()


def test_the_speed_is_the_recent_one():
    clock = Clock()
    with Progress(10_000, stream=io.StringIO(), clock=clock) as progress:
        train(progress, clock, range(1, 101), seconds=1.0)
        train(progress, clock, range(101, 601), seconds=0.1)
        assert progress.speed() == pytest.approx(10, rel=0.01)


def test_nobody_else_speaks():
    stream, clock = io.StringIO(), Clock()
    with Progress(10, show=False, stream=stream, clock=clock) as progress:
        train(progress, clock, range(1, 11), seconds=QUIET)
    assert stream.getvalue() == ""


def test_standard_error_is_where_it_goes(capsys: pytest.CaptureFixture[str]):
    with Progress(1) as progress:
        progress.update(1, {"loss/generator": float("nan")})
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("step 1/1 (100 %)")
    assert "loss/generator nan" in printed.err


def test_a_terminal_gets_a_bar_that_ends_at_the_last_step(terminal: Terminal):
    clock = Clock()
    with Progress(100, stream=terminal, clock=clock) as progress:
        train(progress, clock, range(1, 101), seconds=0.05)
    assert "step 100/100 (100 %)" in terminal.getvalue()
    assert "loss/critic 10" in terminal.getvalue()
    assert terminal.getvalue().endswith("\x1b[?25h"), "the cursor is given back"


def test_a_terminal_is_not_redrawn_at_every_step(terminal: Terminal):
    clock = Clock()
    with Progress(10_000, stream=terminal, clock=clock) as progress:
        train(progress, clock, range(1, 10_001), seconds=0.0001)
    assert terminal.getvalue().count("step ") < 20  # one second: ten drawings and the ends


@pytest.mark.parametrize("watched", [True, False])
def test_exceptions_pass_and_no_thread_lives_on(terminal: Terminal, watched: bool):
    before, streams = set(threading.enumerate()), (sys.stdout, sys.stderr)
    stream = terminal if watched else io.StringIO()
    with pytest.raises(KeyboardInterrupt), Progress(10, stream=stream) as progress:  # noqa: PT012
        progress.update(3)
        assert set(threading.enumerate()) == before, "not even while it is shown"
        raise KeyboardInterrupt
    assert set(threading.enumerate()) == before
    assert (sys.stdout, sys.stderr) == streams
    assert "step 3/10" in stream.getvalue()


def test_signals_keep_their_handlers(terminal: Terminal):
    seen: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: seen.append(number))
    try:
        with Progress(10, stream=terminal) as progress:
            signal.raise_signal(signal.SIGTERM)
            progress.update(1)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert seen == [signal.SIGTERM]


def test_a_name_with_brackets_is_shown_as_it_is(terminal: Terminal):
    with Progress(1, stream=terminal) as progress:
        progress.update(1, {"loss/[red]": 1.0})
    assert "loss/[red] 1" in terminal.getvalue()


WIDTHS = [150, 110, 100, 80, 60, 40]
PLAYERS = [
    ("critic", "generator"),
    ("generator", "encoder", "autoregressor", "patch"),
    ("left_critic", "left_generator"),
]


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("players", PLAYERS)
def test_the_losses_of_all_players_are_shown_at_any_width(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, columns: int, players: tuple[str, ...]
) -> None:
    """In shorter words, and not cut: "loss/generato…" says nothing of the generator."""
    if sum(map(len, players)) > columns / 2:
        players = players[:2]
    monkeypatch.setenv("COLUMNS", str(columns))
    clock = Clock()
    with Progress(6500, 83, stream=terminal, clock=clock) as progress:
        clock.now += 90
        progress.update(182, {f"loss/{player}": 0.6931472 for player in players})
    assert "…" not in terminal.getvalue()
    last = terminal.getvalue().replace("\r", "\n").splitlines()[-2:]
    assert sum(len(re.findall(r"\w 0\.69", line)) for line in last) >= len(players)


def test_a_usual_terminal_has_the_whole_names(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    clock = Clock()
    with Progress(6500, stream=terminal, clock=clock) as progress:
        clock.now += 75.5
        progress.update(83, {"loss/critic": 0.05341, "loss/generator": 0.6931472})
    assert "83/6500  1.1/s  1:37:17 left  critic 0.0534  generator 0.693" in terminal.getvalue()


def test_bars_of_several_trainings_have_their_losses_too(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    clock = Clock()
    with MultiProgress({"seed-10": 6500}, stream=terminal, clock=clock) as progress:
        progress.update("seed-10", 0, 6500)
        clock.now += 75.5
        progress.update("seed-10", 83, 6500, {"loss/critic": 0.05341, "loss/generator": 0.6931472})
    assert "seed-10  83/6500  1.1/s  1:37:17 left  critic 0.0534  generator 0.693" in terminal.getvalue()
