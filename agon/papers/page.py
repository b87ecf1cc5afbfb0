"""An item's numbers as a page of tables in Markdown."""

import shlex
from collections.abc import Mapping, Sequence
from math import exp
from statistics import fmean
from typing import Any

from agon.figures.numbers import number
from agon.figures.spacing import spread
from agon.papers.agreement import on_agreement
from agon.papers.controls import WORDS
from agon.papers.expected import sentence
from agon.papers.intervals import ALIKE
from agon.papers.panel_row import ABOUT_PANELS, panel_table
from agon.papers.verdicts import difference, explained, uncertain, verdict
from agon.recipes.costs import minutes

COLUMNS = 6  # steps of the table over training

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
        f"**Verdict: {verdict(numbers)}.**",
        *_expectations(numbers),
        sentence(numbers["item"]),
        *_panels(numbers),
        _ours(numbers),
        _left_out(numbers),
        _note(numbers),
        _of_several(numbers),
        _over_training(numbers),
        _trainings(numbers),
    ]
    return [part for part in parts if part]


def _expectations(numbers: Numbers) -> list[str]:
    """A table of the expectations, what a second judge makes of them, and the controls' scores behind both."""
    claims = numbers["expectations"]
    if numbers["scale"] == "smoke":  # whose verdicts would be quoted
        claims = [_without_verdict(claim) for claim in claims]
    return [_judged(claims), *_second_judge(claims), *_controls(numbers)] if claims else []


def _without_verdict(claim: Numbers) -> Numbers:
    second = {"second": _without_verdict(claim["second"])} if "second" in claim else {}
    return {**claim, "verdict": "not measured" if claim["verdict"] == "not measured" else "not run", **second}


def _judged(claims: Sequence[Numbers]) -> str:
    """A table of expectations with their verdicts."""
    body = [
        [
            expectation["says"],
            _compared(expectation),
            difference(expectation, ratio=expectation["ratio"]),
            _of_controls(expectation),
            explained(expectation),
        ]
        for expectation in claims
    ]
    return table(["the paper's claim", "in numbers", "difference", "control", "verdict"], body)


def _second_judge(claims: Sequence[Numbers]) -> list[str]:
    """The table of a second judge where it has measured something, and whether the two agree."""
    seconds = [claim["second"] for claim in claims if "second" in claim]
    if all(second["verdict"] == "not measured" for second in seconds):
        return [on_agreement(claims)] if seconds else []
    return ["The same claims by a second judge:", _judged(seconds), on_agreement(claims)]


def _compared(expectation: Numbers) -> str:
    """An expectation's comparison in words: score, row, side, bound."""
    side = "above" if "above" in expectation else "below"
    beyond = f", beyond {WORDS[expectation['beyond']]}" if "beyond" in expectation else ""
    size = f"{expectation['score']} of {expectation['row']} {side} {_bound(expectation[side])}{beyond}"
    if "direction" not in expectation:
        return size
    return f"{size}; its direction: {side} {_bound(expectation['direction']['bound'])}"


def _bound(bound: str | float) -> str:
    return bound if isinstance(bound, str) else number(bound, 3)


def _of_controls(expectation: Numbers) -> str:
    """The same difference of each control."""
    found = [
        f"{name}: {'alike' if each['verdict'] == ALIKE else difference(each, ratio=expectation['ratio'])}"
        for name, each in expectation["controls"].items()
    ]
    return "; ".join(found) or "not measured"


def _controls(numbers: Numbers) -> list[str]:
    """A table of the controls' scores that the expectations compare: means over seeds."""
    claims = numbers["expectations"]
    judged = [*claims, *(claim["second"] for claim in claims if "second" in claim)]
    names = list(dict.fromkeys(claim["score"] for claim in judged))
    body = [
        [WORDS[name], row["label"], *(_mean(row["seeds"], score) for score in names)]
        for name, rows in numbers["controls"].items()
        for row in rows
        if any(score in seed["scores"] for seed in row["seeds"] for score in names)
    ]
    return [table(["control", "", *names], body)] if body else []


