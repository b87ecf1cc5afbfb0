"""python -m benchmarks.peers.agreement: whether all peers take the same three steps.

From the same float64 weights, on the same three batches: the largest difference of any weight from
`plain_torch`, and beside it from its first-order look-alike, which no peer may be near to. Some of the
critic's units never fire, so that Adam's v stays 0 there: what differs at v = 0 shows, and so does nan.
"""

import sys
from collections.abc import Iterator

import numpy as np

from benchmarks.peers import PEERS, peer
from benchmarks.peers.game import Peer, Schedule, Weights, initial, points
from benchmarks.peers.plain_torch import Detached, PlainTorch

BATCH, DEAD, BOUND = 512, 5, 1e-8
STEPS = (1, 5, 10)
SCHEDULES: tuple[Schedule, ...] = ("simultaneous", "alternating")
LINE = "{:<14}{:>4}  {:<13}{:>12}{:>12}{:>15}"


def main() -> None:
    """The table; the exit status is 1 if a peer is not where it should be."""
    print(LINE.format("schedule", "K", "peer", "generator", "critic", "to look-alike"))
    good = True
    for schedule, steps, name, generator, critic, alike in rows():
        print(LINE.format(schedule, steps, name, f"{generator:.1e}", f"{critic:.1e}", f"{alike:.1e}"))
        good &= generator < BOUND and critic < BOUND and alike > 100 * BOUND
    sys.exit(0 if good else 1)


def rows() -> Iterator[tuple[Schedule, int, str, float, float, float]]:
    """Schedule, K, peer, differences of both players from plain torch, of the generator from the look-alike."""
    for schedule in SCHEDULES:
        for steps in STEPS:
            reference, alike = after(PlainTorch, schedule, steps), after(Detached, schedule, steps)
            for name in PEERS:
                there = after(peer(name), schedule, steps)
                generator, critic = (difference(there, reference, player) for player in ("generator", "critic"))
                yield schedule, steps, name, generator, critic, difference(there, alike, "generator")


def after(kind: type[Peer], schedule: Schedule, steps: int) -> Weights:
    """A peer's weights after one step on each of three batches."""
    one = kind(batch=BATCH, steps=steps, schedule=schedule, dtype="float64", weights=start())
    for seed in range(3):
        one.advance(*one.batch(*points(seed, BATCH)))
    return one.weights()


def start() -> Weights:
    """The first weights, with units of the critic that never fire."""
    weights = initial(0)
    weights["critic.0.bias"][:DEAD] = -100
    return weights


def difference(one: Weights, other: Weights, player: str) -> float:
    """The largest of any weight of one player; nan if there is a nan."""
    return float(np.max([np.abs(one[name] - other[name]).max() for name in other if name.startswith(player)]))


if __name__ == "__main__":
    main()
