"""Where the tests of the data room take images from, and where they leave what they decode."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """No test reads or writes the user's cache."""
    monkeypatch.setenv("AGON_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(params=["mnist", "cifar10", "tiny-imagenet"])
def table(request, tmp_path):
    """A folder of parquet files with splits: a real test set where it is at hand, else the digits."""
    import pyarrow.parquet

    target = tmp_path / request.param
    target.mkdir()
    real = SHARED / request.param / "test-00000-of-00001.parquet"
    rows = pyarrow.parquet.read_table(real) if real.exists() else digits_table(tmp_path)
    for split, part in (("train", rows.slice(0, 300)), ("test", rows.slice(300, 100))):
        pyarrow.parquet.write_table(part, target / f"{split}-00000-of-00001.parquet", row_group_size=60)
    return target


def digits_table(folder):
    """The bundled digits as a table of PNG files with class names, as the Hub stores them."""
    import datasets
    import pyarrow
    from sklearn.datasets import load_digits

    bunch = load_digits()
    cells = []
    for pixels in bunch.images[:400]:
        Image.fromarray((pixels * 15).astype(np.uint8)).save(folder / "one.png")
        cells.append({"bytes": (folder / "one.png").read_bytes(), "path": None})
    names = [str(i) for i in range(10)]
    features = datasets.Features(image=datasets.Image(), label=datasets.ClassLabel(names=names))
    columns = {"image": cells, "label": bunch.target[:400].tolist()}
    return pyarrow.table(columns, schema=features.arrow_schema)


@pytest.fixture
def folder(tmp_path):
    """24 grey pictures of 6x4 pixels in two classes, each of one value, which names it."""
    for value in range(24):
        place = tmp_path / "pictures" / ("even" if value % 2 == 0 else "odd")
        place.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 6), value).save(place / f"{value:02}.png")
    return tmp_path / "pictures"


def values(draw):
    """Which of the pictures of `folder` a draw holds."""
    return [round(float(x)) for x in ((draw.real[:, 0, 0, 0] + 1) * 127.5)]


@pytest.fixture
def unchecked():
    """What a user meets who gives a wrong type: the shape checker of the tests would speak up first."""
    from jaxtyping import config

    before = config.jaxtyping_disable
    config.update("jaxtyping_disable", True)
    yield
    config.update("jaxtyping_disable", before)
