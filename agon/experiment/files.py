"""Read an experiment from a file that a user wrote: JSON, TOML or YAML, with the names of `experiment.json`."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from agon.errors import SettingError, require
from agon.experiment.experiment import Experiment
from agon.untrusted import parse_json, read_regular

MOST = 4 * 2**20  # bytes
EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")  # YAML 1.1 reads 1e-4 as a text


def read_experiment(path: Path, trust: bool = False) -> Experiment:
    """Read an experiment; fields that the file leaves out have their defaults.

    Args:
        path: a file NAME.json, NAME.toml, NAME.yaml or NAME.yml, such as a run's experiment.json.
        trust: whether classes that are not agon's may be imported; code runs when they are.

    Raises:
        SettingError: the file cannot be parsed, or is not an experiment.
        NotInstalledError: it is YAML, and no parser is installed.
    """
    try:
        text = read_regular(path, most=MOST).decode()
        value = _parsed(text, path.suffix.lower())
        if not isinstance(value, dict):
            raise SettingError(f"{path}: expected the fields of an experiment, got {type(value).__name__}")
        described = json.dumps({"type": "experiment", **value}, default=str)
    except (OSError, ValueError, TypeError, RecursionError) as error:
        advice = "see the experiment.json of a run"
        raise SettingError(f"{path} cannot be read as an experiment ({error}); {advice}") from error
    return Experiment.from_json(described, trust)


def _parsed(text: str, suffix: str) -> Any:
    if suffix == ".json":
        return parse_json(text, finite=False)
    if suffix == ".toml":
        return tomllib.loads(text)
    require("yaml")
    import yaml

    try:
        return _numbers(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error


def _numbers(value: Any) -> Any:
    """The value with texts such as "1e-4" as numbers."""
    if isinstance(value, dict):
        return {name: _numbers(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_numbers(inner) for inner in value]
    return float(value) if isinstance(value, str) and EXPONENT.fullmatch(value) else value
