"""Images arrive as they are stored, split and labelled as they should be, or a sentence says why not."""

import io
import os
import shutil

import numpy as np
import pytest
import torch
from conftest import values
from PIL import Image

from agon.data import Images, Stream, named
from agon.errors import DataError, SettingError


def everything(source, split="train", **options):
    """All samples of a split, sorted, so that two of them can be compared."""
    drawn = source.open(seed=0, split=split, **options).draw(source.count(split), 0, 0, 1)
    flat = drawn.real.flatten(1).numpy()
    return flat[np.lexsort(flat.T)]


def test_the_digits_are_scikit_learns():
    from sklearn.datasets import load_digits

    source = Images()
    assert source.shape == (1, 8, 8)
    assert (source.count(), source.count("test")) == (1617, 180)
    assert tuple(source.classes) == tuple("0123456789")
    both = np.concatenate([everything(source), everything(source, "test")])
    theirs = load_digits().images.reshape(-1, 64)
    ours = np.rint((both + 1) * 8)
    assert np.array_equal(ours[np.lexsort(ours.T)], theirs[np.lexsort(theirs.T)])


def test_real_tables_hold_what_the_datasets_library_reads(table):
    import datasets

    files = {"test": str(table / "test-00000-of-00001.parquet")}
    theirs = datasets.load_dataset("parquet", data_files=files, split="test", streaming=True)
    rows = list(theirs)
    source = Images(path=str(table), channels=3, range=(0.0, 255.0))
    drawn = source.open(seed=0, split="test").draw(100, 0, 0, 1)
    ours = {(x.byte().numpy().tobytes(), int(y)) for x, y in zip(drawn.real, drawn.label, strict=True)}
    expected = [np.asarray(row["image"].convert("RGB")).transpose(2, 0, 1) for row in rows]
    assert ours == {(x.tobytes(), row["label"]) for x, row in zip(expected, rows, strict=True)}
    assert (source.count(), source.count("test")) == (300, 100)
    assert tuple(source.classes) == tuple(theirs.features["label"].names)


def test_black_and_white_meet_the_range(tmp_path):
    np.save(tmp_path / "x.npy", np.array([0, 255, 51], dtype=np.uint8).reshape(3, 1, 1, 1).repeat(2, 2))
    for low, high in ((-1.0, 1.0), (0.0, 1.0), (-3.0, 0.5)):
        source = Images(path=str(tmp_path / "x.npy"), range=(low, high), holdout=0.0)
        got = source.open(seed=0).draw(3, 0, 0, 1).real
        assert got.dtype == torch.float32
        expected = torch.tensor([low, low + 0.2 * (high - low), high])
        torch.testing.assert_close(got[:, 0, 0, 0].sort().values, expected)
        assert (got.min(), got.max()) == (low, high)


def test_a_folder_has_its_subfolders_as_classes(folder):
    source = Images(path=str(folder))
    assert source.shape == (1, 6, 4)
    assert tuple(source.classes) == ("even", "odd")
    drawn = source.open(seed=0).draw(22, 0, 0, 1)
    assert [v % 2 for v in values(drawn)] == drawn.label.tolist()
    held = source.open(seed=0, split="test").draw(2, 0, 0, 1)
    assert sorted(values(drawn) + values(held)) == list(range(24))


def test_a_folder_without_classes_has_no_labels(folder):
    flat = folder.parent / "flat"
    flat.mkdir()
    for file in folder.rglob("*.png"):
        shutil.copy(file, flat)
    (flat / "README.txt").write_text("no image")
    (flat / "._hidden.png").write_text("a resource fork")
    source = Images(path=str(flat))
    assert source.classes == ()
    assert source.count() == 22
    assert source.open(seed=0).draw(5, 0, 0, 1).label is None


def test_train_and_test_folders_are_splits(folder):
    root = folder.parent / "split"
    root.mkdir()
    shutil.copytree(folder, root / "train")
    (root / "validation" / "odd").mkdir(parents=True)
    Image.new("L", (4, 6), 99).save(root / "validation" / "odd" / "a.PNG")
    source = Images(path=str(root))
    assert (source.count(), source.count("test")) == (24, 1)
    held = source.open(seed=0, split="test").draw(1, 0, 0, 1)
    assert (values(held), held.label.tolist()) == ([99], [1])


def test_a_link_that_leads_back_is_walked_once(folder):
    os.symlink(folder, folder / "even" / "again")
    assert Images(path=str(folder)).count() == 22


def test_odd_names_are_names(tmp_path, folder, table):
    strange = tmp_path / "a [1]* b"
    shutil.copytree(folder, strange / "x")
    assert Images(path=str(strange / "x")).count() == 22
    shutil.copytree(table, strange / "y")
    assert Images(path=str(strange / "y")).count() == 300


