"""What a run's files claim is bounded before it is used, and the sentence names the limit."""

import io
import json
import os
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from agon.cli import main
from agon.errors import RunError, SettingError
from agon.figures.pictures import grid_png, read_grid
from agon.runs import Directory, limits
from agon.runs.arrays import array, arrays
from agon.runs.checkpoints import load
from agon.runs.description import described
from tests.runs.conftest import Maker
from tests.runs.fuzzing import COMMANDS, _called


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 500 + "]" * 500, "nested more than 100 deep"),
        ('{"a": ' * 600 + "1" + "}" * 600, "nested more than 100 deep"),
        ('{"a": ' + "9" * 5_000 + "}", "4300 digits"),
        ('{"memory": Infinity}', "Infinity is not a JSON number"),
        ('{"a": [' + "1," * limits.VALUES + "1]}", "more than 50,000 values"),
        ('{"a": "' + "b" * 5_000 + '"}', "5,000 characters, more than 4,096"),
        ('{"' + "b" * 5_000 + '": 1}', "5,000 characters, more than 4,096"),
        ('{"recipe": "\\ud800"}', "cannot be written down"),
        ('{"path": "a\\u0000b"}', "cannot be written down"),
        ("[1]", "expected a JSON object"),
        (" " * (limits.DESCRIPTION + 1), "4,194,305 bytes, more than the 4,194,304"),
        ("\x80", "can't decode byte"),
    ],
    ids=range(12),
)
def test_a_description_is_bounded(text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "experiment.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(RunError, match=f"experiment.json cannot be read .*{reason}"):
        described(Directory(tmp_path), "experiment.json")


@pytest.mark.parametrize("name", ["experiment.json", "arithmetic.json", "log.jsonl", "metrics.jsonl", "run.lock"])
def test_what_never_ends_is_not_waited_for(name: str, copied: Maker, capsys: pytest.CaptureFixture[str]) -> None:
    """A pipe, which would block, in the place of a file; a device by a link is refused as a link."""
    run = copied("run")
    (run / name).unlink()
    os.mkfifo(run / name)
    told = ""
    for command in ("resume", "evaluate", "report"):
        arguments = [word.format(run=run, whole=run, out=run.parent / "out") for word in COMMANDS[command]]
        status, said = _called(arguments)
        assert status in (0, 2), said
        told += said
    assert f"{name} is a named pipe" in told


def header(shape: str, kind: str = "<f4") -> bytes:
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}}}"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


@pytest.mark.parametrize(
    "content",
    [
        header("(1000000000000,)") + b"1234",
        header("(-1, 2)"),
        header("(2,)") + b"1234",
        header("(2,)", "|O") + b"1234567812345678",
        header("(1000000000000,)", "|V0"),
        header("(" * 3_000 + ")" * 3_000),
        header("()")[:9],
        b"\x93NUMPY\x09\x00",
        b"",
    ],
    ids=range(9),
)
def test_an_array_holds_what_it_says(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        array(content)


def test_arrays_are_read_as_they_were_written() -> None:
    for value in (np.arange(6, dtype=np.float32).reshape(2, 3), np.zeros((0, 2), np.float32), np.float32(3)):
        content = io.BytesIO()
        np.save(content, value)
        assert np.array_equal(array(content.getvalue()), value)
    content = io.BytesIO()
    np.savez_compressed(content, a=np.zeros(1_000), b=np.ones(3))
    found = arrays(content.getvalue(), 10_000)
    assert (found["a"].shape, found["b"].tolist()) == ((1_000,), [1, 1, 1])
    with pytest.raises(ValueError, match="unpacks to 8,"):
        arrays(content.getvalue(), 8_000)
    with pytest.raises(ValueError, match="no archive"):
        arrays(b"PK", 8_000)


def test_an_archive_that_lies_about_its_size_is_refused() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", header("(25000000,)") + bytes(10**8))
    small = content.getvalue().replace(struct.pack("<L", 10**8 + len(header("(25000000,)"))), struct.pack("<L", 100))
    with pytest.raises(ValueError, match=r"."):
        arrays(small, 10_000)


def test_a_grid_of_too_many_pixels_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    content = grid_png(np.zeros((4, 1, 8, 8), np.uint8))
    monkeypatch.setattr("agon.figures.pictures.PIXELS", 100)
    with pytest.raises(Exception, match="of at most 100 pixels"):
        read_grid(content)


def test_a_bomb_and_another_format_are_no_grids() -> None:
    """A PNG of 10^10 pixels, one with a text of 100 MB, and a program for Ghostscript."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    start = b"\x89PNG\r\n\x1a\n"
    size = chunk(b"IHDR", struct.pack(">IIBBBBB", 10**5, 10**5, 8, 0, 0, 0, 0))
    little = chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 0, 0, 0, 0))
    text = chunk(b"zTXt", b"agon tiles\0\0" + zlib.compress(b"1" * 10**8))
    rest = chunk(b"IDAT", zlib.compress(bytes(6))) + chunk(b"IEND", b"")
    for content in (
        start + size + rest,
        start + little + text + rest,
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n",
    ):
        with pytest.raises(Exception, match="cannot be read as a PNG"):
            read_grid(content)


def test_tensors_may_be_as_large_as_the_variable_says(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(limits.VARIABLE, "0.000001")
    with pytest.raises(RunError, match=r"more than the 1,073 that are read"):
        load(whole / "checkpoints" / "00000004")
    monkeypatch.setenv(limits.VARIABLE, "1")
    assert load(whole / "checkpoints" / "00000004").step == 4
    for wrong in ("none", "0", "-1", "inf", "nan"):
        monkeypatch.setenv(limits.VARIABLE, wrong)
        with pytest.raises(SettingError, match="AGON_CHECKPOINT_GIB: expected a number over 0"):
            limits.tensors()


@pytest.mark.parametrize(
    ("file", "path", "value", "reason"),
    [
        ("experiment.json", "batch", 10**9, "at most 1,048,576"),
        ("experiment.json", "grid", 10**9, "at most 65,536"),
        ("experiment.json", "steps", 10**15, "at most 1,000,000,000,000"),
        ("experiment.json", "data.points", 10**9, "at most 67,108,864"),
        ("experiment.json", "data.number", 10**9, "at most 1,000,000"),
        ("experiment.json", "dynamics.order", [["critic"]] * 2_000, "at most 1,000 groups"),
        ("experiment.json", "game.generator.latent", 10**12, "cannot be built"),
        ("arithmetic.json", "threads", 2**31, "threads from 0, both to 1,024"),
        ("arithmetic.json", "threads", 10**6, "threads from 0, both to 1,024"),
        ("arithmetic.json", "devices", 10**9, "devices from 1"),
        ("arithmetic.json", "devices", 1_000, "processes on this machine, got 1000"),
        ("arithmetic.json", "memory", 1e300, "memory from 0 to 1,048,576"),
        ("arithmetic.json", "precision", "fp64", "expected float64"),
    ],
)
def test_what_would_end_the_process_is_refused(
    file: str, path: str, value: object, reason: str, copied: Maker, capsys: pytest.CaptureFixture[str]
) -> None:
    run = copied("run")
    described_ = json.loads((run / file).read_text())
    owner = described_
    *parts, last = path.split(".")
    for part in parts:
        owner = owner[part]
    owner[last] = value
    (run / file).write_text(json.dumps(described_))
    assert main(["resume", str(run), "--steps", "6"]) == 2
    assert reason in capsys.readouterr().err
