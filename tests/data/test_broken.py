"""Whatever bytes a user's files hold, there is a right result or one sentence: never another exception."""

import io
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from agon.data import Images
from agon.errors import AgonError

PIXELS = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
SHORT = settings(  # the same examples at each run: some damaged sizes make the libraries beneath ask for all memory
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def picture(kind):
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, kind)
    return file.getvalue()


def archive(kind):
    file = io.BytesIO()
    images = np.stack([PIXELS, PIXELS])
    {"npy": lambda: np.save(file, images), "npz": lambda: np.savez(file, images=images)}[kind]()
    return file.getvalue()


def table():
    import pyarrow
    import pyarrow.parquet

    file = io.BytesIO()
    columns = {"image": [{"bytes": picture("PNG"), "path": None}] * 2, "label": [0, 1]}
    pyarrow.parquet.write_table(pyarrow.table(columns), file)
    return file.getvalue()


def read(name, content):
    """A draw of one image, or the sentence why there is none."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "set").mkdir()
        file = Path(folder) / "set" / name
        file.write_bytes(content)
        path = file if file.suffix in (".npy", ".npz", ".parquet") else file.parent
        source = Images(path=str(path), holdout=0.0)
        try:
            assert len(source.shape) == 3
            real = source.open(seed=0, cache=Path(folder) / "cache").draw(1, 0, 0, 1).real
        except AgonError as fault:
            return str(fault)
        assert real.isfinite().all()
        assert real.abs().max() <= 1
        return real


FILES = {
    "a.png": picture("PNG"),
    "a.jpg": picture("JPEG"),
    "a.gif": picture("GIF"),
    "a.webp": picture("WEBP"),
    "a.tif": picture("TIFF"),
    "a.bmp": picture("BMP"),
    "x.npy": archive("npy"),
    "x.npz": archive("npz"),
    "x.parquet": table(),
}
names = st.sampled_from(sorted(FILES))


@pytest.mark.parametrize("name", sorted(FILES))
def test_whole_files_are_read(name):
    assert read(name, FILES[name]).shape == (1, 3, 9, 7)


@pytest.mark.parametrize("name", sorted(FILES))
def test_half_a_file_is_refused(name):
    assert isinstance(read(name, FILES[name][: len(FILES[name]) // 2]), str)


@SHORT
@given(name=names, cut=st.integers(0, 2000))
def test_truncated_files(name, cut):
    read(name, FILES[name][:cut])


@SHORT
@given(name=names, content=st.binary(max_size=300))
def test_random_bytes(name, content):
    read(name, content)


@SHORT
@given(name=names, content=st.binary(max_size=100))
def test_random_bytes_behind_an_honest_beginning(name, content):
    read(name, FILES[name][:12] + content)


@SHORT
@given(name=names, data=st.data())
def test_flipped_bytes(name, data):
    content = bytearray(FILES[name])
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[place] ^= data.draw(st.integers(1, 255))
    read(name, bytes(content))


@SHORT
@given(
    shape=st.lists(st.integers(0, 5), min_size=0, max_size=5),
    kind=st.sampled_from(["u1", "i1", "u2", "i8", "f2", "f4", "f8", "c8", "?", "S3", "U2", "M8[s]", "O", "V4"]),
    zipped=st.booleans(),
)
def test_arrays_of_any_shape_and_type(shape, kind, zipped):
    file = io.BytesIO()
    array = np.zeros(shape, dtype=kind)
    if zipped:
        np.savez(file, images=array, allow_pickle=True)
    else:
        np.save(file, array, allow_pickle=True)
    result = read("x.npz" if zipped else "x.npy", file.getvalue())
    if kind == "O":
        assert isinstance(result, str)