def test_one_class_only(folder):
    for only in (1, "odd"):
        source = Images(path=str(folder), only=only)
        drawn = source.open(seed=0).draw(source.count(), 0, 0, 1)
        assert all(v % 2 for v in values(drawn))
        assert set(drawn.label.tolist()) == {1}
    everyone = values(Images(path=str(folder)).open(seed=0, split="test").draw(2, 0, 0, 1))
    kept = Images(path=str(folder), only=1)
    odd = [v for v in everyone if v % 2]
    assert kept.count("test") == len(odd)  # a class does not change who is held out


def test_the_held_out_share_is_disjoint_and_depends_on_nothing_else():
    def held(**options):
        seed = options.pop("seed", 0)
        source = Images(**options)
        return everything(source, "test") if seed == 0 else source.open(seed=seed, split="test")

    train, test = everything(Images(holdout=0.25)), everything(Images(holdout=0.25), "test")
    assert (len(train), len(test)) == (1348, 449)
    assert not {x.tobytes() for x in train} & {x.tobytes() for x in test}
    again = Images(holdout=0.25).open(seed=9, split="test").draw(449, 0, 0, 1).real.flatten(1).numpy()
    assert np.array_equal(again[np.lexsort(again.T)], test)
    double = everything(Images(holdout=0.25, size=16), "test").reshape(-1, 16, 16)
    assert len(double) == 449


def test_non_square_sizes_and_channels():
    source = Images(size=(4, 6), channels=3)
    assert source.shape == (3, 4, 6)
    real = source.open(seed=0).draw(7, 0, 0, 1).real
    assert real.shape == (7, 3, 4, 6)
    assert torch.equal(real[:, 0], real[:, 2])


@pytest.mark.parametrize("layout", ["n h w", "n h w c", "n c h w"])
@pytest.mark.parametrize("file", ["x.npy", "x.npz"])
def test_arrays_of_every_layout(tmp_path, layout, file):
    images = np.arange(5 * 6 * 7, dtype=np.uint8).reshape(5, 6, 7, 1)
    images = images if layout == "n h w" else np.concatenate([images, images + 1, images + 2], axis=3)
    stored = {"n h w": images[..., 0], "n h w c": images, "n c h w": images.transpose(0, 3, 1, 2)}[layout]
    np.savez(tmp_path / "x.npz", stored)
    np.save(tmp_path / "x.npy", stored)
    source = Images(path=str(tmp_path / file), range=(0.0, 255.0), holdout=0.0)
    expected = images.transpose(0, 3, 1, 2).reshape(5, -1)
    assert np.array_equal(everything(source), expected[np.lexsort(expected.T)])


@pytest.mark.parametrize(
    ("array", "values_", "byte"),
    [
        (np.full((2, 3, 3), 0.5), (0, 1), 128),
        (np.full((2, 3, 3), -1.0, dtype=np.float16), (-1, 1), 0),
        (np.full((2, 3, 3), True), None, 255),
        (np.full((2, 3, 3), 65535, dtype=np.uint16), None, 255),
        (np.full((2, 3, 3), 17, dtype=np.int64), None, 17),
        (np.full((2, 3, 3), 16, dtype=np.uint8), (0, 16), 255),
    ],
)
def test_numbers_in_a_known_range_become_bytes(tmp_path, array, values_, byte):
    np.save(tmp_path / "x.npy", array)
    source = Images(path=str(tmp_path / "x.npy"), values=values_, range=(0.0, 255.0), holdout=0.0)
    assert (everything(source) == byte).all()


def test_splits_and_labels_of_an_npz(tmp_path):
    x = np.zeros((6, 4, 4), dtype=np.uint8)
    labels = np.array([[0], [1], [2], [0], [1], [2]])
    np.savez(
        tmp_path / "m.npz", train_images=x, train_labels=labels, test_images=x[:2], test_labels=labels[:2]
    )
    source = Images(path=str(tmp_path / "m.npz"))
    assert (source.count(), source.count("test"), len(source.classes)) == (6, 2, 3)
    assert sorted(source.open(seed=0).draw(6, 0, 0, 1).label.tolist()) == [0, 0, 1, 1, 2, 2]


def test_an_only_split_is_cut(tmp_path, table):
    alone = tmp_path / "alone.parquet"
    shutil.copy(table / "train-00000-of-00001.parquet", alone)
    assert (Images(path=str(alone)).count(), Images(path=str(alone)).count("test")) == (270, 30)


