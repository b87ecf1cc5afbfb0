"""Damaged run directories, by a seed: python -m tests.runs.fuzzing RUN FIRST COUNT ... tells which end badly."""

import contextlib
import hashlib
import io
import json
import os
import random
import resource
import shutil
import signal
import socket
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from agon.cli import main

SECONDS = 30  # that a command may take
GROWTH = 2**20  # KiB that all of them may
FINE = (0, 2, 3)  # done; a sentence; a sentence about numbers that are not finite any more

Value = Any
HOSTILE: tuple[Callable[[random.Random], Value], ...] = (
    lambda _: None,
    lambda _: True,
    lambda r: r.choice([-1, 0, 1, 2, 7, 1_000, 10**6, 10**9, 2**31, 2**63, 10**30, -(2**63)]),
    lambda r: r.choice([0.5, -1.5, 1e-320, 1e308, float("inf"), float("-inf"), float("nan")]),
    lambda r: r.choice(["", "x", "fp64", "critic", "\ud800", "\x00", "a" * 5_000, "/" + "b/" * 2_500, "../..", "$(x)"]),
    lambda r: [[], {}, [None], [[]], {"type": "ring"}, {"type": "nothing"}, {"import": "os:system"}][r.randrange(7)],
    lambda r: _nested(r.choice([90, 500, 5_000])),
    lambda r: [r.choice([["critic"], 1, "x", None])] * r.choice([10, 1_000, 100_000]),
    lambda _: {f"key{n}": n for n in range(1_000)},
)


class Hung(BaseException):
    """A command has not ended; not an Exception, so that nothing takes it for an error of its own."""


class Case(NamedTuple):
    """One damaged run, and what a command did with it."""

    seed: int
    damage: str
    command: str
    status: int | str
    told: str

    @property
    def fine(self) -> bool:
        """Whether it succeeded, or said one sentence."""
        if self.status == 0:
            return True
        return self.status in FINE and self.told.count("agon: ") >= 1 and "Traceback" not in self.told


def case(whole: Path, seed: int) -> Case:
    """Damage a copy of the run by this seed, and hand it to a command."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        run = Path(shutil.copytree(whole, Path(folder) / "run"))
        ways = [rng.choice(WAYS) for _ in range(rng.choice([1, 1, 1, 2]))]
        ways.sort(key=(_kind, _name).count)  # these last: a pipe that is put there would block the other ways
        damage = "; ".join(_damaged(run, rng, way) for way in ways)
        command = rng.choice(sorted(COMMANDS))
        arguments = [each.format(run=run, whole=whole, out=f"{folder}/out") for each in COMMANDS[command]]
        status, told = _called(arguments)
    return Case(seed, damage, command, status, told)


COMMANDS = {
    "resume": ["resume", "{run}", "--steps", "6"],
    "finished": ["resume", "{run}"],
    "evaluate": ["evaluate", "{run}", "--n", "20", "--seed", "5"],
    "again": ["evaluate", "{run}", "--n", "20"],
    "sample": ["sample", "{run}", "--n", "4", "--out", "{out}.npz"],
    "report": ["report", "{run}", "--out", "{out}.html"],
    "judge": ["battle", "{run}", "--against", "{whole}/samples/real.npy", "--n", "9"],
}


def _called(arguments: list[str]) -> tuple[int | str, str]:
    told = io.StringIO()
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    with contextlib.redirect_stderr(told), contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with _limited(SECONDS):
                status: int | str = main(arguments)
        except (Hung, SystemExit) as error:
            status = repr(error)
    torch.set_num_threads(threads)
    torch.set_rng_state(state)
    return status, told.getvalue()


@contextmanager
def _limited(seconds: int) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise Hung

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _damaged(run: Path, rng: random.Random, way: Callable[[Path, random.Random], str]) -> str:
    try:
        return way(run, rng)
    except (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        RecursionError,
        SafetensorError,
    ) as error:  # what the first one left
        return f"nothing ({type(error).__name__})"


def _setting(run: Path, rng: random.Random) -> str:
    """One value of a description."""
    file = run / rng.choice(["experiment.json", "experiment.json", "arithmetic.json"])
    value = json.loads(file.read_text())
    told = _changed(value, rng)
    file.write_text(json.dumps(value))
    return f"{file.name}: {told}"


def _state(run: Path, rng: random.Random) -> str:
    """One value of a checkpoint's state, with checksums that fit."""
    file = rng.choice(sorted((run / "checkpoints").glob("*/state.json"))[-2:])
    state = json.loads(file.read_text())
    told = _changed(state, rng)
    _sign(file, state)
    return f"{file.parent.name}/state.json: {told}"


def _tensors(run: Path, rng: random.Random) -> str:
    """One tensor of a checkpoint, with checksums that fit."""
    file = rng.choice(sorted((run / "checkpoints").glob("*/tensors.safetensors"))[-2:])
    tensors = load(file.read_bytes())
    name = rng.choice(sorted(tensors))
    how = rng.choice(["zero", "empty", "gone", "renamed", "longer", "float64", "int8", "bool", "complex", "nan", "all"])
    value = tensors.pop(name)
    if how == "all":
        tensors = {}
    elif how == "renamed":
        tensors[rng.choice([f"{name}x", f"optimiser/critic/{10**9}/step", "optimiser/critic/x/y", "random/x"])] = value
    elif how != "gone":
        tensors[name] = _other(value, how)
    content = save(tensors)
    if rng.random() < 0.1:
        content = content.replace(b'"F32"', b'"X99"', 1)
    file.write_bytes(content)
    state = json.loads((file.parent / "state.json").read_text())
    _sign(file.parent / "state.json", {**state, "tensors": hashlib.sha256(content).hexdigest()})
    return f"{file.parent.name}: {name} {how}"


