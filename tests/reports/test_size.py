"""A page is small and its pictures are crisp: what a person opens on a telephone."""

import json
from pathlib import Path

import numpy as np
import pytest

from agon import reports
from agon.figures import pictures
from tests.reports.conftest import bare_run, experiment, lines, record
from tests.reports.page import read_page, section, tiles

LIMIT = 2_000_000  # bytes


def noisy_run(path: Path, shape: tuple[int, int, int], n: int = 64) -> Path:
    """A run of noise, which no format compresses, with everything that a page can show."""
    run = bare_run(path, experiment(0, 64))
    rng = np.random.default_rng(0)
    grid = pictures.grid_png(rng.integers(0, 256, (n, *shape), dtype=np.uint8))
    for name in ("real", *(f"{step:08}" for step in range(0, 1001, 125))):
        (run / "samples" / f"{name}.png").write_bytes(grid)
    (run / "metrics").mkdir()
    (run / "metrics" / "neighbours-1.png").write_bytes(grid)
    (run / "log.jsonl").write_text(lines([record(step, 0) for step in range(1, 5001)]))
    score = {"name": "memorisation", "value": 0.5, "step": 1000, "pictures": {"neighbours": "metrics/neighbours-1.png"}}
    (run / "metrics.jsonl").write_text(json.dumps(score) + "\n")
    return run


@pytest.mark.parametrize("shape", [(3, 32, 32), (3, 64, 64), (3, 128, 128)])
def test_a_page_of_a_run_has_under_2_mb(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    n = 49 if shape[1] < 128 else 16
    page = reports.write([noisy_run(tmp_path / "run", shape, n)], tmp_path / "page.html")
    assert page.stat().st_size < LIMIT
    images = read_page(page).all("img")
    assert len(images) == 2 + 8 + 1
    assert (images[0].attributes["src"].partition(";")[0] == "data:image/png") == (shape[1] < 128), "exact if it can be"


def test_points_and_digits_have_a_fifth_of_it(make_run, make_points, tmp_path: Path) -> None:
    for run in (make_run(), make_points()):
        assert reports.write([run], tmp_path / "page.html").stat().st_size < LIMIT / 5


def test_pixels_are_squares_of_one_size(make_run, tmp_path: Path) -> None:
    """On a wide screen and on a narrow one, a small image is enlarged by a whole factor and not smoothed."""
    run = make_run()
    (run / "metrics").mkdir()
    (run / "metrics" / "neighbours-1.png").write_bytes(pictures.grid_png(np.zeros((64, 1, 8, 8), np.uint8), 8))
    score = {"name": "memorisation", "value": 0.5, "step": 1000, "pictures": {"neighbours": "metrics/neighbours-1.png"}}
    with (run / "metrics.jsonl").open("a") as file:
        file.write(json.dumps(score) + "\n")
    page = read_page(reports.write([run], tmp_path / "page.html"))
    assert "img.crisp { image-rendering: pixelated; }" in page.all("style")[0].text
    images = page.all("img", "tiles")
    assert len(images) == 2 + 8 + 1
    for image in images:
        across = 8 if len(tiles(image)) > 8 else 1
        pixels = across * 8 + (across + 1) * (2 if image is images[2] else 1)  # tiles, and gaps between them
        assert int(image.attributes["width"]) % pixels == 0
        assert int(image.attributes["style"].removeprefix("--narrow:").removesuffix("px")) % pixels == 0
        assert "crisp" in image.attributes["class"]
    (picture,) = section(page, "scores").all("img")
    assert "nearest training images" in picture.attributes["alt"]
