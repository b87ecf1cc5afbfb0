"""agon export: write a run's generator or critic as a file that needs no agon."""

from pathlib import Path
from typing import Literal

from agon.cli.shared import RunPath, ScriptOption, run_script
from agon.exports.formats import Format, check_role, format_of
from agon.runs.named import local
from agon.runs.taken import refuse_no_run
from agon.terminal import say


def export(
    run: RunPath,
    /,
    out: Path,
    to: Format | None = None,
    player: str = "generator",
    weights: Literal["average", "live"] = "average",
    trust: bool = False,
    from_: ScriptOption = None,
) -> None:
    """Write a run's generator or critic as a file that needs no agon, and check it against the run.

    Args:
        run: Run directory.
        out: File to write; with safetensors, a Python file with the network is written beside it.
        to: Format; by default what the file's ending says: .safetensors, .pt (torchscript), .onnx, .pt2 (torch-export).
        player: What to write: generator, critic (samples to logits) or classifier.
        weights: Write weights averaged over the last steps, if the run keeps an average, or the live ones.
        trust: Allow the run to import classes from outside agon, which runs their code.
        from_: Run this script of yours, up to its first training, for the classes that the run has from it.
    """
    check_role(player)
    format_of(out, to)
    run = local(run)
    refuse_no_run(run)
    from agon.exports import export as export_run
    from agon.terminal.waiting import stage, waiting

    run_script(from_)
    with waiting(), stage(f"export of the {player}"):
        written = export_run(run, out, to, player=player, weights=weights, trust=trust)
    say(written)
