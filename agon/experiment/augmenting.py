"""Switch augmentations on by name."""

from collections.abc import Sequence
from dataclasses import replace

from agon.augmentation import OF_DATA, OF_GAME, Adaptive, Augmentation
from agon.augmentation.augmentation import Ranged
from agon.errors import SettingError, unknown
from agon.experiment.experiment import Experiment
from agon.experiment.part import Part, name_of
from agon.experiment.typing import hints_of


def augmented(experiment: Experiment, names: Sequence[str]) -> Experiment:
    """The same experiment with these augmentations, for the data's range.

    Args:
        experiment: any; those of its data stay, and come first.
        names: out of OF_DATA, for the data alone, and at most one out of OF_GAME, for all that the critic sees.

    Raises:
        SettingError: a name is unknown, there are several of OF_GAME, or the game takes none.
    """
    for name in names:
        if name not in (*OF_DATA, *OF_GAME):
            raise SettingError(unknown("augmentation", name, [*OF_DATA, *OF_GAME]))
    chosen = [name for name in names if name in OF_GAME]
    if len(chosen) > 1:
        raise SettingError(f"augmentation: expected one of {', '.join(OF_GAME)}, got {', '.join(chosen)}; choose one")
    bounds = experiment.data.range
    of_data = (*experiment.augment, *(_fitted(OF_DATA[name](), bounds) for name in names if name in OF_DATA))
    experiment = replace(experiment, augment=of_data)
    return _in_game(experiment, chosen[0]) if chosen else experiment


def _in_game(experiment: Experiment, name: str) -> Experiment:
    game = experiment.game
    if not isinstance(game, Part) or "augmentation" not in hints_of(game.make):
        kind = name_of(game.make) if isinstance(game, Part) else type(game).__name__
        raise SettingError(
            f"augmentation: expected a game with a critic for {name}, got {kind}; use {', '.join(OF_DATA)}"
        )
    augmentation, bounds = OF_GAME[name](), experiment.data.range
    if isinstance(augmentation, Adaptive):
        augmentation = replace(augmentation, of=_fitted(augmentation.of, bounds))
    else:
        augmentation = _fitted(augmentation, bounds)
    return replace(experiment, game=game.changed(augmentation=augmentation))


def _fitted(augmentation: Augmentation, bounds: tuple[float, float] | None) -> Augmentation:
    """The augmentation for the data's range."""
    return replace(augmentation, range=bounds) if isinstance(augmentation, Ranged) and bounds else augmentation
