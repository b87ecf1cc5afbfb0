"""What comes from elsewhere is bounded before it is used."""

import ast
import json
import math
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

import agon
from agon.arena.skills.skill import read_skill
from agon.arena.tournaments.standings import TournamentResult
from agon.errors import AgonError
from agon.experiment.files import read_experiment
from agon.untrusted import (
    DEPTH,
    NotRegularError,
    cut,
    depth,
    listed,
    open_regular,
    parse_json,
    printable,
    read_regular,
    sentence,
    shortened,
)


@pytest.fixture
def others(tmp_path: Path) -> dict[str, Path]:
    """A path to each kind of thing that is no regular file."""
    os.mkfifo(tmp_path / "pipe")
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(str(tmp_path / "socket"))
    unix.close()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "to-pipe").symlink_to(tmp_path / "pipe")
    return {
        "a named pipe": tmp_path / "pipe",
        "a socket": tmp_path / "socket",
        "a device": Path("/dev/zero"),
        "a folder": tmp_path,
    }


def test_only_regular_files_are_read(others: dict[str, Path], tmp_path: Path) -> None:
    for kind, path in others.items():
        with pytest.raises(NotRegularError, match=kind):
            read_regular(path)
    with pytest.raises(NotRegularError, match="a named pipe"):
        read_regular(tmp_path / "to-pipe")
    with pytest.raises(OSError, match="symbolic links"):
        read_regular(tmp_path / "loop")


def test_a_link_is_followed_only_where_it_may_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "link") == b"content"
    for flags in (os.O_RDONLY, os.O_WRONLY | os.O_APPEND, os.O_WRONLY | os.O_CREAT | os.O_TRUNC):
        with pytest.raises(NotRegularError, match="symbolic link"):
            open_regular(tmp_path / "link", flags=flags, follow=False)
    assert (tmp_path / "file").read_bytes() == b"content"


def test_a_file_is_measured_before_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(11))
    assert len(read_regular(tmp_path / "file", most=11)) == 11
    with pytest.raises(OSError, match="11 bytes"):
        read_regular(tmp_path / "file", most=10)


def test_depth() -> None:
    assert [depth(v) for v in (1, "a", {}, [], [1], [[1]], {"a": [{}]}, [[[]]])] == [0, 0, 1, 1, 1, 2, 3, 3]


@pytest.mark.parametrize("deep", [DEPTH + 1, 1_000, 100_000])
@pytest.mark.parametrize("ends", ["[]", ('{"a":', "1}")])
def test_deep_json_is_refused(deep: int, ends: str | tuple[str, str]) -> None:
    opening, closing = ends if isinstance(ends, tuple) else (ends[0], ends[1])
    text = opening * deep + (closing * deep if closing == "]" else "1" + "}" * deep)
    with pytest.raises(ValueError, match="nested"):
        parse_json(text)


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "9" * 5_000, "", "[1", b"\xff\xfe\x00"])
def test_other_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)


def test_json_of_a_usual_depth_is_read() -> None:
    assert parse_json(b'{"a": [1, 2.5, null, "\xc3\xa4"]}') == {"a": [1, 2.5, None, "ä"]}
    assert depth(parse_json("[" * DEPTH + "]" * DEPTH)) == DEPTH


def test_names_are_safe_to_print() -> None:
    assert printable("Zoë 猫\t\x1b]0;x\x07\u202e\udce9\n") == r"Zoë 猫\t\x1b]0;x\x07\u202e\udce9\n"
    assert listed(["a", "b\n"]) == r"a, b\n"
    assert listed(range(12)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"
    assert listed(str(n) for n in range(11)).endswith("9 and 1 more")


def test_long_names_are_shortened() -> None:
    assert len(listed(["a" * 10_000] * 20)) < 2_500
    assert shortened("a" * 200) == "a" * 200
    assert shortened("\n" * 150) == "\\n" * 50 + "…(100 more)…" + "\\n" * 50


def test_a_message_is_one_bounded_line_with_its_beginning_and_its_end() -> None:
    told = sentence("expected a number, got '" + "9" * 10**6 + "';\nuse \x1b[31m3")
    assert told.startswith("expected a number, got '999")
    assert told.endswith(r"use \x1b[31m3")
    assert len(told) < 2_000
    assert sentence("as it\nis") == "as it is"
    assert cut("short") == "short"
    assert len(cut("a" * 10**6)) < 250


def test_nothing_but_parse_json_reads_json_from_elsewhere() -> None:
    """`json.loads` overflows the stack on nested text; it may read what this process wrote, and agon's own files."""
    own = {"recipes/costs.py", "cli/catalogue.py", "papers/expected.py", "untrusted.py", "training/agreement.py"}
    house, found = Path(agon.__file__).parent, set()
    for path in house.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("json.loads", "json.load"):
                written_here = ast.unparse(node.args[0]).startswith("json.dumps(")
                found |= set() if written_here else {path.relative_to(house).as_posix()}
    assert found == own


@pytest.mark.parametrize("text", ["1e400", "[-1e400]"])
def test_what_python_reads_as_infinity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="1e400 is beyond the range of numbers"):
        parse_json(text)
    assert parse_json("1e300") == 1e300
    assert parse_json("1e400", finite=False) == math.inf


@pytest.mark.parametrize("value", ["1" + "0" * 400, "1e400"])
def test_huge_numbers_in_a_result_are_a_sentence(value: str, tmp_path: Path) -> None:
    areas = {"n": 1, "n_real": 1, "generators": ["a"], "critics": ["a"], "areas": [[0]], "errors": [[0]]}
    for name, read in (
        ("skill.json", lambda: read_skill(tmp_path)),
        ("tournament.json", lambda: TournamentResult.read(tmp_path)),
    ):
        (tmp_path / name).write_text(json.dumps({"matrix": areas, "steps": [1]}).replace("[[0]]", f"[[{value}]]", 1))
        with pytest.raises(AgonError):
            read()


def test_an_experiment_that_is_no_json_is_a_sentence(tmp_path: Path) -> None:
    """Dotted keys nest without brackets, and a date is a key in YAML."""
    (tmp_path / "deep.toml").write_text(".".join(["a"] * 20_000) + " = 1")
    (tmp_path / "date.yaml").write_text("2024-01-01: 3")
    for name in ("deep.toml", "date.yaml"):
        with pytest.raises(AgonError, match="cannot be read as an experiment"):
            read_experiment(tmp_path / name)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[" * 200 + "]" * 200])
@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("skill.json", lambda path: read_skill(path.parent)),
        ("tournament.json", lambda path: TournamentResult.read(path.parent)),
        ("mine.json", read_experiment),
        ("mine.toml", read_experiment),
        ("mine.yaml", read_experiment),
    ],
)
def test_nested_text_is_refused_by_its_reader(
    name: str, read: Callable[[Path], object], text: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(f"a = {text}" if name.endswith("toml") else text)
    with pytest.raises(AgonError):
        read(path)
