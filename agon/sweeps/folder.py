"""The directory of a sweep: sweep.json, and a directory of replicates for each trial."""

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from agon.errors import RunError, command
from agon.runs import Directory
from agon.runs.description import described
from agon.runs.layout import SWEEP
from agon.runs.mirrors import push_held, stored_at
from agon.runs.run import locked_folder
from agon.runs.taken import refuse_taken
from agon.sweeps.halving import Halving
from agon.sweeps.scoring import Scoring
from agon.sweeps.search import BayesianSearch
from agon.sweeps.trials import Settings
from agon.training.replicates import Folder
from agon.training.replicates.folder import Plan, read_plan
from agon.untrusted import MALFORMED


@dataclass(frozen=True)
class SweepPlan:
    """What a sweep trains and scores.

    Attributes:
        over: path of each setting that varies -> its values, or its range in a random search.
        trials: trial's name -> its settings; a Bayesian search adds to them.
        seeds: the seeds of each trial.
        scoring: how runs are scored.
        halving: how trials are stopped early; None if all go to their end.
        search: how further trials are proposed; None if there are no further ones.
    """

    over: Mapping[str, Sequence[str]]
    trials: Mapping[str, Settings]
    seeds: tuple[int, ...]
    scoring: Scoring
    halving: Halving | None = None
    search: BayesianSearch | None = None

    def plain(self) -> dict[str, Any]:
        """The plan as JSON values."""
        return {
            "over": {path: list(values) for path, values in self.over.items()},
            "seeds": list(self.seeds),
            **asdict(self.scoring),
            "halving": None if self.halving is None else asdict(self.halving),
            "search": None if self.search is None else asdict(self.search),
            "trials": {name: dict(settings) for name, settings in self.trials.items()},
        }

    @classmethod
    def of_plain(cls, values: Mapping[str, Any]) -> "SweepPlan":
        """The plan of `plain`.

        Raises:
            KeyError, TypeError, ValueError, SettingError: it is none.
        """
        scoring = {name: values[name] for name in ("metric", "n", "extractor", "every")}
        halving = values["halving"]
        return cls(
            {str(path): tuple(map(str, texts)) for path, texts in values["over"].items()},
            {str(name): {str(k): str(v) for k, v in it.items()} for name, it in values["trials"].items()},
            tuple(map(int, values["seeds"])),
            Scoring(**scoring),
            None if halving is None else Halving(**halving),
            BayesianSearch.of_plain(values.get("search")),
        )


@dataclass
class SweepRecord:
    """What sweep.json holds.

    Attributes:
        plan: what is trained and scored.
        diverged: run, as "TRIAL/seed-0" -> the sentence of its divergence.
        told: trial -> what a Bayesian search was told of it: how bad it is, "diverged", or "failed".
        result: the table and what follows from it; empty before the end.
    """

    plan: SweepPlan
    diverged: dict[str, str] = field(default_factory=dict)
    told: dict[str, float | str] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)


class SweepFolder:
    """A directory of a sweep.

    | name | content |
    |---|---|
    | sweep.json | the settings that vary, the trials, how they are scored, and the result |
    | lr=1e-4,steps=5/ | the replicates of one trial |
    | report.html | the table, curves, and parallel coordinates |
    | storage.json | where all of it is mirrored, if it is |

    Attributes:
        path: the directory.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.files = path, Directory(path)

    @property
    def storage(self) -> str:
        """The address at which it is mirrored, with its runs below; "" if it is not."""
        return stored_at(self.path)

    def trial(self, name: str) -> Folder:
        """The directory of a trial's replicates."""
        return Folder(self.path / name)

    def refuse_taken(self) -> None:
        """Raise a RunError if the path holds a sweep, a run, or anything else already."""
        if self.files.holds(SWEEP):
            raise RunError(
                f"{self.path} holds a sweep already; {command('resume', self.path)} goes on with it, or choose another "
                "folder"
            )
        refuse_taken(self.path)

    def locked(self) -> AbstractContextManager[None]:
        """Lock the directory for this process, and make it if it is missing; see `runs.locked_folder`."""
        return locked_folder(self.path)

    def begin(self, record: SweepRecord, plans: Mapping[str, Plan]) -> None:
        """Write the plan of each trial, then sweep.json, which says that all of them are there."""
        for name, plan in plans.items():
            self.files.make(name)
            self.trial(name).write(plan)
        self.write(record)

    def write(self, record: SweepRecord) -> None:
        """Write sweep.json, and mirror it."""
        found = {"diverged": record.diverged, "told": record.told, "result": record.result}
        content = {**record.plan.plain(), **found}
        self.files.write(SWEEP, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
        push_held(self.path)

    def read(self) -> SweepRecord:
        """Read sweep.json.

        Raises:
            RunError: there is none, or it cannot be read.
        """
        if not self.files.holds(SWEEP):
            raise RunError(
                f"expected the directory of a sweep, got {self.path}, which has no {SWEEP}; "
                f"agon sweep ... --out {self.path} begins one"
            )
        values = described(self.files, SWEEP)
        try:
            diverged = {str(name): str(sentence) for name, sentence in dict(values["diverged"]).items()}
            told = {str(name): it if isinstance(it, str) else float(it) for name, it in values.get("told", {}).items()}
            return SweepRecord(SweepPlan.of_plain(values), diverged, told, dict(values["result"]))
        except MALFORMED as error:
            raise RunError(f"{self.path / SWEEP} cannot be read ({error!r}); begin again in another folder") from error

    def plans(self, record: SweepRecord, *, trust: bool = False, threads: int | None = None) -> dict[str, Plan]:
        """Read the plan of each trial.

        Raises:
            SettingError: it needs classes from outside agon, without trust.
            RunError: it cannot be read.
        """
        plans = {name: read_plan(self.trial(name).text, None, trust) for name in record.plan.trials}
        return {name: replace(plan, seeds=record.plan.seeds).with_threads(threads) for name, plan in plans.items()}
