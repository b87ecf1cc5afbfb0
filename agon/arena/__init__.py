"""Compare runs: by their scores, by battles and tournaments of critics and generators, and by reconstructions."""

from agon.arena.battles.battling import against, battle
from agon.arena.battles.contenders import BattleSettings
from agon.arena.battles.of_seeds import SeedBattle, battle_of_seeds
from agon.arena.battles.results import BattleResult
from agon.arena.comparisons.comparing import compare
from agon.arena.comparisons.forest import forest, write_comparison
from agon.arena.comparisons.result import ComparisonResult
from agon.arena.comparisons.score import ComparedScore
from agon.arena.comparisons.sentences import verdict
from agon.arena.comparisons.table import Contestant, contestant, table
from agon.arena.ratings.matrix import AreaMatrix
from agon.arena.ratings.panels import Panel, panel, panels
from agon.arena.ratings.rating import Rating, Ratings, rate
from agon.arena.reconstructions import ranked, reconstructions
from agon.arena.skills.live import SkillCallback
from agon.arena.skills.skill import Skill, read_skill, skill
from agon.arena.tournaments import TournamentSettings, tournament
from agon.arena.tournaments.standings import TournamentResult

__all__ = [
    "AreaMatrix",
    "BattleResult",
    "BattleSettings",
    "ComparedScore",
    "ComparisonResult",
    "Contestant",
    "Panel",
    "Rating",
    "Ratings",
    "SeedBattle",
    "Skill",
    "SkillCallback",
    "TournamentResult",
    "TournamentSettings",
    "against",
    "battle",
    "battle_of_seeds",
    "compare",
    "contestant",
    "forest",
    "panel",
    "panels",
    "ranked",
    "rate",
    "read_skill",
    "reconstructions",
    "skill",
    "table",
    "tournament",
    "verdict",
    "write_comparison",
]
