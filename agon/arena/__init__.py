"""Runs against each other: battles of critics and generators, and who reconstructs the same images best."""

from agon.arena.battles import against, battle
from agon.arena.contenders import BattleSettings
from agon.arena.reconstructions import ranked, reconstructions
from agon.arena.results import BattleResult

__all__ = ["BattleResult", "BattleSettings", "against", "battle", "ranked", "reconstructions"]
