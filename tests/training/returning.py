"""Train twice in two processes, and say where each comes back: python -m tests.training.returning FOLDER."""

import sys
from pathlib import Path

import agon
from agon.training import is_main_process
from tests.training.programs import points

if __name__ == "__main__":
    two = agon.Compute(devices=2, threads=1, device="cpu")
    for name in ("first", "second"):
        run = agon.train(points(), Path(sys.argv[1]) / name, compute=two, show=False)
        checkpoint, _ = run.last_good()
        assert checkpoint is not None
        sys.stdout.write(f"{name} {'main' if is_main_process() else 'other'} {checkpoint.step}\n")
        sys.stdout.flush()
