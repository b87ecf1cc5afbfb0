"""A Ray cluster of several nodes on this machine, for tests; every node has one core and a small object store."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

MEMORY = 80 * 2**20  # bytes of a node's object store


@contextmanager
def ray_cluster(nodes: int, monkeypatch: pytest.MonkeyPatch, **head: Any) -> Iterator[Any]:
    """A real cluster, which RAY_ADDRESS names within the context; it listens on loopback alone.

    Args:
        nodes: how many.
        monkeypatch: of the test.
        head: further options of the first node.
    """
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    monkeypatch.setenv("RAY_worker_niceness", "0")
    monkeypatch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")  # in its own processes; below in this one
    from ray._private import ray_constants
    from ray.cluster_utils import Cluster

    monkeypatch.setattr(ray_constants, "ENABLE_RAY_CLUSTER", False)
    options = {"num_cpus": 1, "object_store_memory": MEMORY, "include_log_monitor": False}
    of_head = {**options, "include_dashboard": False, "no_monitor": True, **head}
    cluster = Cluster(initialize_head=True, head_node_args=of_head)
    try:
        for _ in range(nodes - 1):
            cluster.add_node(**options)
        monkeypatch.setenv("RAY_ADDRESS", cluster.address)
        yield cluster
    finally:
        cluster.shutdown()


def listening(inodes_of: Iterator[int]) -> set[str]:
    """The addresses, in hexadecimal, on which some processes listen for TCP connections."""
    wanted = set()
    for process in inodes_of:
        for link in Path(f"/proc/{process}/fd").glob("*"):
            try:
                target = os.readlink(link)
            except OSError:
                continue
            wanted |= {target.removeprefix("socket:[").rstrip("]")} if target.startswith("socket:") else set()
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and words[9] in wanted:
                found.add(words[1].partition(":")[0])
    return found


def jobs_of(raylet: int) -> list[str]:
    """The names of the jobs that a node does: Ray gives a worker process its task's name."""
    names = []
    for process in processes():
        try:
            parent = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1]
            title = Path(f"/proc/{process}/cmdline").read_text().strip("\0 ")
        except OSError:
            continue
        if int(parent) == raylet and title.startswith("ray::seed-"):
            names.append(title.removeprefix("ray::"))
    return names


def started_since(before: set[int]) -> Iterator[int]:
    """The processes of Ray that are there now and were not before."""
    for process in processes() - before:
        try:
            text = Path(f"/proc/{process}/cmdline").read_text()
        except OSError:
            continue
        if "ray" in text:
            yield process


def processes() -> set[int]:
    """The numbers of all processes of this machine."""
    return {int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
