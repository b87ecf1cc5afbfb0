"""Connections between processes that notice a machine which vanished without closing them: its power, a cable.

A process that waits for another one cannot tell whether that is slow or gone. The system of a machine that is there
answers TCP's probes even if the process computes for an hour or is stopped; that of a lost one does not. So the
connections of torch.distributed are probed, and closed after `AGON_LOST_AFTER` seconds without an answer, 30 by
default; what waits for them then raises an error. torch itself has no such setting for gloo and waits for 30 minutes.

Before there is a connection, a process that another one has started looks whether that is still there.
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from agon.errors import LostError, SettingError

VARIABLE = "AGON_LOST_AFTER"
LOST_AFTER, PROBES = 30, 4  # seconds without an answer; probes in that time
MOST = 86_400  # seconds of a day
OPEN = Path("/proc/self/fd")  # Linux
STARTER = "AGON_STARTER"  # variable with the number of the process that has started this one
LOOK = 1.0  # seconds between two looks for it


@contextmanager
def noticing_loss() -> Iterator[None]:
    """Let the connections that are made in this context notice that the machine at their other end has vanished.

    Raises:
        SettingError: AGON_LOST_AFTER is no number of seconds.
    """
    seconds, before = lost_after(), _sockets()
    try:
        yield
    finally:
        for descriptor in _sockets() - before:
            _probe(descriptor, seconds)


@contextmanager
def starting() -> Iterator[None]:
    """Tell processes that are started in this context who starts them."""
    os.environ[STARTER] = str(os.getpid())
    try:
        yield
    finally:
        del os.environ[STARTER]


@contextmanager
def ending_with_starter() -> Iterator[None]:
    """End this process, if another one has started it, where that ends in this context: nobody else will come."""
    starter, over = os.environ.pop(STARTER, ""), threading.Event()
    if starter.isdecimal():
        threading.Thread(target=_end_with, args=(int(starter), over), name="agon-starter", daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _end_with(starter: int, over: threading.Event) -> None:
    while os.getppid() == starter:
        if over.wait(LOOK):
            return
    os._exit(LostError.status)


def lost_after() -> int:
    """Seconds without an answer after which a machine is lost, from AGON_LOST_AFTER.

    Raises:
        SettingError: it is no whole number from 4 to 86,400.
    """
    text = os.environ.get(VARIABLE, str(LOST_AFTER))
    if not text.isdecimal() or not PROBES <= int(text[:6]) <= MOST:
        raise SettingError(f"{VARIABLE}: expected a number of seconds from {PROBES} to {MOST:,}, got '{text:.40}'")
    return int(text)


def _sockets() -> set[int]:
    """The descriptors of this process that are sockets; none on another system than Linux."""
    found = set[int]()
    with suppress(OSError):
        for entry in os.listdir(OPEN):
            with suppress(OSError):  # the one of the listing is closed by now
                if os.readlink(OPEN / entry).startswith("socket:"):
                    found.add(int(entry))
    return found


def _probe(descriptor: int, seconds: int) -> None:
    """Let a TCP connection be probed; a listening socket hands this on to what it accepts."""
    every = max(1, seconds // PROBES)
    with suppress(OSError), socket.socket(fileno=os.dup(descriptor)) as connection:  # one object for both descriptors
        if connection.family in (socket.AF_INET, socket.AF_INET6) and connection.type == socket.SOCK_STREAM:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, every)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, every)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, PROBES - 1)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1_000 * seconds)
