"""One training on several nodes: tasks of SLURM, and agents of torchrun that each stand for a node."""

import os
import signal
import socket
import subprocess
import time
from contextlib import nullcontext, redirect_stderr, suppress
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pytest

from agon.cli import _report, main
from agon.errors import AgonError, DataError, DivergedError, LostError, SettingError
from agon.training import agreement
from agon.training.agreement import failing_alone
from tests.training.compare import assert_same
from tests.training.programs import command, finished, here, module, processes
from tests.training.test_processes import largest_difference, last
from tests.training.test_stopping import SMALL, only_sentence, wait_for_step

STREAM = (*SMALL, "--set", "data.streaming=true", "--set", "data.buffer=100")


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


class Ended(NamedTuple):
    """A command of one task: its status, and what it said."""

    status: int
    err: str


def task(rank: int, folder: Path, port: int, commands: list[list[list[str]]]) -> None:
    """One task of two, each on a node of its own: does one command after another, each with its words for this task."""
    os.environ |= {"SLURM_PROCID": str(rank), "SLURM_NTASKS": "2", "SLURM_LOCALID": "0", "SLURM_NODEID": str(rank)}
    os.environ |= {"SLURM_JOB_NODELIST": "localhost", "SLURM_NNODES": "2", "MASTER_PORT": str(port)}
    os.environ.pop("MASTER_ADDR", None)
    for number, words in enumerate(commands):
        with redirect_stderr(StringIO()) as err:
            status = main(words[rank])
        (folder / f"{number} {rank}").write_text(f"{status}\n{err.getvalue()}")


