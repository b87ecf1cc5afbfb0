"""The page of a tournament: its matrix as a heat map, its ratings with intervals, and the contestants' samples."""

from agon.reports.tournaments.leaving import leave_page
from agon.reports.tournaments.page import page
from agon.reports.tournaments.picture import picture

__all__ = ["leave_page", "page", "picture"]
