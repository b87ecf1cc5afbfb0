"""Connections that notice a machine which vanished: in a namespace of the network whose cable is pulled."""

import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from agon.errors import LostError, SettingError
from agon.training.agreement import agreed
from agon.training.connections import lost_after, noticing_loss
from tests.training.compare import assert_same
from tests.training.programs import ROOT, command, finished
from tests.training.test_nodes import undisturbed
from tests.training.test_stopping import SMALL, only_sentence, wait_for_step

__all__ = ["undisturbed"]
HOSTS = ("10.77.0.1", "10.77.0.2")


def probed(connection: socket.socket) -> tuple[int, int]:
    """Whether a connection is probed, and the milliseconds after which it is closed."""
    keep = connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    return keep, connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)


def test_what_is_opened_within_is_probed_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what a socket accepts that listens since then; a file and a pair of local sockets are left alone."""
    monkeypatch.setenv("AGON_LOST_AFTER", "8")
    with ExitStack() as opened:
        earlier = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
        with noticing_loss(), open(os.devnull):
            later = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
            connected = opened.enter_context(socket.create_connection(earlier.getsockname()))
            for each in socket.socketpair():
                opened.enter_context(each)
        other = opened.enter_context(socket.create_connection(later.getsockname()))
        accepted = opened.enter_context(later.accept()[0])
        assert [probed(each) for each in (later, connected, accepted)] == [(1, 8_000)] * 3
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 2
        assert [probed(each) for each in (earlier, other)] == [(0, 0)] * 2


@pytest.mark.parametrize("text", ["soon", "3", "-5", "1e3", "999999999"])
def test_what_is_no_number_of_seconds(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGON_LOST_AFTER", text)
    with pytest.raises(SettingError, match="AGON_LOST_AFTER: expected a number of seconds from 4 to 86,400"):
        lost_after()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("gloo/transport/tcp/pair.cc: Read error [10.77.0.2]:733: No route to host", "see that its machine is there"),
        ("gloo/transport/tcp/pair.cc: Read error [10.77.0.1]:7: Connection timed out", "see that its machine is there"),
        ("gloo/transport/tcp/pair.cc: Connection closed by peer [10.77.0.2]:733", "its message says why"),
    ],
)
def test_a_lost_machine_and_an_ended_process_are_told_apart(said: str, told: str) -> None:
    import torch

    from agon.training.launch import Place

    with pytest.raises(LostError, match=told), agreed(Place(torch.device("cpu"), 0, 2)):
        raise RuntimeError(said)


@pytest.fixture
def namespaces() -> Iterator[tuple[str, str]]:
    """Two machines' networks, with a cable between them."""
    if os.geteuid() or shutil.which("ip") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("namespaces of the network need root and iproute2")
    names = tuple(f"agon-{os.getpid()}-{number}" for number in range(2))
    try:
        for name in names:
            ip("netns", "add", name)
        ip("link", "add", "cable", "netns", names[0], "type", "veth", "peer", "name", "cable", "netns", names[1])
        for name, host in zip(names, HOSTS, strict=True):
            ip("-n", name, "addr", "add", f"{host}/24", "dev", "cable")
            for device in ("lo", "cable"):
                ip("-n", name, "link", "set", device, "up")
        yield names[0], names[1]
    finally:
        for name in names:
            with suppress(subprocess.CalledProcessError):
                ip("netns", "del", name)


def ip(*words: str) -> None:
    """A command of iproute2."""
    subprocess.run(["ip", *words], check=True, capture_output=True)


def node(name: str, rank: int, *words: object) -> subprocess.Popen[str]:
    """A task of SLURM with one process, in a network of its own."""
    variables = {"SLURM_PROCID": rank, "SLURM_NTASKS": 2, "SLURM_LOCALID": 0, "SLURM_NODEID": rank, "SLURM_NNODES": 2}
    others = {"SLURM_JOB_NODELIST": "a,b", "MASTER_ADDR": HOSTS[0], "MASTER_PORT": 29400, "GLOO_SOCKET_IFNAME": "cable"}
    given = {name: str(value) for name, value in (variables | others).items()}
    return subprocess.Popen(
        ["ip", "netns", "exec", name, sys.executable, "-m", "agon", *map(str, words)],
        env={**os.environ, **given, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.evidence
def test_a_machine_that_vanishes_ends_the_other_within_a_minute(
    namespaces: tuple[str, str], tmp_path: Path, undisturbed: Path
) -> None:
    """Its cable is pulled: no connection is closed. Each side says one sentence, and one machine goes on."""
    run = tmp_path / "run"
    words = ("train", "radford2015/dcgan", "--out", run, "--steps", 150, *SMALL)
    nodes = [node(name, rank, *words) for rank, name in enumerate(namespaces)]
    wait_for_step(run, 10)
    ip("-n", namespaces[1], "link", "set", "cable", "down")
    began = time.monotonic()
    for each in nodes:
        status, _, err = finished(each, 120)
        print(f"ended with {status} after {time.monotonic() - began:.1f} s")
        assert status > 0
        assert time.monotonic() - began < 60
        assert "another process of this training does not answer any more" in only_sentence(err)
    status, _, err = finished(command("resume", run))
    assert status == 0, err
    assert_same(run, undisturbed)


CHILD = """
import os, sys, time
from contextlib import nullcontext
from agon.training.connections import STARTER, ending_with_starter
with ending_with_starter() if {looks} else nullcontext():
    print(os.getpid(), flush=True)
    time.sleep(60)
"""
STARTS = """
import subprocess, sys
from agon.training.connections import starting
with starting():
    child = subprocess.Popen([sys.executable, "-c", sys.argv[1]])
child.wait()
"""


@pytest.mark.parametrize("looks", [True, False])
def test_a_process_ends_with_the_one_that_started_it(looks: bool) -> None:
    """Killed before there is a connection; the negative control stays behind, as an orphan."""
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTS, CHILD.format(looks=looks)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert starter.stdout is not None
    child = int(starter.stdout.readline())
    starter.kill()
    starter.wait()
    try:
        ended, _, _ = select.select([starter.stdout], [], [], 30 if looks else 3)  # the child's end closes the pipe
        assert bool(ended) is looks
    finally:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        starter.stdout.close()
