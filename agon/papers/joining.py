"""Results of an item from several calls or machines: the seeds of all of them, judged together.

Each result is what `reproduce` has written, with seeds of its own: 0 to 2 on one machine, 3 to 6 on another.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from agon.errors import RunError
from agon.papers.item import Item
from agon.papers.numbers import rejudged
from agon.papers.results import OF_TRAINING, Numbers, seeds_of
from agon.untrusted import cut, printable

SAME = ("item", "scale", "asked")


def joined(item: Item, own: Numbers, others: Sequence[Numbers]) -> dict[str, Any]:
    """The numbers of an item over the seeds of several results, judged again.

    Pictures, settings, and what compares all seeds with all seeds (`Item.panels`) are those of `own`; "joined" holds
    which versions each result's seeds come from.

    Args:
        item: the table or figure.
        own: its numbers as `numbers` collects them.
        others: further results of it, as `read_result` returns them.

    Raises:
        RunError: they are of different trainings, rows or controls.
    """
    results = sorted([own, *others], key=lambda result: seeds_of(result)[0])
    for other in others:
        _check_trainings(own, other)
    runs = [[training["runs"] for training in result["trainings"]] for result in results]
    known = {
        **own,
        "seeds": sum(result["seeds"] for result in results),
        "trainings": [
            {**training, "runs": [run for of_result in runs for run in of_result[place]]}
            for place, training in enumerate(own["trainings"])
        ],
        "rows": _rows([result["rows"] for result in results]),
        "controls": {name: _rows([result["controls"][name] for result in results]) for name in own["controls"]},
        "history": [
            entry
            for label in _of_trainings("label", own)
            for result in results
            for entry in result["history"]
            if entry["label"] == label
        ],
        "joined": [part for result in results for part in _parts(result)],
    }
    return rejudged(item, known)


def _parts(result: Numbers) -> Sequence[Numbers]:
    """The results that a result was joined from, or itself: seeds and versions."""
    return result.get("joined") or [{"seeds": seeds_of(result), "versions": result["versions"]}]


def check_joins(own: Numbers, seeds: Sequence[int], others: Sequence[Numbers]) -> None:
    """Refuse results that cannot be joined, before anything is trained.

    Args:
        own: item, scale and the words of the rows that are asked for, as in the numbers.
        seeds: the seeds that will be trained.
        others: results of other seeds.

    Raises:
        RunError: they are of another item, scale or rows, or the seeds of all are not successive.
    """
    for other in others:
        _refuse((name, own.get(name), other.get(name)) for name in SAME)
    of_results = sorted([list(seeds), *map(seeds_of, others)])
    together = [seed for of_result in of_results for seed in of_result]
    if together != list(range(together[0], together[0] + len(together))):
        got = " and ".join(f"{each[0]} to {each[-1]}" if len(each) > 1 else f"{each[0]}" for each in of_results)
        raise RunError(f"--join: expected successive seeds, each once, got {got}; choose others by --seed and --seeds")


def _check_trainings(own: Numbers, other: Numbers) -> None:
    """Refuse a result of other trainings, rows or controls, which are known when they are done."""
    parts: list[tuple[str, Callable[[Numbers], Any]]] = [
        *((f"{name} of trainings", partial(_of_trainings, name)) for name in OF_TRAINING),
        ("rows and scores", lambda result: _scored(result["rows"])),
        ("controls", lambda result: {name: _scored(result["controls"].get(name, ())) for name in own["controls"]}),
    ]
    _refuse((what, part(own), part(other)) for what, part in parts)


def _scored(rows: Sequence[Numbers]) -> dict[str, list[str]]:
    """The names of each row's scores."""
    return {row["label"]: sorted({name for seed in row["seeds"] for name in seed["scores"]}) for row in rows}


def _refuse(pairs: Iterable[tuple[str, Any, Any]]) -> None:
    for what, ours, theirs in pairs:
        if ours != theirs:
            got = printable(cut(str(theirs)))
            raise RunError(
                f"--join: expected a result of the same trainings, with {what} {cut(str(ours))}, got {got}; "
                "without it, the page has the seeds of this call"
            )


def _of_trainings(name: str, result: Numbers) -> list[Any]:
    return [training[name] for training in result["trainings"]]


def _rows(of_results: Sequence[Sequence[Numbers]]) -> list[dict[str, Any]]:
    """Each row of the first result with the seeds of all."""
    others = [{row["label"]: row["seeds"] for row in rows} for rows in of_results]
    return [{**row, "seeds": [seed for of_label in others for seed in of_label[row["label"]]]} for row in of_results[0]]
