"""Tournaments: every critic judges every generator, once, and what was computed is kept by its content."""

from agon.arena.tournaments.ground import TournamentSettings
from agon.arena.tournaments.playing import tournament

__all__ = ["TournamentSettings", "tournament"]
