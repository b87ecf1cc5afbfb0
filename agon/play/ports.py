"""The port of the page, which this computer alone can open; checked before anything is loaded."""

import socket

from agon.errors import SettingError

HOST = "127.0.0.1"


def check_port(port: int) -> None:
    """Refuse a port that is none, is taken, or may not be used.

    Raises:
        SettingError: it is one of these; the sentence names a port that is free.
    """
    if not 1 <= port <= 65535:
        raise SettingError(f"--port: expected 1 to 65535, got {port}; use 7860")
    if fault := _fault(port):
        ports = (*range(max(port + 1, 1024), 65536), *range(1024, port))
        free = next(other for other in ports if not _fault(other))
        raise SettingError(f"--port: {port} cannot be used ({fault}); try --port {free}")


def _fault(port: int) -> str:
    """Why no page can be served at a port; "" if one can."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((HOST, port))
        except OSError as error:
            return (error.strerror or repr(error)).lower()
    return ""
