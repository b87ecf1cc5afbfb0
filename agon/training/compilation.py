"""What is compiled, and whether: the look-ahead of unrolled dynamics, or the networks' forward passes."""

import copy
import shutil
import time
from dataclasses import replace

import torch
from torch import nn

from agon.dynamics import Unrolled
from agon.dynamics.unrolled import CompiledUnrolled
from agon.errors import SettingError
from agon.games import modules_of
from agon.training.state import capture, restore
from agon.training.training import Training

WARM, TIMED = 3, 10  # steps before the clock starts, and under it
WORTH = 1_000  # steps from which "auto" looks whether compiling pays
TRIED = 2  # steps in which a look-ahead must have been compiled: an optimiser's first has no program


def settle_compilation(training: Training) -> None:
    """Compile as `compute.compile` says; afterwards it is "on" or "off", as the run's description will say.

    With `Unrolled` dynamics it is the look-ahead that is compiled, which was always measured to be worth it
    from a thousand steps on; "auto" does so where that works. Of ordinary dynamics it is the networks'
    forward passes, and "auto" takes the same few steps with and without on CUDA. Either is tried on the
    live training, whose state is then restored exactly.

    Raises:
        SettingError: "on" where nothing can be compiled.
    """
    how, dynamics = training.compute.compile, training.dynamics
    unrolled = isinstance(dynamics, Unrolled) and dynamics.steps > 0
    enough = training.experiment.steps - training.step >= WORTH
    if how == "off" or (how == "auto" and not enough):
        done = False
    elif isinstance(dynamics, Unrolled) and unrolled:
        done = _look_ahead(training, dynamics)
    else:
        done = _networks_compiled(training, how)
    if how == "on" and not done:
        raise SettingError(
            "compile: expected off for networks with second derivatives (of a penalty, or a look-ahead that cannot be "
            "compiled itself), got on; leave it at auto"
        )
    training.compute = replace(training.compute, compile="on" if done else "off")


def _look_ahead(training: Training, dynamics: Unrolled) -> bool:
    """Have the look-ahead compiled and checked by a few steps; whether it is."""
    if training.device.type == "cpu" and not shutil.which("g++"):
        return False
    before, compiled = copy.deepcopy(capture(training)), CompiledUnrolled.of(dynamics)
    training.dynamics = compiled
    for _ in range(TRIED):
        training.advance()
    restore(training, before)
    if not compiled.working:
        training.dynamics = dynamics
    return compiled.working


def _networks_compiled(training: Training, how: str) -> bool:
    """Networks that are differentiated twice never are: a compiled pass has no second derivative."""
    twice = training.game.second_order or training.dynamics.second_order
    if twice or (how == "auto" and training.device.type != "cuda"):
        return False
    if how == "on":
        _compile(_networks(training))
        return True
    return _faster(training)


def _faster(training: Training) -> bool:
    """Measure, and keep what is faster."""
    before, networks = copy.deepcopy(capture(training)), _networks(training)
    eager = _seconds(training)
    _compile(networks)
    compiled = _seconds(training)
    restore(training, before)
    if compiled >= eager:
        for network in networks:
            network._compiled_call_impl = None
    return compiled < eager


def _seconds(training: Training) -> float:
    for _ in range(WARM):
        training.advance()
    _wait(training.device)
    began = time.monotonic()
    for _ in range(TIMED):
        training.advance()
    _wait(training.device)
    return time.monotonic() - began


def _networks(training: Training) -> list[nn.Module]:
    return [module for player in training.game.players for _, module in modules_of(training.game, player)]


def _compile(networks: list[nn.Module]) -> None:
    for network in networks:
        network.compile()


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
