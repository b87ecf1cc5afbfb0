"""What the command line's parser makes of its arguments: one call, or one sentence."""

import errno
import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr
from functools import partial, wraps
from pathlib import Path
from typing import Any

import tyro

from agon.errors import SettingError
from agon.untrusted import cut

BOX = str.maketrans("│╰╯─", "    ")


def parsed(commands: Mapping[str, Callable[..., object]], arguments: Sequence[str]) -> Callable[[], object]:
    """The command that was asked for, ready to be called.

    Raises:
        SettingError: what the parser complains of, as one sentence instead of its box.
    """
    deferred = {name: _deferred(command) for name, command in commands.items()}
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            parsed: Callable[[], object] = tyro.extras.subcommand_cli_from_dict(
                deferred, prog="agon", description="Adversarial generative models.", args=arguments
            )
    except SystemExit as asked:
        if not asked.code:
            raise
        raise SettingError(_sentence(said.getvalue())) from None
    _check_paths(parsed)
    return parsed


def _sentence(box: str) -> str:
    """What the parser says, without the box that it draws of lines or hyphens, and without its titles, which repeat.

    >>> _sentence(" Oh\\n ----\\n  Oh no:\\n  x\\n  ----\\n  For full helptext, run agon -h")
    'Oh no: x; for all options: agon -h'
    """
    lines = [line.translate(BOX).strip() for line in box.splitlines() if not line.startswith("╭")]
    titles = [i - 1 for i, line in enumerate(lines) if i == 1 and set(line) == {"-"}]
    words = " ".join(line for i, line in enumerate(lines) if i not in titles and set(line) != {"-"})
    words = " ".join(words.replace("helptext, run:", "helptext, run").split())
    return words.replace(" For full helptext, run", "; for all options:")


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
