"""The files that docs/clusters.md shows are whole: they parse, fit together, and their commands of agon are right."""

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from agon.cli import COMMANDS
from agon.cli.arguments import parsed

PAGE = (Path(__file__).parents[2] / "docs" / "clusters.md").read_text()
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    """The blocks of the page in a language."""
    return [match[2] for match in FENCE.finditer(PAGE) if match[1] == language]


def files() -> dict[str, dict[str, Any]]:
    """The YAML files by what they are for."""
    launcher, kubernetes = map(yaml.safe_load, blocks("yaml"))
    return {"launcher": launcher, "kubernetes": kubernetes}


def commands() -> list[str]:
    """Every command line of agon on the page that is to be typed or submitted."""
    scripts = "\n".join([*blocks("text"), *blocks("bash")]).replace("\\\n", " ")
    launcher = r"(?:srun --kill-on-bad-exit |torchrun .* -m )?"
    lines = re.findall(rf"^\s*{launcher}(agon(?:\.cli)? .*?)(?: &)?$", scripts, re.MULTILINE)
    return [*lines, files()["kubernetes"]["spec"]["entrypoint"]]


@pytest.mark.parametrize("command", commands())
def test_commands_are_known(command: str) -> None:
    parsed(COMMANDS, shlex.split(command)[1:])


def test_a_wrong_command_is_caught() -> None:
    """The negative control."""
    assert len(commands()) == 23
    with pytest.raises(Exception, match="nod"):
        parsed(COMMANDS, shlex.split("sweep first/digits --nod ray --out x"))


@pytest.mark.parametrize("script", blocks("bash"), ids=["Ray", "one training"])
def test_the_scripts_of_slurm_are_bash(script: str) -> None:
    for text, status in ((script, 0), (script.replace("\nfi\n", "\n"), 2)):
        assert subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True).returncode == status
    directives = re.findall(r"^#SBATCH --([\w-]+)", script, re.MULTILINE)
    assert len(directives) == len(set(directives)) == 7


def test_the_launchers_file_has_what_ray_asks_for() -> None:
    launcher = files()["launcher"]
    assert launcher["provider"]["type"] == "local"
    assert launcher["max_workers"] == len(launcher["provider"]["worker_ips"])
    for role in ("head", "worker"):
        assert any(command.startswith("ray start") for command in launcher[f"{role}_start_ray_commands"])


def test_the_job_of_kubernetes_mounts_what_it_writes_to() -> None:
    spec = files()["kubernetes"]["spec"]
    groups = [spec["rayClusterSpec"]["headGroupSpec"], *spec["rayClusterSpec"]["workerGroupSpecs"]]
    out = Path(shlex.split(spec["entrypoint"])[-1])
    for group in groups:
        pod = group["template"]["spec"]
        volumes = {volume["name"] for volume in pod["volumes"]}
        for container in pod["containers"]:
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
            assert any(out.is_relative_to(mount["mountPath"]) for mount in container["volumeMounts"])
