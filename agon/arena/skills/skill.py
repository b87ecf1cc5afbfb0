"""Skill over a training: the players of each step meet those of all earlier and later ones, and are rated."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from agon import __version__
from agon.arena.ratings.matrix import AreaMatrix
from agon.arena.ratings.rating import Rating, Ratings, rate
from agon.arena.skills.past import field_of, meet, name_of
from agon.arena.skills.trends import FEWEST as ENOUGH
from agon.arena.skills.trends import Trend, trend
from agon.arguments import check_samples, check_seed
from agon.errors import Change, RunError, command, installed
from agon.experiment import Experiment
from agon.figures.bands import Band, bands_png
from agon.figures.numbers import number
from agon.metrics.auroc import PROTOCOL
from agon.metrics.gam.critic import DEFAULT, Statistics
from agon.metrics.intervals import NORMAL
from agon.runs import Directory, Run, unreadable
from agon.runs.files import AGAIN
from agon.runs.layout import SKILL, SKILL_PICTURE
from agon.samples.making import load
from agon.terminal.waiting import stage, waiting
from agon.untrusted import MALFORMED, parse_json

N = 2_000
FEWEST = 2  # snapshots that can meet
UNSURE = 0.4  # share of unexplained variance: above it, skill followed other scores badly or not at all (docs/skill.md)
SCALE = "Skill in logits: 0 is the mean of the generators of this run; intervals cover the noise of samples alone."
SNAPSHOTS = Change("snapshots", 20, "--snapshots 20")


@dataclass(frozen=True, kw_only=True)
class Skill:
    """How good the generators and the critics of one training are, each step against all others.

    Ratings are relative: 0 is the mean of the generators of this run, so they do not compare with those of another run.

    Attributes:
        steps: in order.
        matrix: the generator of each step before the critic of each step.
        ratings: of "step 100" and so on.
        left_out: step -> the sentence that says why it did not take part.
        protocol: n, seed, statistics of batch normalisation, versions; as plain values.
    """

    steps: tuple[int, ...]
    matrix: AreaMatrix
    ratings: Ratings
    left_out: Mapping[int, str] = field(default_factory=dict)
    protocol: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def generators(self) -> list[Rating]:
        """The ratings of the generators, in the order of the steps."""
        by_name = {rating.name: rating for rating in self.ratings.generators}
        return [by_name[name_of(step)] for step in self.steps]

    @cached_property
    def critics(self) -> list[Rating]:
        """The ratings of the critics, in the order of the steps."""
        by_name = {rating.name: rating for rating in self.ratings.critics}
        return [by_name[name_of(step)] for step in self.steps]

    def trend(self) -> Trend:
        """Where the skill of the generators goes.

        Raises:
            DataError: there are too few steps to tell.
        """
        errors = [_half(rating) / NORMAL for rating in self.generators]
        return trend(self.steps, [rating.value for rating in self.generators], errors)

    @property
    def sentence(self) -> str:
        """Whether the skill of the generators rises, has stopped rising, or falls."""
        if len(self.steps) < ENOUGH:
            return f"{len(self.steps)} snapshots are too few to say where skill goes; keep more: {SNAPSHOTS.option}."
        unsure = " Who fools whom is hardly a matter of skill here, so trust this curve little."
        return self.trend().sentence("The generator's skill") + (unsure if self.ratings.unexplained > UNSURE else "")

    @property
    def rows(self) -> list[dict[str, Any]]:
        """A row for each step as plain values: step, and for both players the rating and its interval."""
        return [
            {
                "step": step,
                **{
                    f"{rating.role}{part}": value
                    for rating in (one, other)
                    for part, value in zip(("", "_low", "_high"), (rating.value, *_ends(rating)), strict=True)
                },
            }
            for step, one, other in zip(self.steps, self.generators, self.critics, strict=True)
        ]

    @property
    def lines(self) -> list[str]:
        """A table for the terminal, and the sentence below it."""
        rows = [("step", "generator", "95 %", "critic", "95 %")]
        rows += [
            (f"{step:,}", f"{one.value:.2f}", _spelled(one), f"{other.value:.2f}", _spelled(other))
            for step, one, other in zip(self.steps, self.generators, self.critics, strict=True)
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        table = ["  ".join(f"{word:>{width}}" for word, width in zip(row, widths, strict=True)) for row in rows]
        left_out = [f"Left out: step {step:,}: {why}" for step, why in self.left_out.items()]
        return [*table, SCALE, self._fit, *left_out, self.sentence]

    @property
    def _fit(self) -> str:
        """How well one number for each step explains the meetings."""
        home = self.ratings.home
        return (
            f"One number for each step leaves {self.ratings.unexplained:.0%} of the variance of who fools whom "
            f"unexplained; by the generator of its own step a critic is fooled {abs(home):.2f} logits "
            f"{'more' if home > 0 else 'less'} than by another one of equal skill."
        )

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def png(self) -> bytes:
        """Draw both curves over the logarithm of the steps, with their intervals."""
        bands = [
            Band(label, self.steps, [rating.value for rating in ratings], [_half(rating) for rating in ratings])
            for label, ratings in (("generator", self.generators), ("critic", self.critics))
        ]
        return bands_png(bands, x_label="step", y_label="skill (logits)")

    def plain(self) -> dict[str, Any]:
        """The skill as JSON values: the content of skill.json."""
        return {
            "steps": list(self.steps),
            "matrix": self.matrix.plain(),
            "ratings": self.ratings.plain(),
            "left_out": {str(step): why for step, why in self.left_out.items()},
            "protocol": dict(self.protocol),
            "sentence": self.sentence,
        }

    @classmethod
    def of_plain(cls, values: Mapping[str, Any]) -> "Skill":
        """The skill of `plain`."""
        return cls(
            steps=tuple(values["steps"]),
            matrix=AreaMatrix.of_plain(values["matrix"]),
            ratings=Ratings.of_plain(values["ratings"]),
            left_out={int(step): why for step, why in values["left_out"].items()},
            protocol=values["protocol"],
        )

    def write(self, folder: Path) -> list[Path]:
        """Write skill.json, and skill.png where matplotlib is installed, into a run or another folder."""
        files = Directory(folder, then=AGAIN)
        files.make(".")
        content = json.dumps(self.plain(), indent=1, allow_nan=False)
        files.write(SKILL, f"{content}\n".encode())
        if installed("matplotlib"):
            files.write(SKILL_PICTURE, self.png())
        return [folder / name for name in (SKILL, SKILL_PICTURE) if files.holds(name)]


def skill(
    run: Run | Path | str,
    *,
    n: int = N,
    seed: int = 0,
    statistics: Statistics = DEFAULT,
    out: Path | None = None,
    trust: bool = False,
    experiment: Experiment | None = None,
    data: Any = None,
    show: bool = True,
) -> Skill:
    """Rate the generators and critics of one training by a tournament of its snapshots, and write skill.json.

    Every generator meets every critic, of its own step, earlier and later ones: a_ij is the probability that the critic
    of step j finds a sample of step i at least as real as a held-out real one, and

        logit a_ij = g_i - d_j + home·[i = j] + noise,

    with the skill g_i of the generators and d_j of the critics (`agon.arena.rate`). For S snapshots that is S
    sets of samples and S² passes of n samples. Generators have averaged weights where the run averages any.

    Args:
        run: a run that keeps snapshots (`Experiment.snapshots`), or else several checkpoints; or its directory.
        n: number of samples of each step, and largest number of real test samples.
        seed: seed of the latents, the same for all steps, and of the held-out samples.
        statistics: statistics of a critic's batch normalisation, as in `agon.battle`.
        out: a folder for skill.json and skill.png; by default the run.
        trust: whether classes from outside agon may be imported.
        experiment: the experiment of the run, if its classes cannot be imported.
        data: the data that were handed over in Python when the run was begun, again.
        show: whether to say on standard error what takes longer than a few seconds, and how long it will take.

    Raises:
        DataError: the run has no critic, or other data than it was trained on, or too few test samples.
        RunError: it has too few snapshots, or cannot be written.

    Source: Olsson et al. 2018, "Skill rating for generative models", section 3, with areas for won matches.
    """
    run = Run.of(run)
    check_samples(n, "n")
    check_seed(seed, "seed")
    steps = steps_of(run)

    def at(step: int) -> Any:
        return load(run, trust=trust, experiment=experiment, data=data, step=step)

    with waiting(show), stage(f"skill of {len(steps)} snapshots"):
        meetings = field_of(run, at(steps[-1]), n, seed, statistics)
        matrix, left_out = meet(steps, at, meetings)
    judged = tuple(step for step in steps if step not in left_out)
    if len(judged) < FEWEST:
        raise RunError(f"{run.path}: expected {FEWEST} snapshots or more that can meet, got {len(judged)}; {left_out}")
    result = Skill(
        steps=judged,
        matrix=matrix,
        ratings=rate(matrix, seed),
        left_out=left_out,
        protocol=_protocol(n, seed, statistics),
    )
    with run.scoring():
        result.write(run.path if out is None else out)
    return result


def read_skill(run: Run | Path | str) -> Skill | None:
    """Read the skill.json of a run; None if it has none.

    Raises:
        RunError: it cannot be read.
    """
    run = Run.of(run)
    if not run.files.holds(SKILL):
        return None
    try:
        return Skill.of_plain(parse_json(run.files.read(SKILL)))
    except (OSError, *MALFORMED) as error:
        fault = error if isinstance(error, OSError) else OSError(f"{error!r:.80}")
        raise unreadable(fault, run.path / SKILL, f"{command('skill', run.path)} writes it again") from error


def steps_of(run: Run) -> list[int]:
    """The steps of a run's snapshots, or of its checkpoints after step 0 if it has too few.

    Raises:
        RunError: they are too few to meet.
    """
    kept = [step for step in run.kept if step]
    steps = run.past if len(run.past) >= FEWEST else kept
    if len(steps) < FEWEST:
        raise RunError(
            f"{run.path}: expected {FEWEST} snapshots or more, got {len(steps)}; {SNAPSHOTS} makes the next run keep "
            "some over its whole training",
            SNAPSHOTS,
        )
    return steps


def _protocol(n: int, seed: int, statistics: str) -> dict[str, Any]:
    import torch

    versions = {"version": __version__, "torch": torch.__version__}
    weights = "generators: averaged where the run averages any; critics: of the step"
    return {"n": n, "seed": seed, "statistics": statistics, "area": PROTOCOL, "weights": weights, **versions}


def _ends(rating: Rating) -> tuple[float | None, float | None]:
    return (None, None) if rating.interval is None else rating.interval


def _half(rating: Rating) -> float:
    return 0.0 if rating.interval is None else (rating.interval[1] - rating.interval[0]) / 2


def _spelled(rating: Rating) -> str:
    if rating.interval is None:
        return number(None)
    return f"[{rating.interval[0]:.2f}, {rating.interval[1]:.2f}]"
