"""The page of a tournament: its matrix as a heat map, its ratings with intervals, and the contestants' samples."""

from agon.reports.tournaments.page import page
from agon.reports.tournaments.picture import picture

__all__ = ["page", "picture"]
