"""Decide whether to compile, and what: the look-ahead of unrolled dynamics, or the networks' forward passes."""

import copy
import shutil
import time
from dataclasses import replace

import torch
from torch import nn

from agon.dynamics import Unrolled
from agon.dynamics.processes import processes
from agon.dynamics.unrolled import CompiledUnrolled
from agon.errors import SettingError
from agon.games import modules_of
from agon.training.state import capture, restore
from agon.training.training import Training

WARM, TIMED = 3, 10  # warm-up steps, and timed steps
WORTH = 1_000  # from this many steps on, "auto" tries to compile
TRIED = 2  # steps within which a look-ahead must compile: an optimiser's first step has no program


def choose_compilation(training: Training) -> str:
    """Compile as `compute.compile` says, and set it to "on" or "off" for the run's description.

    With `Unrolled` dynamics the look-ahead is compiled; measurements showed that this always pays from a
    thousand steps on, so "auto" does it if it works. With other dynamics the networks' forward passes are
    compiled, and "auto" times a few steps with and without on CUDA. Trial steps run on the live training,
    whose state is then restored exactly.

    Returns:
        Why a look-ahead that was to be compiled is not, as a run says it; "" otherwise.

    Raises:
        SettingError: "on", but nothing can be compiled.
    """
    choice, dynamics = training.compute.compile, training.dynamics
    unrolled = isinstance(dynamics, Unrolled) and dynamics.steps > 0
    enough, why = training.experiment.steps - training.step >= WORTH, ""
    if choice == "off" or (choice == "auto" and not enough):
        compiled = False
    elif isinstance(dynamics, Unrolled) and unrolled:
        why = _compile_look_ahead(training, dynamics)
        compiled = not why
    else:
        compiled = _compile_networks(training, choice)
    if choice == "on" and not compiled:
        raise SettingError(
            "compile: expected off for networks with second derivatives (of a penalty, or a look-ahead that cannot be "
            "compiled itself), got on; leave it at auto"
        )
    training.compute = replace(training.compute, compile="on" if compiled else "off")
    return why


def _compile_look_ahead(training: Training, dynamics: Unrolled) -> str:
    """Compile and check the look-ahead by a few steps; return why it is not compiled, "" if it is."""
    if training.device.type == "cpu" and not shutil.which("g++"):
        return "not compiled: no C++ compiler (g++) was found, with which the same steps take about half the time"
    if processes() > 1:
        return "not compiled: several processes average their gradients within the look-ahead"
    before, compiled = copy.deepcopy(capture(training)), CompiledUnrolled.of(dynamics)
    training.dynamics = compiled
    for _ in range(TRIED):
        training.advance()
    restore(training, before)
    if compiled.working:
        return ""
    training.dynamics = dynamics
    return "not compiled: no program of this look-ahead gave its gradient; every step is made without"


def _compile_networks(training: Training, choice: str) -> bool:
    """Compile networks unless they are differentiated twice: a compiled pass has no second derivative."""
    twice = training.game.second_order or training.dynamics.second_order
    if twice or (choice == "auto" and training.device.type != "cuda"):
        return False
    if choice == "on":
        _compile(_networks(training))
        return True
    return _compile_if_faster(training)


def _compile_if_faster(training: Training) -> bool:
    """Time steps with and without compiled networks, and keep the faster; return whether they are compiled."""
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
