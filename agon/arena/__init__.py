"""Compare runs: by their scores, by battles and tournaments of critics and generators, and by reconstructions."""

from agon.arena.battles import against, battle
from agon.arena.compared import ComparisonResult
from agon.arena.compared_score import ComparedScore
from agon.arena.comparing import compare
from agon.arena.comparisons import Contestant, contestant, table
from agon.arena.contenders import BattleSettings
from agon.arena.forest import forest, write_comparison
from agon.arena.live import SkillCallback
from agon.arena.matrix import AreaMatrix
from agon.arena.panels import Panel, panel, panels
from agon.arena.ratings import Rating, Ratings, rate
from agon.arena.reconstructions import ranked, reconstructions
from agon.arena.results import BattleResult
from agon.arena.seed_battles import SeedBattle, battle_of_seeds
from agon.arena.sentences import verdict
from agon.arena.skills import Skill, read_skill, skill
from agon.arena.standings import TournamentResult
from agon.arena.tournaments import TournamentSettings, tournament

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
