"""Skill while a training goes on: the present generator before the critics of all earlier snapshots."""

from collections.abc import Mapping

from agon import __version__
from agon.arena.ratings.rating import rating_difference
from agon.arena.skills.past import Field, PastCritic, field_of, matrix_of, name_of
from agon.errors import AgonError, Change, SettingError
from agon.evaluation.evidence import Measurement
from agon.evaluation.recorded import keep_once, recorded, stamped
from agon.metrics import Score
from agon.metrics.auroc import Area
from agon.metrics.gam.critic import DEFAULT
from agon.runs import Run, read
from agon.samples.making import load
from agon.terminal import warn
from agon.terminal.waiting import stage, waiting_beside_training
from agon.training import Training

METRIC = "skill"
FEWEST = 2  # critics of earlier snapshots
SNAPSHOTS = Change("snapshots", 20, "--snapshots 20")
PROTOCOL = "rating of the generator before the critics of all earlier snapshots, above its rating at the first call"


class SkillCallback:
    """Rates the generator of a training, as the function of a `training.Callback`, without changing the training.

    Each call adds a row to the matrix of areas: the present generator before the critics of the snapshots that the run
    has kept so far. The rating of the last row above that of the first is recorded as "skill". Earlier generators do
    not meet later critics here, so `agon.skill` knows more when the training has ended, and its curve is the better
    one. The critics are kept in memory; after an interruption the rows are read from the run.

    Args:
        n: number of samples at each call, and largest number of real test samples.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self._field: Field | None = None
        self._critics: dict[int, PastCritic | None] = {}  # None for a snapshot that cannot judge

    def __call__(self, training: Training, run: Run) -> list[Score]:
        """Record the skill at this step in the run, and return it; nothing while there are fewer than two critics.

        Raises:
            SettingError: the training keeps no snapshots.
            DataError: its game has no critic, or there are too few test samples.
        """
        if not training.experiment.snapshots:
            raise SettingError(
                f"--evaluate skill: expected a training that keeps snapshots, got none; add {SNAPSHOTS}", SNAPSHOTS
            )
        field = self._field = self._field or field_of(run, training, self.n, 0, DEFAULT)
        critics = self._earlier(training, run, field)
        if len(critics) < FEWEST:
            return []
        series = {"metric": METRIC, "asked": self.n, "seed": field.seed, "version": __version__}
        passport = {**series, "step": training.step}
        if known := recorded(run, passport):
            return known
        with waiting_beside_training(), stage("skill"):
            samples = field.samples(training)
            row = {step: critic.area(samples) for step, critic in critics.items()}
        score = _score({**_rows(run, series), training.step: row}, list(critics), field)
        return keep_once(stamped(Measurement([score]), passport), run, passport)

    def _earlier(self, training: Training, run: Run, field: Field) -> dict[int, PastCritic]:
        """The critics of the snapshots before this step."""
        earlier = [step for step in run.past if step < training.step]
        for step in (step for step in earlier if step not in self._critics):
            try:
                self._critics[step] = field.critic(load(run, experiment=training.experiment, step=step))
            except AgonError as error:
                warn(f"skill: the critic of step {step} is left out: {error}")
                self._critics[step] = None
        return {step: critic for step in earlier if (critic := self._critics[step]) is not None}


def _rows(run: Run, series: Mapping[str, object]) -> dict[int, dict[int, Area]]:
    """The rows of earlier calls: step -> step of the critic -> area."""
    records = [record for record in read(run.metrics) if all(record.get(k) == v for k, v in series.items())]
    return {
        int(record["step"]): {int(step): Area(*area) for step, area in record["detail"]["areas"].items()}
        for record in records
    }


def _score(rows: Mapping[int, Mapping[int, Area]], critics: list[int], field: Field) -> Score:
    """The rating of the last row above that of the first."""
    ordered = dict(sorted(rows.items()))
    first, last = next(iter(ordered)), next(reversed(ordered))
    value, half = rating_difference(matrix_of(ordered, critics, field), name_of(last), name_of(first))
    return Score(
        name=METRIC,
        value=value,
        interval=(value - half, value + half),
        n=field.n,
        n_real=len(field.real.tested),
        protocol=f"{PROTOCOL}; batch normalisation {field.statistics}",
        detail={
            "areas": {str(step): list(area) for step, area in ordered[last].items()},
            "told": f"{len(critics)} critics, from step {critics[0]:,} to {critics[-1]:,}",
        },
    )
