"""An item's JSON as another call of `reproduce` wrote it, perhaps on another machine: read and checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agon.errors import RunError
from agon.untrusted import cut, is_number, parse_json, printable, read_regular

Numbers = Mapping[str, Any]
LARGEST = 2**26  # bytes of a file
OF_TRAINING = ("label", "recipe", "data", "steps", "images")  # by which two trainings are the same; the device is not


def read_result(path: Path) -> dict[str, Any]:
    """Read the numbers of an item that another call of `reproduce` wrote.

    Raises:
        RunError: it is no such file.
    """
    try:
        return _result(parse_json(read_regular(path, most=LARGEST), finite=False))
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        got = printable(cut(f"no {error}" if isinstance(error, KeyError) else str(error)))
        raise RunError(
            f"{path}: expected the JSON of an item from `agon reproduce`, got something else: {got}"
        ) from None


def seeds_of(result: Numbers) -> list[int]:
    """The seeds of a result."""
    return [int(seed["seed"]) for seed in result["rows"][0]["seeds"]]


def _result(value: Any) -> dict[str, Any]:
    """The parts of a result that are joined, each of its type; errors are those of Python for another."""
    result = {
        **{name: str(value[name]) for name in ("item", "scale")},
        "trainings": [_training(each) for each in value["trainings"]],
        "rows": [_row(each) for each in value["rows"]],
        "controls": {name: [_row(each) for each in rows] for name, rows in value["controls"].items()},
        "history": [_entries(each) for each in value["history"]],
        "versions": _versions(value),
        **({"asked": [str(word) for word in value["asked"]]} if "asked" in value else {}),
    }
    if "joined" in value:
        result["joined"] = [
            {"seeds": list(map(int, each["seeds"])), "versions": _versions(each)} for each in value["joined"]
        ]
    seeds = {tuple(seed["seed"] for seed in row["seeds"]) for row in result["rows"]}
    if len(seeds) != 1 or seeds == {()}:
        raise ValueError("its rows have different seeds, or none")
    return {**result, "seeds": len(seeds_of(result))}


def _versions(value: Any) -> dict[str, str]:
    return {name: printable(str(each)) for name, each in value["versions"].items()}


def _training(value: Any) -> dict[str, Any]:
    runs = [
        {"run": printable(str(each["run"])), "seed": int(each["seed"]), "seconds": _number(each["seconds"])}
        for each in value["runs"]
    ]
    return {**{name: value[name] for name in OF_TRAINING}, "runs": runs}


def _row(value: Any) -> dict[str, Any]:
    seeds = [
        {"seed": int(each["seed"]), "scores": {name: _score(score) for name, score in each["scores"].items()}}
        for each in value["seeds"]
    ]
    return {"label": str(value["label"]), "seeds": seeds}


def _score(value: Any) -> dict[str, Any]:
    """Value, standard error, and what else the file of numbers keeps of a score."""
    rest = {name: value[name] for name in ("interval", "n", "n_real") if name in value}
    protocol = {"protocol": printable(str(value["protocol"]))} if "protocol" in value else {}
    error = None if value["error"] is None else _number(value["error"])
    return {"value": _number(value["value"]), "error": error, **rest, **protocol}


def _entries(value: Any) -> dict[str, Any]:
    entries = [{name: _number(each) for name, each in entry.items()} for entry in value["entries"]]
    return {"label": str(value["label"]), "seed": int(value["seed"]), "entries": entries}


def _number(value: Any) -> float:
    if not (isinstance(value, float) or is_number(value)):
        raise TypeError(f"expected a number, got {value!r}")
    return value