def _other(value: torch.Tensor, how: str) -> torch.Tensor:
    types = {"float64": torch.float64, "int8": torch.int8, "bool": torch.bool, "complex": torch.complex64}
    if how in types:
        return value.to(types[how])
    if how == "empty":
        return value.new_zeros(0)
    if how == "longer":
        return torch.cat([value.flatten(), value.flatten()])
    return torch.full_like(value, float("nan")) if how == "nan" and value.is_floating_point() else value * 0


def _sign(file: Path, state: Value) -> None:
    if isinstance(state, dict):
        state.pop("sha256", None)
        text = json.dumps(state, sort_keys=True)
        state = {**state, "sha256": hashlib.sha256(text.encode()).hexdigest()}
    file.write_text(json.dumps(state))


def _record(run: Path, rng: random.Random) -> str:
    """One value of a record."""
    file = run / rng.choice(["log.jsonl", "metrics.jsonl"])
    lines = file.read_text().splitlines()
    at = rng.randrange(len(lines))
    value = json.loads(lines[at])
    told = _changed(value, rng)
    lines[at] = json.dumps(value)
    file.write_text("\n".join(lines) + "\n")
    return f"{file.name}, line {at + 1}: {told}"


def _bytes(run: Path, rng: random.Random) -> str:
    """The content of any file."""
    file = rng.choice(sorted(p for p in run.rglob("*") if p.is_file()))
    content, how = file.read_bytes(), rng.choice(["flip", "cut", "empty", "noise", "doubled", "deep", "digits"])
    at = rng.randrange(len(content) + 1)
    other = {
        "flip": content[:at] + bytes([rng.randrange(256)]) + content[at + 1 :],
        "cut": content[:at],
        "empty": b"",
        "noise": rng.randbytes(200),
        "doubled": content * 2,
        "deep": b"[" * 100_000,
        "digits": b'{"steps": ' + b"9" * 5_000 + b"}",
    }
    file.write_bytes(other[how])
    return f"{file.relative_to(run)}: {how}"


def _kind(run: Path, rng: random.Random) -> str:
    """Something else in the place of a file or a folder."""
    place = rng.choice(sorted(run.rglob("*")))
    how = rng.choice(["pipe", "zero", "link", "dangling", "folder", "socket", "gone", "file", "loop"])
    away = run.parent / "away"
    shutil.rmtree(away) if away.is_dir() else away.unlink(missing_ok=True)
    place.rename(away)
    if how == "pipe":
        os.mkfifo(place)
    elif how == "folder":
        place.mkdir()
    elif how == "file":
        place.write_bytes(b"")
    elif how == "socket":
        _socket(place)
    elif how != "gone":
        target = {"zero": Path("/dev/zero"), "link": away, "dangling": Path("/nowhere"), "loop": place}[how]
        place.symlink_to(target)
    return f"{place.relative_to(run)}: {how}"


def _socket(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as unix, contextlib.suppress(OSError):
        unix.bind(str(place))


def _name(run: Path, rng: random.Random) -> str:
    """A file or a folder of an odd name."""
    folder = rng.choice(["samples", "checkpoints", "metrics", "tensorboard", "."])
    odd = ["12abc.png", "٣٤.npy", "9" * 200 + ".npy", "00000099.npy", "99999999", "000000000000000000", "1", "-5.npy"]
    name = rng.choice(
        [*odd, ".writing-x", ".real.npy.12", ".real.npy.x", "real.png", "run.lock", "\udcff.npy", "a\nb.npy"]
    )
    place = run / folder / name
    if not place.exists():
        place.mkdir() if rng.random() < 0.5 else place.write_bytes(b"")
    return f"{folder}/{name!a} added"


def _changed(value: Value, rng: random.Random) -> str:
    """Change one place in nested values; what was changed."""
    path, owner = [], value
    while True:
        keys = list(owner) if isinstance(owner, dict) else list(range(len(owner)))
        if not keys:
            return "nothing"
        key = rng.choice(keys)
        path.append(str(key))
        if not isinstance(owner[key], dict | list) or not owner[key] or rng.random() < 0.2:
            break
        owner = owner[key]
    if rng.random() < 0.15:
        del owner[key]
        return f"{'.'.join(path)} gone"
    owner[key] = rng.choice(HOSTILE)(rng)
    return f"{'.'.join(path)} = {owner[key]!r:.60}"


def _nested(deep: int) -> Value:
    value: Value = 1
    for _ in range(min(deep, 900)):
        value = [value]
    return value


WAYS = (_setting, _setting, _setting, _state, _tensors, _record, _bytes, _kind, _name)


def _ending_badly(run: Path, first: int, count: int) -> int:
    """How many of these cases do; each is told, and so is a memory that has grown by more than `GROWTH`."""
    before, bad = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 0
    for each in (case(run, seed) for seed in range(first, first + count)):
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        if not each.fine or grown > GROWTH:
            bad += 1
            told = f"{each.status}, {grown:,} KiB: {each.told[-300:]!a}"
            print(f"{each.seed} {each.command} [{each.damage!a}] -> {told}", flush=True)
    return bad


if __name__ == "__main__":
    asked = list(zip(sys.argv[1::3], map(int, sys.argv[2::3]), map(int, sys.argv[3::3]), strict=True))
    found = sum(_ending_badly(Path(run), first, count) for run, first, count in asked)
    print(f"{found} of {sum(count for _, _, count in asked)} end badly")
    sys.exit(found > 0)
