"""What is exported: one function of a game as a module of its own, with a description of its input and output."""

import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import parametrize

from agon import __version__
from agon.data import Numeric, Source
from agon.experiment.codec import encode
from agon.exports.formats import NotExportableError, Role, check_role, refused
from agon.games import Game
from agon.games.auxiliary import AuxiliaryClassifier
from agon.games.classification import Classification
from agon.samples import sample
from agon.training import Training

if TYPE_CHECKING:
    from torch.export import ExportedProgram

CLASSIFYING = (Classification, AuxiliaryClassifier)  # games with a player "classifier"
TRACED = 3  # samples in the pass that is recorded; the check after writing uses other numbers
UNITS = "stored = samples * scale + offset, for each column"
ADVICE = "use x.shape[0] in place of len(x), and no `if` on numbers in a tensor, or choose torchscript"


class Network(nn.Module):
    """A game of which `forward` is what one player computes: samples, logits of realness, or logits of classes.

    Args:
        game: in evaluation mode, on the CPU, in float32.
        role: whose function it is.
    """

    def __init__(self, game: Game, role: Role) -> None:
        super().__init__()
        self.game, self.role = game, role

    def forward(self, x: Float[Tensor, "n ..."]) -> Float[Tensor, "n ..."]:
        if self.role == "generator":
            return self.game.generate(x)
        if self.role == "classifier":
            assert isinstance(self.game, CLASSIFYING)  # `network_of` has asked
            return self.game.logits(x)
        outputs = self.game.realness(x)
        assert outputs is not None
        return outputs


class Absent(nn.Module):
    """Stands where a player was that the file need not hold."""

    latent_shape = (0,)


@dataclass(frozen=True)
class Exported:
    """A network to be written, and all that a reader of the file must know.

    Attributes:
        network: the module.
        role: whose function it is.
        inputs: real inputs "n *shape", latents for a generator and samples for others.
        description: the metadata, as plain values.
    """

    network: Network
    role: Role
    inputs: Float[Tensor, "n ..."]
    description: dict[str, Any]

    @property
    def input_name(self) -> str:
        return str(self.description["input"]["name"])

    @property
    def output_name(self) -> str:
        return str(self.description["output"]["name"])

    @cached_property
    def program(self) -> "ExportedProgram":
        """The network's operations as torch.export records them, for any number n of inputs.

        Raises:
            NotExportableError: torch.export cannot record them.
        """
        with refused("torch.export", ADVICE):
            dimensions = ({0: torch.export.Dim("n")},)
            return torch.export.export(self.network, (self.inputs[:TRACED],), dynamic_shapes=dimensions)

    @torch.no_grad()
    def outputs(self) -> Float[Tensor, "n ..."]:
        """What the run's own network makes of the inputs."""
        return self.network(self.inputs)  # type: ignore[no-any-return]


def network_of(training: Training, player: str, n: int, seed: int = 0) -> Exported:
    """Return a player's network, apart from the training, with n inputs from the latents of a seed.

    Args:
        training: a training that `agon.load` has returned.
        player: "generator", the name of any other player that generates, "critic" or "classifier".
        n: number of inputs.
        seed: seed of the latents.

    Raises:
        NotExportableError: the game has no such player, or its network takes classes too.
        SettingError: no game has such a player, or the latents do not fit into memory.
    """
    role = _role(training.game, player)
    _refuse_labels(training.game, role)
    game = copy.deepcopy(training.game).to("cpu", torch.float32).to(memory_format=torch.contiguous_format)
    game.requires_grad_(False).eval()
    for name in _others(game, role):
        game.set_submodule(name, Absent())
    for module in game.modules():
        _bake(module)
    return Exported(Network(game, role).eval(), role, _inputs(training, role, n, seed), _described(training, role))


def _role(game: Game, player: str) -> Role:
    if player in game.generating_players:
        return "generator"
    check_role(player)
    if player == "generator" and game.generating_players:
        return "generator"
    if player == "classifier" and isinstance(game, CLASSIFYING):
        return "classifier"
    if player == "critic" and type(game).realness is not Game.realness:
        return "critic"
    does = {"generator": "generates", "critic": "judges what is real", "classifier": "classifies"}[player]
    raise NotExportableError(
        f"player '{player}': expected a run whose game has one that {does}, got {type(game).__name__} of "
        f"{', '.join(game.players)}; export another player, or another run"
    )


def _refuse_labels(game: Game, role: Role) -> None:
    """Raise a NotExportableError for a network with two inputs, of which one is a class."""
    classes = {"generator": "generated_classes", "critic": "judged_classes"}.get(role, "")
    if getattr(game, classes, None):
        raise NotExportableError(
            f"player '{role}': expected a network with one input, got one that takes classes too, which agon export "
            "does not write; use agon.load(run).game in Python"
        )


def _others(game: Game, role: Role) -> set[str]:
    """The submodules that a file need not hold: those of players that do something else."""
    everything = {name for names in game.players.values() for name in names}
    generating = {name for player in game.generating_players for name in game.players[player]}
    classifying = set(game.players["classifier"]) if isinstance(game, CLASSIFYING) else set()
    used = {"generator": generating, "classifier": classifying, "critic": everything - generating - classifying}
    return everything - used[role]


def _bake(module: nn.Module) -> None:
    """Replace parametrised weights (spectral normalisation) by their values, which evaluation mode does not change."""
    if parametrize.is_parametrized(module):
        for name in list(module.parametrizations):  # type: ignore[arg-type]
            parametrize.remove_parametrizations(module, name, leave_parametrized=True)


def _inputs(training: Training, role: Role, n: int, seed: int) -> Tensor:
    """Latents of the run, or samples that resemble its own in shape and range."""
    latent, rng = training.experiment.latent, torch.Generator().manual_seed(seed)
    if role == "generator":
        return latent.sample(n, training.game.latent_shape, rng)
    if role == "critic" and training.game.generating_players:
        return training.experiment.data.scaled(sample(training, n, seed)).float()
    return torch.rand((n, *training.shape), generator=rng)


def _units(source: Source) -> dict[str, Any]:
    """What maps samples to the units of a table; nothing for other data."""
    if not isinstance(source, Numeric):
        return {}
    settled = source.settled()
    return {"columns": settled.columns, "offset": settled.offset, "scale": settled.scale, "units": UNITS}


def _described(training: Training, role: Role) -> dict[str, Any]:
    """The metadata of a file, for readers without agon."""
    experiment = training.experiment
    source = experiment.data
    samples = {
        "name": "samples",
        "shape": ["n", *training.shape],
        "range": None if source.range is None else list(source.range),
        "classes": list(source.classes),
        **_units(source),
    }
    latents = {
        "name": "latents",
        "shape": ["n", *training.game.latent_shape],
        "distribution": encode(experiment.latent),
    }
    logits = {"name": "logits", "shape": ["n"], "meaning": "higher is more real", "boundary": training.game.boundary}
    classes = {"name": "logits", "shape": ["n", len(source.classes)], "meaning": "of the classes, before softmax"}
    ends = {"generator": (latents, samples), "critic": (samples, logits), "classifier": (samples, classes)}[role]
    return {
        "player": role,
        "input": ends[0],
        "output": ends[1],
        "recipe": experiment.recipe,
        "step": training.step,
        "precision": "float32",
        "agon": __version__,
    }
