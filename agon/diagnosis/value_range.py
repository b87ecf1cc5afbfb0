"""Values out of range: the data leave the range that their source states, fill next to none of it, or the generator
cannot reach where the data are.

**Statistic.** The share of the real values that are outside of the source's range by more than `SLACK` = 1 % of its
width; the width between the 0.1 % and 99.9 % quantiles of the real values, over that of the range; the share of the
generator's values outside of the range by `SLACK`; and the share of the real values that are further than `BEYOND`
= 10 % of the range from all values of all looks.

**Normal.** 0, nearly 1, 0 for a generator that ends in tanh or a sigmoid, and 0.

**Thresholds.** `OUTSIDE` = 1 % of the real values; a width under `NARROW` = 10 %: bytes that were divided by 255 twice
have 0.4 %; `WILD` = 10 % of the generator's values; and `UNREACHED` = 10 % of the real values, after `LOOKS` = 3 looks.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from agon.data import Source
from agon.data.stored_range import stored_range
from agon.diagnosis.finding import Examination, Finding, Remedy, unseen
from agon.diagnosis.painting import latents
from agon.diagnosis.view import RunView

N, LOOKS = 500, 3
SLACK, BEYOND = 0.01, 0.1
OUTSIDE, NARROW, WILD, UNREACHED = 0.01, 0.1, 0.1, 0.1
RESCALE = Remedy("say which numbers are black and white in the files", "--set data.values='[{low:g}, {high:g}]'", "")
STRETCH = Remedy("scale the data to the whole range of their source before they are read", "", "")
SAME = Remedy(
    "end the generator in the activation of the data's range",
    "--set game.generator.range={range}",
    "radford2015, section 4: tanh, for images scaled to [-1, 1]",
)


def examine(view: RunView) -> Examination:
    """Compare the values of real and generated samples with the source's range."""
    data, source = view.trained_on, view.data
    if source is None or isinstance(data, str):
        return unseen(str(data))
    if source.range is None:
        return unseen("its data have no bounds")
    low, high = source.range
    real = (data.first(N).real.double().cpu().flatten() - low) / (high - low)  # the range is [0, 1] now
    ends = np.quantile(real.numpy(), [0.001, 0.999])
    evidence = {"real outside": _outside(real), "real width": float(ends[1] - ends[0])}
    findings = _of_data(evidence, source.range, lambda: _rescaled(source, float(real.min()), float(real.max())))
    training = view.average
    if not isinstance(training, str) and training.game.generating_players:
        z, labels = latents(training, 100)
        fake = (training.samples(z, labels).double().flatten() - low) / (high - low)
        evidence |= {"samples outside": _outside(fake)}
        if len(view.samples) > LOOKS:
            evidence["unreached"] = unreached(view, real)
        findings += _of_generator(evidence, source.range)
    return Examination(findings=tuple(findings), evidence=evidence)


def unreached(view: RunView, real: Tensor) -> float:
    """The share of real values, in [0, 1], that are far from all values of the looks after the beginning.

    None, if the looks have not come near either end: then the generator is young, whatever its range is.
    """
    assert view.data is not None
    looks = [samples for step, samples in view.samples.items() if step > 0]
    if len(view.data.shape) != 3:
        low, high = view.data.range or (0.0, 1.0)
        looks = [(view.data.scaled(torch.from_numpy(x)).double().numpy() - low) / (high - low) for x in looks]
    least, most = min(x.min() for x in looks), max(x.max() for x in looks)
    if least > BEYOND and most < 1 - BEYOND:
        return 0.0
    return float(((real < least - BEYOND) | (real > most + BEYOND)).double().mean())


def _outside(values: Tensor) -> float:
    return float(((values < -SLACK) | (values > 1 + SLACK)).double().mean())


def _rescaled(source: Source, low: float, high: float) -> Remedy:
    """Name the numbers that are least and greatest, at shares `low` and `high` of the range, where `values` works."""
    stored = stored_range(source)
    if stored is None:
        return STRETCH
    black, step = stored[0], (stored[1] - stored[0]) / 255
    slack = 0 if step == 1 else abs(step) / 2  # bytes tell numbers of other types up to half a step
    low, high = sorted(black + step * round(255 * end) for end in (low, high))
    low, high = max(min(stored), low - slack), high + slack
    return RESCALE._replace(option=RESCALE.option.format(low=low, high=max(high, low + abs(step))))


def _of_data(evidence: dict[str, float], bounds: tuple[float, float], remedy: Callable[[], Remedy]) -> list[Finding]:
    told = f"from {bounds[0]:g} to {bounds[1]:g}"
    findings = []
    if evidence["real outside"] > OUTSIDE:
        sentence = f"{evidence['real outside']:.0%} of the real values are outside of the range of the data, {told}"
        findings.append(_finding(sentence, evidence, remedy()))
    if evidence["real width"] < NARROW:
        sentence = f"the real values fill {evidence['real width']:.1%} of the range of the data, {told}"
        findings.append(_finding(sentence, evidence, remedy()))
    return findings


def _of_generator(evidence: dict[str, float], bounds: tuple[float, float]) -> list[Finding]:
    told = f"from {bounds[0]:g} to {bounds[1]:g}"
    remedy = SAME._replace(option=SAME.option.format(range=f"'[{bounds[0]:g}, {bounds[1]:g}]'"))
    findings = []
    if evidence["samples outside"] > WILD:
        sentence = f"{evidence['samples outside']:.0%} of the generator's values are outside of the range of the data"
        findings.append(_finding(f"{sentence}, {told}, and are cut off", evidence, remedy))
    if evidence.get("unreached", 0.0) > UNREACHED:
        sentence = f"the generator has come near none of {evidence['unreached']:.0%} of the real values at any look"
        findings.append(_finding(f"{sentence}: its range is not that of the data, {told}", evidence, remedy))
    return findings


def _finding(sentence: str, evidence: dict[str, float], remedy: Remedy) -> Finding:
    return Finding(
        sickness="wrong-range",
        severity="serious",
        since_step=0,
        evidence=dict(evidence),
        sentence=sentence,
        remedies=(remedy,),
    )
