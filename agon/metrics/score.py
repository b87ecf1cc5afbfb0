"""A score: a metric's value with its error, its n, its protocol and its provenance."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any

from agon.metrics.directions import direction_of
from agon.untrusted import is_number


@dataclass(frozen=True, kw_only=True)
class Score:
    """A measured number with everything needed to judge it and to measure it again.

    Attributes:
        name: the metric's name, which fixes the kind of protocol.
        value: the number.
        error: its standard error; None if it has none.
        interval: (low, high), its 95 % confidence interval; None if it has none.
        n: the number of generated samples.
        n_real: the number of real samples; None if the metric needs none.
        protocol: everything else that is needed to measure it again, in words. It contains no measured values, so
            scores with equal protocols can be compared.
        detail: further plain values for the report; if "told" is present, it is a sentence at the end of the text form.
        passport: where the score was measured, as far as the caller knows: step, seed, extractor and its hash, resizer,
            precision, version.
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
        """A copy of the score with these entries added to its passport."""
        return replace(self, passport={**self.passport, **passport})

    def record(self) -> dict[str, Any]:
        """The score as a line of metrics.jsonl: one flat object that includes the passport's entries."""
        values = {entry.name: getattr(self, entry.name) for entry in fields(self) if entry.name != "passport"}
        return {**values, "detail": dict(self.detail), **self.passport}

    @classmethod
    def read(cls, record: Mapping[str, Any]) -> "Score":
        """Read a score from a line of metrics.jsonl.

        Raises:
            ValueError: a value has not the type that a score has.
        """
        names = {entry.name for entry in fields(cls)} - {"passport"}
        known = {name: value for name, value in record.items() if name in names}
        if isinstance(known.get("interval"), list):
            known["interval"] = tuple(known["interval"])
        if not all(name in known or name in OPTIONAL for name in names) or not all(map(_fits, known, known.values())):
            raise ValueError(f"expected a score, got {record!s:.80}")
        return cls(**known, passport={name: value for name, value in record.items() if name not in names})

    def __float__(self) -> float:
        return float(self.value)

    def __str__(self) -> str:
        error = "" if self.error is None else f" ± {self.error:.2g}"
        if self.interval is not None:
            error += f" [{self.interval[0]:.4g}, {self.interval[1]:.4g}]"
        direction = direction_of(self.name)
        better = f", {direction.words}" if direction else ""
        n = f"n {self.n}" if self.n_real is None else f"n {self.n} against {self.n_real} real"
        sentence = self.detail.get("told")
        suffix = f"; {sentence}" if isinstance(sentence, str) else ""
        return f"{self.name} {self.value:.4g}{error}{better} ({n}; {self.protocol}{suffix})"


OPTIONAL = tuple(entry.name for entry in fields(Score) if (entry.default, entry.default_factory) != (MISSING, MISSING))


def _fits(name: str, value: object) -> bool:
    """Whether a value read from JSON may be the one of this name."""
    if name in ("name", "protocol"):
        return isinstance(value, str)
    if name == "detail":
        return isinstance(value, Mapping)
    if name == "interval" and isinstance(value, tuple):
        return len(value) == 2 and all(map(_is_number, value))
    return _is_number(value) or (value is None and name in OPTIONAL)


def _is_number(value: object) -> bool:
    return isinstance(value, float) or is_number(value)
