"""The options --evaluate of agon train and agon resume: metrics while a model trains."""

from collections.abc import Callable, Sequence
from typing import Any

from agon.arguments import check_samples
from agon.cli.catalogue import check_metrics
from agon.cli.checks import refuse_idle
from agon.cli.shared import names
from agon.errors import AgonError, SettingError
from agon.ranks import joined

EVERY, N = 1_000, 5_000  # steps between evaluations, and samples of each, if nothing is said
FEATURED = "metrics that compare features, such as kid,"  # what an extractor is for
SKILL = "skill"  # no metric of agon evaluate: it needs the snapshots of a training


def check_evaluations(metrics: str, every: int, n: int, extractor: str) -> None:
    """Raise a SettingError for an unknown metric or extractor, a number out of range, or options without metrics."""
    if not metrics:
        defaults = {"every": every != EVERY, "n": n != N, "extractor": extractor != "auto"}
        refuse_idle({f"--evaluate-{name}": given for name, given in defaults.items()}, "--evaluate METRICS")
    else:
        check_metrics([name for name in names(metrics) if name != SKILL], extractor)
        if every < 1:
            raise SettingError(f"--evaluate-every: expected at least 1 step, got {every}")
        check_samples(n, "--evaluate-n")


def evaluation_callback(metrics: str, every: int, n: int, extractor: str, source: Any, devices: int = 1) -> Any:
    """Return the callback that computes these metrics during a training, or None without metrics.

    Raises:
        SettingError: a metric is unknown, or several processes would have to train a classifier.
    """
    from agon.evaluation import EvaluationCallback, ExtractorSpec, asked, compare_features
    from agon.training import Callback

    if not metrics:
        return None
    others = [name for name in names(metrics) if name != SKILL]
    chosen = asked(others, source) if others else []
    refuse_idle({"--evaluate-extractor": extractor != "auto" and not compare_features(chosen)}, FEATURED)
    if "classifier" in (*chosen, extractor) and (devices > 1 or joined() is not None):
        raise SettingError("--evaluate classifier: expected one process, got several; evaluate the run afterwards")
    functions: list[Callable[..., list[Any]]] = []
    if chosen:
        functions.append(EvaluationCallback(chosen, n, ExtractorSpec(extractor)))
    if SKILL in names(metrics):
        from agon.arena import SkillCallback

        functions.append(SkillCallback(n))
    return Callback(every, Together(functions))


class Together:
    """The functions of several callbacks as one, which calls all of them, also where one raises an AgonError.

    The first such error is raised last.
    """

    def __init__(self, functions: Sequence[Callable[..., list[Any]]]) -> None:
        self.functions = functions

    def __call__(self, *arguments: Any) -> list[Any]:
        """Return the scores of all."""
        scores: list[Any] = []
        errors: list[AgonError] = []
        for function in self.functions:
            try:
                scores += function(*arguments)
            except AgonError as error:
                errors.append(error)
        if errors:
            raise errors[0]
        return scores

    def check(self, training: Any) -> None:
        """Raise the first AgonError that one of them can tell beforehand."""
        from agon.training import Callback

        for function in self.functions:
            Callback(1, function).check(training)
