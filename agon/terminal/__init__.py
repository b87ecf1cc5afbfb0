"""Print lines to any stream; all output of agon goes through here.

Control characters, and characters that the stream's encoding lacks, are printed as escapes. Nothing is printed to a
missing or closed stream.
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
    """A stream to which a line can be written."""

    def write(self, text: str, /) -> object:
        """Write a text."""

    def flush(self) -> object:
        """Pass the text on."""


def say(*lines: object) -> None:
    """Print each value as a line of a command's output, with control characters escaped.

    Raises:
        OSError: standard output cannot be written, e.g. its reader has gone or its disk is full.
    """
    write(sys.stdout, "".join(f"{printable(str(line))}\n" for line in lines))


def warn(text: str) -> None:
    """Print one line to standard error, cut if it is very long; ignore a failure."""
    tell(sys.stderr, sentence(text))


def tell(stream: OutputStream | None, line: str) -> None:
    """Print one line of progress to a stream; ignore a failure."""
    try:
        write(stream, f"{printable(line)}\n")
    except OSError:
        return


def write(stream: OutputStream | None, text: str) -> None:
    """Write a text in the stream's encoding; nothing if the stream is missing or closed.

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
    """Make standard output and error accept any text, and discard it if a stream is missing or closed."""
    with ExitStack() as stack:
        for stream, redirect in ((sys.stdout, redirect_stdout), (sys.stderr, redirect_stderr)):
            if stream is None or getattr(stream, "closed", False):
                stack.enter_context(redirect(stack.enter_context(open(os.devnull, "w", encoding="utf-8"))))
            elif isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        yield


def let_go() -> None:
    """Discard standard output once its reader has gone, so that Python does not complain at its end."""
    if sys.stdout is sys.__stdout__ and sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
