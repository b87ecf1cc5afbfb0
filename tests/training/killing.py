"""A program that trains a run in forked children and kills them, and another one whole.

python -m tests.training.killing RUN WHOLE STEPS KILLS
"""

import importlib
import os
import random
import signal
import sys
import time
from pathlib import Path

import agon
from tests.training.programs import small

for heavy in ("lightning_fabric", "torch.utils.tensorboard", "PIL.Image", "agon.training.loop"):
    importlib.import_module(heavy)  # once, instead of in each child


def begin(run: Path, steps: int) -> int:
    """Fork a child that begins the run, or goes on with it; its process number."""
    child = os.fork()
    if child:
        return child
    if (run / "experiment.json").exists():
        agon.resume(run, show=False)
    else:
        settings = {"log_every": 10, "sample_every": 50, "snapshots": 12}
        compute = agon.Compute(threads=1, device="cpu")
        agon.train(small(steps, **settings), run, compute=compute, show=False)
    os._exit(0)


def wait_for_writing(run: Path, seconds: float) -> None:
    """Return at the moment when a checkpoint is half written, or after some seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if any((run / "checkpoints").glob(".writing-*")):
            return


def kill(run: Path, steps: int, moment: random.Random, aim: bool) -> tuple[bool, bool]:
    """Train for a random time, then SIGKILL: whether it was still running, and whether it was writing."""
    child = begin(run, steps)
    time.sleep(moment.uniform(0.1, 1.0))
    if aim:
        wait_for_writing(run, 5)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status), any((run / "checkpoints").glob(".writing-*"))


def main(run: Path, whole: Path, steps: int, kills: int) -> None:
    """Kill, each second time aiming at a checkpoint's writing; then let it, and another one, come to their ends."""
    moment, killed, writing = random.Random(0), 0, 0
    while killed < kills or writing < -(-kills // 4):
        was_running, was_writing = kill(run, steps, moment, aim=killed % 2 == 0)
        if not was_running:
            sys.exit(f"the training ended after {killed} kills: give it more steps")
        killed, writing = killed + 1, writing + was_writing
    statuses = [os.waitpid(begin(path, steps), 0)[1] for path in (run, whole)]
    print(killed, writing)
    sys.exit(max(map(os.waitstatus_to_exitcode, statuses)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
