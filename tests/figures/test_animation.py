"""An animation shows its frames: all of them, in their colours, order and time, again and again."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from agon.errors import DataError, SettingError
from agon.figures.animation import gif
from agon.figures.pictures import png


def frame(seed: int, colours: int = 200) -> np.ndarray:
    """A picture of at most so many colours, none of which another seed's need have."""
    rng = np.random.default_rng(seed)
    palette = rng.integers(0, 256, (colours, 3), dtype=np.uint8)
    return palette[rng.integers(0, colours, (30, 40))]


def shown(content: bytes) -> tuple[list[np.ndarray], list[int], Image.Image]:
    """The frames as a viewer paints them, how long each stays, and the file."""
    image = Image.open(BytesIO(content))
    frames, times = [], []
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        frames.append(np.array(image.convert("RGB")))
        times.append(image.info["duration"])
    return frames, times, image


def test_every_frame_is_shown_exactly_and_in_order() -> None:
    made = [frame(seed) for seed in range(5)]
    frames, times, image = shown(gif([png(each) for each in made], milliseconds=150))
    assert image.size == (40, 30)
    assert image.info["loop"] == 0  # without end
    assert times == [150] * 5
    assert all(np.array_equal(one, other) for one, other in zip(frames, made, strict=True))


def test_a_small_change_leaves_the_rest_of_the_frame() -> None:
    """What moves on a still background: the file may hold the change alone, and the viewer sees the whole."""
    still = frame(0)
    moved = still.copy()
    moved[3:6, 7:9] = 255 - moved[3:6, 7:9]
    frames, _, _ = shown(gif([png(still), png(moved), png(still)]))
    assert [np.array_equal(each, still) for each in frames] == [True, False, True]
    assert np.array_equal(frames[1], moved)


def test_a_frame_that_does_not_change_stays() -> None:
    """It takes its time, in one frame or in two."""
    one, other = png(frame(0)), png(frame(1))
    _, times, _ = shown(gif([one, one, other], milliseconds=100))
    assert sum(times) == 300


def test_more_colours_than_the_format_has_come_near() -> None:
    rng = np.random.default_rng(0)
    smooth = np.stack(np.broadcast_arrays(np.arange(64)[:, None] * 4, np.arange(64) * 4, rng.integers(0, 4)), -1)
    made = smooth.astype(np.uint8)
    assert len(np.unique(made.reshape(-1, 3), axis=0)) == 64 * 64
    (seen,), _, _ = shown(gif([png(made)]))
    assert np.abs(seen.astype(int) - made.astype(int)).mean() < 8


def test_grey_frames_and_colour_frames_are_one_animation() -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    colour = np.zeros((16, 16, 3), dtype=np.uint8)
    frames, _, _ = shown(gif([png(grey), png(colour)]))
    assert np.array_equal(frames[0], grey.repeat(3, axis=2))


def test_what_cannot_be_shown_is_a_sentence() -> None:
    small, large = png(frame(0)), png(frame(0)[:20])
    with pytest.raises(DataError, match="expected frames of one size, got no frame"):
        gif([])
    with pytest.raises(DataError, match="expected frames of one size, got 40x20, 40x30"):
        gif([small, large])
    for broken in (b"GIF89a", small[:200]):
        with pytest.raises(DataError, match="frame 1 cannot be read as a PNG"):
            gif([small, broken])
    for wrong in (0, 19, 700_000):
        with pytest.raises(SettingError, match="expected 20 to 655,350 milliseconds a frame"):
            gif([small], milliseconds=wrong)
