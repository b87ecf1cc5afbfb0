"""Diagnose a run: look for every sickness of the table, and say what could not be looked at."""

import json
import math
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agon.diagnosis.finding import SEVERITIES, Examination, Finding, Remedy
from agon.diagnosis.no_equilibrium import told
from agon.diagnosis.remedies import applies
from agon.diagnosis.table import ON_DEMAND, SICKNESSES
from agon.diagnosis.view import RunView, view_of
from agon.errors import AgonError
from agon.experiment import Experiment
from agon.runs import Run
from agon.terminal.waiting import tracked, waiting


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What is wrong with a run, as far as could be seen.

    Attributes:
        run: the run's directory.
        state: how far the run is, as a phrase.
        findings: the gravest first.
        looked_at: the name of each look that was made -> the numbers that it saw, healthy or not.
        unseen: the name of each look that could not be made, or not all of it -> why.
    """

    run: str
    state: str
    findings: tuple[Finding, ...]
    looked_at: Mapping[str, Mapping[str, float]]
    unseen: Mapping[str, str]

    @property
    def healthy(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def names(self) -> list[str]:
        """The names of the sicknesses, the gravest first."""
        return list(dict.fromkeys(finding.sickness for finding in self.findings))

    @property
    def lines(self) -> list[str]:
        """The diagnosis as text, a finding or a remedy a line."""
        lines = [f"{self.run} ({self.state}): {self._verdict}"]
        for finding in self.findings:
            since = "" if not finding.since_step else f", since step {finding.since_step:,}"
            lines.append(f"  {finding.severity}: {finding.sickness}{since}: {finding.sentence}")
            lines += [f"    try: {self._told(remedy)}" for remedy in finding.remedies]
        if spectrum := self.looked_at.get("no-equilibrium"):
            lines.append(f"  eigenvalues: {told(spectrum)}")
        lines.append(f"  looked at: {', '.join(self.looked_at) or 'nothing'}")
        lines += [f"  not looked at: {', '.join(names)}: {why}" for why, names in self.unseen_for.items()]
        return lines

    @property
    def unseen_for(self) -> dict[str, list[str]]:
        """Each reason why a look could not be made -> the names of those that it kept from being made."""
        reasons = dict.fromkeys(self.unseen.values())
        return {why: [name for name, reason in self.unseen.items() if reason == why] for why in reasons}

    @property
    def plain(self) -> dict[str, Any]:
        """The diagnosis as plain values, for JSON; a number that is not finite is null."""
        return {
            "run": self.run,
            "state": self.state,
            "healthy": self.healthy,
            "findings": [{**f.plain, "evidence": finite(f.evidence)} for f in self.findings],
            "looked_at": {name: finite(numbers) for name, numbers in self.looked_at.items()},
            "unseen": dict(self.unseen),
        }

    @property
    def json(self) -> str:
        """The same as text."""
        return json.dumps(self.plain, indent=2, ensure_ascii=False)

    @property
    def _verdict(self) -> str:
        if self.healthy:
            return "nothing found" if self.looked_at else "nothing could be looked at"
        return f"{len(self.findings)} finding{'s' * (len(self.findings) > 1)}"

    def _told(self, remedy: Remedy) -> str:
        command = f": agon train {shlex.quote(self.run)} {remedy.option} --out NEW" if remedy.option else ""
        return f"{remedy.sentence}{command}{f' ({remedy.source})' if remedy.source else ''}"


def diagnose(
    run: Run | Path | str,
    *,
    trust: bool = False,
    experiment: Experiment | None = None,
    spectrum: bool = False,
    show: bool = False,
) -> Diagnosis:
    """Look for what is wrong with a run, finished or not. The run is only read, and its data need not be there.

    Data that are on this machine are looked at, too; none are downloaded.

    Args:
        run: the run, or its directory.
        trust: whether a user's classes may be imported.
        experiment: the experiment of the run, if its classes cannot be imported.
        spectrum: whether to look for "no-equilibrium" as well, which takes seconds to minutes (`no_equilibrium`).
        show: whether to say on standard error what takes longer than a few seconds.

    Raises:
        RunError: there is no run. A damaged one is diagnosed as far as it can be read.
    """
    looks = {**SICKNESSES, **(ON_DEMAND if spectrum else {})}
    with waiting(show):
        return of_view(view_of(Run.of(run), trust=trust, experiment=experiment), looks)


def of_view(view: RunView, looks: Mapping[str, Callable[[RunView], Examination]] = SICKNESSES) -> Diagnosis:
    """Diagnose a view."""
    names = tracked(list(looks), f"looking at {view.run.path}", len(looks))
    examinations = {name: _examined(looks[name], view) for name in names}
    findings = [
        replace(finding, remedies=tuple(remedy for remedy in finding.remedies if applies(remedy, view)))
        for examination in examinations.values()
        for finding in examination.findings
    ]
    return Diagnosis(
        run=str(view.run.path),
        state=view.state,
        findings=tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))),
        looked_at={name: e.evidence for name, e in examinations.items() if e.evidence},
        unseen={name: e.unseen for name, e in examinations.items() if e.unseen},
    )


def _examined(examine: Callable[[RunView], Examination], view: RunView) -> Examination:
    """One look; what cannot be read is a reason, and no error."""
    try:
        return examine(view)
    except AgonError as error:
        return Examination(unseen=error.typed)


def finite(numbers: Mapping[str, float]) -> dict[str, float | None]:
    """Numbers for JSON: None for those that are not finite."""
    return {name: float(value) if math.isfinite(value) else None for name, value in numbers.items()}
