"""Four sets of images and five models of each: sections 3 and 4, appendix A.

| the paper | here |
|---|---|
| equation 7 and algorithm 1 agree: L_G = e(fake), L_E = e(real) - e(fake) | the same, both minimised |
| equation 5 lets R maximise e(fake), found unstable; equation 8, algorithm 1: L_R = e(real) | the latter |
| equation 6 is a log-likelihood, algorithm 1 an error; "no distribution function"; L1, not L2 | the L1 error |
| algorithm 1: |p - f| of groups of numbers, averaged over the batch | summed over groups and their numbers |
| algorithm 1 predicts f_2 to f_(N+1), which does not exist; equation 4 has p(f_1) | f_1 to f_N, from a start of zeros |
| whether the predictions' targets are constants is not stated | they are not: E moves both |
| R's layers are LSTMs; what maps their state to a group of features is not stated | a linear layer |
| figure 3: spatial groups 1 x 1 x c, channel-wise h x w x 1; the order is not stated | row by row; as E numbers them |
| section 3.3: d is a 1 x 1 kernel; a bias is not stated | with one |
| equations 9 and 10 print max; least squares of Mao et al. 2016 | minimised |
| equations 9 and 10: factors before the sums over h and w are illegible in the text that we have | means, times 1/2 |
| equation 9 is of D = d and E: the least squares belong to both; summed "without any hyperparameter" | so they are |
| section 4: batch normalisation not on the first layer of E; appendix A: on it | appendix A |
| section 4: last layer of E 256 with C-ARGAN, 512 else; appendix A: 512 | section 4, at every set |
| section 4: "multi-layer" LSTM for C-ARGAN; appendix A: 2 layers of 128; else 1 layer of 512 | appendix A |
| section 4: G moves t times in C- and S-ARGAN, and t = 3 "in all our experiments" | 3 in PARGAN too |
| algorithm 1 moves all players from one pass | the third of G's moves is theirs; the other two draw their own |
| section 4: Adam 1e-4, β1 0.5; β2, epsilon not stated | the same for every player; 0.999, 1e-8 |
| batch, number of updates, distribution of z not stated | 64; 100,000 rounds at paper scale; N(0, I) |
| slope of LeakyReLU not stated; networks "similar to Radford et al." | 0.2 |
| initialisation not stated | N(0, 0.02), as Radford et al.; of R torch's own, uniform |
| appendix A: biases not stated | where no batch normalisation follows |
| appendix A has STL-10's table, not for which size: 3 x 3 doubled four times | 48 x 48 |
| no table for 96 and 64 pixels; E shrinks "until a pre-defined size" | 5 layers, to 3 x 3 and 2 x 2; the fifth 512 |
| the same, of G | 64: STL-10's from 4 x 4; 96: STL-10's from 3 x 3 with a layer of 64 before the last |
| CelebA with "SW-ARGAN", a name that nothing explains | S-ARGAN (spatial-wise) |
| STL-10: 96 pixels made 48; images used not stated | see `sets` |
| table 1: DCGAN's score is another paper's | these tables, a linear judge of E's features, Adam as above |
| table 1: WGAN-GP "on the same architecture", nothing else | these tables, no batch normalisation in the critic; \
weight 10, 5 moves of the critic, Adam 1e-4, β 0 and 0.9 (Gulrajani et al. 2017, algorithm 1) |
| table 1: EBGAN's and BEGAN's scores are other papers' | the same G; E and its mirror as the critic, Adam as above: \
see `ebgan`, `began` |
| table 1: mean of more than 10 scores of one run (footnote 2) | one |

A step is a round: 3 updates of G and 1 of every other player in the paper's models, 5 of the critic and 1 of G in
WGAN-GP. At quick scale channels and rounds are fewer, see `SETS`, and so is the batch, see `Tables.budget`; the models
of one set have equally many rounds, WGAN-GP half of them, as one of its rounds costs twice as much.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import torch

from agon.data import Source
from agon.dynamics import ALTERNATING, Turns
from agon.experiment import Budget, Experiment, Part, part
from agon.games import Adversarial, Autoregressive, BoundaryEquilibrium, Game, PatchAutoregressive
from agon.networks import argan, autoencoder, cnn
from agon.networks.convolutions import shrunk
from agon.objectives import MarginEnergy, Wasserstein
from agon.penalties import GradientPenalty, PullingAway
from agon.recipes import berthelot2017
from agon.recipes.recipe import Recipe
from agon.recipes.scales import SMOKE, Scale
from agon.recipes.sets import CELEBA, CIFAR10, STL10_48, STL10_96, ImageSet

LayerRows = tuple[tuple[int, int, int], ...]


class Tables(NamedTuple):
    """The networks for a set of images: channels of layers of kernel 4 and stride 2.

    Attributes:
        data: the set.
        generator: channels of G, after the 512 at the smallest size and before the image's own.
        encoder: channels of E and of the baselines' critics.
        narrower: divisor of channels at quick scale.
        rounds: rounds at quick scale.
    """

    data: ImageSet
    generator: tuple[int, ...]
    encoder: tuple[int, ...]
    narrower: int
    rounds: int

    def budget(self, scale: Scale, dearer: int) -> Budget:
        """A model's budget at a scale; at quick, the number of rounds is divided by `dearer`, their relative cost."""
        budgets: Mapping[Scale, Budget] = {
            "smoke": SMOKE,
            "quick": Budget(batch=32, steps=self.rounds // dearer, log_every=20, sample_every=200),
            "paper": Budget(steps=100_000, log_every=100, sample_every=10_000, checkpoint_every=1_000),
        }
        return budgets[scale]


SMALL, LARGE = (64, 128, 256, 512), (64, 128, 256, 512, 512)  # encoders of 4 and of 5 layers
SETS = {
    "cifar10": Tables(CIFAR10, generator=(256, 128), encoder=SMALL, narrower=4, rounds=2_000),
    "stl10-48": Tables(STL10_48, generator=(256, 256, 128), encoder=SMALL, narrower=4, rounds=1_500),
    "stl10-96": Tables(STL10_96, generator=(256, 256, 128, 64), encoder=LARGE, narrower=8, rounds=6_000),
    "celeba": Tables(CELEBA, generator=(256, 256, 128), encoder=LARGE, narrower=8, rounds=9_500),
}
MOVES = 3  # the generator's updates in a round: the paper's t


@dataclass(frozen=True)
class ScaledSet:
    """A set's tables with a source and a scale."""

    tables: Tables
    data: Source
    scale: Scale

    def narrow(self, width: int) -> int:
        """Scale a layer's units or channels."""
        return width // {"smoke": 16, "quick": self.tables.narrower, "paper": 1}[self.scale]

    def rows(self, widths: tuple[int, ...]) -> LayerRows:
        return tuple((4, 2, self.narrow(width)) for width in widths)

    def generator(self) -> Part:
        first, layers = self.narrow(512), self.rows(self.tables.generator)
        return part(cnn.Generator, shape=self.data.shape, latent=100, first=first, layers=layers, range=self.data.range)

    def features(self, encoder: LayerRows) -> tuple[int, int, int]:
        """(channels, height, width) of an encoder's output."""
        _, height, width = self.data.shape
        *_, sides = shrunk((height, width), [stride for _, stride, _ in encoder])
        return (encoder[-1][2], *sides)


def s_argan(at: ScaledSet) -> Experiment:
    """S-ARGAN: features predicted position by position."""
    return _argan(at, Autoregressive, hidden=at.narrow(512))


def c_argan(at: ScaledSet) -> Experiment:
    """C-ARGAN: features predicted channel by channel."""
    return _argan(at, Autoregressive, last=256, by="channels", hidden=at.narrow(128), layers=2)


def pargan(at: ScaledSet) -> Experiment:
    """PARGAN: S-ARGAN with a patch critic."""
    return _argan(at, PatchAutoregressive, hidden=at.narrow(512))


def dcgan(at: ScaledSet) -> Experiment:
    """DCGAN: the same generator, against a critic of the same encoder and a linear layer."""
    critic = part(cnn.Critic, shape=at.data.shape, layers=at.rows(at.tables.encoder), normalise_first=True)
    return _experiment(at, part(Adversarial, generator=at.generator(), critic=critic), Turns(ALTERNATING))


def wgan_gp(at: ScaledSet) -> Experiment:
    """WGAN-GP: the same networks, with a penalty instead of the critic's batch normalisation."""
    critic = part(cnn.Critic, shape=at.data.shape, layers=at.rows(at.tables.encoder), normalise=False)
    penalties = (GradientPenalty(weight=10.0),)
    game = part(Adversarial, generator=at.generator(), critic=critic, objective=Wasserstein(), penalties=penalties)
    return _experiment(at, game, Turns((*[("critic",)] * 5, ("generator",))), betas=(0.0, 0.9), dearer=2)


def ebgan(at: ScaledSet) -> Experiment:
    """EBGAN: the same generator, against an autoencoder of E and its mirror; margin and weight as in `zhao2016`."""
    critic = _autoencoder(at, "squared", normalise=True)
    settings: dict[str, Any] = {"objective": MarginEnergy(margin=0.1), "penalties": (PullingAway(weight=0.1),)}
    return _experiment(at, part(Adversarial, generator=at.generator(), critic=critic, **settings), Turns(ALTERNATING))


def began(at: ScaledSet) -> Experiment:
    """BEGAN: the same generator and autoencoder, without the critic's batch normalisation; as in `berthelot2017`."""
    balance = berthelot2017.SIZES[at.scale].balance
    critic = _autoencoder(at, "absolute", normalise=False)
    settings = {"gamma": balance.gamma, "rate": balance.step}
    game = part(BoundaryEquilibrium, generator=at.generator(), critic=critic, **settings)
    return _experiment(at, game, Turns((("generator", "critic"),)))


def _autoencoder(at: ScaledSet, error: autoencoder.ReconstructionError, *, normalise: bool) -> Part:
    """A critic that reconstructs images by E and its layers in reverse."""
    layers = at.rows(at.tables.encoder)
    encoder = part(cnn.Encoder, shape=at.data.shape, layers=layers, normalise=normalise, normalise_first=normalise)
    decoder = part(autoencoder.Mirror, shape=at.data.shape, layers=layers, normalise=normalise, range=at.data.range)
    return part(autoencoder.Critic, encoder=encoder, decoder=decoder, error=error)


def _argan(
    at: ScaledSet,
    game: type[Game],
    last: int = 512,
    *,
    moves: int = MOVES,
    energy: Mapping[str, Any] = MappingProxyType({}),
    **memory: Any,
) -> Experiment:
    """An ARGAN: the generator updates `moves` times a round, the last time together with all other players."""
    encoder = at.rows((*at.tables.encoder[:-1], last))
    features = at.features(encoder)
    players = {
        "generator": at.generator(),
        "encoder": part(cnn.Encoder, shape=at.data.shape, layers=encoder, normalise_first=True),
        "autoregressor": part(argan.Autoregressor, features=features, **memory),
    }
    if "patch" in game.players:
        players["patch"] = part(argan.Patch, features=features)
    turns = Turns((*[("generator",)] * (moves - 1), tuple(game.players)))
    return _experiment(at, part(game, **players, **energy), turns)


def _experiment(
    at: ScaledSet, game: Part, turns: Turns, betas: tuple[float, float] = (0.5, 0.999), dearer: int = 1
) -> Experiment:
    """A model's training with Adam; see `Tables.budget`."""
    return Experiment(
        game=game,
        data=at.data,
        optimisers=part(torch.optim.Adam, lr=1e-4, betas=betas),
        dynamics=turns,
        **at.tables.budget(at.scale, dearer).settings,
    )


class Model(NamedTuple):
    """A row of table 1: the function that makes it, and its claim."""

    make: Callable[[ScaledSet], Experiment]
    claim: str


MODELS = {
    "s-argan": Model(s_argan, "a generator can be taught by the error of predicting features position by position"),
    "c-argan": Model(c_argan, "a generator can be taught by the error of predicting features channel by channel"),
    "pargan": Model(pargan, "a patch critic beside the autoregressor makes training easier and samples better"),
    "dcgan": Model(dcgan, "baseline: the same networks with a critic that classifies"),
    "wgan-gp": Model(wgan_gp, "baseline: the same networks with a Wasserstein critic and a gradient penalty"),
}
AUTOENCODERS = {  # of table 1 alone
    "ebgan": Model(ebgan, "baseline: the same networks with an autoencoder as critic, and a margin"),
    "began": Model(began, "baseline: the same networks with an autoencoder as critic, and a balance of its errors"),
}
VARIANTS = {  # of the models, on CIFAR-10 alone: what the text names and shows no numbers of
    "s-argan-l2": Model(
        lambda at: _argan(at, Autoregressive, hidden=at.narrow(512), energy={"norm": 2}),
        "squares in the place of the L1 error did not do as well (section 4)",
    ),
    "s-argan-equation5": Model(
        lambda at: _argan(at, Autoregressive, hidden=at.narrow(512), energy={"contrastive": True}),
        "an autoregressor that makes generated features hard to predict, too, is unstable (section 3.1)",
    ),
    "s-argan-t1": Model(
        lambda at: _argan(at, Autoregressive, hidden=at.narrow(512), moves=1),
        "with one update of the generator a round it does not catch the encoder (section 4)",
    ),
    "s-argan-t2": Model(
        lambda at: _argan(at, Autoregressive, hidden=at.narrow(512), moves=2),
        "two updates of the generator a round (section 4)",
    ),
    "c-argan-one-layer": Model(
        lambda at: _argan(at, Autoregressive, last=256, by="channels", hidden=at.narrow(128)),
        "one layer of the LSTM makes blurry samples (section 4)",
    ),
}


OF_SET = {"cifar10": {**MODELS, **AUTOENCODERS, **VARIANTS}, "stl10-48": {**MODELS, **AUTOENCODERS}}


def _make(data: Source, scale: Scale, tables: Tables, make: Callable[[ScaledSet], Experiment]) -> Experiment:
    return make(ScaledSet(tables, data, scale))


RECIPES = tuple(
    Recipe(
        name=f"argan2018/{images}-{name}",
        paper="Yazıcı et al. 2018, table 1 and appendix A",
        claim=model.claim,
        data=tables.data,
        make=partial(_make, tables=tables, make=model.make),
    )
    for images, tables in SETS.items()
    for name, model in OF_SET.get(images, MODELS).items()
)
