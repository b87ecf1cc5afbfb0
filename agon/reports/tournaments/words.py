"""What a tournament says, in sentences: who is best, how sure that is, and what one rating leaves out."""

import math
from collections.abc import Sequence

from agon.arena.ratings.rating import Rating, Ratings
from agon.arena.tournaments.admission import UNTRAINED
from agon.arena.tournaments.standings import TournamentResult
from agon.figures.numbers import number
from agon.reports.tournaments.dots import signed

MUCH = 0.25  # share left unexplained from which a ranking alone misleads
CEILING, FLOOR = "the ceiling", "the floor"
NAMED = 4  # most contestants named in a sentence


def title(result: TournamentResult) -> str:
    """The title of the page."""
    count = len(set(result.matrix.contestants.values()))
    return f"Tournament of {count} contestant{'s' if count > 1 else ''}"


def facts(result: TournamentResult) -> list[str]:
    """Short phrases about its size."""
    matrix = result.matrix
    least, most = int(matrix.sizes.min()), int(matrix.sizes.max())
    return [
        f"{len(matrix.generators)} generators before {len(matrix.critics)} critics",
        f"{number(least) if least == most else f'{number(least)} to {number(most)}'} samples of each",
        f"{number(matrix.n_real)} held-out real samples",
        *([f"{len(result.left_out)} left out"] if result.left_out else []),
    ]


def references(result: TournamentResult) -> dict[str, str]:
    """The contestants that are a scale for others and win nothing: the ceiling, real data, and the floor."""
    real = {} if result.ceiling is None else {result.ceiling: CEILING}
    return real | ({UNTRAINED: FLOOR} if UNTRAINED in result.matrix.contestants.values() else {})


def verdicts(result: TournamentResult) -> list[str]:
    """What speaks against the order, who has the best generator and critic, and whether their intervals stand apart."""
    known = references(result)
    generators = [rating for rating in result.ratings.generators if rating.name not in known]
    cautions = [f"{caution[0].upper()}{caution[1:]}." for caution in result.cautions]
    sentences = [*cautions, _best(generators, "generator"), _best(result.ratings.critics, "critic")]
    return [sentence for sentence in sentences if sentence]


def _best(ratings: Sequence[Rating], role: str) -> str:
    if not ratings:
        return ""
    best, others = ratings[0], ratings[1:]
    sentence = f"{best.name} has the highest rated {role}, {_text(best)}"
    if not others or best.interval is None:
        return f"{sentence}."
    level = [other.name for other in others if other.interval is not None and other.interval[1] >= best.interval[0]]
    if not level:
        return f"{sentence}; its interval lies above those of all other contestants."
    return f"{sentence}; its interval overlaps {_those(level)}, so the order at the top is not settled."


def _those(names: Sequence[str]) -> str:
    if len(names) > NAMED:
        return f"those of {', '.join(names[: NAMED - 1])} and {len(names) - NAMED + 1} others"
    if len(names) == 1:
        return f"that of {names[0]}"
    return f"those of {', '.join(names[:-1])} and {names[-1]}"


def _text(rating: Rating) -> str:
    text = f"{rating.value:.2f}"
    if rating.interval is not None:
        low, high = rating.interval
        text += f" [{low:.2f}, {high:.2f}]"
    return signed(text)


def home(ratings: Ratings) -> str:
    """What training together changes."""
    factor = number(math.exp(min(max(ratings.home, -50.0), 50.0)), 2)
    if round(ratings.home, 2) == 0:
        return (
            "Critics are fooled as often by the generator that trained against them as by others: the home term is 0."
        )
    less = "less" if ratings.home < 0 else "more"
    return (
        f"A critic is fooled {less} often by the generator that trained against it than the ratings alone say: the "
        f"home term is {signed(f'{ratings.home:.2f}')} logits, which multiplies the odds by {factor}."
    )


def unexplained(ratings: Ratings) -> str:
    """How much the ratings leave out."""
    share = f"{100 * ratings.unexplained:.0f} %"
    advice = (
        "That is much: who wins depends on who meets whom, so read the matrix, not the ranking alone."
        if ratings.unexplained > MUCH
        else "So the ranking tells most of the matrix."
    )
    return f"The ratings and the home term leave {share} of the variance of logit a unexplained. {advice}"


def cycles(ratings: Ratings) -> list[str]:
    """Each cycle as a sentence."""
    return [_cycle(cycle) for cycle in ratings.cycles if len(cycle) > 1]


def _cycle(names: Sequence[str]) -> str:
    pairs = [f"{one} beats {other}" for one, other in zip(names, [*names[1:], names[0]], strict=True)]
    return f"{', '.join(pairs[:-1])}, and {pairs[-1]}."


def covers(ratings: Sequence[Rating]) -> str:
    """What the intervals cover."""
    kinds = {rating.covers for rating in ratings if rating.interval is not None}
    if kinds == {"seeds"}:
        return "Whiskers are 95 % intervals over trainings: where other seeds of the same experiment would land."
    if kinds == {"samples"}:
        return (
            "Whiskers are 95 % intervals over the samples of one training each (hollow dots): another seed of the same "
            "experiment may land elsewhere. Give several seeds of each to see how far."
        )
    if not kinds:
        return "No interval is known."
    return (
        "Whiskers are 95 % intervals. Filled dots: over trainings, where other seeds of the same experiment would "
        "land. Hollow dots: over the samples of one training alone, of which another seed may land elsewhere."
    )
