"""torch.compile for the networks, where it was measured to be faster."""

import copy
import time

import torch
from torch import nn

from agon.errors import SettingError
from agon.games import modules_of
from agon.training.state import capture, restore
from agon.training.training import Training

WARM, TIMED = 3, 10  # steps before the clock starts, and under it
WORTH = 1_000  # steps from which "auto" looks whether compiling pays


def compile_networks(training: Training) -> bool:
    """Compile the players' networks as `arithmetic.compile` says; whether they are compiled now.

    "auto" takes the same few steps with and without, on the live training, and then restores its
    state exactly. Networks that are differentiated twice are never compiled: a compiled pass has
    no second derivative.

    Raises:
        SettingError: "on" for a game or dynamics with second derivatives.
    """
    how = training.arithmetic.compile
    twice = training.game.second_order or training.experiment.dynamics.second_order
    if how == "on" and twice:
        raise SettingError("compile: expected off for a penalty or dynamics with second derivatives, got on")
    remaining = training.experiment.steps - training.step
    if how == "off" or twice or (how == "auto" and remaining < WORTH):
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
