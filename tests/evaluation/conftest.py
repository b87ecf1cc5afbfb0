"""Small trainings to be measured."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from agon import Run, train
from agon.data import Images
from agon.recipes import find


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Run]:
    """A short training of first/digits under a seed, made once."""
    made: dict[int, Run] = {}

    def of(seed: int) -> Run:
        if seed not in made:
            experiment = replace(find("first/digits").experiment(Images(), "smoke"), seed=seed)
            made[seed] = train(experiment, tmp_path_factory.mktemp("digits") / f"seed-{seed}", show=False)
        return made[seed]

    return of
