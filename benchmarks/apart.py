"""A side in a process of its own, on one thread: libraries that share none do not disturb each other.

python -m benchmarks.apart SIDE SCHEDULE K SEEDS THREADS: says when it is ready, answers each number of steps on its
standard input with the seconds that they took, and "profile" or "programs" with where a step's time goes. SEEDS are by
jax.vmap, negative by jax.lax.map.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.peers import PEERS, peer
from benchmarks.peers.game import points

if TYPE_CHECKING:  # of torch, which stays out of the processes of other libraries
    from benchmarks.operators import Profile
    from benchmarks.peers.game import Peer
    from benchmarks.programs import Milliseconds

BATCH = 512
READY, PROFILE, PROGRAMS = "ready", "profile", "programs"
WARM = 5


class Asked(NamedTuple):
    """What a side is: a library's name, the schedule, K, several seeds (0: one alone), and threads."""

    name: str
    schedule: str
    steps: int
    seeds: int = 0
    threads: int = 1


class Side:
    """One library's step, driven from here.

    Attributes:
        name: of the library.
        first: seconds of its first steps, in which it compiles if it does.
    """

    first: float

    def __init__(self, of: Asked) -> None:
        command = [sys.executable, "-m", "benchmarks.apart", *map(str, of)]
        environment = {**os.environ, "OMP_NUM_THREADS": str(of.threads)}
        self.name, self._said = of.name, TemporaryFile("w+")  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
        )

    def wait(self) -> None:
        """Return when its libraries are imported."""
        self._answer()

    def warm(self) -> None:
        """Make its first steps."""
        self.first = self.seconds(WARM)

    def seconds(self, steps: int) -> float:
        """Wall time of that many steps."""
        return float(self._answer(steps))

    def profile(self) -> "Profile":
        """Where its step's time goes, for sides of torch."""
        from benchmarks.operators import Profile

        return Profile(*json.loads(self._answer(PROFILE)))

    def programs(self) -> "Milliseconds":
        """The same, for sides that are compiled as a whole."""
        told: Milliseconds = json.loads(self._answer(PROGRAMS))
        return told

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        self._said.close()

    def _answer(self, asked: object = None) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if asked is not None:
            with suppress(BrokenPipeError):
                print(asked, file=self._process.stdin, flush=True)
        if line := self._process.stdout.readline():
            return line.strip()
        self._said.seek(0)
        why = self._said.read().strip().splitlines()[-1:]
        raise RuntimeError(f"the process of {self.name} has ended: {''.join(why) or 'it did not say why'}")


@contextmanager
def sides() -> Iterator[Callable[..., list[Side]]]:
    """Within it, the processes of sides live: each is started when it is first asked for.

    Those of one call import their libraries at the same time, and make their first steps one after the other.
    """
    made: dict[Asked, Side] = {}

    def asked(*wanted: Asked) -> list[Side]:
        new = {each: Side(each) for each in wanted if each not in made}
        made.update(new)
        for side in new.values():
            side.wait()
        for side in new.values():
            side.warm()
        return [made[each] for each in wanted]

    try:
        yield asked
    finally:
        for side in made.values():
            side.close()


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
    make = partial(peer(name), batch=BATCH, steps=steps, schedule=schedule)  # type: ignore[arg-type]
    one = make()
    if seeds:
        several = one.vmapped(range(abs(seeds)), by="vmap" if seeds > 0 else "map")  # type: ignore[attr-defined]
        reals, latents = zip(*(points(seed, BATCH) for seed in range(abs(seeds))), strict=True)
        batch, advance = several.batch(reals, latents), several.advance
    else:
        batch, advance = one.batch(*points(0, BATCH)), one.advance
    print(READY, flush=True)
    for line in sys.stdin:
        if line.strip() == PROFILE:
            from benchmarks.operators import profiled

            print(json.dumps(profiled(lambda: advance(*batch))), flush=True)
            continue
        if line.strip() == PROGRAMS:
            print(json.dumps(_programs(name, make)), flush=True)
            continue
        began = time.perf_counter()
        for _ in range(int(line)):
            advance(*batch)
        print(time.perf_counter() - began, flush=True)


def _programs(name: str, make: Callable[[], "Peer"]) -> "Milliseconds":
    """Where the time of a compiled step goes; ours is compiled again, with names."""
    from benchmarks.programs import of_jax, of_torch

    def stepping() -> Callable[[], object]:
        one = make()
        return partial(one.advance, *one.batch(*points(0, BATCH)))

    if "jax" not in PEERS[name]:
        return of_torch(stepping)
    one: Any = make()
    batch = one.batch(*points(0, BATCH))
    return of_jax(partial(one.advance, *batch), one.program(*batch))


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
