"""One batch of a run, and the rate that its optimisers give to each weight at that batch."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agon.diagnosis.vector_field import Vector
from agon.diagnosis.view import RunView
from agon.errors import AgonError
from agon.figures.pictures import pictured
from agon.games import Batch, parameters_of
from agon.training import Training
from agon.training.randomness import stream


def batch_of(view: RunView, training: Training, n: int) -> Batch | str:
    """At most n samples of the next batch, or of the kept real ones if the data cannot be opened; or why not."""
    try:
        training.refuse_other_data()
        batch = training.draw()
    except (AgonError, OSError) as error:
        if view.real is None or training.game.judged_classes or training.game.generated_classes:
            return f"its data cannot be opened ({error})"
        batch = _kept(view, training)
    of = len(batch.real)
    noise = {name: tensor[:n] if len(tensor) == of else tensor for name, tensor in batch.noise.items()}
    return Batch(batch.real[:n], batch.latent[:n], noise, None if batch.label is None else batch.label[:n])


def _kept(view: RunView, training: Training) -> Batch:
    """A batch of the real samples that the run kept, in the units in which its source draws."""
    assert view.real is not None
    source, rows = training.experiment.data, torch.from_numpy(view.real[: training.experiment.batch])
    if pictured(training.shape):
        low, high = source.range or (-1.0, 1.0)
        rows = low + (high - low) * rows
    else:
        rows = source.scaled(rows)
    n, rng = len(rows), stream(training.experiment.seed, "spectrum")
    latent = training.experiment.latent.sample(n, training.game.latent_shape, rng)
    noise = training.game.noise((n, *training.shape), rng)
    return Batch(rows.reshape(n, *training.shape).to(training.compute.dtype), latent, noise)


def rates_of(training: Training, gradient: Vector) -> Vector | str:
    """The rate of each moving weight, "n", as its optimiser has it after this gradient; or why it is not known.

    h for SGD, h / (1 - m) with momentum m; h / (√v̂ + ε) for Adam, with v̂ after the gradient; h / (√v + ε) for RMSprop.
    """
    rates: list[Tensor] = []
    place = 0
    for player in training.game.players:
        optimiser = training.optimisers[player]
        groups = {parameter: group for group in optimiser.param_groups for parameter in group["params"]}
        for parameter in parameters_of(training.game, player):
            if not parameter.requires_grad:
                continue
            g = torch.from_numpy(gradient[place : place + parameter.numel()])
            place += parameter.numel()
            rate = _rate(optimiser, groups[parameter], optimiser.state.get(parameter, {}), g)
            if rate is None:
                return f"the rates of {type(optimiser).__name__} are not known"
            rates.append(rate)
    return torch.cat(rates).numpy() if rates else np.zeros(0)


def _rate(
    optimiser: torch.optim.Optimizer, group: Mapping[str, Any], state: Mapping[str, Any], g: Tensor
) -> Tensor | None:
    h, square = float(group["lr"]), g.square()
    v: Tensor
    if isinstance(optimiser, torch.optim.SGD):
        return torch.full_like(g, h / (1 - group["momentum"]))
    if isinstance(optimiser, torch.optim.Adam):
        decay, steps = float(group["betas"][1]), float(state.get("step", 0)) + 1
        v = decay * _moment(state, "exp_avg_sq", g) + (1 - decay) * square
        return torch.as_tensor(h / ((v / (1 - decay**steps)).sqrt() + float(group["eps"])))
    if isinstance(optimiser, torch.optim.RMSprop):
        v = float(group["alpha"]) * _moment(state, "square_avg", g) + (1 - float(group["alpha"])) * square
        return torch.as_tensor(h / (v.sqrt() + float(group["eps"])))
    return None


def _moment(state: Mapping[str, Any], name: str, g: Tensor) -> Tensor:
    moment: Tensor = state.get(name, torch.zeros_like(g))
    return moment.detach().cpu().double().reshape(-1)
