"""Settings that seldom work: rates that are off by orders of magnitude, and parts that do not go together.

**Statistic.** The settings themselves, before any training.

**Normal.** The recipes of agon, which follow 16 papers, have Adam's rates from 1e-5 to 2e-3 and RMSprop's of 5e-5.

**Thresholds.** Ten times beyond either end: over `FAST` = 2e-2 or under `SLOW` = 1e-6 for Adam and RMSprop, whose
steps have the size of the rate. Rates of plain SGD depend on the losses, and are not judged. Two players' rates that
differ by more than `UNEQUAL` = 100. One sample in a batch, where batch normalisation has no statistics. Wasserstein's
losses without anything that bounds the critic's slope: without a bound they have no minimum (Arjovsky et al. 2017,
section 3).
"""

from collections.abc import Iterator

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.parametrize import is_parametrized

from agon.diagnosis.finding import Examination, Finding, Remedy, unseen
from agon.diagnosis.remedies import SLOWER
from agon.diagnosis.view import RunView
from agon.experiment import Experiment
from agon.games import Adversarial, BoundaryEquilibrium, Game
from agon.objectives import Wasserstein

FAST, SLOW, UNEQUAL = 2e-2, 1e-6, 100.0
STEPS_OF_THE_RATE = (torch.optim.Adam, torch.optim.AdamW, torch.optim.RMSprop)
PENALISED = Remedy(
    "penalise the slope's distance from 1",
    '--set game.penalties=\'[{"type": "gradient-penalty"}]\'',
    "Gulrajani et al. 2017, equation 3",
)


def examine(view: RunView) -> Examination:
    """Look at the settings alone."""
    experiment = view.experiment
    if experiment is None:
        return unseen(next(iter(view.missing.values()), "there is no experiment"))
    game = None if isinstance(view.live, str) else view.live.game
    rates = _rates(experiment, list(game.players) if game else [])
    evidence = {f"rate of {player}": rate for player, rate in rates.items()} | {"batch": float(experiment.batch)}
    findings = [*_of_rates(rates), *(_of_parts(experiment, game) if game else ())]
    return Examination(findings=tuple(findings), evidence=evidence, unseen="" if game else f"its parts: {view.live}")


def _rates(experiment: Experiment, players: list[str]) -> dict[str, float]:
    """The rates of the optimisers whose steps have the size of their rate."""
    parts = {player: experiment.optimiser(player) for player in players}
    return {
        player: float(part.settings["lr"])
        for player, part in parts.items()
        if part.make in STEPS_OF_THE_RATE and "lr" in part.settings
    }


def _of_rates(rates: dict[str, float]) -> Iterator[Finding]:
    unusual = {player: rate for player, rate in rates.items() if rate > FAST or rate < SLOW}
    for rate in dict.fromkeys(unusual.values()):  # one sentence for all players of one rate
        of_rate = [player for player in unusual if unusual[player] == rate]
        which = "large" if rate > FAST else "small"
        remedy = SLOWER._replace(
            sentence="take a rate that works elsewhere", option="--set optimisers.lr=2e-4", direction=0
        )
        yield _finding(
            f"the learning rate of {' and '.join(of_rate)} is {rate:g}, far too {which}: from {SLOW:g} to {FAST:g} is "
            "usual",
            {"rate": rate},
            remedy,
        )
    if rates and max(rates.values()) > UNEQUAL * min(rates.values()) > 0:
        ratio = max(rates.values()) / min(rates.values())
        yield _finding(
            f"the players' learning rates differ by a factor of {ratio:.3g}, so that one stands still for the other",
            {"ratio": ratio},
            Remedy("give all players one rate", "--set optimisers.lr=2e-4", "radford2015, section 4"),
        )


def _of_parts(experiment: Experiment, game: Game) -> Iterator[Finding]:
    if experiment.batch == 1 and any(isinstance(module, _BatchNorm) for module in game.modules()):
        yield _finding(
            "a batch of one sample under batch normalisation: a sample has no statistics",
            {"batch": 1.0},
            Remedy("take larger batches", "--set batch=32", "Ioffe and Szegedy 2015, section 3"),
        )
    if isinstance(game, Adversarial) and isinstance(game.objective, Wasserstein) and not _bounded(game):
        yield _finding(
            "Wasserstein's losses with a critic whose slope nothing bounds: they have no minimum", {}, PENALISED
        )


def _bounded(game: Adversarial) -> bool:
    """Whether a penalty, a projection or a spectral normalisation bounds the critic, or its logits are errors."""
    critic: nn.Module = game.critic
    if isinstance(game, BoundaryEquilibrium):  # logits are minus an energy, whose weight follows the critic
        return True
    return bool(game.penalties or game.projections) or any(is_parametrized(module) for module in critic.modules())


def _finding(sentence: str, evidence: dict[str, float], remedy: Remedy) -> Finding:
    return Finding(
        sickness="settings",
        severity="notice",
        since_step=0,
        evidence=evidence,
        sentence=sentence,
        remedies=(remedy,),
    )
