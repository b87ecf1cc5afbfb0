"""A run -> samples -> scores, appended to the run."""

from agon.data import Source
from agon.errors import DataError
from agon.metrics import Judge, Score, class_coverage, fit_judge
from agon.runs import Run, append, read
from agon.sampling import load, sample

FITTED = 10_000  # images that a judge is fitted on, at most


def judge(source: Source) -> Judge:
    """A classifier fitted on a labelled source's own real images.

    Raises:
        DataError: the source has no classes, or is no set of images.
    """
    if not source.classes or len(source.shape) != 3:
        raise DataError("evaluate: expected images with classes, so that a classifier can be fitted; got none")
    real = source.take(min(FITTED, source.count() or FITTED))
    held = source.take(min(FITTED, source.count("test") or FITTED), split="test")
    assert real.label is not None
    assert held.label is not None  # a source with classes labels its draws
    return fit_judge(real.real, real.label, held.real, held.label, len(source.classes))


def evaluate(run: Run, *, n: int = 500, seed: int = 0, trust: bool = False) -> list[Score]:
    """Classes found and mean confidence of n samples, by a classifier of the run's own data.

    The scores are appended to metrics.jsonl, once: asking again with the same step, seed and n
    gives the recorded ones.
    """
    training = load(run, trust=trust)
    key = {"step": training.step, "seed": seed, "n": n}
    known = [r for r in read(run.metrics) if all(r.get(k) == v for k, v in key.items())]
    if known:
        fields = Score.__dataclass_fields__
        return [Score(**{k: v for k, v in record.items() if k in fields}) for record in known]
    source = training.experiment.data
    judging = judge(source)
    probabilities = judging.probabilities(sample(training, n, seed))
    scores = list(class_coverage(probabilities, source.classes, judging.protocol))
    with run.locked():
        for score in scores:
            append(run.metrics, {**score.record(), "step": training.step, "seed": seed})
    return scores
