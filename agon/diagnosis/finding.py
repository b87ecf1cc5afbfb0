"""What a diagnosis says: findings with their evidence and remedies, and what could not be looked at."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple, get_args

Severity = Literal["fatal", "serious", "notice"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)


class Remedy(NamedTuple):
    """Something to try.

    Attributes:
        sentence: what to do, and why it helps.
        option: the options of `agon train RUN --out NEW` that do it; "" where it needs new code.
        source: who proposes it, and where.
        direction: 1 or -1 if the sentence only holds where the batch and the rates become larger, or smaller.
    """

    sentence: str
    option: str
    source: str
    direction: int = 0

    def plain(self) -> dict[str, str]:
        """What a reader needs, as JSON values."""
        return {"sentence": self.sentence, "option": self.option, "source": self.source}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One sickness of one run.

    Attributes:
        sickness: its name, such as "collapse".
        severity: "fatal" if the training cannot go on like this, "serious" if its samples suffer, "notice" if they may.
        since_step: the first step from which it was seen at every later look; None if it has no beginning.
        evidence: the numbers that it rests on, by name.
        sentence: what is wrong, with the numbers.
        remedies: what to try, the most promising first.
    """

    sickness: str
    severity: Severity
    since_step: int | None
    evidence: Mapping[str, float]
    sentence: str
    remedies: tuple[Remedy, ...] = ()

    @property
    def plain(self) -> dict[str, Any]:
        """The finding as plain values, for JSON."""
        return asdict(self) | {"remedies": [remedy.plain() for remedy in self.remedies]}


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What the look for one sickness has found.

    Attributes:
        findings: nothing for a healthy run.
        evidence: the numbers that were looked at, also where they are healthy.
        unseen: why it could not be looked at, or not at all of it; "" if it could.
    """

    findings: tuple[Finding, ...] = ()
    evidence: Mapping[str, float] = field(default_factory=dict)
    unseen: str = ""


def unseen(reason: str) -> Examination:
    """An examination that could not be made."""
    return Examination(unseen=reason)
