"""A first-order look-alike: dynamics of a user's own say that they look ahead, and the critic's reaction is missing
from the generator's gradient.

**Statistic.** On one batch, in float64 and by plain gradient steps, a copy of the game makes one step of the dynamics.
The gradient with which the generator moves is compared with finite differences of the surrogate loss by
`agon.check_unrolling`, for K = the dynamics' own `steps`, at the critic as it is when the generator moves, and as it is
before the step: a loop that steps the critic itself, and puts it back later, moves the generator in between.

**Normal.** The true unrolled gradient, as `agon.Unrolled` has it.

**Threshold.** That of `check_unrolling`: the gradient is within 5 % of the first-order one, and not of the true one.
Only dynamics that are not agon's own are looked at, and only if their class could be imported, which needs trust.

Source: metz2017, equation 12: the second term is what is missing.
"""

import copy
from collections.abc import Mapping
from functools import partial

import torch

from agon.diagnosis.finding import Examination, Finding, Remedy, unseen
from agon.diagnosis.painting import as_drawn
from agon.diagnosis.remedies import UNROLL
from agon.diagnosis.view import RunView
from agon.dynamics import Verdict, check_unrolling
from agon.games import Adversarial, Batch
from agon.games.adversarial import loss_by
from agon.games.game import parameters_of
from agon.training import Training

N, RATE = 16, 0.1  # samples; of plain gradient steps, in which the reaction is well seen
WHOLE = Remedy(
    "differentiate through the critic's steps, as agon.unrolled_loss does; agon.check_unrolling is for your own tests",
    "",
    "metz2017, equation 12",
)


def examine(view: RunView) -> Examination:
    """Check the gradient of dynamics that are a user's own."""
    training = view.live
    if isinstance(training, str):
        return unseen(training)
    dynamics = training.experiment.dynamics
    if type(dynamics).__module__.partition(".")[0] == "agon":
        return unseen("the dynamics are agon's own")
    steps = getattr(dynamics, "steps", None)
    if type(steps) is not int or steps < 1 or not isinstance(training.game, Adversarial) or view.real is None:
        return unseen("it needs real samples, a generator, a critic, and dynamics whose `steps` say how far they look")
    if training.game.judged_classes or len(view.real) < 2:
        return unseen("it needs a critic that takes no labels")
    try:
        verdicts = checked(view, training, steps)
    except Exception as fault:  # a user's class may raise anything
        return unseen(f"a step of the dynamics raises {type(fault).__name__}: {fault}")
    if not verdicts:
        return unseen("the dynamics move the generator without its optimiser")
    evidence = {"steps": float(steps), "off": min(verdict.off for verdict in verdicts)}
    alike = [verdict for verdict in verdicts if verdict.kind == "first-order"]
    if any(verdicts) or not alike:
        return Examination(evidence=evidence)
    finding = Finding(
        sickness="first-order-gradient",
        severity="serious",
        since_step=0,
        evidence=evidence,
        sentence=(
            f"{type(dynamics).__name__} looks {steps} steps ahead without the critic's reaction: the generator's "
            f"gradient is a first-order look-alike, {alike[0].off:.0%} off the unrolled one"
        ),
        remedies=(WHOLE, UNROLL),
    )
    return Examination(findings=(finding,), evidence=evidence)


def checked(view: RunView, training: Training, steps: int) -> list[Verdict]:
    """Make a step on a copy, and check the gradient with which the generator moves, at both critics."""
    game = copy.deepcopy(training.game).double().train()
    assert isinstance(game, Adversarial)
    batch = _batch(view, training)
    optimisers = {p: torch.optim.SGD(parameters_of(game, p), lr=RATE) for p in game.players}
    before = copy.deepcopy(game)
    gradients: list[torch.Tensor | None] = []
    at_move: list[Adversarial] = []

    def note(*_: object) -> None:
        if not at_move:
            gradients.extend(None if p.grad is None else p.grad.clone() for p in parameters_of(game, "generator"))
            at_move.append(copy.deepcopy(before))  # whose parameters are free
            at_move[0].load_state_dict(game.state_dict())

    optimisers["generator"].register_step_pre_hook(note)
    training.experiment.dynamics.step(game, optimisers, lambda: batch)
    return [_verdict(state, batch, gradients, steps) for state in (*at_move, *([before] if at_move else []))]


def _verdict(game: Adversarial, batch: Batch, gradients: list[torch.Tensor | None], steps: int) -> Verdict:
    critic = game.critic
    return check_unrolling(
        critic,
        torch.optim.SGD(critic.parameters(), lr=RATE),
        inner=partial(loss_by, game, batch, "critic"),
        outer=partial(loss_by, game, batch, "generator"),
        steps=steps,
        parameters=list(game.generator.parameters()),
        gradient=gradients,
    )


def _batch(view: RunView, training: Training) -> Batch:
    assert view.real is not None
    real = as_drawn(view, view.real[:N]).double()
    rng = torch.Generator().manual_seed(0)
    noise: Mapping[str, torch.Tensor] = training.game.noise(tuple(real.shape), rng)
    latent = training.fixed_latents(len(real)).double()
    return Batch(real, latent, {name: x.double() for name, x in noise.items()}, None)
