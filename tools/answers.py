"""Questions about trainings, each put to a job, which writes its answer into a file for the driver."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import torch

from agon.errors import RunError
from agon.jobs import Job, Place, executor_for
from agon.terminal.multi_progress import MultiProgress
from agon.terminal.progress import ProgressFactory
from agon.untrusted import listed

Question = Callable[[str, int, Path], Any]  # of a name, a seed and the folder of runs; its answer is JSON


def answered(
    question: Question, names: Sequence[str], seeds: Sequence[int], folder: Path, jobs: int, on: Place
) -> dict[tuple[str, int], Any]:
    """The answer for each name and seed, by so many processes, or on a cluster.

    Raises:
        RunError: some jobs failed, and are named; what the others trained is kept.
    """
    files = {pair: folder / "answers" / f"{pair[0]}-{pair[1]}.json" for pair in product(names, seeds)}
    (folder / "answers").mkdir(parents=True, exist_ok=True)
    for file in files.values():
        file.unlink(missing_ok=True)  # of an earlier diagnosis
    todo = [Job(file.stem, partial(ask, question, *pair, folder, file)) for pair, file in files.items()]
    with MultiProgress({job.name: 1 for job in todo}, alike=False) as progress:
        outcome = executor_for(todo, jobs, on).run(progress)
    failed = [f"{name}: {it.sentence}" for name, it in outcome.ended.items() if it.status]
    if failed or outcome.signal:
        raise RunError(f"{len(outcome.ended)} of {len(todo)} jobs ended, {len(failed)} failed ({listed(failed)})")
    return {pair: json.loads(file.read_text(encoding="utf-8")) for pair, file in files.items()}


def ask(question: Question, name: str, seed: int, folder: Path, file: Path, _: ProgressFactory) -> None:
    """Write the answer into a file, in a worker."""
    torch.set_num_threads(1)
    file.write_text(json.dumps(question(name, seed, folder)), encoding="utf-8")
