"""Trackers: what a training records, in the programs of others. TensorBoard, Weights & Biases, MLflow.

A tracker never ends a training: at its first failure it says so and is left out.
"""

import json
import logging
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

from agon.errors import RunError, SettingError, installed, require, unknown
from agon.runs.description import described
from agon.runs.directory import Directory
from agon.runs.layout import EVENTS, EXPERIMENT, TRACKING
from agon.runs.records import Events
from agon.terminal import warn

NONE = "none"
FIELDS = ("tracker", "id", "step")


class Tracker(Protocol):
    """A program that shows trainings."""

    def add(self, record: Mapping[str, float]) -> None:
        """Take a record of the log, or scores: numbers by name, and their step."""

    def show(self, name: str, png: bytes, step: int) -> None:
        """Take a picture of a step."""

    def note(self, name: str, text: str, step: int) -> None:
        """Take a line of text about a step."""

    def close(self) -> None:
        """Write what is pending."""


class WandbTracker:
    """A run of Weights & Biases, offline unless WANDB_MODE says otherwise; its files are in the run's wandb/.

    Args:
        folder: the run directory.
        identity: the id of its run there.
        experiment: the experiment in plain values.
    """

    def __init__(self, folder: Path, identity: str, experiment: Mapping[str, Any]) -> None:
        require("wandb")
        os.environ.setdefault("WANDB_MODE", "offline")
        import wandb

        quiet = wandb.Settings(silent=True, console="off", disable_git=True, x_disable_stats=True)
        self._image = wandb.Image
        self._run = wandb.init(
            project="agon",
            id=identity,
            name=folder.name,
            resume="allow",
            dir=folder,
            config=dict(experiment),
            settings=quiet,
        )

    def add(self, record: Mapping[str, float]) -> None:
        self._run.log({name: value for name, value in record.items() if name != "step"}, step=int(record["step"]))

    def show(self, name: str, png: bytes, step: int) -> None:
        self._run.log({name: self._image(_image(png))}, step=step)

    def note(self, name: str, text: str, step: int) -> None:
        self._run.summary[f"{name}/{step}"] = text

    def close(self) -> None:
        self._run.finish()


class MlflowTracker:
    """A run of MLflow, in the run's mlruns/ unless MLFLOW_TRACKING_URI names another place.

    Args:
        folder: the run directory.
        identity: the id of its run there; "" begins one.
        experiment: the experiment in plain values.
    """

    def __init__(self, folder: Path, identity: str, experiment: Mapping[str, Any]) -> None:
        require("mlflow")
        if "MLFLOW_TRACKING_URI" not in os.environ:
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # MLflow asks for this word since version 3.7
        logging.getLogger("mlflow").setLevel(logging.ERROR)
        from mlflow import MlflowClient

        self._client = MlflowClient(os.environ.get("MLFLOW_TRACKING_URI", (folder / "mlruns").resolve().as_uri()))
        self.identity = identity or self._begun(folder, experiment)

    def _begun(self, folder: Path, experiment: Mapping[str, Any]) -> str:
        place = self._client.get_experiment_by_name("agon")
        number = place.experiment_id if place else self._client.create_experiment("agon")
        run_id: str = self._client.create_run(number, run_name=folder.name).info.run_id
        self._client.log_dict(run_id, dict(experiment), EXPERIMENT)
        return run_id

    def add(self, record: Mapping[str, float]) -> None:
        for name, value in record.items():
            if name != "step":
                self._client.log_metric(self.identity, name, value, step=int(record["step"]))

    def show(self, name: str, png: bytes, step: int) -> None:
        self._client.log_image(self.identity, _image(png), key=name, step=step)

    def note(self, name: str, text: str, step: int) -> None:
        self._client.set_tag(self.identity, f"{name}.{step}", text)

    def close(self) -> None:
        self._client.set_terminated(self.identity)


TRACKERS: dict[str, Callable[[Path, str, Mapping[str, Any]], Any]] = {"wandb": WandbTracker, "mlflow": MlflowTracker}


