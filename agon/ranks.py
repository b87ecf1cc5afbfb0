"""The processes of one training that torchrun or SLURM started together, from environment variables, without torch.

torchrun sets WORLD_SIZE, RANK, LOCAL_RANK and others, `srun` sets SLURM_NTASKS, SLURM_PROCID, SLURM_LOCALID and others;
torchrun's take precedence. These are a process by itself all the same: a batch script, which is no task of `srun`; a
job of one task; a shell of SLURM, which is a job called "bash" or "interactive"; and a job that Ray does.
"""

import os
import re
import zlib
from typing import NamedTuple

from agon.errors import SettingError

TORCHRUN, SLURM = "torchrun", "SLURM"
SHELLS = ("bash", "interactive")  # names of jobs that are a person's shell
PORTS = range(15_000, 25_000)
# variables of SLURM's step, then of its job: an allocation can hold several steps at once
TASKS = ("SLURM_STEP_NUM_TASKS", "SLURM_NTASKS")
NODES = ("SLURM_STEP_NUM_NODES", "SLURM_NNODES", "SLURM_JOB_NUM_NODES")
HOSTS = ("SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST", "SLURM_NODELIST")
EACH = ("SLURM_STEP_TASKS_PER_NODE", "SLURM_TASKS_PER_NODE")


class Ranks(NamedTuple):
    """This process among those that were started together.

    Attributes:
        launcher: "torchrun" or "SLURM".
        rank: number of this process, from 0.
        world: number of processes.
        local_rank: number of this process on its node, from 0.
        local_world: number of processes on this node.
    """

    launcher: str
    rank: int
    world: int
    local_rank: int
    local_world: int

    def share(self, cores: int) -> int:
        """This process's share of the cores that it may use; SLURM may have bound it to its own."""
        if self.launcher == SLURM and "SLURM_CPUS_PER_TASK" in os.environ:
            return min(cores, count("SLURM_CPUS_PER_TASK"))
        return max(1, cores // self.local_world)


def joined() -> Ranks | None:
    """This process among those that torchrun or SLURM started together; None for a process by itself.

    Raises:
        SettingError: a variable is no such number, or several tasks of a shell of SLURM run this.
    """
    local = count("LOCAL_WORLD_SIZE", otherwise=0)
    if "WORLD_SIZE" not in os.environ:
        return _of_slurm()
    world, local_rank = count("WORLD_SIZE"), _number("LOCAL_RANK")
    rank = _number("RANK") if "RANK" in os.environ else local_rank  # Fabric's own launcher leaves RANK out
    return Ranks(TORCHRUN, rank, world, local_rank, local or world)


def count(*names: str, otherwise: int = 1) -> int:
    """A number from 1 in the first of these variables that is set, or the default.

    Raises:
        SettingError: the variable is not such a number.
    """
    name = _first_set(*names)
    if not name:
        return otherwise
    if not (number := _number(name)):
        raise _refused(name)
    return number


def speaks(each_node: bool = False) -> bool:
    """Whether this process prints the sentence of an error.

    Args:
        each_node: whether one process of each node prints it; else only the first of all does.
    """
    try:
        ranks = joined()
    except SettingError:
        ranks = None
    if ranks is None:
        return os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0")) in ("", "0")
    return (ranks.local_rank if each_node else ranks.rank) == 0


def address() -> tuple[str, int]:
    """Host and port where SLURM's tasks find each other: the first node, and a port that depends on the step.

    MASTER_ADDR and MASTER_PORT take precedence.

    Raises:
        SettingError: MASTER_PORT is no number, or SLURM names no node.
    """
    host = os.environ.get("MASTER_ADDR") or _first_host(os.environ.get(_first_set(*HOSTS), ""))
    if not host:
        raise SettingError("SLURM: expected the names of the nodes in SLURM_JOB_NODELIST, got none; set MASTER_ADDR")
    step = f"{os.environ.get('SLURM_JOB_ID', '')}.{os.environ.get('SLURM_STEP_ID', '')}"
    return host, count("MASTER_PORT", otherwise=PORTS[zlib.crc32(step.encode()) % len(PORTS)])


def _of_slurm() -> Ranks | None:
    if "SLURM_PROCID" not in os.environ or "RAY_RAYLET_PID" in os.environ:
        return None
    world, rank, name = count(*TASKS), _number("SLURM_PROCID"), os.environ.get("SLURM_JOB_NAME", "")
    if name in SHELLS and rank:
        raise SettingError(
            f"SLURM: expected one process, since a job called '{name}' is a shell, got task {rank} of {world}; "
            "to train in all tasks together: SLURM_JOB_NAME=agon srun ..."
        )
    in_script = os.environ.get("ENVIRONMENT") == "BATCH" and "SLURM_STEP_NUM_TASKS" not in os.environ
    if world == 1 or name in SHELLS or (in_script and not rank):
        return None
    local_rank = _number("SLURM_LOCALID")
    if rank >= world:
        raise SettingError(f"SLURM_PROCID: expected a task from 0 to {world - 1}, got {rank}; start agon with srun")
    return Ranks(SLURM, rank, world, local_rank, max(_tasks_here(world), local_rank + 1))


def _tasks_here(world: int) -> int:
    """Number of tasks on this node, of which SLURM writes "4(x2),3" for 4, 4 and 3."""
    node, tasks = _number("SLURM_NODEID"), list[int]()
    for number, times in re.findall(r"(\d{1,6})(?:\(x(\d{1,6})\))?", os.environ.get(_first_set(*EACH), "")):
        tasks += [int(number)] * int(times or 1)
    return tasks[node] if node < len(tasks) else -(-world // count(*NODES))


def _first_host(nodes: str) -> str:
    """The first host of a list such as "gpu[07-09,12],cpu1".

    >>> _first_host("gpu[07-09,12],cpu1"), _first_host("a b"), _first_host("rack[1-2]n[3]-ib")
    ('gpu07', 'a', 'rack1n3-ib')
    """
    first = re.match(r"([^\[\s,]|\[[^\]]*\])*", nodes.strip())
    return "" if first is None else re.sub(r"\[([^\],-]*)[^\]]*\]", r"\1", first[0])


def _first_set(*names: str) -> str:
    return next((name for name in names if name in os.environ), "")


def _number(name: str) -> int:
    text = os.environ.get(name, "0")
    if not text.isdecimal() or not 1 <= len(text) <= 6:
        raise _refused(name)
    return int(text)


def _refused(name: str) -> SettingError:
    kind = "a number from 0" if "RANK" in name or name.endswith("ID") else "a number of processes from 1"
    return SettingError(f"{name}: expected {kind} in the environment, got '{os.environ.get(name)}'; unset it")
