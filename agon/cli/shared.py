"""Types of arguments that several commands share, and functions on them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Protocol

import tyro

from agon.arguments import PROCESSES, counts_epochs, epochs_advice
from agon.cli.words import translated
from agon.errors import SettingError
from agon.terminal import say

SetOptions = Annotated[
    tuple[str, ...],
    tyro.conf.arg(
        name="set",
        metavar="PART.FIELD=VALUE",
        help="Change one setting, e.g. --set data.size=32.",
    ),
    tyro.conf.UseAppendAction,
]
SizeOption = Annotated[
    str | None,
    tyro.conf.arg(
        metavar="PIXELS",
        help="Crop images at the centre and resize them to this side, e.g. 64, or to HEIGHTxWIDTH, e.g. 48x64.",
    ),
]
SkipOption = Annotated[bool, tyro.conf.arg(help="Leave out images that cannot be read, instead of refusing the set.")]
DataOption = Annotated[
    str | None,
    tyro.conf.arg(
        help="Data set: a folder, a file, a Hub name, or the name of a toy distribution; by default the recipe's own.",
    ),
]
OnOption = Annotated[
    str,
    tyro.conf.arg(
        metavar="processes|ray|ray://HOST:PORT",
        help="Where to work: in processes of this machine, or on a Ray cluster whose machines share the folder's "
        "path, or a storage.",
    ),
]
CpusOption = Annotated[
    float | None, tyro.conf.arg(help="With --on ray: cores of each job, or a share of one; by default its threads.")
]
GpusOption = Annotated[
    float | None,
    tyro.conf.arg(help="With --on ray: GPUs of each job, or a share of one; by default 1 with CUDA, else 0."),
]
MinutesOption = Annotated[
    float | None,
    tyro.conf.arg(help="Stop each job after so many minutes; it keeps what it has, and the others go on."),
]
ProgressOption = Annotated[
    float | None,
    tyro.conf.arg(help="Stop a job that has made no step for so many minutes; a score makes none, so give it time."),
]
StorageOption = Annotated[
    str,
    tyro.conf.arg(
        metavar="ADDRESS",
        help="Mirror the run to s3://BUCKET/NAME, gs://BUCKET/NAME or file:///FOLDER as it is written; agon resume "
        "ADDRESS goes on with it on any machine.",
    ),
]
DataOptions = Annotated[
    tuple[str, ...],
    tyro.conf.arg(
        metavar="[SET=]SOURCE",
        help="Read a set of images from here, e.g. mnist=FOLDER.",
    ),
    tyro.conf.UseAppendAction,
]
ScriptOption = Annotated[
    Path | None,
    tyro.conf.arg(
        name="from",
        metavar="SCRIPT",
        help="Run this script of yours, up to its first training, for the classes that the run has from it.",
    ),
]
RunPaths = Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="[RUN ...]")]
RunPath = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]


class HasPlace(Protocol):
    """A command with the options that say where its jobs are done, and what each of them may take."""

    on: str
    cpus_per_job: float | None
    gpus_per_job: float | None
    minutes_per_job: float | None
    minutes_without_progress: float | None


def place_of(command: HasPlace) -> Any:
    """Return where the jobs of a command are done; see `place_named`."""
    limits = (command.minutes_per_job, command.minutes_without_progress)
    return place_named(command.on, command.cpus_per_job, command.gpus_per_job, *limits)


def place_named(
    on: str, cpus: float | None, gpus: float | None, minutes: float | None = None, without_progress: float | None = None
) -> Any:
    """Return where jobs are done, as --on, the resources and the time limits of each job say it.

    Raises:
        SettingError: it is no place, or resources are given without a cluster.
        NotInstalledError: Ray is not installed.
    """
    limits = {"minutes": minutes, "minutes_without_progress": without_progress}
    if on != PROCESSES:
        from agon.jobs import OnRay, place

        return place(OnRay(address="" if on == "ray" else on, cpus=cpus, gpus=gpus, **limits))
    if cpus is not None or gpus is not None:
        raise SettingError("--cpus-per-job, --gpus-per-job: expected with --on ray alone; leave them out, or add it")
    if minutes is None and without_progress is None:
        return on
    from agon.jobs import OnProcesses

    return OnProcesses(**limits)


def names(text: str) -> list[str]:
    """Split a text at its commas into names."""
    return [name for name in text.replace(" ", "").split(",") if name]


def assignments(settings: Sequence[str]) -> list[tuple[str, str]]:
    """Return the path and the value of each setting PART.FIELD=VALUE, in agon's words.

    Raises:
        SettingError: a setting is not written like this.
    """
    pairs = []
    for setting in settings:
        path, equals, value = setting.partition("=")
        if not equals or not path:
            raise SettingError(f"--set: expected PART.FIELD=VALUE, got '{setting}'; an example is batch=32")
        if counts_epochs(path):
            raise SettingError(f"--set {path}: {epochs_advice(value)}")
        pairs.append(translated(path, value))
    return pairs


def image_settings(size: str | None, skip_corrupt: bool) -> list[tuple[str, str]]:
    """Return the settings that --size and --skip-corrupt stand for.

    >>> image_settings("48x64", True)
    [('data.size', '[48, 64]'), ('data.skip_corrupt', 'true')]

    Raises:
        SettingError: the size is neither a side nor HEIGHTxWIDTH.
    """
    settings = []
    if size is not None:
        sides = size.lower().replace(",", "x").split("x")
        if len(sides) > 2 or not all(side.strip().isdecimal() and int(side) for side in sides):
            raise SettingError(f"--size: expected a side in pixels, as 64, or HEIGHTxWIDTH, as 48x64, got '{size}'")
        settings.append(("data.size", sides[0] if len(sides) == 1 else f"[{', '.join(sides)}]"))
    return [*settings, *([("data.skip_corrupt", "true")] if skip_corrupt else [])]


def of_data(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the settings under the names that a source alone has: size for data.size."""
    return [(path.removeprefix("data."), value) for path, value in pairs]


