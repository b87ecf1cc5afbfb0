"""An item's numbers as a page of tables in Markdown."""

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from agon.figures.numbers import number
from agon.figures.spacing import spread

COLUMNS = 6  # steps of the table over training
WORDS = "held", "contradicted", "undecided"  # what an expectation can be found to be

Told = Mapping[str, Any]


def page(told: Told) -> str:
    """The whole page: what the item shows, and everything that was measured."""
    head = [f"# {told['paper']}", f"{told['claim'][0].upper()}{told['claim'][1:]}."]
    return "\n\n".join([*head, *measured(told), "## Seed by seed", _by_seed(told)]) + "\n"


def measured(told: Told) -> list[str]:
    """Picture, verdict by what was expected, ours beside the paper's, the course of training, and what was trained."""
    pictures = [f"![{told['item']}]({name})" for name in told["pictures"]]
    parts = [
        *pictures,
        f"**Verdict: {verdict(told)}**",
        *_expectations(told),
        _ours(told),
        _note(told),
        _over_training(told),
        _trainings(told),
    ]
    return [part for part in parts if part]


def verdict(told: Told) -> str:
    """Reproduced, if all that was expected held.

    >>> verdict({"scale": "quick", "expectations": [{"verdict": "held"}, {"verdict": "undecided"}]})
    'not reproduced: 1 of 2 expectations held, 0 contradicted, 1 undecided.'
    """
    found = told["expectations"]
    if told["scale"] == "smoke":
        return "not run: the smoke scale shows that everything works, and nothing else."
    if not found:
        return "by eye: the paper has no number here."
    counts = by_word(told)
    if counts["held"] == len(found):
        return f"reproduced: {len(found)} of {len(found)} expectations held." if len(found) > 1 else "reproduced."
    expected = f"expectation{'s' if len(found) > 1 else ''}"
    return (
        f"not reproduced: {counts['held']} of {len(found)} {expected} held, {counts['contradicted']} contradicted, "
        f"{counts['undecided']} undecided."
    )


def by_word(told: Told) -> dict[str, int]:
    """How many of an item's expectations held, were contradicted, stayed undecided."""
    found = [each["verdict"] for each in told["expectations"]]
    return {word: found.count(word) for word in WORDS}


def _expectations(told: Told) -> list[str]:
    if not told["expectations"]:
        return []
    body = [
        [
            each["says"],
            _compared(each),
            _uncertain(each["mean"], each["half"]),
            each["verdict"],
        ]
        for each in told["expectations"]
    ]
    return [table(["the paper's claim", "in numbers", "difference", ""], body)]


def _compared(each: Told) -> str:
    """Both sides of an expectation."""
    side = "above" if "above" in each else "below"
    return f"{each['score']} of {each['row']} {side} {_bound(each[side])}"


def _bound(bound: str | float) -> str:
    return bound if isinstance(bound, str) else number(bound, 3)


def _ours(told: Told) -> str:
    """A line a row: our scores, then what the paper prints."""
    rows, theirs = told["rows"], told["theirs"]
    ours = list(dict.fromkeys(name for row in rows for name in row["summary"]))
    printed = list(dict.fromkeys(name for row in theirs.values() for name in row))
    found = {row["label"]: row for row in rows}
    body = [
        [
            label,
            *(_cell(found.get(label), name) for name in ours),
            *(theirs.get(label, {}).get(name, "") for name in printed),
        ]
        for label in dict.fromkeys([*found, *theirs])
    ]
    return table(["", *ours, *printed], body)


def _cell(row: Told | None, name: str) -> str:
    """Mean ± half of its interval; of one seed, the value ± its standard error."""
    if row is None or name not in row["summary"]:
        return ""
    found = row["summary"][name]
    if found["half"] is not None:
        return _uncertain(found["mean"], found["half"])
    return _uncertain(found["mean"], row["seeds"][0]["scores"][name]["error"])


def _uncertain(value: float, half: float | None) -> str:
    return number(value, 3) if half is None else f"{number(value, 3)} ± {number(half, 2)}"


def _note(told: Told) -> str:
    protocols: dict[str, str] = {}
    for row in told["rows"]:
        for name, score in row["seeds"][0]["scores"].items():
            protocols.setdefault(name, score["protocol"])
    over = (
        f"Means over {told['seeds']} seeds ± half of their 95 % interval (Student's t); differences seed by seed."
        if told["seeds"] > 1
        else "One seed: ± is the standard error of the measurement alone, in differences half of its 95 % interval."
    )
    return "\n".join([over, "", *(f"* {name}: {protocol}" for name, protocol in protocols.items())])


def _trainings(told: Told) -> str:
    """What was trained, on what, how long."""
    body = [
        [
            each["label"],
            f"`{each['recipe']}`",
            _data(each["data"]),
            number(each["steps"]),
            number(each["images"]),
            number(min(run["seconds"] for run in each["runs"]) / 60, 2),
        ]
        for each in told["trainings"]
    ]
    head = ["training", "recipe", "data", "steps", "real samples seen", "minutes, fastest seed"]
    seeds = f"--seeds {told['seeds']}"
    arithmetic = told["trainings"][0]["arithmetic"]
    by = f"{arithmetic['device']}, {arithmetic['precision']}, torch {told['versions']['torch']}"
    counted = f" A step is {told['updates']} of the paper's." if told["updates"] > 1 else ""
    command = f"`agon reproduce {told['item']} --scale {told['scale']} {seeds}`"
    return f"{command} ({by}).{counted}\n\n{table(head, body)}"


def _data(data: Told) -> str:
    read = data["read"]
    if read is None:
        return str(data["set"])
    return f"{data['set']}: read from {read['from']}, {number(read['images'])} images of {read['shape']}"


def _over_training(told: Told) -> str:
    """A column for each of some steps, a line for each training and score: means over the seeds."""
    if not told["history"]:
        return ""
    marks = spread([entry["updates"] for entry in told["history"][0]["entries"]], COLUMNS)
    body = []
    for label in dict.fromkeys(each["label"] for each in told["history"]):
        runs = [{e["updates"]: e for e in each["entries"]} for each in told["history"] if each["label"] == label]
        names = [key for key in next(iter(runs[0].values())) if key not in ("step", "updates")]
        for name in names:
            values = [[run[mark][name] for run in runs if mark in run] for mark in marks]
            body.append([label, name, *(number(fmean(each) if each else None, 3) for each in values)])
    return table(["", "step", *(f"{mark:,}" for mark in marks)], body)


def _by_seed(told: Told) -> str:
    names = list(dict.fromkeys(name for row in told["rows"] for name in row["summary"]))
    body = [
        [row["label"], str(each["seed"]), *(_scored(each["scores"].get(name)) for name in names)]
        for row in told["rows"]
        for each in row["seeds"]
    ]
    return table(["", "seed", *names], body)


def _scored(score: Told | None) -> str:
    return "" if score is None else _uncertain(score["value"], score["error"])


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Lines of a Markdown table; a bar within a cell is no border."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
