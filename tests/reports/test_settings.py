"""Settings that differ are marked, and only those; none is lost."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from agon import reports
from agon.reports.settings import rows
from tests.reports.page import read_page, section

plain = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(0, 1) | st.text("abc", max_size=3)
keys = st.text("abcxyz", min_size=1, max_size=3)
nested = st.dictionaries(
    keys,
    st.recursive(plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)),
    max_size=4,
)
quick = settings(max_examples=100, deadline=None)


def shown(page):
    """Setting -> (cells, marked), of the experiment's table."""
    table = section(page, "settings").all("table", "experiment")[0]
    found = []
    for row in table.all("tr"):
        cells = [cell.words() for cell in row.all("td")]
        if cells:
            found.append((cells, row.attributes.get("class") == "differs"))
    return found


def test_rows_that_differ_are_marked_and_equal_ones_are_not(make_run, tmp_path):
    runs = [make_run("one"), make_run("two", width=128), make_run("three", seed=2)]
    table = shown(read_page(reports.write(runs, tmp_path / "page.html")))
    marked = [(cells[0].split()[0], *cells[1:]) for cells, differs in table if differs]
    assert marked == [("width", "64", "128", "64"), ("width", "64", "128", "64"), ("seed", "0", "0", "2")]
    assert all(("≠" in " ".join(cells)) == differs for cells, differs in table)


def test_one_run_has_nothing_to_differ_from(make_run, tmp_path):
    table = shown(read_page(reports.write([make_run()], tmp_path / "page.html")))
    assert not any(differs for _, differs in table)
    assert ["generator", "dcgan.Generator"] in [cells for cells, _ in table]
    assert ["critic", "mynets.Critic (sha256 abababab)"] in [cells for cells, _ in table]
    assert ["betas", "[0.5, 0.999]"] in [cells for cells, _ in table]
    assert ["size", "null"] in [cells for cells, _ in table]


def test_a_user_class_of_another_content_differs():
    one, two = ({"critic": {"import": "my.C", "sha256": content * 64}} for content in "ab")
    assert [row.differs for row in rows([one, two])] == [True]
    hidden = {"critic": {"import": "my.C", "sha256": "a" * 63 + "b"}}
    assert [row.differs for row in rows([one, hidden])] == [True], "although eight digits look the same"


def test_absent_is_not_null_and_true_is_not_one():
    assert [(row.cells, row.differs) for row in rows([{"a": None}, {}])] == [(["null", "—"], True)]
    assert [row.differs for row in rows([{"a": True}, {"a": 1}])] == [True]
    assert [row.differs for row in rows([{"a": "1"}, {"a": 1}])] == [True]


def test_a_part_against_another_part_shows_the_settings_of_both():
    one, two = {"data": {"type": "Ring", "modes": 8}}, {"data": {"type": "Images", "path": "x"}}
    assert [(row.depth, row.name, row.cells, row.differs) for row in rows([one, two])] == [
        (0, "data", ["Ring", "Images"], True),
        (1, "modes", ["8", "—"], True),
        (1, "path", ["—", "x"], True),
    ]


@quick
@given(nested)
def test_a_run_does_not_differ_from_itself(experiment):
    assert not any(row.differs for row in rows([experiment, json.loads(json.dumps(experiment))]))


@quick
@given(nested, nested)
def test_runs_differ_exactly_when_a_row_does(one, two):
    assert any(row.differs for row in rows([one, two])) == (_text(one) != _text(two))


def _text(value):
    return json.dumps(value, sort_keys=True)
