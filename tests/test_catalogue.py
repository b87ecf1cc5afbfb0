"""The index of names that the command line reads instead of importing what it names."""

from agon.cli.catalogue import FILE
from tools import catalogue


def test_the_index_is_what_the_modules_say() -> None:
    assert FILE.read_text(encoding="utf-8") == catalogue.text(), "write it again with python -m tools.catalogue"
