"""agon resume: continue a run from its last checkpoint."""

from pathlib import Path
from typing import Any, Literal

from agon.arguments import PROCESSES, check_resources
from agon.cli.checks import check_runs
from agon.cli.evaluations import EVERY, N, check_evaluations, evaluation_callback
from agon.cli.shared import (
    CpusOption,
    GpusOption,
    MinutesOption,
    OnOption,
    ProgressOption,
    RunPath,
    ScriptOption,
    StorageOption,
    place_named,
    run_script,
    say_report,
)
from agon.errors import SettingError
from agon.runs.layout import SWEEP
from agon.runs.mirrors import check_storage, up_to_date
from agon.runs.named import local
from agon.runs.taken import refuse_shorter
from agon.storage import is_address
from agon.terminal import say


def resume(
    run: RunPath,
    /,
    steps: int | None = None,
    devices: int | None = None,
    threads: int | None = None,
    trust: bool = False,
    from_: ScriptOption = None,
    alarms: Literal["warn", "stop", "off"] = "warn",
    evaluate: str = "",
    evaluate_every: int = EVERY,
    evaluate_n: int = N,
    evaluate_extractor: str = "auto",
    storage: StorageOption = "",
    on: OnOption = "processes",
    cpus_per_job: CpusOption = None,
    gpus_per_job: GpusOption = None,
    minutes_per_job: MinutesOption = None,
    minutes_without_progress: ProgressOption = None,
) -> None:
    """Continue a run, many seeds, or a sweep, from the last good checkpoints, as if it had never stopped.

    Args:
        run: Run directory, directory of many seeds, or folder of a sweep; or the address of a run in storage.
        steps: Number of steps in all, for a longer training; by default the run's own.
        devices: Number of processes; by default the run's own.
        threads: CPU threads of each process, 0 for the cores that are free; by default the run's own, but not more than
            the cores of another machine.
        trust: Allow the run to import classes from outside agon, which runs their code.
        from_: Run this script of yours, up to its first training, for the classes that the run has from it.
        alarms: What to do when something goes wrong: warn, stop or nothing, as of agon train.
        evaluate: Metrics of agon evaluate to compute during the training, separated by commas; also skill.
        evaluate_every: With --evaluate: number of steps between evaluations.
        evaluate_n: With --evaluate: number of samples in each evaluation, always from the same latents.
        evaluate_extractor: With --evaluate: feature extractor, as of agon evaluate.
        storage: Mirror the run to this address from now on; or fetch it from there, if RUN is missing or empty.
        on: Where many seeds or a sweep go on.
        cpus_per_job: With --on ray, cores of each job.
        gpus_per_job: With --on ray, GPUs of each job.
        minutes_per_job: Time limit of each seed, or of each job of a sweep.
        minutes_without_progress: Limit of the time without a step.
    """
    check_evaluations(evaluate, evaluate_every, evaluate_n, evaluate_extractor)
    check_storage(storage)
    if storage and is_address(run):
        raise SettingError(f"--storage: expected with a directory, got {run}, which is in storage; leave it out")
    run = up_to_date(run, storage) if storage else local(run)
    check_resources(1 if devices is None else devices, threads or 0, memory=0)
    where = place_named(on, cpus_per_job, gpus_per_job, minutes_per_job, minutes_without_progress)
    if (run / SWEEP).is_file():
        if steps is not None or devices is not None or evaluate or alarms != "warn":
            raise SettingError(
                "agon resume: expected no --steps, --devices, --alarms or --evaluate for a sweep; leave them out"
            )
        _resume_sweep(run, from_, threads=threads, trust=trust, on=where, storage=storage)
        return
    check_runs([run])
    if steps is not None:
        refuse_shorter(run, steps)
    from agon.diagnosis import Alarms
    from agon.reports.trained import resume as resume_training
    from agon.reports.trained import resume_replicates
    from agon.runs import Run
    from agon.runs.layout import REPLICATES

    run_script(from_)
    if not (run / REPLICATES).exists():
        if where != PROCESSES:
            raise SettingError(
                "--on, --minutes-per-job, --minutes-without-progress: expected many seeds or a sweep, got one run; "
                "leave them out"
            )
        source = source_of(Run.open(run), trust) if evaluate else None
        callback = evaluation_callback(evaluate, evaluate_every, evaluate_n, evaluate_extractor, source, devices or 1)
        how: dict[str, Any] = {"devices": devices, "threads": threads, "trust": trust}
        resume_training(run, steps=steps, callback=callback, alarms=Alarms(alarms), storage=storage, **how)
        say_report(run)
        return
    if devices is not None or evaluate:
        raise SettingError("agon resume: expected no --devices and no --evaluate for many seeds; leave them out")
    how = {"threads": threads, "trust": trust}
    resume_replicates(run, steps=steps, alarms=Alarms(alarms), on=where, storage=storage, **how)
    say_report(run)


def _resume_sweep(folder: Path, script: Path | None, **how: Any) -> None:
    """Train and score what a sweep has left to do, and print its table."""
    from agon.reports.sweeps import resume as resume_sweep

    run_script(script)
    result = resume_sweep(folder, **how)
    say(*result.lines, folder / SWEEP)
    say_report(folder)


def source_of(run: Any, trust: bool) -> Any:
    """Return the data that a run is trained on."""
    from agon.experiment import Experiment

    return Experiment.from_json(run.experiment, trust).data
