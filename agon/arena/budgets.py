"""Whether contestants were trained for the same number of steps; if not, a comparison of settings is one of budgets."""

from collections.abc import Collection, Mapping

from agon.untrusted import NAMED, shortened

ADVICE = "to compare settings, train all with the same --steps"


def unequal_budgets(steps: Mapping[str, Collection[int | None]]) -> str:
    """The sentence that says how long each contestant was trained; nothing where all were trained equally long.

    Args:
        steps: contestant's name -> the steps of its runs; None for one that is unknown, which counts for nothing.

    >>> unequal_budgets({"ada": [42, 42], "plain": [100]})
    'Budgets differ: ada was trained for 42 steps, plain for 100; to compare settings, train all with the same --steps.'
    >>> unequal_budgets({"ada": [100], "plain": [100, 100]})
    ''
    """
    known = {name: sorted({one for one in of_runs if one is not None}) for name, of_runs in steps.items()}
    known = {name: of_runs for name, of_runs in known.items() if of_runs}
    if len({one for of_runs in known.values() for one in of_runs}) < 2:
        return ""
    (first, words), *others = [(shortened(name), _range(of_runs)) for name, of_runs in known.items()]
    unit = "step" if words == "1" else "steps"
    clauses = [f"{first} was trained for {words} {unit}", *(f"{name} for {words}" for name, words in others)]
    more = f" and {len(clauses) - NAMED} more" if len(clauses) > NAMED else ""
    return f"Budgets differ: {', '.join(clauses[:NAMED])}{more}; {ADVICE}."


def _range(steps: Collection[int]) -> str:
    low, high = min(steps), max(steps)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
