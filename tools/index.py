"""The measured part of docs/recipes/index.md: what is known of the papers' claims, how surely, and at which scale.

A claim is an expectation: one score of one row, above or below a bound, after these trainings. Several items may share
it, as six figures and a table of metz2017 do; it is counted once. Where the trainings of quick scale have the paper's
own size, both scales are one, and the result with more seeds stands for them.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from agon.papers import ITEMS
from agon.papers.agreement import disagreements
from agon.papers.expected import expected
from agon.papers.intervals import ALIKE
from agon.papers.own_scale import amount, full_size, minutes, needs_gpu
from agon.papers.page import table
from agon.papers.verdicts import MET, MOST_SEEDS, VERDICTS
from agon.recipes.costs import measured as measured_costs
from tools.pages import known

UNASKED = (None, ALIKE, "subtracted")  # a control that is subtracted from a claim is part of it
BY_EYE, NOT_RUN = "by eye", "not run"  # for items without claims, and without numbers
ALWAYS = ("held", "partly", "contradicted", "undecided", "no evidence", "one seed", BY_EYE)
Numbers = Mapping[str, Any]


class Line(NamedTuple):
    """An item at a scale in a line of the index, with the items that repeat its claims.

    Attributes:
        name: of the item.
        numbers: what was measured; None if it was not run.
        claims: its claims, by what makes two of them one.
        repeat: the items that have some of these claims and no other.
    """

    name: str
    numbers: Numbers | None
    claims: dict[str, Numbers]
    repeat: list[str]


def overview() -> str:
    """The table of counts, and a line for each item or for several that repeat each other's claims."""
    told = lines()
    return f"{counts(told)}\n\n{table(HEAD, [_cells(line) for line in told])}"


def lines() -> list[Line]:
    """The lines of the index, by item and scale; a table has the claims that figures beside it repeat."""
    told: list[Line] = []
    for name in sorted(ITEMS, key=lambda name: "/figure" in name):  # stable: figures by number
        for numbers in results(name) or [None]:
            claims = _claims(name, numbers)
            same = next((line for line in told if claims and claims.keys() <= line.claims.keys()), None)
            if same is None:
                told.append(Line(name, numbers, claims, []))
            else:
                same.repeat.append(name)
    order = list(ITEMS)
    return sorted(told, key=lambda line: order.index(line.name))


def results(name: str) -> list[dict[str, Any]]:
    """What was measured for an item, scale by scale; of one size at both, the result with more seeds alone."""
    told = known(name)
    if not full_size(ITEMS[name]):
        return told
    most = max(told, key=lambda numbers: (numbers["seeds"], numbers["scale"] == "paper"), default=None)
    return [most] if most else []


def _claims(name: str, numbers: Numbers | None) -> dict[str, Numbers]:
    """The expectations of an item, by what makes two of them the same claim."""
    if numbers is None:
        return {}
    recipes = sorted(recipe.name for recipe in ITEMS[name].trainings.values())
    parts = ("score", "row", "above", "below", "beyond")
    return {
        json.dumps([recipes, numbers["scale"], *(each.get(part) for part in parts)]): each
        for each in numbers["expectations"]
    }


def counts(told: Iterable[Line]) -> str:
    """Claims by their verdict, for each paper and scale; and items that have none."""
    rows: dict[tuple[str, str], Counter[str]] = {}
    for line in told:
        scale = _scale(line) if line.numbers else "—"
        counter = rows.setdefault((line.name.partition("/")[0], scale), Counter())
        counter.update(claim["verdict"] for claim in line.claims.values())
        if not line.claims:
            counter[BY_EYE if line.numbers else NOT_RUN] += 1
    total = sum(rows.values(), Counter[str]())
    columns = [word for word in (*VERDICTS, BY_EYE, NOT_RUN) if total[word] or word in ALWAYS]
    body = [[*key, *(str(counter[word] or "") for word in columns)] for key, counter in sorted(rows.items())]
    return table(["paper", "scale", *columns], [*body, ["all", "", *(str(total[word]) for word in columns)]])


HEAD = [
    "item",
    "verdict",
    "control",
    "seeds",
    "scale",
    "data",
    "expected",
    "core-minutes",
    "a seed at the paper's scale",
]


