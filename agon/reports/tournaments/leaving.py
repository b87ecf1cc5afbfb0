"""What `agon tournament` leaves beside its result: the page, and its picture."""

from pathlib import Path

from agon.arena.tournaments.standings import TournamentResult
from agon.errors import AgonError, NotInstalledError, command
from agon.reports.pages import page_path, saved
from agon.reports.tournaments.page import page
from agon.reports.tournaments.picture import picture
from agon.runs import Directory, write_atomically, writing
from agon.runs.files import AGAIN
from agon.runs.layout import REPORT
from agon.terminal import warn

PICTURE = "matrix.png"


def leave_page(result: TournamentResult, folder: Path) -> list[Path]:
    """Write report.html and matrix.png into the folder of a tournament; say why where they cannot be written.

    Returns:
        The files that were written.
    """
    left = []
    for write in (_page, _picture):
        try:
            left.append(write(result, folder))
        except NotInstalledError as error:
            warn(f"agon: no {write.__name__.strip('_')}: {error.typed}, then {command('report', folder)}")
        except AgonError as error:
            warn(f"agon: no {write.__name__.strip('_')}: {error.typed}")
    return left


def _page(_: TournamentResult, folder: Path) -> Path:
    return saved(page([folder]), page_path([folder], folder / REPORT))


def _picture(result: TournamentResult, folder: Path) -> Path:
    content = picture(result)
    with writing(folder / PICTURE, then=AGAIN):
        Directory(folder).check(PICTURE)
    write_atomically(folder / PICTURE, content, then=AGAIN)
    return folder / PICTURE
