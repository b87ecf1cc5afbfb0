"""Options that a command lacks: the option, or the setting, that is meant."""

import inspect
import re
from collections.abc import Callable, Mapping, Sequence

from agon.arguments import counts_epochs, epochs_advice
from agon.cli.words import PLACES, translated
from agon.errors import MEANT, similar
from agon.untrusted import cut, printable

OPTIONS: Mapping[str, str] = {  # what people type -> the option
    "bs": "batch",
    "checkpoint": "step",
    "count": "n",
    "data_dir": "data",
    "data_path": "data",
    "dataset": "data",
    "format": "to",
    "gpu": "device",
    "gpus": "devices",
    "logger": "track",
    "max_iters": "steps",
    "num": "n",
    "num_gpus": "devices",
    "num_iterations": "steps",
    "num_samples": "n",
    "num_seeds": "seeds",
    "num_workers": "threads",
    "outdir": "out",
    "output": "out",
    "output_dir": "out",
    "pretrained": "init",
    "random_seed": "seed",
    "resume": "init",
    "samples": "n",
    "time": "minutes",
    "time_limit": "minutes_per_job",
    "timeout": "minutes_per_job",
    "workers": "threads",
}
OF_SETTINGS = {"optimisers.lr": "lr", "data.size": "size"}  # a setting's path -> the option that sets it
POSITIONAL = ("recipe", "run", "runs", "item", "source", "words")  # arguments that are no options


def unknown_option(name: str, command: Callable[..., object], complaint: str) -> str | None:
    """A sentence on the first option that a command lacks, if the parser complains of one.

    Args:
        name: of the command.
        command: a function or a class, whose arguments are the options.
        complaint: the parser's, such as "Unrecognized options: --epochs, 10".
    """
    words = complaint.partition("Unrecognized options: ")[2].partition(" Perhaps you meant")[0]
    first, *rest = re.split(", |; for all options", words)
    if not re.match(r"--\w", first):
        return None
    option, equals, value = first.partition("=")
    if not equals and rest and not rest[0].startswith("--"):
        value = rest[0]
    arguments = (parameter.rstrip("_") for parameter in inspect.signature(command).parameters)
    known = [argument for argument in arguments if argument not in POSITIONAL]
    word = option.removeprefix("--").replace("-", "_").lower()
    return f"agon {name} has no {cut(printable(option))}; {_advice(name, word, value, known)}"


def _advice(name: str, word: str, value: str, known: Sequence[str]) -> str:
    """What is meant by an option, written with underscores, that is not among the known ones."""
    if counts_epochs(word) and "steps" in known:
        return epochs_advice(value)
    path = PLACES.get(word, word if word in PLACES.values() else "")
    meant = OPTIONS.get(word) or OF_SETTINGS.get(path, path)
    if meant in known:
        return f"did you mean {_spelled(meant)}?"
    if path and "set" in known:
        shown = path if translated(word, value) == (path, value) else word
        return f"did you mean --set {shown}={cut(printable(value)) or 'VALUE'}?"
    near = similar(word, known)[:MEANT]
    if near:
        return f"did you mean {' or '.join(map(_spelled, near))}?"
    others = "; --set PART.FIELD=VALUE changes any setting" if "set" in known else ""
    return f"for all options: agon {name} --help{others}"


def _spelled(name: str) -> str:
    return f"--{name.replace('_', '-')}"
