"""Samples of the last checkpoint, made for a diagnosis in the units of the snapshots."""

import torch
from torch import Tensor

from agon.diagnosis.geometry import Samples
from agon.diagnosis.view import RunView
from agon.figures.pictures import pictured
from agon.networks.synchronised import alone
from agon.training import Training
from agon.training.randomness import stream

N = 256  # samples


def latents(training: Training, n: int = N) -> tuple[Tensor, Tensor | None]:
    """The first fixed latents of a run, and for a generator that takes labels some with the data's frequencies."""
    return training.fixed_latents(n), training.labels(n, stream(training.experiment.seed, "diagnosis"))


def painted(view: RunView, training: Training, z: Tensor, labels: Tensor | None = None) -> Samples:
    """Samples in evaluation mode, from the weights that the training has."""
    return view.as_kept(training.samples(z, labels))


@torch.no_grad()
def in_training_mode(view: RunView, training: Training, z: Tensor, labels: Tensor | None = None) -> Samples:
    """The same with the statistics of the batch in batch normalisation; running statistics are put back."""
    buffers = {name: buffer.clone() for name, buffer in training.game.named_buffers()}
    with training.painting() as paint, alone([training.game]):  # the other processes do not take part
        training.game.train()
        samples = paint(z, labels).float().cpu()
        training.game.eval()
    for name, buffer in training.game.named_buffers():
        buffer.copy_(buffers[name])
    return view.as_kept(samples)


def as_drawn(view: RunView, samples: Samples) -> Tensor:
    """Samples in the units of the snapshots, "n d", as the source draws them, "n *shape": what a critic is shown."""
    source = view.data
    if source is None:
        raise TypeError("samples as they are drawn need the experiment")
    rows = torch.from_numpy(samples).reshape(-1, *source.shape)
    if not pictured(source.shape):
        return source.scaled(rows).float()
    low, high = source.range or (-1.0, 1.0)
    return (rows * (high - low) + low).float()
