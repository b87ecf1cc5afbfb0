"""A score: a metric's value with its error, its n, its protocol and its passport."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Score:
    """One number that can be believed.

    Attributes:
        name: fixes the protocol's kind.
        value: the number.
        error: its standard error, or None where it has none.
        interval: (low, high) that holds the true value with a confidence of 95 %, or None where there is none.
        n: how many generated samples it rests on.
        n_real: how many real ones; None where it needs none.
        protocol: everything else that one must know to get it again, in words; nothing that was measured, so that two
            scores of one protocol can be compared.
        detail: further plain values for the report; "told", if it is there, is a sentence that the text form ends with.
        passport: where it was measured, for whoever compares it with another: step, seed, extractor and its hash,
            resizer, precision, version; whatever is known to the one who asked for it.
    """

    name: str
    value: float
    error: float | None = None
    interval: tuple[float, float] | None = None
    n: int
    n_real: int | None = None
    protocol: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    passport: Mapping[str, Any] = field(default_factory=dict)

    def stamped(self, **passport: Any) -> "Score":
        """The same score with more in its passport."""
        return replace(self, passport={**self.passport, **passport})

    def record(self) -> dict[str, Any]:
        """As a line of metrics.jsonl: one flat object, the passport's entries beside the score's own."""
        own = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "passport"}
        return {**own, "detail": dict(self.detail), **self.passport}

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> "Score":
        """The score that a line of metrics.jsonl records."""
        names = {each.name for each in fields(cls)} - {"passport"}
        known = {name: value for name, value in record.items() if name in names}
        if isinstance(known.get("interval"), list):
            known["interval"] = tuple(known["interval"])
        return cls(**known, passport={name: value for name, value in record.items() if name not in names})

    def __float__(self) -> float:
        return float(self.value)

    def __str__(self) -> str:
        error = "" if self.error is None else f" ± {self.error:.2g}"
        if self.interval is not None:
            error += f" [{self.interval[0]:.4g}, {self.interval[1]:.4g}]"
        n = f"n {self.n}" if self.n_real is None else f"n {self.n} against {self.n_real} real"
        told = self.detail.get("told")
        more = f"; {told}" if isinstance(told, str) else ""
        return f"{self.name} {self.value:.4g}{error} ({n}; {self.protocol}{more})"
