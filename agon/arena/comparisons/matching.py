"""Which recorded scores of two experiments can be compared: the same measurement, on both sides."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import NamedTuple

from agon.arena.comparisons.sides import Replicate, Side
from agon.metrics.differences import Measured
from agon.runs.scores import ScoreRecord

GAM = ("battle", "r_test", "error")  # scores of battles, whose protocols name the runs
LARGEST = 1e100  # whose square is a number
ATTRIBUTES = {  # of a record -> words
    "n": "{} samples",
    "n_real": "{} real samples",
    "seed": "latents of seed {}",
    "split": "real samples of the {} split",
    "features": "features {}",
    "among": "among {}",
    "how": "settings {}",
    "protocol": 'the protocol "{}"',
}

Key = tuple[object, ...]
Records = Mapping[Key, ScoreRecord]


class Matched(NamedTuple):
    """A measurement that both sides have.

    Attributes:
        name: the score, and the opponent of a battle.
        record: one of its records.
        first: run's seed -> value on the first side.
        second: the same on the second side.
    """

    name: str
    record: ScoreRecord
    first: Mapping[int, Measured]
    second: Mapping[int, Measured]


def matched(first: Side, second: Side, wanted: Sequence[str] = ()) -> tuple[list[Matched], dict[str, str]]:
    """Match the latest scores of two sides, and say which cannot be compared.

    Of several measurements of one score, that which most runs have counts, the newest of equal ones. Battles of the two
    sides with each other are no scores of either, and do not count.

    Args:
        first: the first side.
        second: the second side.
        wanted: names of metrics or scores; all without any.

    Returns:
        The measurements, and score's name -> why it, or a run's value of it, is left out.
    """
    everyone = {_path(replicate) for side in (first, second) for replicate in side.replicates}
    by_label: list[dict[str, list[Records]]] = [_by_label(side, everyone, wanted) for side in (first, second)]
    found, left_out = [], {}
    for label in dict.fromkeys(label for side in by_label for label in side):
        one, two = (side.get(label, []) for side in by_label)
        key = _most_common(one, two)
        if key is None:
            left_out[label] = _apart(first.name, second.name, one, two)
            continue
        values = [_values(label, key, *pair, left_out) for pair in ((first, one), (second, two))]
        if all(values):
            record = next(records[key] for records in one if key in records)
            found.append(Matched(label, record, *values))
    return found, left_out


def _by_label(side: Side, everyone: Iterable[str], wanted: Sequence[str]) -> dict[str, list[Records]]:
    """Return score's name -> for each replicate its newest records, by what identifies their measurements."""
    labels: dict[str, list[dict[Key, ScoreRecord]]] = {}
    for place, replicate in enumerate(side.replicates):
        own = _path(replicate)
        for record in _with_test_ratios(replicate.scores):
            against = [other for other in (record.judge, record.opponent) if other not in (None, own)]
            if (wanted and not _is_wanted(record, wanted)) or set(against) & set(everyone):
                continue
            label = " ".join([record.name, *(f"against {_short(other)}" for other in against if other)])
            places = labels.setdefault(label, [{} for _ in side.replicates])
            key = _key(record, own)
            places[place].pop(key, None)  # so that the newest comes last
            places[place][key] = record
    return {label: list(places) for label, places in labels.items()}


def _is_wanted(record: ScoreRecord, wanted: Sequence[str]) -> bool:
    return record.metric in wanted or any(f"-{record.name}".endswith(f"-{name}") for name in wanted)


def _with_test_ratios(scores: Sequence[ScoreRecord]) -> Iterable[ScoreRecord]:
    """Yield the scores, and r_test of each battle, whose value is r_sample."""
    for record in scores:
        yield record
        ratio = record.detail.get("r_test")
        if record.name == "battle" and isinstance(ratio, int | float) and abs(ratio) < LARGEST:
            yield replace(record, name="r_test", value=float(ratio), error=None, interval=None)


def _key(record: ScoreRecord, own: str) -> Key:
    """What two records have in common if they are one measurement of two runs."""
    opponents = [None if other == own else other for other in (record.judge, record.opponent)]
    protocol = None if record.name in GAM else record.protocol
    extractor = str(record.extractor.get("hash"))
    sizes = record.n, record.n_real, record.seed
    return (
        record.name,
        *sizes,
        record.metric,
        record.split,
        record.features,
        extractor,
        *opponents,
        record.among,
        record.how,
        protocol,
    )


def _most_common(one: Sequence[Records], two: Sequence[Records]) -> Key | None:
    """The measurement that most runs of both sides have; the newest of equal ones, and then that of most samples."""
    keys = dict.fromkeys(key for side in (one, two) for records in side for key in records)
    counts = {key: [sum(key in records for records in side) for side in (one, two)] for key in keys}
    shared = [key for key, (a, b) in counts.items() if a and b]

    def rank(key: Key) -> tuple[object, ...]:  # the same with the sides exchanged
        newness = min(_newness(key, one), _newness(key, two)), max(_newness(key, one), _newness(key, two))
        samples = next(records[key].n or 0 for records in one if key in records)
        return min(counts[key]), sum(counts[key]), *newness, samples, repr(key)

    return max(shared, key=rank, default=None)


def _newness(key: Key, side: Sequence[Records]) -> float:
    """How late the measurement was recorded, among those of a run: 0 to 1, on average."""
    places = [list(records).index(key) / len(records) for records in side if key in records]
    return sum(places) / len(places)


def _values(
    label: str, key: Key, side: Side, by_replicate: Sequence[Records], left_out: dict[str, str]
) -> dict[int, Measured]:
    """Return run's seed -> value of one measurement; say which runs have none."""
    values = {}
    for replicate, records in zip(side.replicates, by_replicate, strict=True):
        record, name = records.get(key), f"{label} of {replicate.name}"
        if record is None:
            left_out[name] = "it was not measured there as it was in the others; agon evaluate measures it"
        elif record.value is None or not abs(record.value) < LARGEST:
            left_out[name] = "it is not finite, or beyond all reason"
        else:
            error = record.error if record.error is not None and 0 <= record.error < LARGEST else None
            values[replicate.seed] = Measured(record.value, error)
    return values


def _apart(first: str, second: str, one: Sequence[Records], two: Sequence[Records]) -> str:
    """Say why a score cannot be compared."""
    newest = [next((list(records.values())[-1] for records in side if records), None) for side in (one, two)]
    mine, other = newest
    if mine is None or other is None:
        return f"only {first if other is None else second} has it; agon evaluate measures the other"
    for attribute, words in ATTRIBUTES.items():
        values = [getattr(record, attribute) for record in (mine, other)]
        if values[0] != values[1]:
            return (
                f"measured with {words.format(values[0])} of {first} and {words.format(values[1])} of {second}; agon "
                "evaluate measures both alike"
            )
    return f"{first} and {second} have other measurements of it; agon evaluate measures both alike"


def _path(replicate: Replicate) -> str:
    return str(replicate.path.resolve())


def _short(path: str) -> str:
    return "/".join(PurePath(path).parts[-2:]) if PurePath(path).is_absolute() else path
