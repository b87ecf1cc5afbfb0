"""The page of a tournament: what it says, and how it looks in a browser, wide and narrow, light and dark."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from agon import reports
from agon.arena.ratings.rating import Ratings
from agon.arena.tournaments.grids import keep_grid
from agon.arena.tournaments.standings import FILE
from agon.cli import main
from agon.errors import RunError
from agon.reports.tournaments import words
from agon.reports.tournaments.heat import contestants_map, entrants_map, grouped, ordered
from tests.browser import Browser
from tests.reports.conftest import bare_run, digits
from tests.reports.league import REAL, league, tournament
from tests.reports.page import read_page, section, tiles
from tests.reports.test_differences_page import compared, score, skill

HOSTILE = "<script>alert(1)</script>\x1b[31m"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """The pages of 4 and of 20 trained contestants, with 3 seeds each; that of 4 has all that a page can show."""
    root = tmp_path_factory.mktemp("tournaments")
    run = bare_run(root / "run", {"type": "Experiment"})
    (run / "skill.json").write_text(json.dumps(skill([1, 10, 100])))
    few = league(4)
    few = replace(few, places={**few.places, "gran3/seed-1": str(run)})
    differences = compared(root / "c.json", score("fid", -2.0, 1.0), score("coverage", 0.1, None, best="higher"))
    page = reports.write([tournament(root / "4", few), differences])
    return {4: page, 20: reports.write(tournament(root / "20", league(20)))}


@pytest.mark.parametrize("count", [4, 20])
def test_a_browser_shows_it_wide_and_narrow_light_and_dark(
    pages: dict[int, Path], browser: Browser, count: int
) -> None:
    backgrounds = set()
    for width in (1200, 400):
        for scheme in ("light", "dark"):
            browser.open(pages[count], width, scheme)
            assert browser.value("document.documentElement.scrollWidth") == width, "it overflows"
            assert browser.value("document.querySelectorAll('details').forEach((it) => it.open = true)") is None
            browser.drawn()
            assert browser.value("document.documentElement.scrollWidth") == width, "it overflows, opened"
            least = "Math.min(...[...document.querySelectorAll('.numbered td')].map((it) => it.clientWidth))"
            assert browser.value(least) >= 30, "a number has room"
            assert browser.value("document.querySelectorAll('.place svg.plot .curve').length") == 2 * (count == 4)
            backgrounds.add(browser.value("getComputedStyle(document.querySelector('.a20')).backgroundColor"))
            assert browser.complaints == []
    assert len(backgrounds) == 2, "0.5 is light on a light page and dark on a dark one"


def test_values_are_told_on_hover_by_keys_and_on_a_tap(pages: dict[int, Path], browser: Browser) -> None:
    browser.open(pages[4], 1200)
    read_page(pages[4])
    cell = "table.contestants tbody tr:nth-child(1) td:nth-child(2)"
    shown = "(document.getElementById('words').hidden ? '' : document.getElementById('words').innerText)"
    assert browser.value(shown) == ""
    browser.point(cell)
    who = "pargan before dcgan's critic"
    assert browser.value(shown).startswith(who)
    assert "mean of 9 pairs of trainings" in browser.value(shown)
    browser.point("h1")
    assert browser.value(shown) == ""
    browser.value(f"document.querySelector('{cell}').focus()")
    browser.press("ArrowRight")
    assert browser.value(shown).startswith("pargan before pargan's critic")
    browser.press("Escape")
    assert browser.value(shown) == ""
    browser.open(pages[4], 400)
    browser.tap(cell)
    assert browser.value(shown).startswith(who)
    box = browser.value("(({left, right}) => [left, right])(document.getElementById('words').getBoundingClientRect())")
    assert 0 <= box[0] < box[1] <= 400
    assert browser.complaints == []


def test_the_browser_hears_complaints(browser: Browser, tmp_path: Path) -> None:
    """The negative control: an error, a throw, and a page that is too wide."""
    page = tmp_path / "bad.html"
    page.write_text(
        "<div style='width:900px'>wide</div><script>console.error('no'); throw new Error('thrown')</script>"
    )
    browser.open(page, 400)
    assert len(browser.complaints) == 2
    assert browser.value("document.documentElement.scrollWidth") > 400


def test_a_page_of_20_contestants_has_under_10_mb_and_no_address(pages: dict[int, Path]) -> None:
    assert pages[20].stat().st_size < 2_000_000
    text = pages[20].read_text()
    assert "http" not in text.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "")
    page = read_page(pages[20])
    assert len(page.all("table", "entrants")[0].all("td")) == 1 + 62 * 60
    assert all(image.attributes["src"].startswith("data:") for image in page.all("img"))


def test_names_are_never_elements(tmp_path: Path) -> None:
    page = read_page(reports.write(tournament(tmp_path / "t", league(4, 2, hostile=HOSTILE))))
    assert [script.attributes for script in page.all("script")] == [{}], "our own alone"
    assert sum("<script>alert(1)</script>\\x1b[31m" in it.text for it in page.all("span")) > 4
    assert "\x1b" not in (tmp_path / "t" / "report.html").read_text()


def test_rows_and_columns_are_sorted_by_rating(pages: dict[int, Path]) -> None:
    result, page = league(4), read_page(pages[4])
    table = page.all("table", "contestants")[0]
    assert [head.words().split()[0] for head in table.all("tr")[0].all("th")] == [
        rating.name for rating in result.ratings.critics
    ]
    names = [row.all("th")[0].words().strip() for row in table.all("tr")[1:]]
    assert names == [rating.name for rating in result.ratings.generators]
    assert ordered(result.matrix, Ratings(generators=(), critics=(), home=0, unexplained=0))[0][0] == "gran3"


def test_a_cell_is_the_mean_of_the_seeds_that_met() -> None:
    result = league(3)
    matrix = result.matrix
    table = grouped(matrix, result.ratings)
    generators, critics = ordered(matrix, result.ratings)
    i, j = generators.index("gran3"), critics.index("pargan")
    block = matrix.areas[:3, 6:9]
    assert np.isnan(block).sum() == 1
    assert table[i, j] == pytest.approx(np.nanmean(block))
    cell = contestants_map(matrix, result.ratings).rows[i].cells[j]
    assert "mean of 8 pairs" in cell.words
    assert cell.words.endswith("1 could not meet")
    own = contestants_map(matrix, result.ratings).rows[i].cells[critics.index("gran3")]
    together = np.mean([matrix.areas[k, k] for k in range(3)])
    assert f"trained together {together:.3f}" in own.words
    assert "own" in own.classes


def test_who_could_not_meet_is_no_number(tmp_path: Path) -> None:
    result = league(2, 1)
    areas = result.matrix.areas.copy()
    areas[0, 0] = np.nan
    result = replace(result, matrix=replace(result.matrix, areas=areas))
    assert entrants_map(result.matrix, result.ratings) is None, "every contestant is one entrant"
    page = read_page(reports.write(tournament(tmp_path / "t", result)))
    gaps = list(page.all("table", "contestants")[0].all("td", "gap"))
    assert [(cell.attributes["title"], cell.text) for cell in gaps] == [("could not meet", "–")] * 2
    assert "NaN" not in page.words()
    assert "nan" not in page.words().split()


def test_it_says_what_intervals_cover(pages: dict[int, Path], tmp_path: Path) -> None:
    said = section(read_page(pages[4]), "ratings").words()
    assert "Filled dots: over trainings" in said
    assert "Hollow dots: over the samples of one training" in said
    alone = read_page(reports.write(tournament(tmp_path / "one", league(4, 1))))
    assert "another seed of the same experiment may land elsewhere" in section(alone, "ratings").words()
    assert "gran3 beats dcgan, dcgan beats pargan, and pargan beats gran3." in said
    assert "home term is −0.31 logits, which multiplies the odds by 0.73" in said
    assert "leave 8 % of the variance" in said


def test_real_data_wins_no_title() -> None:
    """They are the ceiling, whoever is rated below them."""
    result = league(3)
    assert words.references(result) == {REAL: "the ceiling"}
    matrix = replace(result.matrix, contestants={**result.matrix.contestants, "vae samples": "untrained"})
    assert words.references(replace(result, matrix=matrix)) == {REAL: "the ceiling", "untrained": "the floor"}
    assert not any(sentence.startswith(REAL) for sentence in words.verdicts(result))
    level = [sentence for sentence in words.verdicts(result) if "not settled" in sentence]
    assert level, "intervals overlap here"
    apart = [replace(rating, interval=(rating.value - 1e-3, rating.value + 1e-3)) for rating in result.ratings.critics]
    sure = replace(result, ratings=replace(result.ratings, critics=tuple(apart)))
    assert words.verdicts(sure)[-1].endswith("its interval lies above those of all other contestants.")


def test_samples_are_those_that_the_tournament_kept_or_the_runs(make_run, tmp_path: Path) -> None:
    result = league(2, 1)
    run = make_run("dcgan")
    result = replace(result, places={**result.places, "dcgan/seed-0": str(run), "gran3/seed-0": str(tmp_path / "no")})
    folder = tournament(tmp_path / "t", result, samples=False)
    keep_grid(folder, REAL, digits(0, 64))
    images = section(read_page(reports.write(folder)), "samples").all("img")
    assert sorted(image.attributes["alt"] for image in images) == ["16 samples of dcgan", f"16 samples of {REAL}"]
    (real,) = [image for image in images if REAL in image.attributes["alt"]]
    assert (tiles(real) == digits(0, 16)).all()
    (folder / "grids").rename(folder / "elsewhere")
    (folder / "grids").symlink_to(folder / "elsewhere")
    assert len(section(read_page(reports.write(folder)), "samples").all("img")) == 1, "links are not followed"


def damage(folder: Path, **changed: object) -> Path:
    values = json.loads((folder / FILE).read_text())
    (folder / FILE).write_text(json.dumps({**values, **changed}))
    return folder


def test_damaged_results_are_refused_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = json.loads(json.dumps(league(2, 1).plain()))
    for name, changed in {
        "no-matrix": {"matrix": {}},
        "list": {"ratings": []},
        "area": {"matrix": {**whole["matrix"], "areas": [[7.0] * 2] * 4}},
        "shape": {"matrix": {**whole["matrix"], "areas": [[0.5]]}},
        "nobody": {"matrix": {**whole["matrix"], "contestants": {}}},
        "empty": {"matrix": {**whole["matrix"], "generators": [], "areas": [], "errors": []}},
        "rating": {"ratings": {**whole["ratings"], "home": "high"}},
    }.items():
        folder = damage(tournament(tmp_path / name, league(2, 1), samples=False), **changed)
        with pytest.raises(RunError, match="expected the result of a tournament"):
            reports.write(folder)
    (folder / FILE).write_text("{")
    assert main(["report", str(folder)]) == 2
    assert "is not JSON" in capsys.readouterr().err


def test_the_command_writes_it_beside_the_result(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tournament(tmp_path / "t", league(2, 1), samples=False)
    assert main(["report", str(folder)]) == 0
    assert capsys.readouterr().out.split() == [str(folder / "report.html")]
    assert main(["report", str(folder), "--out", str(tmp_path / "page.html")]) == 0
    assert (tmp_path / "page.html").read_text() == (folder / "report.html").read_text(), "the same page each time"
    other = shutil.copytree(folder, tmp_path / "other")
    assert main(["report", str(folder), str(other)]) == 2
    assert "one tournament at a time" in capsys.readouterr().err
