"""Parse the arguments of the command line into one call, or refuse them with one sentence."""

import errno
import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr
from functools import partial, wraps
from pathlib import Path
from typing import Any

import tyro

from agon import __version__
from agon.cli.options import unknown_option
from agon.errors import SettingError, unknown
from agon.terminal import say
from agon.untrusted import cut

BOX = str.maketrans("│╰╯─", "    ")
SHELLS = ("bash", "zsh", "fish")
DESCRIPTION = """Train, measure, compare and diagnose adversarial generative models.

agon COMMAND --help explains a command. agon --version prints the version. agon --print-completion SHELL prints a script
with which bash, zsh or fish completes commands and options.
"""

Commands = Mapping[str, Callable[..., object]]


def parsed(commands: Commands, arguments: Sequence[str]) -> Callable[[], object]:
    """Return the requested command, ready to be called.

    Raises:
        SettingError: the parser refuses the arguments; its complaint is one sentence instead of a box.
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
    """Parse, and raise the parser's complaint instead of printing it."""
    complaint = io.StringIO()
    try:
        with redirect_stderr(complaint):
            return _parse(commands, arguments)
    except SystemExit as end:
        if not end.code:
            raise
        sentence, name = _sentence(complaint.getvalue()), arguments[0]
        meant = unknown_option(name, commands[name], sentence) if name in commands else None
        raise SettingError(meant or sentence) from None


def _parse(commands: Commands, arguments: Sequence[str]) -> Callable[[], object]:
    """Parse with the parser of the named command alone, so that complaints name the options of that command."""
    deferred: dict[str, Callable[..., Any]] = {name: _deferred(command) for name, command in commands.items()}
    call: Callable[[], object]
    if arguments and arguments[0] in commands:
        name, *rest = arguments
        call = tyro.cli(deferred[name], prog=f"agon {name}", args=rest)
    else:
        call = tyro.extras.subcommand_cli_from_dict(deferred, prog="agon", description=DESCRIPTION, args=arguments)
    return call


def _print_completion(commands: Commands, shell: str = "") -> None:
    """Print the completion script of a shell."""
    if shell not in SHELLS:
        raise SettingError(unknown("shell", shell, SHELLS))
    _parse(commands, ["--tyro-print-completion", shell])


def _sentence(box: str) -> str:
    """Return the parser's complaint without the box around it and without repeated titles.

    >>> _sentence(" Oh\\n ----\\n  Oh no:\\n  x\\n  ----\\n  For full helptext, run agon -h")
    'Oh no: x; for all options: agon -h'
    """
    lines = [line.translate(BOX).strip() for line in box.splitlines() if not line.startswith("╭")]
    titles = [i - 1 for i, line in enumerate(lines) if i == 1 and set(line) == {"-"}]
    words = " ".join(line for i, line in enumerate(lines) if i not in titles and set(line) != {"-"})
    words = " ".join(words.replace("helptext, run:", "helptext, run").split())
    return words.replace(" For full helptext, run", "; for all options:").replace(".; ", "; ")


def _check_paths(call: Callable[[], object]) -> None:
    """Refuse paths that no file system can have, before the system refuses them at an arbitrary place."""
    values = [*call.args, *call.keywords.values()] if isinstance(call, partial) else vars(call).values()
    for value in values:
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
    """Wrap a command so that the parser, which calls what it has parsed, returns the call instead of making it."""
    if isinstance(command, type):
        return command

    @wraps(command)
    def call(*positional: Any, **named: Any) -> Callable[[], object]:
        return partial(command, *positional, **named)

    return call