def _cells(line: Line) -> list[str]:
    if line.numbers is None:
        return [_links(line), NOT_RUN, "", "", "", "", "", "", _at_paper_scale(line)]
    numbers = line.numbers
    return [
        _links(line),
        _verdict(line),
        _control(line),
        str(numbers["seeds"]),
        _scale(line),
        _data(numbers),
        _expected(line),
        f"{_minutes(numbers):.0f}",
        _at_paper_scale(line),
    ]


def _links(line: Line) -> str:
    """The item's page, and those of the items that repeat its claims."""
    link = f"[{line.name}]({line.name}.md)"
    others = [f"[{name.partition('/')[2]}]({name}.md)" for name in line.repeat]
    return f"{link}; claims of it again: {', '.join(others)}" if others else link


def _verdict(line: Line) -> str:
    """How many claims have which verdict; the seeds that the undecided ones would need; where two judges disagree."""
    if not line.claims:
        return BY_EYE
    counter = Counter(claim["verdict"] for claim in line.claims.values())
    parts = [f"{counter[word]} {word}" if word != "one seed" else word for word in VERDICTS if counter[word]]
    needed = [claim["needed"] for claim in line.claims.values() if claim["verdict"] == "undecided"]
    few = sorted(seeds for seeds in needed if seeds is not None and seeds <= MOST_SEEDS)
    more = len(needed) - len(few)
    seeds = [*map(str, few), *([f"{f'{more} × ' if more > 1 else ''}over {MOST_SEEDS}"] if more else [])]
    apart = len(disagreements(list(line.claims.values())))
    judges = f"; two judges disagree on {apart}" if apart else ""
    return ", ".join(parts) + (f" (seeds: {', '.join(seeds)})" if needed else "") + judges


def _control(line: Line) -> str:
    """Of each control, how many of the claims it meets, and in how many its two rows are the same."""
    claims = list(line.claims.values())
    names = list(dict.fromkeys(name for claim in claims for name in claim["controls"]))
    if claims and not names:
        return "not measured"
    met = {name: sum(_meets(claim, name) for claim in claims) for name in names}
    alike = {name: sum(_found(claim, name) == ALIKE for claim in claims) for name in names}
    asked = {name: sum(_found(claim, name) not in UNASKED for claim in claims) for name in names}
    told = {
        name: [f"meets {met[name] or 'none'} of {asked[name]}"] * bool(asked[name])
        + [f"alike in {alike[name]}"] * bool(alike[name])
        for name in names
    }
    return "; ".join(f"{name}: {', '.join(parts)}" for name, parts in told.items() if parts)


def _found(claim: Numbers, name: str) -> str | None:
    """What a control makes of a claim; None if the claim is not tried on it."""
    return str(claim["controls"][name]["verdict"]) if name in claim["controls"] else None


def _meets(claim: Numbers, name: str) -> bool:
    return _found(claim, name) in MET


def _scale(line: Line) -> str:
    """The scale of the trainings: the paper's if they have its size, whatever they were asked for as."""
    assert line.numbers is not None
    return "paper" if full_size(ITEMS[line.name]) else str(line.numbers["scale"])


def _data(numbers: Numbers) -> str:
    """The paper's set, or what stood in for it."""
    return ", ".join(dict.fromkeys(data_text(training["data"]) for training in numbers["trainings"]))


def data_text(data: Numbers) -> str:
    """The name of the paper's set, or what stood in for it.

    >>> data_text({"set": "LSUN church at 64x64", "read": {"from": "tiny-imagenet"}})
    'tiny-imagenet for LSUN church at 64x64'
    """
    title, read = data["set"], data["read"]
    if read is None or _letters(title).startswith(_letters(read["from"])):
        return str(title)
    return f"{read['from']} for {title}"


def _letters(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _expected(line: Line) -> str:
    """Whether the expectations were written before the first result or after it."""
    if not line.claims or line.name not in expected():
        return ""
    return "after" if expected()[line.name].after else "before"


def _minutes(numbers: Numbers) -> float:
    costs = measured_costs()
    return sum(len(training["runs"]) * costs[training["recipe"]][numbers["scale"]] for training in numbers["trainings"])


def _at_paper_scale(line: Line) -> str:
    """What one seed of the item costs at the paper's scale; nothing in the line of that scale."""
    cost = minutes(ITEMS[line.name])
    if cost is None or (line.numbers is not None and _scale(line) == "paper"):
        return ""
    return f"{amount(cost)}{'; GPU' if needs_gpu(cost) else ''}"
