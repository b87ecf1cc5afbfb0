"""The outlet: every line that agon prints goes through here, whatever the stream can take.

Control characters are shown as escapes, and so is what the stream's encoding does not know. A stream that is
missing or closed takes nothing.
"""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import Protocol, runtime_checkable

from agon.untrusted import printable, sentence


@runtime_checkable
class OutputStream(Protocol):
    """What a line can be written to; whether it has an encoding, or is a terminal, is asked where it matters."""

    def write(self, text: str, /) -> object:
        """Take a text."""

    def flush(self) -> object:
        """Hand it on."""


def say(*lines: object) -> None:
    """Lines of a command's output, one for each; with what they quote escaped.

    Raises:
        OSError: standard output cannot be written: its reader has gone, or its disk is full.
    """
    write(sys.stdout, "".join(f"{printable(str(line))}\n" for line in lines))


def warn(text: str) -> None:
    """One line on standard error, cut where it is very long; lost where nobody can read it."""
    tell(sys.stderr, sentence(text))


def tell(stream: OutputStream | None, line: str) -> None:
    """One line to a stream that tells how far something is: what cannot be written is lost, and nothing else."""
    try:
        write(stream, f"{printable(line)}\n")
    except OSError:
        return


def write(stream: OutputStream | None, text: str) -> None:
    """Text as the stream's encoding has it; nothing where the stream is missing or closed.

    Raises:
        OSError: the stream cannot be written.
    """
    if stream is None or getattr(stream, "closed", False):
        return
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def is_watched(stream: OutputStream | None) -> bool:
    """Whether a stream is a terminal that can redraw what it shows."""
    if stream is None or getattr(stream, "closed", False) or os.environ.get("TERM", "") in ("", "dumb"):
        return False
    return bool(getattr(stream, "isatty", bool)())


@contextmanager
def usable_streams() -> Iterator[None]:
    """Within it, standard output and error take what others print too: where they are missing, nowhere."""
    with ExitStack() as stack:
        for stream, redirect in ((sys.stdout, redirect_stdout), (sys.stderr, redirect_stderr)):
            if stream is None or getattr(stream, "closed", False):
                stack.enter_context(redirect(stack.enter_context(open(os.devnull, "w", encoding="utf-8"))))
            elif isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        yield


def let_go() -> None:
    """Standard output to nowhere, once its reader has gone: Python would complain of it when it ends."""
    if sys.stdout is sys.__stdout__ and sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
