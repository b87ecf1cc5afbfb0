"""The page of a sweep, and `sweep` and `resume`, which leave it in their folder."""

from agon.reports.sweeps.leaving import leave_page, resume, sweep
from agon.reports.sweeps.page import is_sweep, page

__all__ = ["is_sweep", "leave_page", "page", "resume", "sweep"]
