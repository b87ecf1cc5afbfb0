"""agon diagnose: what is wrong with runs, since when, and what to try."""

import json
from dataclasses import dataclass

from agon.cli.checks import check_runs
from agon.cli.shared import RunPaths, ScriptOption, run_script, spread
from agon.errors import SettingError
from agon.runs.groups import runs_in
from agon.runs.named import local
from agon.terminal import say

FOUND = 3  # exit status of a run with findings


@dataclass
class DiagnoseCommand:
    """Say what is wrong with runs, finished or not, since which step, and what to try. The exit status is 3 then."""

    runs: RunPaths = ()
    """Run directories, or directories of many seeds."""
    json: bool = False
    """Print the result as JSON instead of text."""
    spectrum: bool = False
    """Look at the eigenvalues of the game's steps as well: whether they arrive anywhere, and which steps would."""
    trust: bool = False
    """Allow the runs to import classes from outside agon, which runs their code."""
    from_: ScriptOption = None
    """Run this script of yours, up to its first training, for the classes that the runs have from it."""

    def __call__(self) -> int:
        if not self.runs:
            raise SettingError("agon diagnose: expected one run directory or more, got none")
        runs = [run for path in self.runs for run in runs_in(local(path))]
        check_runs(runs)
        from agon.diagnosis import diagnose

        run_script(self.from_)
        diagnoses = [diagnose(run, trust=self.trust, spectrum=self.spectrum, show=True) for run in spread(runs)]
        if self.json:
            say(*json.dumps([diagnosis.plain for diagnosis in diagnoses], indent=2, ensure_ascii=False).splitlines())
        else:
            say(*(line for diagnosis in diagnoses for line in diagnosis.lines))
        return 0 if all(diagnosis.healthy for diagnosis in diagnoses) else FOUND
