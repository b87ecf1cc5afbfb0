"""Whether the two judges of a claim agree, as far as its numbers tell.

A judge is what scores the samples: the set's own classifier, and beside it a network that knows ImageNet
(`second_judge`). Each compares the same two rows; a difference is positive as the paper claims.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from agon.papers.verdicts import MET, difference

Agreement = Literal["agree", "open", "opposite", "contradict"]
ENDS: Mapping[Agreement | None, str] = {  # of a sentence about a claim on which two judges disagree
    "opposite": "the signs differ, and the seeds decide for one of them alone",
    "contradict": "the judges contradict each other",
}
DECIDED = (*MET, "contradicted")

Judged = Mapping[str, Any]  # an expectation in the numbers' file


def agreement(first: Judged, second: Judged) -> Agreement | None:
    """Compare what two judges make of one claim.

    Args:
        first: the claim by one score, with its "mean" difference and its "verdict".
        second: the same claim by another judge's score.

    Returns:
        "contradict" if the claim is held by one and contradicted by the other; "opposite" if their differences have
        opposite signs and one of them is decided; "open" if neither is; "agree" if the signs are the same; None if one
        of them was not measured or is not finite.

    >>> agreement({"mean": 0.5, "verdict": "held"}, {"mean": 0.01, "verdict": "undecided"})
    'agree'
    >>> agreement({"mean": 0.5, "verdict": "held"}, {"mean": -0.01, "verdict": "contradicted"})
    'contradict'
    """
    means = [claim["mean"] for claim in (first, second)]
    if any(mean is None or not math.isfinite(mean) for mean in means):
        return None
    verdicts = {claim["verdict"] for claim in (first, second)}
    if "contradicted" in verdicts and verdicts & set(MET):
        return "contradict"
    if not min(means) < 0 < max(means):
        return "agree"
    return "opposite" if verdicts & set(DECIDED) else "open"


def disagreements(claims: Sequence[Judged]) -> list[Judged]:
    """The claims on which their two judges disagree."""
    return [claim for claim in claims if _of(claim) in ENDS]


def on_agreement(claims: Sequence[Judged]) -> str:
    """What a page says of its judges: on how many claims they agree, and each claim on which they do not.

    Args:
        claims: an item's expectations; those with one judge do not count.

    Returns:
        A sentence, or a sentence and a list in Markdown; empty if no claim has two judges.
    """
    judged = [claim for claim in claims if "second" in claim]
    if not judged:
        return ""
    compared = [claim for claim in judged if _of(claim) is not None]
    if not compared:
        scores = " and ".join(dict.fromkeys(claim["second"]["score"] for claim in judged))
        return f"A second judge ({scores}) has not scored these rows yet."
    apart = disagreements(compared)
    head = f"{_headline(compared, apart)}{_rest(compared, len(judged) - len(compared))}"
    return "\n".join([head, "", *(f"* {_told(claim)}" for claim in apart)]) if apart else head


def _headline(compared: Sequence[Judged], apart: Sequence[Judged]) -> str:
    """On how many claims the judges disagree, or else agree."""
    one = len(compared) == 1
    if apart:
        where = "the claim" if one else f"{len(apart)} of {len(compared)} claims"
        return f"**The two judges disagree on {where}.**"
    same = sum(_of(claim) == "agree" for claim in compared)
    if not same:
        return "**The seeds do not tell whether the two judges agree.**"
    all_claims = "the claim" if one else f"all {same} claims"
    where = all_claims if same == len(compared) else f"{same} of {len(compared)} claims"
    return f"**The two judges agree on {where}**: the differences have the same sign."


def _rest(compared: Sequence[Judged], missing: int) -> str:
    """What else is to be said of the claims: neither judge decides them, or one has not seen them."""
    unclear = sum(_of(claim) == "open" for claim in compared)
    said = f" On {unclear} the signs differ, and the seeds decide for neither." if unclear else ""
    were = "was" if missing == 1 else "were"
    return said + (f" {missing} more {were} not measured by both judges." if missing else "")


def _of(claim: Judged) -> Agreement | None:
    return agreement(claim, claim["second"]) if "second" in claim else None


def _told(claim: Judged) -> str:
    """A claim with what each judge makes of it."""
    by_judge = [
        f"{judged['score']} {difference(judged, ratio=judged['ratio'])} ({judged['verdict']})"
        for judged in (claim, claim["second"])
    ]
    return f"{claim['says']}: {', '.join(by_judge)}; {ENDS[_of(claim)]}."
