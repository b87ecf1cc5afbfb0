"""An average that lags: the averaged generator, of which samples are made, is much worse than the live one.

**Statistic.** The energy distance (`geometry.energy`) of samples of both from the real samples, from the same
latents.

**Normal.** The average is as good or better (Yazıcı et al. 2019, section 3).

**Threshold.** More than `WORSE` = 2 times the live distance, and more than `BY` = 0.05 above it, which is five times
the noise of 256 samples.
"""

from agon.diagnosis.finding import Examination, Finding, Remedy, unseen
from agon.diagnosis.geometry import energy
from agon.diagnosis.painting import latents, painted
from agon.diagnosis.view import RunView

WORSE, BY = 2.0, 0.05
FASTER = Remedy(
    "forget the first weights sooner",
    '--set averaging=\'{"type": "averaging", "decay": 0.99, "ramp": true}\'',
    "Karras et al. 2024 (EDM2), section 3, on the length of an average in relation to the training's",
)


def examine(view: RunView) -> Examination:
    """Compare the averaged generator with the live one."""
    if view.experiment is not None and view.experiment.averaging is None:
        return unseen("the run averages no weights")
    averaged, live = view.average, view.live
    if isinstance(averaged, str) or isinstance(live, str):
        return unseen(averaged if isinstance(averaged, str) else str(live))
    if view.real is None or not live.game.generating_players:
        return unseen("it needs real samples and a game that generates")
    z, labels = latents(live)
    mean, now = (energy(painted(view, training, z, labels), view.real) for training in (averaged, live))
    evidence = {"average": mean, "live": now}
    if mean <= WORSE * now or mean <= now + BY:
        return Examination(evidence=evidence)
    finding = Finding(
        sickness="lagging-average",
        severity="serious",
        since_step=None,
        evidence=evidence,
        sentence=(
            f"the averaged weights lag behind: their samples are {mean:.2g} from the real ones, those of the present "
            f"weights {now:.2g} (energy distance)"
        ),
        remedies=(FASTER,),
    )
    return Examination(findings=(finding,), evidence=evidence)
