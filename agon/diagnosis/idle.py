"""An idle player: its weights do not move, or its gradient is zero.

**Statistic.** The norm of the change of a network's weights between the first and the last checkpoint that the run
has kept, over the norm of the weights, and the share of the records in which a player's gradient is exactly zero.

**Normal.** Adam at a rate of 1e-4 moves each weight by up to 1e-4 a step; weights are about 0.1, so that 100 steps
change them by 1 % and more. A gradient is never exactly zero.

**Thresholds.** `STILL` = 1e-5 for each 100 steps is a thousandth of that. Nine records of ten, the first ones
included: a gradient that vanishes later, or before a critic that is sure of everything, is another sickness. Rates
that a schedule has lowered to nothing are not held against a run.
"""

from collections.abc import Collection, Mapping

import numpy as np
from torch import Tensor

from agon.diagnosis.finding import Examination, Finding, Remedy
from agon.diagnosis.log import FEWEST
from agon.diagnosis.overpowering import is_sure
from agon.diagnosis.remedies import SLOWER
from agon.diagnosis.view import RunView

STILL, OFTEN = 1e-5, 0.9
APART = 10  # the least steps between two checkpoints that are compared
BUFFERS = ("running_mean", "running_var", "num_batches_tracked")


def examine(view: RunView) -> Examination:
    """Look for players that do not move."""
    zeros = {
        player: float((values == 0).mean())
        for player, values in view.log.under("gradient/").items()
        if len(values) >= FEWEST
    }
    moved = {} if view.settings.get("schedules") else movement(view)
    evidence = {f"zero gradients of {player}": share for player, share in zeros.items()}
    evidence |= {f"change of {network} in 100 steps": value for network, value in moved.items()}
    without = [player for player, share in zeros.items() if _from_start(view, player, share)]
    findings = [] if without and is_sure(view) else [_no_gradient(player, zeros[player]) for player in without]
    silent = {finding.sentence.partition(" ")[0] for finding in findings}
    findings += [_still(name, value) for name, value in moved.items() if value < STILL and name not in silent]
    why = "" if evidence else "it needs two checkpoints, or records of the gradients"
    return Examination(findings=tuple(findings), evidence=evidence, unseen=why)


def movement(view: RunView) -> dict[str, float]:
    """Network -> the relative change of its weights between the first and the last checkpoint, for 100 steps."""
    steps = sorted({*view.run.kept, *view.run.past})
    if not steps or steps[-1] - steps[0] < APART:
        return {}
    first, last = view.checkpoint(steps[0]), view.checkpoint(steps[-1])
    if first is None or last is None:
        return {}
    names = None if isinstance(view.live, str) else {n for n, p in view.live.game.named_parameters() if p.requires_grad}
    before, after = _weights(first.tensors, names), _weights(last.tensors, names)
    factor = 100 / (steps[-1] - steps[0])
    return {
        name: factor * float(np.sqrt(sum(float((b - a).square().sum()) for a, b in _pairs(before[name], after[name]))))
        / max(float(np.sqrt(sum(float(b.square().sum()) for b in after[name].values()))), 1e-300)
        for name in before.keys() & after.keys()
    }  # fmt: skip


def _weights(tensors: Mapping[str, Tensor], names: Collection[str] | None) -> dict[str, dict[str, Tensor]]:
    """Network -> its weights by name; `names` are those of the game's parameters, if the game could be built."""
    networks: dict[str, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        full = name.removeprefix("game/")
        moves = not name.endswith(BUFFERS) if names is None else full in names
        if name.startswith("game/") and tensor.is_floating_point() and moves:
            network, _, rest = full.partition(".")
            networks.setdefault(network, {})[rest] = tensor.double()
    return networks


def _pairs(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> list[tuple[Tensor, Tensor]]:
    return [(before[name], after[name]) for name in before.keys() & after.keys()]


def _from_start(view: RunView, player: str, share: float) -> bool:
    return share >= OFTEN and bool(view.log.get(f"gradient/{player}")[0] == 0)


def _no_gradient(player: str, share: float) -> Finding:
    return Finding(
        sickness="idle-player",
        severity="fatal",
        since_step=0,
        evidence={"zero": share},
        sentence=f"{player} gets no gradient: it is exactly zero in {share:.0%} of the records, from the first on",
        remedies=(
            Remedy("look for a detached tensor, or for units that are all dead, in its network or its loss", "", ""),
        ),
    )


def _still(network: str, change: float) -> Finding:
    return Finding(
        sickness="idle-player",
        severity="fatal",
        since_step=0,
        evidence={"change": change},
        sentence=f"{network} does not move: its weights change by {change:.2g} of their size in 100 steps",
        remedies=(
            Remedy("give it a learning rate that moves it", f"--set optimisers.{network}.lr=2e-4", SLOWER.source),
        ),
    )
