"""The unrolled step with jax and optax 0.2.8: jitted, `lax.scan` over the inner steps, `optax.adam`.

Under simultaneous moves the critic's ordinary step is the first inner one, which `ahead` returns beside
its loss; so the scan has K - 1 steps. Unrolling the scan measured no faster on a CPU.

* `optax.adam` has no derivative at v = 0: one unit that never fired makes the whole generator nan in
  one step. `eps_root` = 1e-30 makes it finite and, as the gradient is 0 there, exactly 0; its root, 1e-15,
  is nothing beside ε = 1e-8. Three steps in float64 (K = 10; the generator's Adam has it too) end 6e-17
  from `plain_torch` with it, 1e-5 with 1e-16, and 3e-4, as much as a whole step of Adam or more, with 1e-8.
* optax computes 1 - β2^t in float32 unless 64 bits are enabled, which is wrong by 1e-5 at t = 1. For
  "float64" this peer enables them, for the whole process; "float32" is left as it comes.
* Weights are kept as "inputs outputs", jax's own custom: with torch's transposed ones the same step took 1.7
  times as long.
* `--xla_cpu_multi_thread_eigen=false` no longer gives one thread (jax 0.10.2): two workers still shared
  the work evenly. `one_thread`, before jax is first used, does; so does an affinity of one core.
"""

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from benchmarks.peers.game import BETAS, EPSILON, RATE, SCALE, Peer, Schedule, Weights, initial

Parameters = dict[str, Array]
EPSILON_ROOT = 1e-30
ADAM = optax.adam(RATE, *BETAS, EPSILON, eps_root=EPSILON_ROOT)


class Player(NamedTuple):
    """Weights and Adam's state.

    Attributes:
        weights: by name.
        moments: as optax keeps them.
    """

    weights: Parameters
    moments: Any


class JaxStep(Peer):
    """The step as one writes it with jax."""

    def begin(self, weights: Weights) -> None:
        if self.dtype == "float64":
            jax.config.update("jax_enable_x64", True)
        self.generator = started(weights, "generator", self.dtype)
        self.critic = started(weights, "critic", self.dtype)
        self._step = jax.jit(partial(step, steps=self.steps, schedule=self.schedule))

    def batch(self, real: np.ndarray, latent: np.ndarray) -> tuple[Array, Array]:
        self.check(real, latent)
        return jnp.asarray(real, self.dtype), jnp.asarray(latent, self.dtype)

    def advance(self, real: Array, latent: Array) -> None:
        moved = self._step(self.generator, self.critic, real, latent)
        self.generator, self.critic = jax.block_until_ready(moved)

    def program(self, real: Array, latent: Array) -> str:
        """The text of the compiled step."""
        return str(self._step.lower(self.generator, self.critic, real, latent).compile().as_text())

    def weights(self) -> Weights:
        both = {**self.generator.weights, **self.critic.weights}
        return {name: np.asarray(value, np.float64).T for name, value in both.items()}

    def vmapped(self, seeds: Sequence[int], by: Literal["vmap", "map"] = "vmap") -> "VmappedStep":
        """The same step for several seeds at once, each from the weights `initial(seed)`."""
        return VmappedStep(self, seeds, by)


