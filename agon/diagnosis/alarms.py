"""Alarms: what goes wrong with a training, said and recorded at the step at which it can be seen.

agon.train(experiment, "runs/ring", alarms=Alarms("stop"))
"""

import os
import shlex
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal, get_args

from agon.diagnosis.diagnosing import finite
from agon.diagnosis.finding import SEVERITIES, Finding, Severity
from agon.diagnosis.live import RULES, Kept, sick
from agon.diagnosis.live_view import LiveReader, LiveView
from agon.diagnosis.remedies import applies
from agon.errors import AgonError, SettingError, unknown
from agon.runs import Run, append
from agon.runs.alarms import read_alarms
from agon.training import Look, Training

Action = Literal["warn", "stop", "off"]
ACTIONS: tuple[Action, ...] = get_args(Action)
LOOKS, CHECKPOINTS = 3, 2  # binary digits of the numbers of the looks that are made, of the checkpoints that stay
GRAVE: tuple[Severity, ...] = ("fatal", "serious")  # what stops a training


@dataclass(frozen=True)
class Alarms:
    """Makes what looks at a training as it goes on, for `agon.train(..., alarms=Alarms("stop"))`.

    It looks where a record or samples were written, at the 1st, 2nd, ... 8th, 10th, 12th, 14th, 16th, 20th of each, so
    that the number of looks grows with the logarithm of the steps. It reads what the run keeps, draws no random
    number and changes no weight: a training is the same, bit for bit, with and without it.

    Attributes:
        action: "warn" says a line for each sickness, once, and again if it gets graver; "stop" also ends the training
            with a `StoppedError`, and keeps a checkpoint from before the trouble. "off" only passes.

    Raises:
        SettingError: the action has another name.
    """

    action: Action = "warn"

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise SettingError(unknown("action of alarms", self.action, ACTIONS))

    def __call__(self, training: Training, run: Run) -> "Watching":
        """Watch one training."""
        return Watching(training, run, self.action)


class Watching:
    """Watches one training: a `training.Monitor`.

    Args:
        training: the training.
        run: its run, in which alarms are recorded.
        action: as of `Alarms`.
    """

    def __init__(self, training: Training, run: Run, action: Action) -> None:
        self.training, self.run, self.action = training, run, action
        self.reader = LiveReader(training, run)
        self.names = [] if action == "off" else list(RULES)
        self.looked: dict[str, None] = {}
        self.looks = 0
        self.seen: dict[str, int] = {}
        raised = read_alarms(run.alarms).raised if self.names else ()
        self.raised = {alarm.sickness: alarm.severity for alarm in raised}

    def look(self, last: bool) -> Look:
        """Look, if it is time; what cannot be looked at is left out, and is no error."""
        due = ("records", "samples") if last else self._due()
        if not self.names or not due:
            return Look()
        try:
            view = self.reader.view()
            new = [finding for finding in self._found(view, due, last) if self._is_new(finding)]
            self._record(new, last)
        except Exception as error:  # a training of hours must not end by a fault of what only looks at it
            if "AGON_DEBUG" in os.environ:
                raise
            self.names = []
            told = error.typed if isinstance(error, AgonError) else repr(error)
            return Look([f"step {self.training.step:,}: alarms are left out from here on: {told}"])
        grave = [finding for finding in new if finding.severity in GRAVE]
        stop = self._stopped(grave[0], view) if grave and self.action == "stop" and not last else ""
        return Look([self._line(finding) for finding in new], stop)

    def spared(self, steps: Collection[int]) -> Collection[int]:
        """With "stop", the first checkpoint and those with numbers 1, 2, 3, 4, 6, 8, 12, 16, 24, 32 and so on.

        So before each step there stays one of at least two thirds of it, or of the first two.
        """
        every = self.training.experiment.checkpoint_every
        return [s for s in steps if s % every == 0 and short(s // every, CHECKPOINTS)] if self.action == "stop" else ()

    def _due(self) -> tuple[Kept, ...]:
        """What of this step is new, if it is time to look at it."""
        step, experiment = self.training.step, self.training.experiment
        marks: dict[Kept, int] = {"records": experiment.log_every, "samples": experiment.sample_every}
        return tuple(name for name, every in marks.items() if step % every == 0 and short(step // every, LOOKS))

    def _found(self, view: LiveView, due: Collection[Kept], last: bool) -> Iterator[Finding]:
        self.looks += 1
        for name in [name for name in self.names if RULES[name].of in due]:
            try:
                findings = sick(name, view, last)
            except AgonError:
                continue
            self.looked[name] = None
            if not findings and RULES[name].settled(view):
                self.names.remove(name)
            for finding in findings:
                self.seen[finding.sickness] = self.training.step
                yield finding

    def _is_new(self, finding: Finding) -> bool:
        """Whether it was not raised before, or is graver now."""
        before = self.raised.get(finding.sickness)
        new = before not in SEVERITIES or SEVERITIES.index(finding.severity) < SEVERITIES.index(before)
        if new:
            self.raised[finding.sickness] = finding.severity
        return new

    def _record(self, new: list[Finding], last: bool) -> None:
        step = self.training.step
        records: list[dict[str, Any]] = [
            {"step": step, **finding.plain, "evidence": finite(finding.evidence)} for finding in new
        ]
        if last:
            records.append({"step": step, "looked_at": list(self.looked), "looks": self.looks, "seen": self.seen})
        if records:
            append(self.run.alarms, *records)

    def _line(self, finding: Finding) -> str:
        advice = f"agon diagnose {shlex.quote(str(self.run.path))} says what to try"
        return f"step {self.training.step:,}: {told(finding)}; {advice}"

    def _stopped(self, finding: Finding, view: LiveView) -> str:
        """Why a training stops, and the command that goes on from before the trouble with a remedy."""
        run = self.run.path
        earlier = [step for step in self.run.kept if 0 < step < (finding.since_step or 0)]
        kept = f"the checkpoint of step {earlier[-1]:,} is from before it" if earlier else "no checkpoint is older"
        options = [remedy.option for remedy in finding.remedies if remedy.option and applies(remedy, view)]
        words = ["agon train", shlex.quote(str(run)), *options[:1]]
        words += [f"--init {shlex.quote(f'{run}@{earlier[-1]}')}"] if earlier else []
        command = " ".join([*words, f"--out {shlex.quote(str(beside(run)))}"])
        how = "go on from there with a remedy" if earlier else "begin again with a remedy"
        by_hand = next((remedy.sentence for remedy in finding.remedies if not remedy.option), "change what is wrong")
        advice = f"{how}: {command}" if options else f"{by_hand}, then: {command}"
        return f"stopped at step {self.training.step:,}: {told(finding)}; {kept}; {advice}"


def told(finding: Finding) -> str:
    """A finding as part of a sentence."""
    since = f", since step {finding.since_step:,}" if finding.since_step else ""
    return f"{finding.sickness} ({finding.severity}){since}: {finding.sentence}"


def short(number: int, digits: int) -> bool:
    """Whether a number is 0 after its first binary digits.

    >>> [n for n in range(33) if short(n, 2)]
    [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32]
    """
    rest: int = max(0, number.bit_length() - digits)
    return number >> rest << rest == number


def beside(run: Path) -> Path:
    """A path beside a run's that nothing has yet."""
    names = (f"{run}-treated{'' if i == 1 else f'-{i}'}" for i in count(1))
    return next(path for path in map(Path, names) if not path.exists())
