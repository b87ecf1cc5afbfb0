"""Compare runs: by their scores, by battles of critics and generators, and by reconstructions of the same images."""

from agon.arena.battles import against, battle
from agon.arena.comparisons import Contestant, contestant, table
from agon.arena.contenders import BattleSettings
from agon.arena.reconstructions import ranked, reconstructions
from agon.arena.results import BattleResult
from agon.arena.sentences import verdict

__all__ = [
    "BattleResult",
    "BattleSettings",
    "Contestant",
    "against",
    "battle",
    "contestant",
    "ranked",
    "reconstructions",
    "table",
    "verdict",
]
