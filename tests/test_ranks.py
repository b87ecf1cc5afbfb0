"""Who trains with whom: what torchrun and SLURM write into the environment, and what is a process by itself."""

import os

import pytest

from agon.errors import SettingError
from agon.ranks import PORTS, Ranks, address, joined, speaks

ALONE: dict[str, dict[str, str]] = {
    "nothing": {},
    "a batch script of four tasks": {"SLURM_PROCID": "0", "SLURM_NTASKS": "4", "ENVIRONMENT": "BATCH"},
    "a job of one task": {"SLURM_PROCID": "0", "SLURM_NTASKS": "1", "SLURM_STEP_NUM_TASKS": "1"},
    "a step of one task among four": {"SLURM_PROCID": "0", "SLURM_NTASKS": "4", "SLURM_STEP_NUM_TASKS": "1"},
    "a login node": {"SLURM_NTASKS": "4", "SLURM_JOB_NODELIST": "node[1-4]"},
    "srun --pty bash": {"SLURM_PROCID": "0", "SLURM_NTASKS": "4", "SLURM_JOB_NAME": "bash"},
    "salloc": {"SLURM_PROCID": "0", "SLURM_NTASKS": "4", "SLURM_JOB_NAME": "interactive"},
    "a job of Ray's": {"SLURM_PROCID": "2", "SLURM_STEP_NUM_TASKS": "4", "RAY_RAYLET_PID": "77"},
}
SRUN = {"SLURM_PROCID": "5", "SLURM_NTASKS": "11", "SLURM_LOCALID": "1", "SLURM_NODEID": "1"}
TOGETHER: dict[str, tuple[dict[str, str], Ranks]] = {
    "torchrun": (
        {"WORLD_SIZE": "8", "RANK": "5", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"},
        Ranks("torchrun", 5, 8, 1, 4),
    ),
    "torchrun within SLURM": (
        {**SRUN, "WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1"},
        Ranks("torchrun", 1, 2, 0, 1),
    ),
    "Fabric's own launcher": ({"WORLD_SIZE": "2", "LOCAL_RANK": "1"}, Ranks("torchrun", 1, 2, 1, 2)),
    "srun": ({**SRUN, "SLURM_NNODES": "3"}, Ranks("SLURM", 5, 11, 1, 4)),
    "srun, with tasks of the nodes": ({**SRUN, "SLURM_TASKS_PER_NODE": "4(x2),3"}, Ranks("SLURM", 5, 11, 1, 4)),
    "its last node": ({**SRUN, "SLURM_NODEID": "2", "SLURM_TASKS_PER_NODE": "4(x2),3"}, Ranks("SLURM", 5, 11, 1, 3)),
    "a step": ({**SRUN, "SLURM_STEP_NUM_TASKS": "6", "SLURM_STEP_TASKS_PER_NODE": "3(x2)"}, Ranks("SLURM", 5, 6, 1, 3)),
    "srun in a batch script": ({**SRUN, "ENVIRONMENT": "BATCH", "SLURM_PROCID": "1"}, Ranks("SLURM", 1, 11, 1, 11)),
    "the first task of it": (
        {**SRUN, "ENVIRONMENT": "BATCH", "SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "11"},
        Ranks("SLURM", 0, 11, 1, 11),
    ),
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in list(os.environ):
        if name.startswith(("SLURM_", "MASTER_", "RAY_")) or name.endswith(("RANK", "WORLD_SIZE")):
            monkeypatch.delenv(name)
    monkeypatch.delenv("ENVIRONMENT", raising=False)
    return monkeypatch


def put(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("variables", ALONE.values(), ids=ALONE)
def test_a_process_by_itself(variables: dict[str, str], environment: pytest.MonkeyPatch) -> None:
    put(environment, variables)
    assert joined() is None
    assert speaks()


@pytest.mark.parametrize(("variables", "expected"), TOGETHER.values(), ids=TOGETHER)
def test_processes_together(variables: dict[str, str], expected: Ranks, environment: pytest.MonkeyPatch) -> None:
    put(environment, variables)
    assert joined() == expected
    assert speaks() == (expected.rank == 0)
    assert speaks(each_node=True) == (expected.local_rank == 0)


def test_a_second_task_of_a_shell_is_refused(environment: pytest.MonkeyPatch) -> None:
    put(environment, {**SRUN, "SLURM_JOB_NAME": "interactive"})
    with pytest.raises(
        SettingError, match=r"a job called 'interactive' is a shell, got task 5 of 11; .*SLURM_JOB_NAME"
    ):
        joined()
    assert speaks()  # whoever is refused says so


@pytest.mark.parametrize(
    "wrong", [{"SLURM_PROCID": "x"}, {"SLURM_PROCID": "11"}, {"SLURM_NTASKS": "0"}, {"SLURM_LOCALID": "-1"}]
)
def test_variables_that_are_no_numbers(wrong: dict[str, str], environment: pytest.MonkeyPatch) -> None:
    put(environment, {**SRUN, **wrong})
    with pytest.raises(SettingError, match=f"{next(iter(wrong))}: expected a"):
        joined()


def test_shares_of_the_cores(environment: pytest.MonkeyPatch) -> None:
    put(environment, {**SRUN, "SLURM_NNODES": "3"})
    four = joined()
    assert four is not None
    assert (four.share(16), four.share(2)) == (4, 1)
    put(environment, {"SLURM_CPUS_PER_TASK": "8"})
    assert (four.share(8), four.share(32)) == (8, 8)  # bound to its own cores, or not


@pytest.mark.parametrize(
    ("nodes", "host"),
    [
        ("node7", "node7"),
        ("node[01-04,09]", "node01"),
        ("a,b", "a"),
        ("gpu[3],cpu[1-2]", "gpu3"),
        ("r[1-2]n5,x", "r1n5"),
        ("rack[1-2]node[03-04],x", "rack1node03"),
        ("tux[1-2]-[3,4]", "tux1-3"),
    ],
)
def test_the_address_is_the_first_node(nodes: str, host: str, environment: pytest.MonkeyPatch) -> None:
    put(environment, {"SLURM_JOB_NODELIST": nodes, "SLURM_JOB_ID": "4711"})
    found, port = address()
    assert found == host
    assert port in PORTS
    put(environment, {"SLURM_STEP_ID": "1", "SLURM_STEP_NODELIST": "other"})
    assert address()[0] == "other"
    assert address()[1] != port
    put(environment, {"MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "29500"})
    assert address() == ("10.0.0.1", 29500)


def test_without_nodes_there_is_no_address() -> None:
    with pytest.raises(SettingError, match="names of the nodes in SLURM_JOB_NODELIST, got none; set MASTER_ADDR"):
        address()
