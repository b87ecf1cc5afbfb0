"""A side in a process of its own, on one thread: libraries that share none do not disturb each other.

python -m benchmarks.apart SIDE SCHEDULE K [SEEDS]: answers each number of steps on its standard input with
the seconds that they took, and "profile" with where a step's time goes. SEEDS are by jax.vmap, negative by jax.lax.map.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.peers import PEERS, peer
from benchmarks.peers.game import points

if TYPE_CHECKING:  # of torch, which stays out of the processes of other libraries
    from benchmarks.operators import Profile

BATCH = 512
PROFILE = "profile"
WARM = 5


class Side:
    """One library's step, driven from here.

    Attributes:
        first: seconds of its first steps, in which it compiles if it does.
    """

    def __init__(self, name: str, schedule: str, steps: int, seeds: int = 0, threads: int = 1) -> None:
        command = [sys.executable, "-m", "benchmarks.apart", name, schedule, str(steps), str(seeds), str(threads)]
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.first = self.seconds(WARM)

    def seconds(self, steps: int) -> float:
        """Wall time of that many steps."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(steps, file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())

    def profile(self) -> "Profile":
        """Where its step's time goes, for sides of torch."""
        from benchmarks.operators import Profile

        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(PROFILE, file=self._process.stdin, flush=True)
        return Profile(*json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()


@contextmanager
def side(name: str, schedule: str, steps: int, seeds: int = 0, threads: int = 1) -> Iterator[Side]:
    """Within it, the side's process lives."""
    made = Side(name, schedule, steps, seeds, threads)
    try:
        yield made
    finally:
        made.close()


def known(name: str) -> bool:
    """Whether a side's library is installed."""
    try:
        peer(name)
    except ImportError:
        return False
    return True


def main() -> None:
    """One side: the same batch at every step, so that nothing but the step is timed."""
    name, schedule, steps, seeds, threads = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
    _limit(name, threads)
    one = peer(name)(batch=BATCH, steps=steps, schedule=schedule)  # type: ignore[arg-type]
    if seeds:
        several = one.vmapped(range(abs(seeds)), by="vmap" if seeds > 0 else "map")  # type: ignore[attr-defined]
        reals, latents = zip(*(points(seed, BATCH) for seed in range(abs(seeds))), strict=True)
        batch, advance = several.batch(reals, latents), several.advance
    else:
        batch, advance = one.batch(*points(0, BATCH)), one.advance
    for line in sys.stdin:
        if line.strip() == PROFILE:
            from benchmarks.operators import profiled

            print(json.dumps(profiled(lambda: advance(*batch))), flush=True)
            continue
        began = time.perf_counter()
        for _ in range(int(line)):
            advance(*batch)
        print(time.perf_counter() - began, flush=True)


def _limit(name: str, threads: int) -> None:
    """To so many threads: jax before its first computation, torch at any time."""
    if "jax" in PEERS[name]:
        from benchmarks.peers import jax_step

        if threads == 1:
            jax_step.one_thread()
    else:
        import torch

        torch.set_num_threads(threads)


if __name__ == "__main__":
    main()