def _mean(seeds: Sequence[Numbers], score: str) -> str:
    values = [seed["scores"][score]["value"] for seed in seeds if score in seed["scores"]]
    return number(fmean(values), 3) if values else ""


def _panels(numbers: Numbers) -> list[str]:
    """A table of the comparisons of all seeds with all seeds, if there are any."""
    rows = numbers.get("panels", [])
    return [ABOUT_PANELS, table(*panel_table(rows))] if rows else []


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


def _left_out(numbers: Numbers) -> str:
    """The rows that were not asked for."""
    rows = numbers.get("left out", [])
    return f"Not made at this scale: {', '.join(rows)}." if rows else ""


def _cell(row: Numbers | None, name: str) -> str:
    """Mean ± half of its interval; of a ratio the interval's ends; for one seed, the value ± its standard error."""
    if row is None or name not in row["summary"]:
        return ""
    summary = row["summary"][name]
    mean, half = summary["mean"], summary["half"]
    if half is None:
        return uncertain(mean, row["seeds"][0]["scores"][name]["error"] if len(row["seeds"]) == 1 else None)
    if not summary["ratio"]:
        return uncertain(mean, half)
    return f"{number(mean, 3)} [{number(mean / exp(half), 3)}, {number(mean * exp(half), 3)}]"


def _note(numbers: Numbers) -> str:
    protocols: dict[str, str] = {}
    for row in numbers["rows"]:
        for name, score in row["seeds"][0]["scores"].items():
            protocols.setdefault(name, score["protocol"])
    over = (
        f"Means over {numbers['seeds']} seeds ± half of their 95 % interval (Student's t); differences seed by seed, "
        "positive as the paper claims. Ratios: geometric means [interval], compared as logarithms (×)."
        if numbers["seeds"] > 1
        else "One seed: ± is the standard error of the measurement alone, in differences half of its 95 % interval."
    )
    return "\n".join([over, "", *(f"* {name}: {protocol}" for name, protocol in protocols.items())])


def _of_several(numbers: Numbers) -> str:
    """Which seeds came from which call, and whose the pictures are, where results were joined."""
    seeds = [f"{each['seeds'][0]} to {each['seeds'][-1]}" for each in numbers.get("joined", [])]
    if not seeds:
        return ""
    of = f"Several results were joined, of seeds {', '.join(seeds)}"
    return f"{of}; pictures and panels are of the call that joined them."


def _trainings(numbers: Numbers) -> str:
    """A table of the trainings: recipe, data, length, and what one costs (`recipes.costs`)."""
    body = [
        [
            training["label"],
            f"`{training['recipe']}`",
            _data(training["data"]),
            number(training["steps"]),
            number(training["images"]),
            number(minutes(training["recipe"]).get(numbers["scale"]), 2),
        ]
        for training in numbers["trainings"]
    ]
    head = ["training", "recipe", "data", "steps", "real samples seen", "core-minutes"]
    first = numbers["rows"][0]["seeds"][0]["seed"]
    seeds = f"{f'--seed {first} ' if first else ''}--seeds {numbers['seeds']}"
    compute = numbers["trainings"][0]["arithmetic"]
    by = f"{compute['device']}, {compute['precision']}, torch {_torch(numbers)}"
    counted = f" A step is {numbers['updates']} of the paper's." if numbers["updates"] > 1 else ""
    rows = "".join(f" --rows {shlex.quote(word)}" for word in numbers.get("asked", []))
    command = f"`agon reproduce {numbers['item']} --scale {numbers['scale']} {seeds}{rows}`"
    return f"{command} ({by}).{counted}\n\n{table(head, body)}"


def _torch(numbers: Numbers) -> str:
    """The version of torch; where results with different ones were joined, each with its seeds."""
    versions = {str(each["versions"]["torch"]): each["seeds"] for each in numbers.get("joined", [])}
    if len(versions) < 2:
        return str(numbers["versions"]["torch"])
    return ", ".join(f"{version} for seeds {seeds[0]} to {seeds[-1]}" for version, seeds in versions.items())


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
    return "" if score is None else uncertain(score["value"], score["error"])


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Write a Markdown table; bars within cells are escaped."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