def words_of(*words: object) -> list[str]:
    return list(map(str, words))


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything that these tests do in two tasks of SLURM, in one pair of processes."""
    folder = tmp_path_factory.mktemp("tasks")
    train = ("train", "radford2015/dcgan", "--out")
    commands = [
        [words_of(*train, folder / "other", "--steps", 5, *SMALL, "--seed", seed) for seed in (0, 7)],
        [words_of(*train, folder / "exact", "--steps", 5, *SMALL, "--precision", "fp64")] * 2,
        [words_of(*train, folder / "stream", "--steps", 5, *STREAM)] * 2,
        [words_of("resume", folder / "stream", "--steps", 15)] * 2,
        [words_of(*train, folder / "whole", "--steps", 15, *STREAM)] * 2,
    ]
    processes(task, (folder, free_port(), commands), 2)
    return folder


def ended(folder: Path, number: int) -> list[Ended]:
    """How a command ended in both tasks."""
    texts = [(folder / f"{number} {rank}").read_text() for rank in range(2)]
    return [Ended(int(text.partition("\n")[0]), text.partition("\n")[2]) for text in texts]


def test_tasks_of_another_experiment_are_refused(tasks: Path) -> None:
    """Both end, one of them says why, and nothing is written."""
    first, second = ended(tasks, 0)
    assert (first.status, second.status) == (2, 2)
    assert "another process 1 than process 0 (experiment.seed: 0 -> 7)" in only_sentence(first.err)
    assert "agon:" not in second.err
    assert not (tasks / "other" / "experiment.json").exists()


def test_two_tasks_are_one_process(tasks: Path, tmp_path: Path) -> None:
    assert [each.status for each in ended(tasks, 1)] == [0, 0]
    here("train", "radford2015/dcgan", "--out", tmp_path / "alone", "--steps", 5, *SMALL, "--precision", "fp64")
    assert last(tasks / "exact").state["processes"] == 2
    assert largest_difference(last(tmp_path / "alone"), last(tasks / "exact")) < 1e-9


def test_a_stream_of_two_tasks_goes_on_at_its_marks(tasks: Path) -> None:
    assert [each.status for number in (2, 3, 4) for each in ended(tasks, number)] == [0] * 6
    assert "read forward" not in ended(tasks, 3)[0].err
    assert_same(tasks / "stream", tasks / "whole")
    checkpoint = last(tasks / "whole")
    marks = [checkpoint.state["data"]["mark"], checkpoint.tensors["data/mark/1"].tolist()]
    assert all(epoch == 0 and taken for epoch, *_, taken in marks)


def test_a_stream_of_two_goes_on_with_one_and_says_so(tasks: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its batches are those of one process from there on, which reads forward to them."""
    here("resume", tasks / "stream", "--steps", 20, "--devices", 1, "--threads", 1)
    told = capsys.readouterr().err
    assert "the stream is read forward to batch 15: its mark is of another number of processes" in told


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"torch": "2.11"}, r"another process 2 than process 0 \(torch: \"2.12\" -> \"2.11\"\); start all of them so"),
        ({"experiment": {"data": {"path": "/elsewhere"}}}, ""),
        ({}, ""),
    ],
)
def test_what_differs_is_named(facts: dict[str, object], words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import json

    import torch

    from agon.training.launch import Place

    same: dict[str, object] = {"torch": "2.12", "experiment": {"data": {"path": "/here"}}}
    texts = [json.dumps(each) for each in (same, same, {**same, **facts})]
    monkeypatch.setattr(agreement, "_texts_of_all", lambda text, place: texts)
    place = Place(torch.device("cpu"), 0, 3)
    if words:
        with pytest.raises(SettingError, match=words):
            agreement._refuse_differences(place, same, "so")
    else:
        agreement._refuse_differences(place, same, "so")


@pytest.mark.parametrize(
    ("error", "alone", "told"),
    [
        (DataError("x"), False, []),
        (DataError("x"), True, ["other", "second node"]),
        (DivergedError("x"), True, []),  # which all have
        (LostError("x"), True, ["second node"]),  # a line a node
    ],
)
def test_who_says_what_went_wrong(
    error: AgonError, alone: bool, told: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first process says what all have met; another one what it has met by itself."""
    ranks = {"first": ("0", "0"), "other": ("1", "1"), "second node": ("2", "0")}
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    speaking = []
    for name, (rank, local_rank) in ranks.items():
        monkeypatch.setenv("RANK", rank)
        monkeypatch.setenv("LOCAL_RANK", local_rank)
        error = type(error)("x")
        with suppress(AgonError), failing_alone(int(rank)) if alone else nullcontext():
            raise error
        assert _report(error) == error.status
        speaking += [name] * bool(capsys.readouterr().err)
    assert speaking == ["first", *told]


def node(port: int, *words: object) -> subprocess.Popen[str]:
    """An agent of torchrun with one process, as on a machine of its own."""
    rendezvous = ("--rdzv-backend", "c10d", "--rdzv-endpoint", f"127.0.0.1:{port}", "--rdzv-id", "agon")
    launched = ("--nnodes", 2, "--nproc-per-node", 1, *rendezvous, "--local-addr", "127.0.0.1", "-m", "agon")
    return module("torch.distributed.run", *launched, *words)


def children(pid: int) -> list[int]:
    """The processes that a process has started, and theirs."""
    direct = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [each for child in direct for each in (child, *children(child))]


def rank_of(pid: int) -> int:
    """The rank that torchrun has given to a process."""
    variables = dict(word.partition("=")[::2] for word in Path(f"/proc/{pid}/environ").read_text().split("\0"))
    return int(variables.get("RANK", -1))


def lose(agent: subprocess.Popen[str]) -> None:
    """Kill an agent and all its processes at once, as if its machine were gone."""
    for pid in (agent.pid, *children(agent.pid)):
        os.kill(pid, signal.SIGKILL)
    agent.communicate()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("undisturbed") / "run"
    status, _, err = finished(
        command("train", "radford2015/dcgan", "--out", run, "--steps", 150, *SMALL, "--devices", 2)
    )
    assert status == 0, err
    return run


@pytest.mark.evidence  # each starts four processes that import torch
@pytest.mark.parametrize("lost", [0, 1])
def test_a_lost_node_ends_the_other_and_one_node_goes_on(lost: int, tmp_path: Path, undisturbed: Path) -> None:
    """Both write into one folder, as on a path that they share; the state goes on as if nothing had happened."""
    run, port = tmp_path / "run", free_port()
    words = ("train", "radford2015/dcgan", "--out", run, "--steps", 150, *SMALL)
    agents = [node(port, *words) for _ in range(2)]
    wait_for_step(run, 10)
    ranks = [max(map(rank_of, children(agent.pid))) for agent in agents]
    assert sorted(ranks) == [0, 1]
    lose(agents[ranks.index(lost)])
    began = time.monotonic()
    status, _, err = finished(agents[ranks.index(1 - lost)])
    print(f"rank {lost} lost: the other ended with {status} after {time.monotonic() - began:.1f} s")
    assert status > 0
    told = [line for line in err.splitlines() if line.startswith("agon: ")]
    assert len(told) == 1, err
    assert "another process of this training has ended" in told[0]
    assert "agon resume goes on from the last checkpoint" in told[0]
    status, _, err = finished(command("resume", run))
    assert status == 0, err
    assert_same(run, undisturbed)
