"""What the command line's parser makes of its arguments: one call, or one sentence."""

import errno
import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr
from functools import partial, wraps
from pathlib import Path
from typing import Any

import tyro

from agon import __version__
from agon.errors import SettingError, unknown
from agon.terminal import say
from agon.untrusted import cut

BOX = str.maketrans("│╰╯─", "    ")
SHELLS = ("bash", "zsh", "fish")
DESCRIPTION = """Train, measure, compare and diagnose adversarial generative models.

--version tells the version; --print-completion bash, zsh or fish prints a script that completes commands and options.
"""

Commands = Mapping[str, Callable[..., object]]


def parsed(commands: Commands, arguments: Sequence[str]) -> Callable[[], object]:
    """The command that was asked for, ready to be called.

    Raises:
        SettingError: what the parser complains of, as one sentence instead of its box.
    """
    first = arguments[0] if arguments else ""
    if first == "--version":
        return partial(say, f"agon {__version__}")
    if first == "--print-completion":
        return partial(_print_completion, commands, *arguments[1:2])
    if first and not first.startswith("-") and first not in commands:
        raise SettingError(unknown("command", first, commands))
    call = _quiet(commands, arguments)
    _check_paths(call)
    return call


def _quiet(commands: Commands, arguments: Sequence[str]) -> Callable[[], object]:
    """The call, with the parser's complaint raised instead of printed."""
    complaint = io.StringIO()
    try:
        with redirect_stderr(complaint):
            return _parse(commands, arguments)
    except SystemExit as end:
        if not end.code:
            raise
        raise SettingError(_sentence(complaint.getvalue())) from None


def _parse(commands: Commands, arguments: Sequence[str]) -> Callable[[], object]:
    """By the parser of one command alone, where one is named: its complaints are then of that command's options."""
    deferred: dict[str, Callable[..., Any]] = {name: _deferred(command) for name, command in commands.items()}
    call: Callable[[], object]
    if arguments and arguments[0] in commands:
        name, *rest = arguments
        call = tyro.cli(deferred[name], prog=f"agon {name}", args=rest)
    else:
        call = tyro.extras.subcommand_cli_from_dict(deferred, prog="agon", description=DESCRIPTION, args=arguments)
    return call


def _print_completion(commands: Commands, shell: str = "") -> None:
    """A script for a shell, which completes commands and their options."""
    if shell not in SHELLS:
        raise SettingError(unknown("shell", shell, SHELLS))
    _parse(commands, ["--tyro-print-completion", shell])


def _sentence(box: str) -> str:
    """What the parser says, without the box that it draws of lines or hyphens, and without its titles, which repeat.

    >>> _sentence(" Oh\\n ----\\n  Oh no:\\n  x\\n  ----\\n  For full helptext, run agon -h")
    'Oh no: x; for all options: agon -h'
    """
    lines = [line.translate(BOX).strip() for line in box.splitlines() if not line.startswith("╭")]
    titles = [i - 1 for i, line in enumerate(lines) if i == 1 and set(line) == {"-"}]
    words = " ".join(line for i, line in enumerate(lines) if i not in titles and set(line) != {"-"})
    words = " ".join(words.replace("helptext, run:", "helptext, run").split())
    return words.replace(" For full helptext, run", "; for all options:").replace(".; ", "; ")


def _check_paths(call: Callable[[], object]) -> None:
    """Refuse what no file system can have: the system would, at whatever place first asks it."""
    given = [*call.args, *call.keywords.values()] if isinstance(call, partial) else vars(call).values()
    for value in given:
        for path in value if isinstance(value, tuple) else (value,):
            if isinstance(path, Path):
                _check_path(path)


def _check_path(path: Path) -> None:
    try:
        path.stat()
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError) or error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
            reason = getattr(error, "strerror", error)
            raise SettingError(f"{cut(str(path))} cannot be a path ({reason}); give another one") from error


def _deferred(command: Callable[..., object]) -> Callable[..., object]:
    """The same command for the parser, which calls what it has parsed: it gives the call instead of making it."""
    if isinstance(command, type):
        return command

    @wraps(command)
    def call(*given: Any, **named: Any) -> Callable[[], object]:
        return partial(command, *given, **named)

    return call
