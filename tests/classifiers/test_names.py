"""Classes by name are the same in training and test, so that a classifier of them is judged rightly."""

import io
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image

from agon.classifiers import classifier_of
from agon.data import Images

NAMES = ("ant", "bee", "cow")  # red, green, blue


@pytest.mark.parametrize("kind", ["names", pytest.param("numbers", marks=pytest.mark.evidence)])
def test_a_test_split_without_the_first_class(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(0)

    def picture(colour: int) -> bytes:
        pixels, file = rng.integers(0, 60, (8, 8, 3)), io.BytesIO()
        pixels[..., colour] += 180
        Image.fromarray(pixels.astype(np.uint8)).save(file, "PNG")
        return file.getvalue()

    for split, colours in {"train": [i % 3 for i in range(120)], "test": [1 + i % 2 for i in range(40)]}.items():
        labels = [NAMES[k] if kind == "names" else k for k in colours]
        table = pyarrow.table({"image": [picture(k) for k in colours], "label": labels})
        pyarrow.parquet.write_table(table, tmp_path / f"{split}-0.parquet")
    source = Images(path=str(tmp_path))
    judge = classifier_of(source, steps=60, folder=tmp_path / "cache", show=False)
    assert judge.accuracy.value > 0.95  # 0.025 where each split numbers its own names
    assert tuple(judge.names) == (NAMES if kind == "names" else ("0", "1", "2"))
