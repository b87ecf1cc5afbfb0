"""Every wrong set and setting of images is one sentence: what was expected, what came, what to do."""

import numpy as np
import pytest

from agon.data import Images, Stream
from agon.errors import DataError, SettingError

SENTENCES = [
    ("pictuers", {}, "no such path; did you mean '.*pictures'"),
    ("pictures/even/zzz", {}, "no such path; give 'digits', an existing path"),
    ("void", {}, "expected images in the folder .*void, got none .*the folder is empty"),
    ("texts", {}, "got none .*2 files that are no images: 2 .txt"),
    ("texts/a.txt", {}, "expected a folder of images or a file ending in .parquet, .npz, .npy, got"),
    ("float.npy", {}, r"bytes or a stated range in .*got float64 from 0.0 to 3.0; say .*--set data.values=\[0,255\]"),
    ("float.npy", {"values": (0.0, 1.0)}, "values from 0.0 to 1.0 in .*, got 11 of 27 outside"),
    ("nan.npy", {"values": (0.0, 1.0)}, "got 1 of 9 outside"),
    ("cube.npy", {}, r"1 or 3 channels, .*got shape \(4, 5, 5, 5\); bring it to 'n h w c'"),
    ("one.npy", {}, r"got shape \(20, 20, 3\)"),
    ("flat.npy", {}, r"got array \(4, 5\)"),
    ("text.npy", {}, "expected numbers in .*got dtype <U1"),
    ("many.npz", {}, r"expected one array of images .*got a \(1, 2, 2\), b \(1, 2, 2\); name it 'images'"),
    ("labels.npz", {}, r"expected 3 labels in .*\[labels\], got 2"),
    ("objects.npz", {}, "holds Python objects, which could run code and are never read"),
    ("objects.npy", {}, "holds Python objects, which could run code and are never read"),
    ("other.parquet", {}, "a column of images .*got the columns id, text; rename it to 'image'"),
    ("cut.parquet", {}, "expected a whole parquet file, but .*cut.parquet cannot be read"),
    ("empty.parquet", {}, "got none in its split 'train'"),
    ("pictures", {"only": "blue"}, "there is no class 'blue'; there are: even, odd"),
    ("pictures", {"only": "evn"}, "there is no class 'evn'; did you mean 'even'"),
    ("pictures", {"only": 2}, "a class from 0 to 1 of .*, got only=2"),
    (
        "pictures/even",
        {"only": 0},
        r"expected classes .*got none \(expected two folders or more below .*even, got 0\); leave",
    ),
]


@pytest.fixture
def wrong(folder):
    import pyarrow
    import pyarrow.parquet

    root = folder.parent
    (root / "void").mkdir()
    (root / "texts").mkdir()
    for name in "ab":
        (root / "texts" / f"{name}.txt").write_text(name)
    np.save(root / "float.npy", np.arange(27).reshape(3, 3, 3) // 8.0)
    np.save(root / "nan.npy", np.array([np.nan] + [0.5] * 8).reshape(1, 3, 3))
    np.save(root / "cube.npy", np.zeros((4, 5, 5, 5), dtype=np.uint8))
    np.save(root / "one.npy", np.zeros((20, 20, 3), dtype=np.uint8))
    np.save(root / "flat.npy", np.zeros((4, 5), dtype=np.uint8))
    np.save(root / "text.npy", np.full((1, 2, 2), "a"))
    square = np.zeros((3, 2, 2), dtype=np.uint8)
    np.savez(root / "many.npz", a=square[:1], b=square[:1])
    np.savez(root / "labels.npz", images=square, labels=np.zeros(2, dtype=int))
    np.savez(root / "objects.npz", images=np.array([[[Bomb()]]], dtype=object), allow_pickle=True)
    np.save(root / "objects.npy", np.array([[[Bomb()]]], dtype=object), allow_pickle=True)
    pyarrow.parquet.write_table(pyarrow.table({"id": [1], "text": ["a"]}), root / "other.parquet")
    (root / "cut.parquet").write_bytes((root / "other.parquet").read_bytes()[:-9])
    nothing = pyarrow.table({"image": pyarrow.array([], pyarrow.binary())})
    pyarrow.parquet.write_table(nothing, root / "empty.parquet")
    return root


EXPLODED = []


def explode():
    EXPLODED.append(1)


class Bomb:
    """Whoever unpickles it leaves a trace."""

    def __reduce__(self):
        return explode, ()


@pytest.mark.parametrize(("path", "options", "words"), SENTENCES)
def test_a_wrong_set_is_one_sentence(wrong, path, options, words):
    with pytest.raises(DataError, match=words) as caught:
        Images(path=str(wrong / path), **options).open(seed=0)
    assert "\n" not in str(caught.value)
    assert not EXPLODED


def test_the_bomb_is_live(wrong):
    """Or the pickles above would prove nothing."""
    np.load(wrong / "objects.npy", allow_pickle=True)
    assert EXPLODED == [1]
    EXPLODED.clear()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"path": ""}, "path to be 'digits', a path"),
        ({"path": 3}, "got 3"),
        ({"path": "a\0b"}, "path to be"),
        ({"size": 0}, r"size to be a side or \(height, width\) of at least 1 pixel, got 0"),
        ({"size": (8, 0)}, r"got \(8, 0\)"),
        ({"size": 8.0}, "got 8.0"),
        ({"size": True}, "got True"),
        ({"channels": 2}, "channels to be 1, 3, or None for what the images have, got 2"),
        ({"channels": True}, "got True"),
        ({"only": 1.5}, "only to be a class's number or name"),
        ({"range": (1.0, -1.0)}, r"range to be a pair \(low, high\)"),
        ({"range": (0.0, float("nan"))}, "low < high"),
        ({"range": 1.0}, "got 1.0"),
        ({"holdout": 1.0}, "holdout to be a share from 0 to below 1, got 1.0"),
        ({"holdout": -0.1}, "got -0.1"),
        ({"values": (0, 0)}, "values to be a pair"),
        ({"buffer": 0}, "buffer to be a whole number of at least 1"),
        ({"skip_corrupt": 1}, "skip_corrupt to be True or False, got 1"),
        ({"subset": ""}, "subset to be a word, or None"),
    ],
)
def test_a_wrong_setting_is_one_sentence(options, words, unchecked):
    with pytest.raises(SettingError, match=f"Images expects .*{words}"):
        Images(**options)


def test_a_wrong_split_and_an_empty_one(unchecked):
    with pytest.raises(SettingError, match="split to be 'train' or 'validation' or 'test', got 'dev'"):
        Images().open(seed=0, split="dev")
    with pytest.raises(DataError, match="split 'test' of digits, got none; set holdout above 0"):
        Images(holdout=0.0).open(seed=0, split="test")


def test_too_few_images_for_a_batch(folder):
    with pytest.raises(DataError, match="at least 23 samples for a batch of 23, got 22"):
        Stream(Images(path=str(folder)), batch=23, seed=0).draw()