class Trackers:
    """All trackers of one run: TensorBoard where it is installed, and the one that the run was begun with.

    Steps that a tracker has had are not sent again, since a resumed training repeats those after its checkpoint.

    Args:
        folder: the run directory.
        step: the step from which the training goes on.
    """

    def __init__(self, folder: Path, step: int) -> None:
        self._files, self._had, self._last = Directory(folder), -1, -1
        self._open: dict[str, Tracker] = {}
        if installed("tensorboard"):
            self._open["tensorboard"] = Events(folder / EVENTS, step)
        self._asked = described(self._files, TRACKING) if self._files.holds(TRACKING) else {}
        if self._asked:
            self._begin(folder)

    def add(self, record: Mapping[str, float]) -> None:
        """Send a record of the log to all."""
        step = int(record["step"])
        self._each(lambda tracker: tracker.add(record), step)
        if self._asked and step > self._last:
            self._last = step
            self._write()

    def score(self, scores: Iterable[Any], step: int) -> None:
        """Send the scores of a step, anything with a name and a value, to all; other things are left out."""
        known = [score for score in scores if hasattr(score, "name") and hasattr(score, "value")]
        values = {f"score/{score.name}": float(score.value) for score in known}
        if values:
            self._each(lambda tracker: tracker.add({**values, "step": step}), step)

    def show(self, name: str, png: bytes, step: int) -> None:
        """Send a picture of a step to all."""
        self._each(lambda tracker: tracker.show(name, png, step), step)

    def note(self, name: str, text: str, step: int) -> None:
        """Send a line of text about a step to all."""
        self._each(lambda tracker: tracker.note(name, text, step), step)

    def close(self) -> None:
        """Let all write what is pending."""
        self._each(lambda tracker: tracker.close(), None)

    def _begin(self, folder: Path) -> None:
        name, identity, last = (self._asked.get(field) for field in FIELDS)
        if name not in TRACKERS or not isinstance(identity, str) or type(last) is not int:
            raise RunError(f"{folder / TRACKING}: expected a tracker, its id and a step; put it back, or remove it")
        self._had = self._last = last
        try:
            tracker = TRACKERS[name](folder, identity, described(self._files, EXPERIMENT))
        except Exception as error:  # of another program: any
            warn(f"agon: {name} is left out: {_line(error)}")
            return
        self._open[name] = tracker
        self._asked["id"] = getattr(tracker, "identity", identity)
        self._write()

    def _each(self, send: Callable[[Tracker], None], step: int | None) -> None:
        for name, tracker in list(self._open.items()):
            if name in TRACKERS and step is not None and step <= self._had:
                continue
            try:
                send(tracker)
            except Exception as error:  # of another program: any
                del self._open[name]
                warn(f"agon: {name} is left out from here on: {_line(error)}")

    def _write(self) -> None:
        write_tracking(self._files, self._asked["tracker"], self._asked["id"], self._last)


def check_tracker(name: str) -> None:
    """Refuse a tracker that is unknown or not installed; "none" passes.

    Raises:
        SettingError: it is unknown.
        NotInstalledError: its package is not installed.
    """
    if name == NONE:
        return
    if name not in TRACKERS:
        raise SettingError(unknown("tracker", name, [NONE, *TRACKERS]))
    require(name)


def begin_tracking(files: Directory, tracker: str) -> None:
    """Write that a new run has a tracker; MLflow gives the id itself."""
    write_tracking(files, tracker, secrets.token_hex(4) if tracker == "wandb" else "")


def write_tracking(files: Directory, tracker: str, identity: str, step: int = -1) -> None:
    """Write which tracker a run has, its id there, and the last step that it has had."""
    files.write(TRACKING, (json.dumps(dict(zip(FIELDS, (tracker, identity, step), strict=True))) + "\n").encode())


def _line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__


def _image(png: bytes) -> Any:
    from PIL import Image

    return Image.open(BytesIO(png))
