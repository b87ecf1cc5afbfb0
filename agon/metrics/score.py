"""A score: a metric's value with its error, its n and its protocol."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Score:
    """One number that can be believed.

    Attributes:
        name: fixes the protocol's kind.
        value: the number.
        error: its standard error, or None where it has none.
        n: how many samples it rests on.
        protocol: everything else that one must know to get it again, in words.
        detail: further plain values for the report.
    """

    name: str
    value: float
    error: float | None = None
    n: int
    protocol: str
    detail: Mapping[str, Any] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """As a line of metrics.jsonl."""
        return asdict(self)

    def __str__(self) -> str:
        error = "" if self.error is None else f" ± {self.error:.2g}"
        return f"{self.name} {self.value:.4g}{error} (n {self.n}; {self.protocol})"
