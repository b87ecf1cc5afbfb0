"""agon play: a local web page to play with runs."""

from pathlib import Path
from typing import Annotated, Any

import tyro

from agon.cli.shared import ScriptOption, run_script
from agon.errors import SettingError, require
from agon.play.ports import check_port
from agon.runs.named import local
from agon.runs.taken import refuse_no_run
from agon.terminal import say


def play(
    runs: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN...")],
    /,
    port: int = 7860,
    browser: bool = True,
    trust: bool = False,
    from_: ScriptOption = None,
) -> None:
    """Open a web page of this computer to play with runs: samples, walks, directions, a game against the critic.

    Args:
        runs: Run directories.
        port: Port of the page, which only this computer can open.
        browser: Open the page in a browser.
        trust: Allow runs to import classes from outside agon, which runs their code.
        from_: Run this script of yours, up to its first training, for the classes that the runs have from it.
    """
    if not runs:
        raise SettingError("agon play: expected at least one run; try pretrained:digits")
    check_port(port)
    places = [local(run) for run in runs]
    for place in places:
        refuse_no_run(place)
    require("gradio")
    from agon.play.page import serve
    from agon.runs.naming import names
    from agon.terminal import warn
    from agon.terminal.waiting import stage, waiting

    run_script(from_)
    with waiting(), stage("opening the runs"):
        models, left_out = _shown(dict(zip(names(places), places, strict=True)), trust)
    for line in left_out:
        warn(f"agon: left out: {line}")
    with waiting(), stage("first pictures"):
        blocks = serve(models, port, browser=browser, wait=False)
    say(f"{blocks.local_url.rstrip('/')} (Ctrl-C ends it)")  # only now: it answers
    blocks.block_thread()


def _shown(places: dict[str, Path], trust: bool) -> tuple[dict[str, Any], list[str]]:
    """The loaded runs that the page can show, and why others are left out; an error if none is left."""
    from agon.errors import AgonError
    from agon.models import load
    from agon.play.pictures import check_shown

    models, refused = {}, list[AgonError]()
    for name, place in places.items():
        model = load(place, trust=trust)
        try:
            check_shown(model)
        except SettingError as error:
            refused.append(error)
        else:
            models[name] = model
    if not models:
        raise refused[0]
    return models, [error.typed for error in refused]
