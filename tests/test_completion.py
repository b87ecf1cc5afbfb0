"""agon --version, and the scripts by which shells complete its commands."""

import subprocess
from pathlib import Path

import pytest

import agon
from agon.cli import COMMANDS, main


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Standard output of a command that succeeds."""
    try:
        assert main(arguments) == 0
    except SystemExit as end:  # the parser ends what it prints itself
        assert not end.code  # noqa: PT017
    return capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "--version") == f"agon {agon.__version__}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_knows_commands_and_options(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    script = printed(capsys, "--print-completion", shell)
    for word in (*COMMANDS, "--evaluate-every", "--interpolate", "--against"):
        assert word in script


def test_help_names_both(capsys: pytest.CaptureFixture[str]) -> None:
    told = printed(capsys, "--help")
    assert "--version" in told
    assert "--print-completion" in told


ASK = """
set -eu
source "$1"
COMP_WORDS=({words}) COMP_CWORD={index} COMP_LINE='{line}' COMP_POINT={length}
_tyro_agon
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["agon", "re"], {"recipes", "report", "reproduce", "resume"}),
        (["agon", "train", "--evaluate-e"], {"--evaluate-every", "--evaluate-extractor"}),
    ],
)
def test_bash_completes(
    words: list[str], expected: set[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """bash reads the script and asks it."""
    script = tmp_path / "completion.bash"
    script.write_text(printed(capsys, "--print-completion", "bash"))
    line = " ".join(words)
    ask = ASK.format(words=line, line=line, index=len(words) - 1, length=len(line))
    asked = subprocess.run(["bash", "-c", ask, "bash", script], check=False, capture_output=True, text=True)
    assert asked.returncode == 0, asked.stderr
    assert set(asked.stdout.split()) == expected


@pytest.mark.parametrize("shell", [[], ["powershell"]])
def test_another_shell_is_refused(shell: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--print-completion", *shell]) == 2
    assert "bash, fish, zsh" in capsys.readouterr().err
