"""Train a game with dropout in two processes, or go on with it: python -m tests.training.dropping RUN STEPS ...

Each process says where it comes back, as `train` returns in all of them.
"""

import sys
from pathlib import Path

from torch import Tensor, nn

import agon
from agon.networks import mlp
from agon.runs import Run
from agon.training import is_main_process
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
        last = Run(run).last_good()[0]
        assert last is not None
        sys.stdout.write(f"{Path(run).name} {'main' if is_main_process() else 'other'} {last.step}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
