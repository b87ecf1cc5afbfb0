"""What another process needs to do a job: the job as bytes, and what it imports first."""

import os
import pickle
import sys
from collections.abc import Sequence
from typing import Any

from agon.errors import SettingError
from agon.jobs.job import Job
from agon.jobs.worker import NAME


def preparation(jobs: Sequence[Job]) -> dict[str, Any]:
    """The argument of `spawn.prepare`; it names the user's script only if the jobs need its classes.

    Raises:
        SettingError: the classes are from an interactive session, which no process can import.
    """
    prepared = {"name": NAME, "sys_argv": sys.argv, "sys_path": list(sys.path), "dir": os.getcwd()}
    needed = sorted({path for job in jobs for path in job.imports if path.startswith("__main__:")})
    if not needed:
        return prepared
    main = sys.modules["__main__"]
    if main.__spec__ is not None:
        return {**prepared, "init_main_from_name": main.__spec__.name}
    if getattr(main, "__file__", None) is not None:
        return {**prepared, "init_main_from_path": os.path.abspath(str(main.__file__))}
    raise SettingError(
        f"seeds: {needed[0].removeprefix('__main__:')} was defined in an interactive session, which no other "
        "process can import; put it into a module of its own"
    )


def pickled(jobs: Sequence[Job]) -> bytes:
    """Pickle jobs by their names, for our own processes; agon never writes or reads pickles in files.

    Raises:
        SettingError: a job cannot be sent to another process.
    """
    try:
        return pickle.dumps({job.name: job for job in jobs})
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise SettingError(
            f"seeds: the experiment cannot be handed to other processes ({error}); "
            "define its classes at the top of a module or script"
        ) from error
