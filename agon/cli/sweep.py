"""agon sweep: train a recipe under many settings and seeds, score each run, and say which setting is best."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from agon.arguments import check_count, check_samples
from agon.cli.catalogue import catalogue, check_metrics
from agon.cli.checks import refuse_idle
from agon.cli.shared import (
    CpusOption,
    DataOption,
    GpusOption,
    MinutesOption,
    OnOption,
    ProgressOption,
    SetOptions,
    StorageOption,
    assignments,
    place_of,
    say_report,
)
from agon.cli.train import Train
from agon.cli.trained import is_file, recipe_named
from agon.cli.words import translated
from agon.errors import SettingError, require
from agon.runs.layout import SWEEP
from agon.terminal import say

SAMPLES, SEEDS = 5_000, 3  # in each score; of each setting
AT_ONCE = 4  # trials that a search proposes together
OverOptions = Annotated[
    tuple[str, ...],
    tyro.conf.arg(
        metavar="PATH=V1,V2,...",
        help="A setting and its values, as of --set; with --search random or bayes a range LOW..HIGH, too.",
    ),
    tyro.conf.UseAppendAction,
]


@dataclass
class SweepCommand:
    """Train a recipe under many settings and seeds, score each run, and say which setting is best, and how surely."""

    recipe: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="RECIPE")]
    """Name of the recipe, as of agon train; or a paper's sweep, e.g. im2016/rates, which has settings of its own."""
    out: Path
    """Folder of the sweep, new or empty; agon resume FOLDER goes on."""
    over: OverOptions = ()
    metric: str = ""
    """Metric of agon evaluate that decides, e.g. fid, kid or modes."""
    seeds: int | None = None
    """Number of seeds of each setting, from --seed on; by default 3."""
    search: Literal["grid", "random", "bayes"] = "grid"
    """Trials: all combinations, random draws (ranges above 0 are log-uniform), or Bayesian search (TPE, by Optuna)."""
    trials: int | None = None
    """With --search random or bayes: number of trials."""
    at_once: int = AT_ONCE
    """With --search bayes: number of trials that are proposed together; it changes the proposals."""
    stop: Literal["none", "halving"] = "none"
    """Stop early: with halving, only the best third of the settings goes on from each rung of steps."""
    first_rung: int = 1
    """With --stop halving: no rung is earlier than this step."""
    n: int | None = None
    """Number of samples in each score; by default 5,000."""
    extractor: str = ""
    """Feature extractor of the score, as of agon evaluate; by default auto."""
    every: int | None = None
    """Number of steps between scores during the trainings, for curves; by default one score at the end."""
    jobs: int | None = None
    """Number of processes at a time; by default one for each core. It changes no digit."""
    on: OnOption = "processes"
    cpus_per_job: CpusOption = None
    gpus_per_job: GpusOption = None
    minutes_per_job: MinutesOption = None
    minutes_without_progress: ProgressOption = None
    storage: StorageOption = ""
    data: DataOption = None
    scale: Literal["smoke", "quick", "paper"] = "quick"
    """Size of each training, as of agon train."""
    seed: int | None = None
    """First seed, and the seed of --search; by default 0, or the file's own."""
    steps: int | None = None
    """Number of steps of each training; by default the recipe's own."""
    batch: int | None = None
    """Number of real samples in each batch; by default the recipe's own."""
    set_: SetOptions = ()
    """Change one setting of all trainings, e.g. --set game.objective=hinge."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Device to compute on; auto takes the best one."""
    precision: Literal["fp32", "bf16", "fp64"] = "fp32"
    """Floating-point precision of the networks."""
    threads: int = 0
    """CPU threads of each training; 0 takes one."""
    trust: bool = False
    """Allow an experiment's file to import classes from outside agon, which runs their code."""

    def __call__(self) -> None:
        self._complete()
        over, train = self._checked()
        from agon.reports.sweeps import sweep
        from agon.sweeps import Halving
        from agon.training import Compute

        names = ("metric", "seeds", "n", "extractor", "every", "jobs", "storage", "trust")
        options: dict[str, Any] = {name: getattr(self, name) for name in names}
        result = sweep(
            _make(train, over),
            self.out,
            over=over,
            **options,
            search=self._search(train),
            halving=Halving(first=self.first_rung) if self.stop == "halving" else None,
            compute=Compute(device=self.device, precision=self.precision, threads=self.threads),
            on=place_of(self),
        )
        say(*result.lines, self.out / SWEEP)
        say_report(self.out)

    def _complete(self) -> None:
        """Take what was not given from the sweep of this name, if there is one, else the defaults."""
        named = catalogue()["sweep"].get(self.recipe, {})
        self.recipe = named.get("recipe", self.recipe)
        if not self.over:
            self.over = tuple(f"{path}={','.join(values)}" for path, values in named.get("over", {}).items())
        self.metric = self.metric or named.get("metric", "")
        self.extractor = self.extractor or named.get("extractor", "auto")
        self.n = named.get("n", SAMPLES) if self.n is None else self.n
        self.seeds = named.get("seeds", SEEDS) if self.seeds is None else self.seeds

    def _checked(self) -> tuple[dict[str, list[str]], Train]:
        """Refuse what can be refused before torch is imported; return what varies, and the training of all."""
        if not self.over:
            raise SettingError("agon sweep: expected settings to vary, got none; an example is --over lr=1e-4,1e-3")
        pairs = map(values_of, self.over)
        over = dict(pairs if self.search != "bayes" else (in_own_words(*pair) for pair in pairs))
        if len(over) < len(self.over):
            raise SettingError("--over: expected each setting once, got one twice; give all its values in one --over")
        if not self.metric:
            raise SettingError(f"--metric: expected what decides, out of {', '.join(catalogue()['metric'])}; got none")
        check_metrics([self.metric], self.extractor)
        check_samples(self.n or 0)
        for name, count in (("--every", self.every), ("--jobs", self.jobs), ("--at-once", self.at_once)):
            check_count(1 if count is None else count, name)
        self._check_search()
        shared = ("data", "scale", "seed", "steps", "batch", "set_", "device", "precision", "threads", "trust")
        options = {name: getattr(self, name) for name in (*shared, "on", "storage")}
        train = Train(self.recipe, self.out, seeds=self.seeds, **options)
        place_of(self)
        train.check()
        return over, train

    def _check_search(self) -> None:
        """Refuse a number of trials without a search, or the reverse, and a search that is not installed."""
        if (self.search == "grid") != (self.trials is None):
            got = "none" if self.trials is None else f"{self.trials} with --search grid, which takes all combinations"
            raise SettingError(f"--trials: expected with --search random or bayes, got {got}")
        check_count(1 if self.trials is None else self.trials, "--trials")
        if self.search != "bayes":
            refuse_idle({"--at-once": self.at_once != AT_ONCE}, "--search bayes")
        if self.stop == "none":
            refuse_idle({"--first-rung": self.first_rung != 1}, "--stop halving")
        if self.search == "bayes":
            require("optuna")

    def _search(self, train: Train) -> Any:
        """Return how trials are chosen; None for all combinations."""
        from agon.sweeps import BayesianSearch, RandomSearch

        if self.trials is None:
            return None
        seed = train.experiment().seed if self.seed is None and is_file(self.recipe) else self.seed
        if self.search == "random":
            return RandomSearch(self.trials, seed)
        return BayesianSearch(self.trials, self.at_once, seed)


