"""The outlet: whatever the stream can take, no line is an exception, and none moves the cursor."""

import ast
import builtins
import io
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import agon
from agon import terminal
from agon.__main__ import main as run_agon
from agon.cli import main
from agon.errors import AgonError, Change, SettingError
from agon.terminal.progress import Progress

EVIL = "a\x1b[31mb\x07\r\n\u202ec\ud800"


class Bare:
    """A stream that can write, and nothing else: no isatty, no encoding, no reconfigure."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        return


class Full(Bare):
    """A stream whose disk is full."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("make", [Bare, Full, closed, lambda: None], ids=["bare", "full", "closed", "none"])
def test_any_standard_error_will_do(make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", make())
    training = ["train", "first/ring", "--scale", "smoke", "--steps", "1", "--threads", "1", "--device", "cpu"]
    assert main([*training, "--out", str(tmp_path / "run")]) == 0
    assert main(["report", str(tmp_path / "nowhere")]) == 2


@pytest.mark.parametrize("make", [Bare, closed, lambda: None], ids=["bare", "closed", "none"])
def test_any_standard_output_will_do(make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", make())
    assert main(["recipes", "first"]) == 0


def test_output_that_cannot_be_written_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", Full())
    assert main(["recipes", "first"]) == 2
    assert "No space left" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "latin-1", "utf-8"])
def test_any_encoding_will_do(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(content, encoding=encoding))
    for words in (["recipes"], ["data", "digits"]):
        assert main(words) == 0
    with pytest.raises(SystemExit, match="0"):
        main(["train", "--help"])
    terminal.say("θ and ψ", EVIL)
    told = content.getvalue().decode(encoding)
    assert "metz2017/figure1" in told
    assert "--evaluate-every" in told
    assert "\x1b" not in told.rpartition("ψ")[2]


def test_python_s_own_streams(tmp_path: Path) -> None:
    """As a shell hands them over: closed, or of an old encoding."""
    for redirect, encoding in (("2>&-", "utf-8"), (">&-", "utf-8"), (">&- 2>&- <&-", "utf-8"), ("", "cp1252")):
        told = subprocess.run(
            ["sh", "-c", f"{sys.executable} -m agon recipes im2016 {redirect}"],
            env={**os.environ, "PYTHONIOENCODING": encoding},
            capture_output=True,
            check=False,
        )
        assert (told.returncode, told.stderr) == (0, b"")
        assert told.stdout if redirect in ("2>&-", "") else not told.stdout


def test_ctrl_c_while_the_commands_are_imported_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first half second of every command, before anything of agon.cli can catch it."""
    ordinary = builtins.__import__

    def interrupted(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "agon.cli":
            raise KeyboardInterrupt
        return ordinary(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", interrupted)
    assert run_agon() == 130
    program = tomllib.loads((Path(agon.__file__).parents[1] / "pyproject.toml").read_text())["project"]["scripts"]
    assert program == {"agon": f"{run_agon.__module__}:{run_agon.__name__}"}


def test_a_reader_that_has_gone_ends_the_output() -> None:
    """Gone before the first line: no reader is quick enough in one run and too late in the next."""
    reading, writing = os.pipe()
    os.close(reading)
    told = subprocess.run(
        [sys.executable, "-u", "-m", "agon", "recipes"],
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
        text=True,
    )
    os.close(writing)
    assert (told.returncode, told.stderr) == (0, "")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_the_parser_s_complaint_is_the_same_sentence_in_any_encoding(
    encoding: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    assert main(["resume", "first", "second"]) == 2
    assert capsys.readouterr().err == "agon: Unrecognized options: second; for all options: agon resume --help\n"


def test_what_is_quoted_cannot_move_the_cursor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["report", EVIL], ["recipes", EVIL], ["data", EVIL], [EVIL], ["train", EVIL, "--out", EVIL]):
        assert main(words) == 2
        told = capsys.readouterr().err
        assert told.endswith("\n")
        assert all(c.isprintable() for c in told[:-1]), told
    progress = Progress(total=1, stream=(stream := io.StringIO()))
    progress.update(1, {f"loss/{EVIL}": 1.0})
    with progress:
        pass
    progress.update(1, {f"loss/{EVIL}": 1.0})
    assert all(c.isprintable() for c in progress.line() + stream.getvalue().rstrip("\n"))


def test_messages_are_bounded(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["recipes", "a" * 10**5], ["data", "b" * 10**5], ["c " * 10**5], ["report", "d/" * 10**5]):
        assert main(words) == 2
        assert len(capsys.readouterr().err) < 2_000
    value = "[" + "1," * 50_000 + "1]"
    assert main(["train", "first/ring", "--set", f"game.generator.widths={value}x", "--out", "x"]) == 2
    told = capsys.readouterr().err
    assert len(told) < 2_000
    assert "Generator.widths: expected" in told


SPEECH = re.compile(r"(?<!got )\b(?<!-)[a-z_]+=('|\(|\[|True|False|None|-?\d)")


def test_no_advice_has_one_language_alone() -> None:
    """A message that speaks of a setting does it by a `Change`, so that the command line can put it in its words."""
    found = []
    for path in sorted(Path(agon.__file__).parent.rglob("*.py")):
        room = path.relative_to(Path(agon.__file__).parent).parts[0]
        if room in ("cli", "data"):  # which speak the command line's
            continue
        tree = ast.parse(path.read_text())
        texts = [text for node in ast.walk(tree) if isinstance(node, ast.Raise) for text in ast.walk(node)]
        said = [text.value for text in texts if isinstance(text, ast.Constant) and isinstance(text.value, str)]
        found += [f"{path}: {text}" for text in said if SPEECH.search(text) and "in Python" not in text]
    assert [line for line in found if "track_running_stats" not in line and "got low=" not in line] == []


def test_advice_is_in_the_words_of_who_is_told() -> None:
    change = Change("data.values", (0, 1))
    error = SettingError(f"expected bytes; say {change} or {Change('strategy', 'processes')}", change)
    assert str(error) == "expected bytes; say values=(0, 1) or strategy='processes'"
    assert error.typed == "expected bytes; say --set data.values='[0, 1]' or strategy='processes'"
    assert Change("strategy", "processes", "--strategy processes").typed == "--strategy processes"
    assert AgonError("plain").typed == "plain"


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        (["first/digits", "--set", "batch=5000"], "--set batch=1617"),
        (["first/digits", "--set", "batch=5", "--devices", "2"], "--set batch=4"),
        (["first/ring", "--seeds", "2", "--strategy", "batched", "--compile", "on"], "--strategy processes"),
        (["first/ring", "--set", "latent=uniform", "--set", "latent.low=3"], "--set latent.low=-1.0"),
        (["yamazaki2017/mnist-classifier", "--set", "game.classifier.classes=3"], "--set game.classifier.classes=10"),
    ],
)
def test_the_command_line_is_told_what_to_type(
    words: list[str], advice: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = ["--scale", "smoke", "--steps", "1", "--threads", "1", "--device", "cpu", "--out", str(tmp_path / "run")]
    assert main(["train", *words, *tiny]) == 2
    assert advice in capsys.readouterr().err
