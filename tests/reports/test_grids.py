"""Every tile on the page is, pixel by pixel, the one in the run."""

import json

import numpy as np
import pytest

from agon import reports
from agon.errors import RunError
from agon.figures import pictures
from tests.reports.conftest import STEPS, bare_run, digits, experiment, imitation
from tests.reports.page import read_page, section, tiles


def test_last_samples_stand_beside_real_ones_at_one_scale(make_run, tmp_path):
    page = read_page(reports.write([make_run()], tmp_path / "page.html"))
    real, last = section(page, "samples").all("img", "tiles")
    for image, expected in ((real, digits(0, 64)), (last, imitation(1000, 0))):
        shown = tiles(image)
        np.testing.assert_array_equal(shown, expected)
        assert int(image.attributes["width"]) == 7 * (8 * 8 + 9), "whole pixels, seven times"
        assert "crisp" in image.attributes["class"]
    assert real.attributes["width"] == last.attributes["width"]
    assert "step 1,000" in section(page, "samples").words()


def test_rows_of_the_evolution_are_the_same_latents(make_run, tmp_path):
    page = read_page(reports.write([make_run()], tmp_path / "page.html"))
    table = section(page, "evolution").all("table")[0]
    steps = [int(head.words().replace(",", "")) for head in table.all("th")]
    assert len(steps) == 8
    assert (steps[0], steps[-1]) == (STEPS[1], STEPS[-1]), "of step 0 there is only noise"
    assert set(steps) <= set(STEPS)
    for step, image in zip(steps, table.all("img"), strict=True):
        np.testing.assert_array_equal(tiles(image), imitation(step, 0)[:8])


def test_runs_share_the_real_images_they_share(make_run, tmp_path):
    one, two = make_run("one"), make_run("two", seed=1)
    page = read_page(reports.write([one, two], tmp_path / "page.html"))
    assert len(section(page, "samples").all("img")) == 3
    (two / "samples" / "real.png").write_bytes(pictures.grid_png(digits(64, 64)))
    page = read_page(reports.write([one, two], tmp_path / "page.html"))
    assert len(section(page, "samples").all("img")) == 3, "another seed shows other images of the same data"
    settings = json.loads((two / "experiment.json").read_text())
    (two / "experiment.json").write_text(json.dumps({**settings, "data": {"type": "Images", "path": "mnist"}}))
    page = read_page(reports.write([one, two], tmp_path / "page.html"))
    assert [cap.words() for cap in section(page, "samples").all("figcaption")] == [
        "real, one",
        "real, two",
        "one, step 1,000",
        "two, step 1,000",
    ]


@pytest.mark.parametrize(("shape", "factor"), [((3, 28, 20), 2), ((3, 64, 64), 1), ((1, 200, 120), 1)])
def test_colour_odd_shapes_and_large_images_keep_their_pixels(tmp_path, shape, factor):
    run = bare_run(tmp_path / "run", experiment(0, 64))
    images = np.random.default_rng(0).integers(0, 256, (13, *shape), dtype=np.uint8)
    (run / "samples" / "00000007.png").write_bytes(pictures.grid_png(images, gap=0))
    page = read_page(reports.write([run], tmp_path / "page.html"))
    (image,) = section(page, "samples").all("img")
    np.testing.assert_array_equal(tiles(image), images)
    assert int(image.attributes["width"]) % factor == 0
    assert not [part for part in page.all("section") if part.attributes["id"] == "evolution"]  # one step is none


def test_a_damaged_grid_is_named(make_run, tmp_path):
    run = make_run()
    file = run / "samples" / "00001000.png"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(RunError, match=r"00001000\.png cannot be read as a PNG.*delete 00001000\.png"):
        reports.write([run], tmp_path / "page.html")
