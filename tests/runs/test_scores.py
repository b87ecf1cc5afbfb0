"""Scores on the disk: what is attached to a record is found again, and only in its own folder."""

from pathlib import Path

import numpy as np
import pytest
import torch

from agon.runs import append
from agon.runs.layout import SCORES
from agon.runs.scores import attach, attached_arrays, read_scores

PASSPORT = {"metric": "reconstruction", "step": 7, "seed": 0}


def test_what_is_attached_is_found_again(tmp_path: Path) -> None:
    errors = torch.arange(3.0)
    attached = attach(tmp_path, PASSPORT, {"reconstruction": b"png"}, {"errors": errors})
    append(tmp_path / SCORES, {"name": "reconstruction", "value": 1.0, **PASSPORT, **attached})
    (record,) = read_scores(tmp_path / SCORES)
    assert (record.name, record.step, record.metric) == ("reconstruction", 7, "reconstruction")
    assert record.pictures["reconstruction"].read_bytes() == b"png"
    assert np.array_equal(attached_arrays(tmp_path, attached["arrays"])["errors"], errors)


def test_another_measurement_has_other_files(tmp_path: Path) -> None:
    first, other = (attach(tmp_path, PASSPORT | {"seed": seed}, {"paths": b""}, {}) for seed in (0, 1))
    assert first["pictures"] != other["pictures"]
    assert attach(tmp_path, PASSPORT, {}, {}) == {}


def test_a_record_names_no_file_outside(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "mine.png").write_bytes(b"mine")
    append(tmp_path / "run" / SCORES, {"name": "copied", "pictures": {"mine": "../mine.png", "other": "/mine.png"}})
    (record,) = read_scores(tmp_path / "run" / SCORES)
    assert record.pictures == {}
    with pytest.raises(OSError, match="No such file"):
        attached_arrays(tmp_path / "run", "../../mine.npz")
