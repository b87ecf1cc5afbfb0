"""Your own networks, trained on a ring of eight Gaussians: an experiment is its parts and a budget."""

from torch import nn

import agon
from agon.data import Ring


class MyG(nn.Sequential):
    latent_shape = (16,)

    def __init__(self, width: int) -> None:
        super().__init__(nn.Linear(16, width), nn.ReLU(), nn.Linear(width, 2))


class MyD(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 1), nn.Flatten(0))


game = agon.part(agon.Adversarial, generator=agon.part(MyG, width=64), critic=agon.part(MyD))
experiment = agon.Experiment(game=game, data=Ring(), steps=500)
run = agon.train(experiment, "runs/mine")
print(run.path)
