"""Start worker processes quickly: as forks of one process that has imported everything and computed nothing.

A new process imports torch for seconds, and holds it in memory for itself. A fork of the training process would be at
once there, and could hang, since threads do not survive a fork. A server forked from has no threads and no data.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any

from agon.jobs import worker

SERVER = "agon.jobs.server"  # what the server imports
FORKS = sys.platform == "linux"  # elsewhere libraries of the system do not survive a fork


def start_worker(connection: Connection) -> BaseProcess:
    """Start a worker process at the other end of a connection.

    It has this process's environment, module path and folder, but not its `__main__`: a script without
    `if __name__ == "__main__"` would begin again.

    Raises:
        OSError: no process can be started.
    """
    work: dict[str, Any] = {"target": worker.begin, "args": (connection, dict(os.environ))}
    process: BaseProcess
    if FORKS:
        context = get_context("forkserver")
        context.set_forkserver_preload([SERVER])
        process = context.Process(**work)
    else:
        process = get_context("spawn").Process(**work)
    with _without_main():
        process.start()
    return process


@contextmanager
def _without_main() -> Iterator[None]:
    """Hide the script that is running, which multiprocessing would import in the new process."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
