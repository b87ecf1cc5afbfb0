"""The directory of replicates: replicates.json, and a run directory for each seed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agon.errors import RunError
from agon.replicates.plan import Plan
from agon.runs import Directory, Run, unreadable
from agon.runs.description import text_of
from agon.runs.layout import REPLICATES as FILE
from agon.untrusted import NotRegularError, parse_json


class Folder:
    """A directory of replicates.

    | name | content |
    |---|---|
    | replicates.json | the experiment, the seeds, and the choices that change arithmetic |
    | seed-7/ | the run of seed 7 |
    | report.html | all of them side by side |

    Attributes:
        path: the directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.files = Directory(path)

    def run(self, seed: int) -> Run:
        """The run of a seed, begun or not.

        Raises:
            RunError: another place's, to which a link leads.
        """
        try:
            return Run(self.files.folder(f"seed-{seed}"))
        except NotRegularError as error:
            raise unreadable(error, self.path / f"seed-{seed}", "put the run itself there") from error

    @property
    def runs(self) -> list[Run]:
        """The runs that are begun, in the order of the seeds.

        Raises:
            RunError: replicates.json cannot be read, or none is begun.
        """
        try:
            seeds = [int(seed) for seed in parse_json(self.text)["seeds"]]
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"{self.path / FILE} cannot be read ({error!r}); begin again in another folder") from error
        runs = [self.run(seed) for seed in seeds if self.begun(seed)]
        if not runs:
            raise RunError(f"{self.path} holds no run yet; agon resume {self.path} begins them")
        return runs

    def begun(self, seed: int) -> bool:
        """Whether there is a run of that seed to go on with."""
        return self.run(seed).begun

    def refuse_taken(self) -> None:
        """Raise a RunError if the path holds replicates, a run, or anything else already."""
        if self.files.holds(FILE):
            raise RunError(
                f"{self.path} holds replicates already; agon resume {self.path} goes on with them, "
                "or choose another folder"
            )
        Run(self.path).refuse_taken()

    @property
    def text(self) -> str:
        """The text of replicates.json."""
        if not self.files.holds(FILE):
            raise RunError(
                f"expected a directory of replicates, got {self.path}, which has no {FILE}; "
                f"agon train ... --out {self.path} --seeds 8 begins one"
            )
        return text_of(self.files, FILE)

    def write(self, plan: Plan) -> None:
        """Write what the replicates are."""
        self.files.write(FILE, plan.to_json().encode())

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Within it, this process alone writes the directory; it is made where it is missing.

        Raises:
            RunError: another process writes it, or it cannot be written.
        """
        self.files.make(".")
        with Run(self.path).locked():
            yield
