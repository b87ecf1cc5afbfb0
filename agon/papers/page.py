"""An item's numbers as a page of tables in Markdown."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from agon.figures.numbers import number
from agon.figures.spacing import spread

COLUMNS = 6  # steps of the table over training
WORDS = "held", "contradicted", "undecided"  # verdicts on an expectation

Numbers = Mapping[str, Any]


def page(numbers: Numbers) -> str:
    """Write the whole page: the item's claim, and everything that was measured."""
    head = [f"# {numbers['paper']}", f"{numbers['claim'][0].upper()}{numbers['claim'][1:]}."]
    return "\n\n".join([*head, *measured(numbers), "## Seed by seed", _by_seed(numbers)]) + "\n"


def measured(numbers: Numbers) -> list[str]:
    """The page's parts: pictures, verdict, our numbers beside the paper's, scores over training, and the trainings."""
    pictures = [f"![{numbers['item']}]({name})" for name in numbers["pictures"]]
    parts = [
        *pictures,
        f"**Verdict: {verdict(numbers)}**",
        *_expectations(numbers),
        _ours(numbers),
        _note(numbers),
        _over_training(numbers),
        _trainings(numbers),
    ]
    return [part for part in parts if part]


def verdict(numbers: Numbers) -> str:
    """The verdict on an item: reproduced if all expectations held.

    >>> verdict({"scale": "quick", "expectations": [{"verdict": "held"}, {"verdict": "undecided"}]})
    'not reproduced: 1 of 2 expectations held, 0 contradicted, 1 undecided.'
    """
    expectations = numbers["expectations"]
    if numbers["scale"] == "smoke":
        return "not run: the smoke scale shows that everything works, and nothing else."
    if not expectations:
        return "by eye: the paper has no number here."
    counts, total = by_word(numbers), len(expectations)
    if counts["held"] == total:
        return f"reproduced: {total} of {total} expectations held." if total > 1 else "reproduced."
    return (
        f"not reproduced: {counts['held']} of {total} expectation{'s' if total > 1 else ''} held, "
        f"{counts['contradicted']} contradicted, {counts['undecided']} undecided."
    )


def by_word(numbers: Numbers) -> dict[str, int]:
    """Count the expectations of an item that held, were contradicted, or stayed undecided."""
    verdicts = [expectation["verdict"] for expectation in numbers["expectations"]]
    return {word: verdicts.count(word) for word in WORDS}


def _expectations(numbers: Numbers) -> list[str]:
    if not numbers["expectations"]:
        return []
    body = [
        [
            expectation["says"],
            _compared(expectation),
            _uncertain(expectation["mean"], expectation["half"]),
            expectation["verdict"],
        ]
        for expectation in numbers["expectations"]
    ]
    return [table(["the paper's claim", "in numbers", "difference", ""], body)]


def _compared(expectation: Numbers) -> str:
    """An expectation's comparison in words: score, row, side, bound."""
    side = "above" if "above" in expectation else "below"
    return f"{expectation['score']} of {expectation['row']} {side} {_bound(expectation[side])}"


def _bound(bound: str | float) -> str:
    return bound if isinstance(bound, str) else number(bound, 3)


def _ours(numbers: Numbers) -> str:
    """A table with our scores, then the paper's numbers, for each row."""
    rows, published = numbers["rows"], numbers["theirs"]
    ours = list(dict.fromkeys(name for row in rows for name in row["summary"]))
    printed = list(dict.fromkeys(name for row in published.values() for name in row))
    by_label = {row["label"]: row for row in rows}
    body = [
        [
            label,
            *(_cell(by_label.get(label), name) for name in ours),
            *(published.get(label, {}).get(name, "") for name in printed),
        ]
        for label in dict.fromkeys([*by_label, *published])
    ]
    return table(["", *ours, *printed], body)


def _cell(row: Numbers | None, name: str) -> str:
    """Mean ± half of its interval; for one seed, the value ± its standard error."""
    if row is None or name not in row["summary"]:
        return ""
    summary = row["summary"][name]
    if summary["half"] is not None:
        return _uncertain(summary["mean"], summary["half"])
    return _uncertain(summary["mean"], row["seeds"][0]["scores"][name]["error"])


def _uncertain(value: float, half: float | None) -> str:
    return number(value, 3) if half is None else f"{number(value, 3)} ± {number(half, 2)}"


def _note(numbers: Numbers) -> str:
    protocols: dict[str, str] = {}
    for row in numbers["rows"]:
        for name, score in row["seeds"][0]["scores"].items():
            protocols.setdefault(name, score["protocol"])
    over = (
        f"Means over {numbers['seeds']} seeds ± half of their 95 % interval (Student's t); differences seed by seed."
        if numbers["seeds"] > 1
        else "One seed: ± is the standard error of the measurement alone, in differences half of its 95 % interval."
    )
    return "\n".join([over, "", *(f"* {name}: {protocol}" for name, protocol in protocols.items())])


def _trainings(numbers: Numbers) -> str:
    """A table of the trainings: recipe, data, length, time."""
    body = [
        [
            training["label"],
            f"`{training['recipe']}`",
            _data(training["data"]),
            number(training["steps"]),
            number(training["images"]),
            number(min(run["seconds"] for run in training["runs"]) / 60, 2),
        ]
        for training in numbers["trainings"]
    ]
    head = ["training", "recipe", "data", "steps", "real samples seen", "minutes, fastest seed"]
    seeds = f"--seeds {numbers['seeds']}"
    compute = numbers["trainings"][0]["arithmetic"]
    by = f"{compute['device']}, {compute['precision']}, torch {numbers['versions']['torch']}"
    counted = f" A step is {numbers['updates']} of the paper's." if numbers["updates"] > 1 else ""
    command = f"`agon reproduce {numbers['item']} --scale {numbers['scale']} {seeds}`"
    return f"{command} ({by}).{counted}\n\n{table(head, body)}"


def _data(data: Numbers) -> str:
    read = data["read"]
    if read is None:
        return str(data["set"])
    return f"{data['set']}: read from {read['from']}, {number(read['images'])} images of {read['shape']}"


def _over_training(numbers: Numbers) -> str:
    """A table of means over seeds: a column for each of `COLUMNS` steps, a line for each training and score."""
    if not numbers["history"]:
        return ""
    marks = spread([entry["updates"] for entry in numbers["history"][0]["entries"]], COLUMNS)
    body = []
    for label in dict.fromkeys(history["label"] for history in numbers["history"]):
        histories = [history for history in numbers["history"] if history["label"] == label]
        runs = [{entry["updates"]: entry for entry in history["entries"]} for history in histories]
        names = [key for key in next(iter(runs[0].values())) if key not in ("step", "updates")]
        for name in names:
            values = [[run[mark][name] for run in runs if mark in run] for mark in marks]
            body.append([label, name, *(number(fmean(of_seeds) if of_seeds else None, 3) for of_seeds in values)])
    return table(["", "step", *(f"{mark:,}" for mark in marks)], body)


def _by_seed(numbers: Numbers) -> str:
    names = list(dict.fromkeys(name for row in numbers["rows"] for name in row["summary"]))
    body = [
        [row["label"], str(seed["seed"]), *(_scored(seed["scores"].get(name)) for name in names)]
        for row in numbers["rows"]
        for seed in row["seeds"]
    ]
    return table(["", "seed", *names], body)


def _scored(score: Numbers | None) -> str:
    return "" if score is None else _uncertain(score["value"], score["error"])


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table; bars within cells are escaped."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