class VmappedStep:
    """`JaxStep` for several seeds at once, over weights, moments and batches.

    Args:
        one: whose sizes, schedule and dtype all have.
        seeds: one for each start.
        by: "vmap" is jax.vmap, what one writes. "map" is jax.lax.map, one seed after the other in one
            call; on one core it took 0.55 of vmap's time (8 seeds, K = 10, batch 512), whose intermediate
            arrays are 100 MB and asked of the system anew at every step.
    """

    def __init__(self, one: JaxStep, seeds: Sequence[int], by: Literal["vmap", "map"] = "vmap") -> None:
        self.one, self.seeds = one, tuple(seeds)
        self.generator = stacked([started(initial(seed), "generator", one.dtype) for seed in seeds])
        self.critic = stacked([started(initial(seed), "critic", one.dtype) for seed in seeds])
        each = partial(step, steps=one.steps, schedule=one.schedule)
        self._step = jax.jit(jax.vmap(each) if by == "vmap" else mapped(each))

    def batch(self, real: np.ndarray, latent: np.ndarray) -> tuple[Array, Array]:
        """Points "s n 2" and latents "s n 256", a batch for each seed."""
        pairs = [self.one.batch(*pair) for pair in zip(real, latent, strict=True)]
        return stacked([points for points, _ in pairs]), stacked([latents for _, latents in pairs])

    def advance(self, real: Array, latent: Array) -> None:
        """One step of both players of every seed, finished when it returns."""
        moved = self._step(self.generator, self.critic, real, latent)
        self.generator, self.critic = jax.block_until_ready(moved)

    def weights(self) -> list[Weights]:
        """Where the players of each seed are now, as in `game.SHAPES`."""
        both = {**self.generator.weights, **self.critic.weights}
        arrays = {name: np.asarray(value, np.float64) for name, value in both.items()}
        return [{name: value[each].T for name, value in arrays.items()} for each in range(len(self.seeds))]


def one_thread() -> None:
    """Have jax compute with one thread from now on; to be called before its first computation."""
    os.environ["PJRT_NPROC"] = "1"


def step(
    generator: Player, critic: Player, real: Array, latent: Array, steps: int, schedule: Schedule
) -> tuple[Player, Player]:
    """Both players after one step."""
    if schedule == "alternating":
        critic = moved(critic, real, generated(generator.weights, latent))
        along, _ = jax.grad(ahead, has_aux=True)(generator.weights, critic, real, latent, steps)
    else:
        along, critic = jax.grad(ahead, has_aux=True)(generator.weights, critic, real, latent, steps)
    return taken(generator, along), critic


def ahead(generator: Parameters, critic: Player, real: Array, latent: Array, steps: int) -> tuple[Array, Player]:
    """L_G(θ_G, θ_D^K(θ_G)), and the critic after the first of the K inner steps."""
    fake = generated(generator, latent)
    first = moved(critic, real, fake)
    last, _ = jax.lax.scan(lambda each, _: (moved(each, real, fake), None), first, None, steps - 1)
    return -critic_loss(last.weights, real, fake), first


def moved(critic: Player, real: Array, fake: Array) -> Player:
    """The critic after one step of its own."""
    return taken(critic, jax.grad(critic_loss)(critic.weights, real, fake))


def taken(player: Player, along: Parameters) -> Player:
    """After one step of Adam along these gradients."""
    updates, moments = ADAM.update(along, player.moments)
    return Player(optax.apply_updates(player.weights, updates), moments)


def critic_loss(p: Parameters, real: Array, fake: Array) -> Array:
    """L_D, of points; L_G is its negative."""
    return (jax.nn.softplus(-logits(p, real)) + jax.nn.softplus(logits(p, fake))).mean()


def generated(p: Parameters, latent: Array) -> Array:
    """G(z), "n 2"."""
    hidden = jax.nn.relu(latent @ p["generator.0.weight"] + p["generator.0.bias"])
    hidden = jax.nn.relu(hidden @ p["generator.2.weight"] + p["generator.2.bias"])
    return hidden @ p["generator.4.weight"] + p["generator.4.bias"]


def logits(p: Parameters, x: Array) -> Array:
    """D(x), "n"."""
    hidden = jax.nn.relu(SCALE * x @ p["critic.0.weight"] + p["critic.0.bias"])
    return (hidden @ p["critic.2.weight"] + p["critic.2.bias"]).squeeze(1)


def started(weights: Weights, player: str, dtype: str) -> Player:
    """One player at these weights, with moments of zero."""
    own = {name: jnp.asarray(value.T, dtype) for name, value in weights.items() if name.startswith(player)}
    return Player(own, ADAM.init(own))


def mapped(each: Callable[..., Any]) -> Callable[..., Any]:
    """As jax.vmap(each), one after the other."""
    return lambda *several: jax.lax.map(lambda one: each(*one), several)


def stacked(each: Sequence[Any]) -> Any:
    """Trees of arrays as one tree, with a first dimension more."""
    return jax.tree.map(lambda *arrays: jnp.stack(arrays), *each)
