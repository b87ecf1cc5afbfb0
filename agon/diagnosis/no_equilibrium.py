"""No equilibrium under plain steps: where the run stands, its steps circle instead of arriving.

**Statistic.** The leading eigenvalues μ of M, the Jacobian of the run's own steps on one batch (`spectrum`), at the
last checkpoint, with the rate that the optimiser gives to each weight; and of those that turn more than they stretch,
the part of the distance that is left after one whole turn.

**Normal.** An eigenvalue whose real part is as large as its imaginary one leaves exp(-2π) = 0.002; penalties of the
critic's slope have this effect (Mescheder et al. 2018, section 4). Far from an equilibrium, where most trainings are,
the eigenvalues do not say where it goes: healthy runs of the hospital leave anything from 0 to 19 (compare Berard et
al. 2020, section 5). So they are a finding only for samples that do swing, by `rotation` or `oscillation`; of others
the numbers are told.

**Thresholds.** Over `LEFT` = 0.5, for a turn that the run has had the steps for: a real part under 11 % of the
imaginary one. Eigenvalues that do not turn are of one player's own loss, and not looked at. A rule of steps is
proposed if it leaves less than `DAMPED` = 0.9, and less than the power `FASTER` = 3 of what is left now.

The eigenvalues are of one point and of at most `BATCH` samples, and without Adam's momentum. They are looked at on
demand only: `agon diagnose RUN --spectrum`.

Source: Mescheder et al. 2017, section 3; Gidel et al. 2019, section 3.2.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from agon.diagnosis import oscillation
from agon.diagnosis.finding import Examination, Finding, Remedy, unseen
from agon.diagnosis.one_batch import batch_of, rates_of
from agon.diagnosis.remedies import EXTRAGRADIENT, R1, UNROLL
from agon.diagnosis.rotation import rotates
from agon.diagnosis.spectrum import (
    RULES,
    Eigenvalues,
    after_a_turn,
    eigenvalues,
    plain,
    rotating,
    step_products,
    turns_product,
)
from agon.diagnosis.vector_field import Product, Vector, VectorField
from agon.diagnosis.view import RunView
from agon.dynamics import Dynamics, Extragradient, Turns
from agon.errors import RunError
from agon.experiment import Experiment
from agon.terminal.waiting import stage

LEFT = 0.5
FASTER, DAMPED = 3.0, 0.9
MOST, BATCH, SECONDS = 1_000_000, 64, 120.0
OWN, IN_TURNS = "own", "in turns"
AFTER = "left after a turn, "
WORDS = {
    "plain": "with plain steps",
    IN_TURNS: "with steps in turns",
    "a tenth of the rate": "with a tenth of the rate",
    "extragradient": "with extragradient",
}


@dataclass(frozen=True, kw_only=True)
class Spectrum:
    """Eigenvalues of a run's steps.

    Attributes:
        simultaneous: μ of M, for plain simultaneous steps.
        factors: rule -> the factors of its rotating eigenvalues; "own" is the run's own rule, if it is one of them.
        parameters: the number of weights.
    """

    simultaneous: Eigenvalues
    factors: Mapping[str, Eigenvalues]
    parameters: int

    def left(self, rule: str) -> float:
        """The largest part of the distance that a rule leaves after a turn; 0 where nothing turns."""
        return float(max(after_a_turn(self.factors[rule]), default=0.0))


def examine(view: RunView) -> Examination:
    """Look for steps that circle."""
    spectrum = spectrum_of(view)
    if isinstance(spectrum, str):
        return unseen(spectrum)
    evidence = {f"{AFTER}{rule}": spectrum.left(rule) for rule in spectrum.factors}
    evidence |= {"weights": float(spectrum.parameters), "eigenvalues": float(len(spectrum.simultaneous))}
    if OWN not in spectrum.factors:
        return Examination(evidence=evidence, unseen="the run's dynamics are not plain steps; the numbers are of those")
    turning = [f for f in spectrum.factors[OWN] if abs(np.angle(f)) * max(view.reached, 1) > 2 * np.pi]
    circling = [f for f in turning if after_a_turn(np.array([f]))[0] > LEFT]
    swings = rotates(view) or bool(oscillation.examine(view).findings)
    if not swings or not circling or view.experiment is None:
        return Examination(evidence=evidence)
    return Examination(findings=(_finding(spectrum, circling, evidence, view.experiment),), evidence=evidence)


def spectrum_of(view: RunView) -> Spectrum | str:
    """The eigenvalues of a run's steps at its last checkpoint; or why there are none.

    Raises:
        NotInstalledError: the game is not tiny, and scipy is not installed.
    """
    training, experiment = view.live, view.experiment
    if isinstance(training, str) or experiment is None:
        return training if isinstance(training, str) else "there is no experiment"
    n = sum(p.numel() for p in training.game.parameters() if p.requires_grad)
    if n > MOST:
        return f"the game has {n:,} weights, and the eigenvalues are computed of at most {MOST:,}"
    batch = batch_of(view, training, BATCH)
    if isinstance(batch, str):
        return batch
    field = VectorField(training.game, batch)
    rates = rates_of(training, field.value)
    if isinstance(rates, str):
        return rates
    if not (np.isfinite(field.value).all() and np.isfinite(rates).all()):
        return "a gradient is not finite"
    try:
        with stage("eigenvalues of the game's steps"):
            return _spectrum(field, rates, experiment.dynamics, list(training.game.players))
    except _OutOfTimeError:
        return f"the eigenvalues of {n:,} weights took over {SECONDS:g} seconds"


class _OutOfTimeError(Exception):
    """The computation has taken too long."""


def _spectrum(field: VectorField, rates: Vector, dynamics: Dynamics, players: list[str]) -> Spectrum:
    product, n = _bounded(step_products(field, rates)), len(field)
    own = dynamics if isinstance(dynamics, Turns) else None
    turns = [[players.index(p) for p in group] for group in own.order] if own else [[i] for i in range(len(players))]
    values = eigenvalues(product, n)
    in_turns = eigenvalues(turns_product(product, field.players, turns), n)
    factors = {name: rule(rotating(values)) for name, rule in RULES.items()}
    factors[IN_TURNS] = plain(rotating(in_turns))
    if own is not None:
        factors[OWN] = factors[IN_TURNS]
    elif isinstance(dynamics, Extragradient) and len(dynamics.turns.order) == 1:
        factors[OWN] = factors["extragradient"]
    return Spectrum(simultaneous=values, factors=factors, parameters=n)


def _bounded(product: Product) -> Product:
    end = time.monotonic() + SECONDS

    def bounded(u: Vector) -> Vector:
        if time.monotonic() > end:
            raise _OutOfTimeError
        found = product(u)
        if not np.isfinite(found).all():
            raise RunError("a derivative of the gradients is not finite")
        return found

    return bounded


def _finding(
    spectrum: Spectrum, circling: list[complex], evidence: dict[str, float], experiment: Experiment
) -> Finding:
    worst = max(circling, key=lambda factor: float(after_a_turn(np.array([factor]))[0]))
    turn, left = 2 * np.pi / abs(np.angle(worst)), float(after_a_turn(np.array([worst]))[0])
    return Finding(
        sickness="no-equilibrium",
        severity="serious",
        since_step=None,
        evidence={**evidence, "steps of a turn": float(turn), "left": left},
        sentence=(
            f"the run's steps circle instead of arriving: they turn once in {turn:.3g} steps, after which {left:.2g} "
            f"of the distance from the equilibrium is left"
            + ("" if _helping(spectrum) else "; neither smaller steps nor extragradient would change that much")
        ),
        remedies=_remedies(spectrum, experiment),
    )


def _remedies(spectrum: Spectrum, experiment: Experiment) -> tuple[Remedy, ...]:
    """The rules that damp what circles, the best first; then what changes the game."""
    rules = {"extragradient": EXTRAGRADIENT, "a tenth of the rate": _slower(experiment)}
    return (*(rules[rule] for rule in _helping(spectrum)), R1, UNROLL)


def _helping(spectrum: Spectrum) -> list[str]:
    """The rules under which a turn damps `FASTER` times as much as it does now, on a scale of logarithms."""
    enough = min(DAMPED, spectrum.left(OWN) ** FASTER)
    rules = sorted((spectrum.left(rule), rule) for rule in ("extragradient", "a tenth of the rate"))
    return [rule for left, rule in rules if left < enough]


def _slower(experiment: Experiment) -> Remedy:
    players = list(experiment.build().players)
    rates = {player: experiment.optimiser(player).settings.get("lr", 1e-3) / 10 for player in players}
    paths = (
        {"": next(iter(rates.values()))} if len(set(rates.values())) == 1 else {f".{p}": r for p, r in rates.items()}
    )
    options = " ".join(f"--set optimisers{player}.lr={rate:g}" for player, rate in paths.items())
    return Remedy("take a tenth of the learning rate", options, "Mescheder et al. 2017, section 3, lemma 4")


def told(evidence: Mapping[str, float]) -> str:
    """What the eigenvalues say, as a line: what each rule of steps leaves of the distance from an equilibrium."""
    left = {rule: evidence[AFTER + rule] for rule in (*WORDS, OWN) if AFTER + rule in evidence}
    if not any(left.values()):
        return "none of the leading ones turns more than it stretches"
    parts = ", ".join(f"{left[rule]:.2g} {words}" for rule, words in WORDS.items())
    own = f"; {left[OWN]:.2g} with the run's own steps" if OWN in left else ""
    return f"of the distance from an equilibrium, a turn leaves at most {parts}{own}"
