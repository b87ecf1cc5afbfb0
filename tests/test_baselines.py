"""The recipes of what papers compare with are the papers' sentences: who moves how often, by what, against what."""

from typing import Any

import pytest
import torch
from torch import nn

from agon.data import Images
from agon.dynamics import Turns
from agon.experiment import Experiment
from agon.games import Adversarial, BoundaryEquilibrium
from agon.networks.layers import parameters_without_biases
from agon.objectives import Hinge, LeastSquares, MarginEnergy, Objective, Relativistic, Wasserstein
from agon.penalties import R1, R2, GradientPenalty, PullingAway
from agon.projections import Clipping
from agon.recipes import RECIPES

NAMES = [
    "arjovsky2017/wgan",
    "berthelot2017/began",
    "gulrajani2017/wgan-gp",
    "huang2024/r3gan",
    "mao2016/lsgan",
    "miyato2018/sngan",
    "zhao2016/ebgan",
]
PARTS: dict[str, tuple[Objective, tuple[Any, ...], tuple[Any, ...]]] = {  # objective, penalties, projections
    "arjovsky2017/wgan": (Wasserstein(), (), (Clipping(bound=0.01),)),
    "gulrajani2017/wgan-gp": (Wasserstein(), (GradientPenalty(weight=10.0),), ()),
    "huang2024/r3gan": (Relativistic(), (R1(weight=0.005), R2(weight=0.005)), ()),
    "mao2016/lsgan": (LeastSquares(), (), ()),
    "miyato2018/sngan": (Hinge(), (), ()),
    "zhao2016/ebgan": (MarginEnergy(margin=0.1), (PullingAway(weight=0.1),), ()),
}
MOVES = {"arjovsky2017/wgan": 5, "gulrajani2017/wgan-gp": 5}  # of the critic, for one of the generator
OPTIMISERS: dict[str, tuple[type[torch.optim.Optimizer], dict[str, Any]]] = {
    "arjovsky2017/wgan": (torch.optim.RMSprop, {"lr": 5e-5}),
    "berthelot2017/began": (torch.optim.Adam, {"lr": 1e-4}),
    "gulrajani2017/wgan-gp": (torch.optim.Adam, {"lr": 1e-4, "betas": (0.0, 0.9)}),
    "huang2024/r3gan": (torch.optim.Adam, {"lr": 5e-5, "betas": (0.0, 0.99)}),
}


def paper(name: str) -> Experiment:
    """At paper scale, on images of CIFAR-10's shape."""
    return RECIPES[name].experiment(Images(path="digits", size=32, channels=3), "paper")


@pytest.mark.parametrize("name", NAMES)
def test_at_paper_scale_it_has_the_papers_parts(name: str) -> None:
    experiment = paper(name)
    with torch.device("meta"):
        game = experiment.game.build()
    assert isinstance(game, Adversarial)
    if name in PARTS:
        assert (game.objective, game.penalties, game.projections) == PARTS[name]
    make, settings = OPTIMISERS.get(name, (torch.optim.Adam, {"lr": 2e-4, "betas": (0.5, 0.999)}))
    assert experiment.optimiser("critic").make is make
    assert settings.items() <= experiment.optimiser("critic").settings.items()
    normalised = [any(isinstance(m, nn.BatchNorm2d) for m in n.modules()) for n in (game.generator, game.critic)]
    bare = {"berthelot2017/began": [False, False], "huang2024/r3gan": [False, False]}
    without = {"gulrajani2017/wgan-gp", "miyato2018/sngan"}
    assert normalised == bare.get(name, [True, name not in without])


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"berthelot2017/began"}))
def test_the_critic_moves_so_often(name: str) -> None:
    dynamics = paper(name).dynamics
    assert isinstance(dynamics, Turns)
    assert dynamics.order == (*(("critic",),) * MOVES.get(name, 1), ("generator",))
    assert name not in MOVES or dynamics.draws == "turn"


def test_the_balance_is_the_papers() -> None:
    experiment = paper("berthelot2017/began")
    assert experiment.dynamics == Turns((("generator", "critic"),))
    assert experiment.batch == 16
    with torch.device("meta"):
        game = experiment.game.build()
    assert isinstance(game, BoundaryEquilibrium)
    assert (game.gamma, game.rate, game.critic.error) == (0.5, 0.001, "absolute")
    assert [type(m) for m in game.generator.modules()] == [type(m) for m in game.critic.decoder.modules()]
    shared = {id(p) for p in game.generator.parameters()} & {id(p) for p in game.critic.parameters()}
    assert shared == set()  # the same architecture, not the same weights


def test_the_standard_cnn_is_table_3() -> None:
    """miyato2018: rows of the table, and the weights counted by hand."""
    with torch.device("meta"):
        game = paper("miyato2018/sngan").game.build()
    generator = [m for m in game.generator.modules() if isinstance(m, nn.Linear | nn.Conv2d | nn.ConvTranspose2d)]
    assert (generator[0].in_features, generator[0].out_features) == (128, 512 * 4 * 4)
    rows = [(m.in_channels, m.out_channels, m.kernel_size[0], m.stride[0]) for m in generator[1:]]
    assert rows == [(512, 256, 4, 2), (256, 128, 4, 2), (128, 64, 4, 2), (64, 3, 3, 1)]
    weights = 128 * 8192 + 16 * (512 * 256 + 256 * 128 + 128 * 64) + 9 * 64 * 3
    assert parameters_without_biases(game.generator) == weights == 3_802_816
    critic = [m for m in game.critic.modules() if isinstance(m, nn.Conv2d)]
    assert [(m.out_channels, m.kernel_size[0], m.stride[0]) for m in critic] == [
        (64, 3, 1), (64, 4, 2), (128, 3, 1), (128, 4, 2), (256, 3, 1), (256, 4, 2), (512, 3, 1),
    ]  # fmt: skip
    weights = 9 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512) + 16 * (64**2 + 128**2 + 256**2) + 512 * 16
    assert parameters_without_biases(game.critic) == weights == 2_934_464
    slopes = {m.negative_slope for m in game.critic.modules() if isinstance(m, nn.LeakyReLU)}
    assert slopes == {0.1}