def values_of(text: str) -> tuple[str, list[str]]:
    """Split PATH=V1,V2 into the path and the values; commas within brackets or quotes belong to a value.

    >>> values_of("lr=1e-4,1e-3"), values_of("dynamics.order=[[1,2]],[]")
    (('lr', ['1e-4', '1e-3']), ('dynamics.order', ['[[1,2]]', '[]']))
    """
    path, equals, rest = text.partition("=")
    if not equals or not path or not rest:
        raise SettingError(f"--over: expected PATH=V1,V2,..., got '{text}'; an example is lr=1e-4,1e-3")
    values, depth, quoted = [""], 0, False
    for letter in rest:
        quoted ^= letter == '"'
        depth += 0 if quoted else (letter in "[{(") - (letter in "]})")
        if letter == "," and not depth and not quoted:
            values.append("")
        else:
            values[-1] += letter
    values = [value.strip() for value in values]
    if not all(values):
        raise SettingError(f"--over {path}: expected values between the commas, got '{rest}'")
    assignments([f"{path}={value}" for value in values])
    return path, values


def in_own_words(path: str, values: Sequence[str]) -> tuple[str, list[str]]:
    """A setting and its values in agon's own words, in which a search that goes on finds it in the experiment.

    >>> in_own_words("lr", ["1e-5..1e-2"])
    ('optimisers.lr', ['1e-5..1e-2'])
    """
    pairs = [translated(path, value) for value in values]
    return pairs[0][0], [value for _, value in pairs]


def _make(train: Train, over: Collection[str]) -> Callable[[Mapping[str, str]], Any]:
    """Return what makes the experiment of a trial: as agon train makes it with further --set.

    Raises:
        SettingError: the recipe chooses its steps by a measured time, so that trials would get different ones.
    """
    budgets: Mapping[str, float] = {} if is_file(train.recipe) else recipe_named(train.recipe).budgets
    stated = train.steps is not None or "steps" in over or any(each.startswith("steps=") for each in train.set_)
    if not stated and budgets.get(train.scale):
        raise SettingError(f"--steps: expected a number of steps, since {train.recipe} chooses it by time; got none")

    def make(settings: Mapping[str, str]) -> Any:
        chosen: Sequence[str] = [f"{path}={value}" for path, value in settings.items()]
        return replace(train, set_=(*train.set_, *chosen)).experiment()

    return make
