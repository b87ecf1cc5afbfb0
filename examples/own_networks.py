"""Train your own networks on a ring of eight Gaussians."""

from torch import nn

import agon


class MyGenerator(nn.Sequential):
    latent_shape = (16,)

    def __init__(self, width: int) -> None:
        super().__init__(nn.Linear(16, width), nn.ReLU(), nn.Linear(width, 2))


class MyCritic(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 1), nn.Flatten(0))


generator, critic = agon.part(MyGenerator, width=64), agon.part(MyCritic)
game = agon.part(agon.Adversarial, generator=generator, critic=critic)
experiment = agon.Experiment(game=game, data=agon.Ring(), steps=500)
run = agon.train(experiment, "runs/mine")
print(run.path)
