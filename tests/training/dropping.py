"""Train a game with dropout in two processes, or go on with it: python -m tests.training.dropping RUN STEPS."""

import sys

from torch import Tensor, nn

import agon
from agon.networks import mlp
from agon.runs import Run
from tests.training.programs import points


class Dropping(mlp.Critic):
    """A critic whose every pass draws from torch's global stream."""

    def __init__(self) -> None:
        super().__init__(shape=(2,), widths=(8,))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(nn.functional.dropout(x, 0.5, self.training))


def experiment(steps: int) -> agon.Experiment:
    return points(steps, critic=agon.part(Dropping), checkpoint_every=5)


def main(words: list[str]) -> None:
    """Train or resume each run to its number of steps: RUN STEPS RUN STEPS ..."""
    for run, steps in zip(words[::2], map(int, words[1::2]), strict=True):
        if Run(run).begun:
            agon.resume(run, steps=steps, experiment=experiment(steps), show=False)
        else:
            two = agon.Compute(devices=2, threads=1, device="cpu")
            agon.train(experiment(steps), run, compute=two, show=False)


if __name__ == "__main__":
    main(sys.argv[1:])