def run_script(script: Path | None) -> None:
    """Run the script that defines a run's classes, if one is named."""
    if script is not None:
        from agon.experiment.scripts import run_script

        run_script(script)


def changed(owner: Any, pairs: Iterable[tuple[str, str]]) -> Any:
    """Return an experiment or a source with each setting changed."""
    from agon.experiment import changed as with_setting

    for path, value in pairs:
        owner = with_setting(owner, path, value)
    return owner


def source_named(text: str, settings: Iterable[tuple[str, str]]) -> Any:
    """Return the source that a word names with settings under their own names; a layout decides its kind."""
    from agon.data import named

    settings = list(settings)
    layout = {path: value for path, value in settings if path == "layout"}
    return changed(named(text, **layout), settings)


def spread(paths: Sequence[Path]) -> list[Path]:
    """Return the run directories at these paths; a directory of seeds or of runs stands for the runs in it."""
    from agon.runs.groups import runs_in
    from agon.runs.layout import REPLICATES
    from agon.training.replicates import Folder

    runs: list[Path] = []
    for path in paths:
        runs += [run.path for run in Folder(path).runs] if (path / REPLICATES).is_file() else runs_in(path)
    return list({run.resolve(): run for run in runs}.values())


def write_report(runs: Sequence[Path], out: Path | None, trust: bool = False) -> None:
    """Write the page, and print its path."""
    from agon.reports import write
    from agon.terminal.waiting import stage, waiting

    with waiting(), stage("report"):
        page = write(runs, out, diagnosed=True, trust=trust)
    say(page)


def say_report(directory: Path) -> None:
    """Print the path of the page that a training has left."""
    from agon.runs.layout import REPORT
    from agon.training import is_main_process

    if is_main_process() and (directory / REPORT).is_file():
        say(directory / REPORT)
