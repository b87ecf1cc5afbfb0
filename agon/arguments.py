"""What the command line's parser makes of its arguments: one call, or one sentence."""

import io
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr
from functools import partial, wraps
from typing import Any

import tyro

from agon.errors import SettingError


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
        lines = [line for line in said.getvalue().splitlines() if not line.startswith("╭")]  # its titles repeat
        words = " ".join(lines).translate(str.maketrans("│╰╯─", "    ")).replace("helptext, run:", "helptext, run")
        raise SettingError(" ".join(words.split()).replace(" For full helptext, run", "; for all options:")) from None
    return parsed


def _deferred(command: Callable[..., object]) -> Callable[..., object]:
    """The same command for the parser, which calls what it has parsed: it gives the call instead of making it."""
    if isinstance(command, type):
        return command

    @wraps(command)
    def call(*given: Any, **named: Any) -> Callable[[], object]:
        return partial(command, *given, **named)

    return call
