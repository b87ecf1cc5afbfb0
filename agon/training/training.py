"""A training: everything that changes while it runs: game, optimisers, average, random streams, position."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from agon.averaging import Average, restate
from agon.data.source import RealBatch
from agon.data.stream import Stream
from agon.dynamics import average as over_processes
from agon.errors import Change, DataError
from agon.experiment import Experiment
from agon.experiment.memory import refuse_more
from agon.games import Batch, Losses, parameters_of
from agon.games.game import Structure, fixed_structure, generated
from agon.games.lazy import LazyBatch
from agon.networks.fused import fuse
from agon.networks.layers import evaluation_mode, seed_global_streams
from agon.networks.synchronised import alone, synchronise
from agon.terminal.waiting import tracked
from agon.training.compute import Compute
from agon.training.labels import class_counts, refuse_unlabelled
from agon.training.optimisers import build_optimiser
from agon.training.randomness import GlobalStreams, derived, stream, temporary_stream
from agon.training.refusals import refuse_alone, refuse_parts
from agon.training.schedules import Schedule

Paint = Callable[..., Tensor]  # latents "n *latent_shape", and labels "n" if there are any -> samples "n *shape"
STREAMS = ("latents", "noise")
CLOUD, FEW_DIMENSIONS = 1_000, 16  # points in a snapshot, of at most so many coordinates
OTHER_DATA = (
    "the data are not those that the run was begun with (their checksums differ); "
    "put the old data back, or begin a new run"
)


class Training:
    """The state of one experiment's training in one process.

    Attributes:
        experiment: what is trained.
        compute: how numbers are computed, resolved.
        device: where they are computed.
        shape: shape of a sample; stored, because some sources open their files to tell it.
        game, optimisers, schedules, average: what the steps change.
        streams: this training's state of torch's global random streams.
        dynamics: the experiment's dynamics, possibly compiled.
        step: number of steps done.
        seconds: wall time so far, including that of earlier processes.
        begun: fingerprint of the data with which the run was begun; empty until it is read from the run.
    """

    def __init__(
        self,
        experiment: Experiment,
        compute: Compute,
        device: torch.device,
        rank: int = 0,
        world: int = 1,
    ) -> None:
        self.experiment, self.compute, self.device = experiment, compute, device
        self.rank, self.world = rank, world
        with temporary_stream(experiment.seed, "init"):
            game = experiment.build()
        game.check_source(experiment.data)
        layout = torch.channels_last if compute.channels_last else torch.contiguous_format
        if world > 1:
            synchronise(game)
        self.game = game.to(device, compute.dtype).to(memory_format=layout)
        if compute.fuses and not experiment.dynamics.second_order:
            fuse(self.game)
        self.shape = experiment.data.shape
        self.layout = layout if len(self.shape) == 3 else torch.contiguous_format
        self.optimisers = {
            player: build_optimiser(experiment.optimiser(player), parameters_of(self.game, player))
            for player in self.game.players
        }
        parts = {player: experiment.schedule(player) for player in self.game.players}
        self.schedules = {p: Schedule(part, self.optimisers[p]) for p, part in parts.items() if part is not None}
        for schedule in self.schedules.values():
            schedule.refuse_more(experiment.steps)
        self.dynamics = experiment.dynamics
        self.dynamics.check_optimisers(self.optimisers)
        averaging = experiment.averaging
        self.average = Average(averaging, self.game) if averaging is not None else None
        self.refuse_more("batch", experiment.batch)
        self.refuse_more("grid", experiment.grid)
        self.random = {name: stream(experiment.seed, name) for name in STREAMS}
        refuse_parts(experiment.batch, world, self.dynamics.parts)
        if experiment.batch == world * self.dynamics.parts:
            one = torch.zeros(1, *self.shape, device=device, dtype=compute.dtype)
            refuse_alone(self.game, experiment.latent, one, labelled=bool(experiment.data.classes))
        self.streams = GlobalStreams(compute.threads if compute.device == "cpu" else 0)
        with self.streams.held():
            seed_global_streams(derived(experiment.seed, f"layers/{rank}"))
        self.step, self.seconds, self.begun, self._structure = 0, 0.0, "", Structure()

    @cached_property
    def data(self) -> Stream:
        """The stream of real samples, opened at first use: generating samples does not need it.

        Raises:
            DataError: the source cannot be read, or has fewer samples than a batch.
        """
        data = Stream(
            self.experiment.data,
            batch=self.experiment.batch,
            seed=derived(self.experiment.seed, "data"),
            device=self.device,
            memory=int(self.compute.memory * 2**30),
            rank=self.rank,
            world=self.world,
            augment=self.experiment.augment,
        )
        if data.count is not None and data.count < self.experiment.batch:
            smaller = Change("batch", data.count)
            raise DataError(
                f"expected at least a batch of {self.experiment.batch} samples, got {data.count}; use {smaller}",
                smaller,
            )
        return data

    @cached_property
    def class_counts(self) -> Float[Tensor, " k"] | None:
        """Number of real samples of each class, which a loaded run has recorded; None if it is unknown.

        Raises:
            DataError: some samples have no label.
        """
        return class_counts(self.data, len(self.experiment.data.classes))

    def refuse_other_data(self) -> None:
        """Raise a DataError if the data have changed since the run was begun."""
        if self.begun not in ("", self.data.fingerprint):
            raise DataError(OTHER_DATA)

    def refuse_more(self, name: str, n: int) -> None:
        """Raise a SettingError if n samples, with their latents, do not fit into memory."""
        refuse_more(name, n, math.prod(self.shape) + math.prod(self.game.latent_shape))

    def advance(self) -> Losses:
        """Make one step of the dynamics."""
        with self.streams.held(), self.compute.autocast(), fixed_structure(self.game, self._structure):
            losses = self.dynamics.step(self.game, self.optimisers, self.draw)
        self.finish_step()
        return losses

    def finish_step(self) -> None:
        """Do what follows the moves of a step: average the weights, change the rates, and count."""
        if self.average is not None:
            self.average.update(self.game, self.step)
        for schedule in self.schedules.values():
            schedule.advance()
        self.step += 1

    def draw(self) -> Batch:
        """Draw the next batch and return this process's part; random numbers are drawn for the whole batch.

        Real samples are read when a loss asks for them; for a look-ahead, which may ask in a program, at once.
        """
        n = self.experiment.batch
        read = partial(self._read, self.data.advance())
        latent = self.experiment.latent.sample(n, self.game.latent_shape, self.random["latents"])
        noise = self.game.noise((n, *self.shape), self.random["noise"])
        batch = LazyBatch(read, self._shard(latent), {name: self._shard(values) for name, values in noise.items()})
        return batch.whole() if self.dynamics.second_order else batch

    def _read(self, read: Callable[[], RealBatch]) -> RealBatch:
        real, label = read()
        if self._takes_labels and self.class_counts is None and label is not None:
            refuse_unlabelled(label)
        return RealBatch(real.to(self.compute.dtype, memory_format=self.layout), label)

    @property
    def images(self) -> int:
        """How many real samples the scoring players have been shown so far."""
        return self.step * self.experiment.dynamics.real_batches_per_step(self.game) * self.experiment.batch

    @property
    def shown(self) -> int:
        """How many samples a snapshot keeps: the grid's, but of points in few dimensions enough to fill a panel."""
        flat = len(self.shape) == 1 and self.shape[0] <= FEW_DIMENSIONS
        return max(self.experiment.grid, CLOUD) if flat else self.experiment.grid

    def fixed_latents(self, n: int) -> Float[Tensor, "n ..."]:
        """The same n latents "n *latent_shape" at every call."""
        rng = stream(self.experiment.seed, "grid")
        return self.experiment.latent.sample(n, self.game.latent_shape, rng)

    def labels(self, n: int, rng: torch.Generator) -> Int[Tensor, " n"] | None:
        """Draw labels for n generated samples; None if the generator takes none.

        They have the data's class frequencies; if these are unknown, all classes are equally frequent.
        """
        if not self.game.generated_classes:
            return None
        counts = self.class_counts
        weights = torch.ones(self.game.generated_classes) if counts is None else counts
        return torch.multinomial(weights, n, replacement=True, generator=rng)

    @torch.no_grad()
    def samples(
        self, latents: Float[Tensor, "n ..."], labels: Int[Tensor, " n"] | None = None, chunk: int = 256
    ) -> Float[Tensor, "n ..."]:
        """Samples "n *shape" from latents "n *latent_shape", in evaluation mode, by averaged weights if there are any.

        It uses its own random streams, so that it never changes the training.

        Args:
            latents: "n *latent_shape".
            labels: "n", for a generator that takes labels; by default drawn as in `labels`.
            chunk: samples generated at a time.
        """
        parts = torch.split(latents, chunk)
        asked = [None] * len(parts) if labels is None else torch.split(labels, chunk)
        pairs = tracked(zip(parts, asked, strict=True), "generated samples", len(latents), lambda pair: len(pair[0]))
        with self.painting() as paint:
            return torch.cat([paint(part, label).float().cpu() for part, label in pairs])

    @contextmanager
    def painting(self) -> Iterator[Paint]:
        """Within the context, a function from latents to samples as in `samples`, differentiable, on the device.

        It also takes labels, or draws them from a stream of its own if the generator needs some and there are none.
        """
        rng = stream(self.experiment.seed, "labels")

        def paint(latents: Tensor, labels: Tensor | None = None) -> Tensor:
            return self._generate(latents, self.labels(len(latents), rng) if labels is None else labels)

        with temporary_stream(self.experiment.seed, "evaluation"), evaluation_mode(self.game), self._averaged():
            self.game.eval()
            yield paint

    @torch.no_grad()
    def use_weights(self, weights: Literal["average", "live"]) -> None:
        """Keep only the live weights, or replace them by their average.

        A classifier keeps both: its average takes its statistics from the data, see `classifiers`.
        """
        if self.average is None or not self.game.generating_players:
            return
        if weights == "average":
            with temporary_stream(self.experiment.seed, "evaluation"), evaluation_mode(self.game):
                self._restated(self.average.take_over(self.game))
        self.average = None

    def record(self, losses: Losses) -> dict[str, float]:
        """The log's record of the last step: means over processes."""
        scalars = {f"loss/{player}": loss for player, loss in losses.players.items()} | losses.seen
        means = over_processes([value.detach().to(self.compute.dtype) for value in scalars.values()])
        record: dict[str, float] = {"step": self.step, "images": self.images}
        record |= {name: float(value) for name, value in zip(scalars, means, strict=True) if value is not None}
        record |= {f"rate/{player}": schedule.rate for player, schedule in self.schedules.items()}
        for player in losses.players:
            gradients = [p.grad for p in parameters_of(self.game, player) if p.grad is not None]
            record[f"gradient/{player}"] = float(torch.nn.utils.get_total_norm(gradients))
        return record

    def _shard(self, drawn: Tensor) -> Tensor:
        """This process's part of a tensor that was drawn for the whole batch."""
        part = len(drawn) // self.world
        shard = drawn[self.rank * part : (self.rank + 1) * part]
        return shard.to(self.device, self.compute.dtype, non_blocking=True)

    @contextmanager
    def _averaged(self) -> Iterator[None]:
        """Within the context, the game has the averaged weights, if any, with re-estimated statistics."""
        if self.average is None:
            yield
            return
        with self.average.playing(self.game) as modules:
            self._restated(modules)
            yield

    def _restated(self, modules: Sequence[nn.Module]) -> None:
        """Re-estimate the statistics of averaged modules, which are part of the game."""
        rng = stream(self.experiment.seed, "restate")
        n, shape = self.experiment.batch, self.game.latent_shape
        latent = self.experiment.latent
        with alone(modules):
            restate(modules, lambda: self._generate(latent.sample(n, shape, rng), self.labels(n, rng)))

    def _generate(self, latents: Tensor, labels: Tensor | None) -> Tensor:
        with self.compute.autocast():
            labels = None if labels is None else labels.to(self.device)
            return generated(self.game, latents.to(self.device, self.compute.dtype), labels)

    @property
    def _takes_labels(self) -> bool:
        """Whether a network of the game takes labels, so that every sample must have one."""
        return max(self.game.generated_classes, self.game.judged_classes) > 0