def test_grey_becomes_colour_but_colour_is_not_lost(tmp_path):
    Image.new("RGB", (4, 4), (9, 9, 9)).save(tmp_path / "a.png")
    Image.new("L", (4, 4), 9).save(tmp_path / "b.png")
    source = Images(path=str(tmp_path), holdout=0.0)
    assert source.shape == (3, 4, 4)
    assert len(np.unique(everything(source))) == 1
    Image.new("L", (4, 4)).save(tmp_path / "0.png")
    with pytest.raises(DataError, match=r"1 channel\(s\) like the first, got 3 in .*a.png; set channels="):
        source.open(seed=0)
    assert Images(path=str(tmp_path), channels=1).open(seed=0).draw(2, 0, 0, 1).real.shape == (2, 1, 4, 4)


def test_mixed_sizes_ask_for_one(folder):
    Image.new("L", (5, 6)).save(folder / "odd" / "zz.png")
    with pytest.raises(DataError, match=r"6x4 .*like the first, got 6x5 in .*zz.png; set size="):
        Images(path=str(folder)).open(seed=0)
    assert Images(path=str(folder), size=3).open(seed=0).draw(20, 0, 0, 1).real.shape == (20, 1, 3, 3)


def broken_folder(folder):
    whole = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    Image.fromarray(noise).save(whole, "JPEG")
    (folder / "even" / "a-cut.jpg").write_bytes(whole.getvalue()[:700])
    (folder / "even" / "b-empty.png").write_bytes(b"")
    (folder / "odd" / "c-text.png").write_text("this is no picture")
    (folder / "odd" / "d-text.png").write_text("nor is this")


def test_corrupt_images_are_counted_named_and_skipped_on_request(folder):
    broken_folder(folder)
    with pytest.raises(DataError) as caught:
        Images(path=str(folder)).open(seed=0)
    words = str(caught.value)
    for part in ("got 4 of 28", "a-cut.jpg", "b-empty.png", "c-text.png", "and 1 more", "skip_corrupt=True"):
        assert part in words
    source = Images(path=str(folder), skip_corrupt=True, holdout=0.0)
    drawn = source.open(seed=0).draw(24, 0, 0, 1)
    assert sorted(values(drawn)) == list(range(24))
    assert [v % 2 for v in values(drawn)] == drawn.label.tolist()
    assert source.count() == 24
    assert source.shape == (1, 6, 4)


def test_nothing_readable_cannot_be_skipped(tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    for skip in (False, True):
        with pytest.raises(DataError, match=r"got 1 of 1 that are not: .*a.png"):
            Images(path=str(tmp_path), skip_corrupt=skip, size=4, channels=1).open(seed=0)


SENTENCES = [
    ("pictuers", {}, "no such path; did you mean '.*pictures'"),
    ("pictures/even/zzz", {}, "no such path; give 'digits', an existing path"),
    ("void", {}, "expected images in the folder .*void, got none .*the folder is empty"),
    ("texts", {}, "got none .*it holds a.txt, b.txt"),
    ("texts/a.txt", {}, "expected a folder of images or a file ending in .parquet, .npz, .npy, got"),
    ("float.npy", {}, r"bytes or a stated range in .*got float64 from 0.0 to 3.0; say .*values=\(0, 1\)"),
    ("float.npy", {"values": (0, 1)}, "values from 0.0 to 1.0 in .*, got 11 of 27 outside"),
    ("nan.npy", {"values": (0, 1)}, "got 1 of 9 outside"),
    ("two.npy", {}, r"1 or 3 channels .*got shape \(4, 5, 5, 2\); transpose"),
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
    ("pictures/even", {"only": 0}, "expected classes .*got none; leave `only` out"),
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
    np.save(root / "two.npy", np.zeros((4, 5, 5, 2), dtype=np.uint8))
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
    with pytest.raises(SettingError, match="split to be 'train' or 'test', got 'dev'"):
        Images().open(seed=0, split="dev")
    with pytest.raises(DataError, match="split 'test' of digits, got none; set holdout above 0"):
        Images(holdout=0.0).open(seed=0, split="test")


def test_lists_and_paths_become_what_is_written_down(tmp_path, unchecked):
    source = Images(path=tmp_path, size=[4, 5], range=[0, 1])
    assert source == Images(path=str(tmp_path), size=(4, 5), range=(0.0, 1.0))
    assert hash(source)


def test_words_of_the_command_line():
    assert named("digits", only=2) == Images(only=2)
    assert named("images") == Images()
    assert named("ring", number=3).modes.shape == (3, 2)
    assert named("owner/name").path == "owner/name"
    assert named("./missing").path == "./missing"
    with pytest.raises(DataError, match="no source or path 'rign'; did you mean 'ring'"):
        named("rign")
    with pytest.raises(SettingError, match="no field of Ring 'radios'; did you mean 'radius'"):
        named("ring", radios=1)


def test_too_few_images_for_a_batch(folder):
    with pytest.raises(DataError, match="at least 23 samples for a batch of 23, got 22"):
        Stream(Images(path=str(folder)), batch=23, seed=0).draw()
