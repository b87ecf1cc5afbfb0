"""Compare runs: battles of critics and generators, and reconstructions of the same images."""

from agon.arena.battles import against, battle
from agon.arena.contenders import BattleSettings
from agon.arena.reconstructions import ranked, reconstructions
from agon.arena.results import BattleResult

__all__ = ["BattleResult", "BattleSettings", "against", "battle", "ranked", "reconstructions"]
