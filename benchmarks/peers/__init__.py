"""The same unrolled step, written with other libraries: what agon is timed against; and by agon.

Every peer plays the ring game of `game` for one step of both players, with K inner steps of the
critic's own Adam. `python -m benchmarks.peers.agreement` shows that they do the same.
"""

from importlib import import_module

from benchmarks.peers.game import Peer

PEERS = {
    "agon": "benchmarks.peers.agon_step:AgonStep",
    "agon, compiled": "benchmarks.peers.agon_step:AgonCompiled",
    "plain torch": "benchmarks.peers.plain_torch:PlainTorch",
    "higher": "benchmarks.peers.higher_step:HigherStep",
    "torchopt": "benchmarks.peers.torchopt_step:TorchoptStep",
    "jax": "benchmarks.peers.jax_step:JaxStep",
}


def peer(name: str) -> type[Peer]:
    """The class of one entry of `PEERS`; its library is imported now, and not before."""
    module, attribute = PEERS[name].split(":")
    found: type[Peer] = getattr(import_module(module), attribute)
    return found
