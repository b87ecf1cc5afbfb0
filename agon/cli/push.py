"""agon push: publish a run on the Hugging Face Hub."""

from pathlib import Path
from typing import Annotated

import tyro

from agon.cli.checks import refuse_idle
from agon.cli.shared import RunPath
from agon.errors import SettingError
from agon.places import is_pair
from agon.runs.named import local
from agon.runs.taken import refuse_no_run, refuse_taken
from agon.terminal import say
from agon.untrusted import shortened


def push(
    run: RunPath,
    name: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="OWNER/NAME")],
    /,
    private: bool = False,
    license_: Annotated[str | None, tyro.conf.arg(name="license")] = None,
    out: Path | None = None,
    trust: bool = False,
) -> None:
    """Publish a run on the Hugging Face Hub: weights, description, scores, samples and a model card.

    Args:
        run: Run directory.
        name: Name of the model on the Hub; it is created if it is missing.
        private: Create a repository that only its owner sees.
        license_: Identifier of the weights' licence, e.g. apache-2.0.
        out: Write the files into this new folder, and send nothing.
        trust: Allow the run to import classes from outside agon, which runs their code.
    """
    if not is_pair(name):
        raise SettingError(f"agon push: expected OWNER/NAME of a model on the Hub, got '{shortened(name)}'")
    if out is not None:
        refuse_idle({"--private": private}, "a repository that is sent, without --out,")
    run = local(run)
    refuse_no_run(run)
    if out is not None:
        refuse_taken(out)
    from agon import hub

    if out is not None:
        say(hub.prepare(run, name, out, licence=license_, trust=trust))
    else:
        say(hub.push(run, name, private=private, licence=license_, trust=trust))
