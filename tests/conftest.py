"""Under pytest the shapes and types of every annotation in agon are checked, and a process has one thread."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is loaded; started programs inherit it

import pytest
from beartype import BeartypeConf, beartype
from jaxtyping import install_import_hook

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))  # an int is a float, as type checkers have it
install_import_hook("agon", f"{__name__}.checked")  # before the first test imports agon


@pytest.fixture
def one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training that takes all cores takes one: the tests run beside each other."""
    monkeypatch.setattr("agon.training.arithmetic._cores", lambda: 1)
