"""Skill over a training of each contestant of a tournament that has it."""

from pathlib import Path

from agon.arena.tournaments.standings import TournamentResult
from agon.reports.curves import Figure
from agon.reports.skills import figure
from agon.reports.tournaments.heat import ordered


def skills(result: TournamentResult) -> list[Figure]:
    """A plot for each contestant of which a run holds a skill.json: ratings of its generators and critics by step."""
    order, others = ordered(result.matrix, result.ratings)
    drawn = []
    for contestant in dict.fromkeys([*order, *others]):
        places = [Path(result.places.get(entrant, "")) for entrant in result.matrix.seeds_of(contestant)]
        found = next((made for place in places if (made := figure(contestant, place))), None)
        drawn += [found] if found else []
    return drawn
