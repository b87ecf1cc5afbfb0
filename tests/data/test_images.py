"""Images arrive as they are stored, split and labelled as they should be, or a sentence says why not."""

import io
import os
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from agon.data import Images, named
from agon.errors import DataError, SettingError
from tests.data.conftest import values


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
        (np.full((2, 3, 3), 0.5), (0.0, 1.0), 128),
        (np.full((2, 3, 3), -1.0, dtype=np.float16), (-1.0, 1.0), 0),
        (np.full((2, 3, 3), True), None, 255),
        (np.full((2, 3, 3), 65535, dtype=np.uint16), None, 255),
        (np.full((2, 3, 3), 17, dtype=np.int64), None, 17),
        (np.full((2, 3, 3), 16, dtype=np.uint8), (0.0, 16.0), 255),
    ],
)
def test_numbers_in_a_known_range_become_bytes(tmp_path, array, values_, byte):
    np.save(tmp_path / "x.npy", array)
    source = Images(path=str(tmp_path / "x.npy"), values=values_, range=(0.0, 255.0), holdout=0.0)
    assert (everything(source) == byte).all()


def test_splits_and_labels_of_an_npz(tmp_path):
    x = np.zeros((6, 4, 4), dtype=np.uint8)
    labels = np.array([[0], [1], [2], [0], [1], [2]])
    np.savez(tmp_path / "m.npz", train_images=x, train_labels=labels, test_images=x[:2], test_labels=labels[:2])
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
    with pytest.raises(DataError, match=r"1 channel\(s\) like the first, got 3 in .*a.png; channels=3 converts"):
        source.open(seed=0)
    assert Images(path=str(tmp_path), channels=1).open(seed=0).draw(2, 0, 0, 1).real.shape == (2, 1, 4, 4)


def test_mixed_sizes_ask_for_one(folder):
    Image.new("L", (5, 6)).save(folder / "odd" / "zz.png")
    with pytest.raises(DataError, match=r"6x4 .*like the first, got 6x5 in .*zz.png; size=6 resizes"):
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
    for part in ("got 4 of 28", "a-cut.jpg", "b-empty.png", "c-text.png", "d-text.png", "skip_corrupt=True"):
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


def test_lists_and_paths_become_what_is_written_down(tmp_path, unchecked):
    source = Images(path=tmp_path, size=[4, 5], range=[0, 1])
    assert source == Images(path=str(tmp_path), size=(4, 5), range=(0.0, 1.0))
    assert hash(source)


def test_words_of_the_command_line():
    assert named("digits", only=2) == Images(only=2)
    assert named("images") == Images()
    assert named("ring", number=3).modes.shape == (3, 2)
    assert named("owner/name").path == named("hub:owner/name").path == "hub:owner/name"
    assert named("./missing").path == os.path.abspath("missing")
    with pytest.raises(DataError, match="no source or path 'rign'; did you mean 'ring'"):
        named("rign")
    with pytest.raises(SettingError, match="no field of Ring 'radios'; did you mean 'radius'"):
        named("ring", radios=1)
