"""Batch normalisation over all processes together: on any device, and twice differentiable."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class DecomposedBatchNorm(_BatchNorm):
    """Batch normalisation in plain operations: y = (x - μ) / sqrt(σ² + ε) · γ + β.

    It is differentiable any number of times; torch's is only twice. Parameters, buffers and names are the same.
    """

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002 - torch's name
        """Accept any number of dimensions from 2 on."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        if not self.training:
            return super().forward(input)
        axes = [0, *range(2, input.ndim)]
        shape = [1, -1, *[1] * (input.ndim - 2)]
        count = input.numel() // input.shape[1] * self._shared_by()
        mean = self._sum(input.sum(axes)) / count
        centred = input - mean.view(shape)
        variance = self._sum(centred.square().sum(axes)) / count
        self._remember(mean.detach(), variance.detach(), count)
        normalised = centred * torch.rsqrt(variance + self.eps).view(shape)
        if self.weight is not None:
            normalised = normalised * self.weight.view(shape)
        return normalised if self.bias is None else normalised + self.bias.view(shape)

    def _shared_by(self) -> int:
        """The number of processes that share the batch."""
        return 1

    def _sum(self, part: Tensor) -> Tensor:
        """Sum over all processes."""
        return part

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Update running statistics as torch does: with the unbiased variance; momentum None means a plain mean."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked += 1
        share = self.momentum if self.momentum is not None else 1 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean.to(self.running_mean), share)
        self.running_var.lerp_(variance.to(self.running_var) * count / (count - 1), share)


class SynchronisedBatchNorm(DecomposedBatchNorm):
    """Normalise by the mean and variance of the whole batch, of which each process holds an equal part.

    The sums over processes are differentiable, and so are their derivatives. torch's own layer refuses CPUs and
    has no second derivative.
    """

    synchronising = True

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        if self.training and self.synchronising and dist.is_initialized():
            return super().forward(input)
        return _BatchNorm.forward(self, input)

    def _shared_by(self) -> int:
        return dist.get_world_size()

    def _sum(self, part: Tensor) -> Tensor:
        return total(part)


def synchronise(module: nn.Module) -> nn.Module:
    """Turn every batch normalisation in a module into a synchronised one, keeping its state."""
    return _converted(module, SynchronisedBatchNorm)


def decompose(module: nn.Module) -> nn.Module:
    """Turn every batch normalisation in a module into one with derivatives of any order, keeping its state."""
    return _converted(module, DecomposedBatchNorm)


def _converted(module: nn.Module, kind: type[DecomposedBatchNorm]) -> nn.Module:
    """Change the layers' class in place, because a module may also refer to them outside its children."""
    for layer in module.modules():
        if isinstance(layer, _BatchNorm) and not isinstance(layer, DecomposedBatchNorm):
            layer.__class__ = kind
    return module


@contextmanager
def alone(modules: Iterable[nn.Module]) -> Iterator[None]:
    """A context in which these modules normalise by this process's batch alone, for work that one process does."""
    layers = [layer for m in modules for layer in m.modules() if isinstance(layer, SynchronisedBatchNorm)]
    for layer in layers:
        layer.synchronising = False
    try:
        yield
    finally:
        for layer in layers:
            layer.synchronising = True


class _Sum(torch.autograd.Function):
    """The sum over processes; its derivative is the sum of derivatives, and so on for any order."""

    @staticmethod
    def forward(ctx: object, tensor: Tensor) -> Tensor:
        added = tensor.clone()
        dist.all_reduce(added)
        return added

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        return total(gradient)


def total(tensor: Tensor) -> Tensor:
    """The sum over processes, differentiable any number of times."""
    added: Tensor = _Sum.apply(tensor)
    return added
