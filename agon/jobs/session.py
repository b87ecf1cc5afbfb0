"""A connection to Ray: to a cluster that is there, or to a new one of this machine alone."""

import logging
import os
import signal
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

from agon.cores import cores
from agon.errors import RunError, require

OBJECTS = 100 * 2**20  # bytes of a new cluster's object store: jobs and messages are small
LOOPBACK = "127."
CLIENT_LOG = "ray.util.client.logsclient"  # lines of the client server


@contextmanager
def session(address: str) -> Iterator[Any]:
    """Connect to Ray, and yield the package; a connection that the caller has already is used and kept.

    Args:
        address: "ray://HOST:PORT"; or empty for RAY_ADDRESS, else a new cluster of this machine alone.

    Raises:
        NotInstalledError: Ray, or what its client needs, is not installed.
        RunError: there is no cluster at that address.
    """
    require("ray")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_worker_niceness", "0")  # by default 15: beside other work its jobs would stand still
    import ray

    if ray.is_initialized():
        yield ray
        return
    logging.getLogger("ray").setLevel(logging.ERROR)
    with _handler_kept():
        _connect(ray, address)
        try:
            yield ray
        finally:
            ray.shutdown()


@contextmanager
def _handler_kept() -> Iterator[None]:
    """Restore what SIGTERM does in this process, which Ray replaces."""
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if main:
            signal.signal(signal.SIGTERM, before)


def _connect(ray: Any, address: str) -> None:
    quiet: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
    logging.getLogger(CLIENT_LOG).disabled = True  # the client raises its level again
    given = address or os.environ.get("RAY_ADDRESS", "local")
    by_client = given.startswith("ray://")
    if by_client:
        require("grpc")  # what ray[client] adds
    if given == "local":
        _start(ray, quiet)
        return
    try:
        with _on_loopback(ray) if given.startswith(LOOPBACK) else nullcontext(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the error says it, too
            ray.init(address=given, **quiet)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError, ray.exceptions.RayError) as error:
        reason = str(error).strip().partition("\n")[0]
        serving = ", whose client server has the port 10001 by default" if by_client else ""
        raise RunError(
            f"expected a Ray cluster at {given}, got none ({reason}); start one with ray start --head{serving}, or "
            "leave the address and RAY_ADDRESS out for one of this machine"
        ) from error


def _start(ray: Any, quiet: Mapping[str, Any]) -> None:
    """Start a cluster of this machine alone, which ends with this process.

    Raises:
        RunError: Ray does not start, for example because the machine is too busy; or it listens on a network.
    """
    with _on_loopback(ray):
        try:
            ray.init(address="local", num_cpus=cores(), include_dashboard=False, object_store_memory=OBJECTS, **quiet)
        except Exception as error:  # Ray raises nothing more precise where its services do not answer in time
            reason = str(error).strip().partition("\n")[0]
            raise RunError(
                f"expected Ray to start on this machine, got no answer from it ({reason}); try again when it is less "
                "busy, or leave --on out"
            ) from error
    address = str(ray.get_runtime_context().gcs_address)
    if not address.startswith(LOOPBACK):
        ray.shutdown()
        raise RunError(
            f"expected a new Ray to listen on loopback alone, got {address}; start one with ray start --head"
        )


@contextmanager
def _on_loopback(ray: Any) -> Iterator[None]:
    """Let this process use loopback, as Ray does on other systems than Linux: a new cluster, or one that is there."""
    constants = ray._private.ray_constants
    before = constants.ENABLE_RAY_CLUSTER
    constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        constants.ENABLE_RAY_CLUSTER = before
