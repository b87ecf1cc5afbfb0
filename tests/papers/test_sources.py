"""What stands at the place of a recipe's images."""

import json
import os
from pathlib import Path

import pytest

from agon.data import Images
from agon.errors import SettingError
from agon.papers.sources import described, places, source_of
from agon.recipes import find


def test_a_stand_in_is_read_at_the_sets_own_size(tmp_path: Path) -> None:
    """By the set's name, or for all of them; points stay what they are."""
    recipe = find("argan2018/stl10-48-pargan")
    for given in (["stl10-48=somewhere"], ["somewhere"], ["stl10-48=somewhere", "elsewhere"]):
        source = source_of(recipe, "quick", places(given))
        assert isinstance(source, Images)
        assert (source.path, source.size, source.channels) == (os.path.abspath("somewhere"), 48, 3)
    assert source_of(recipe, "quick", places(["mnist=somewhere"])) is None
    assert source_of(recipe, "quick", places([])) is None
    assert source_of(find("metz2017/ring-k0"), "quick", places(["somewhere"])) is None


def test_an_unknown_set_is_a_sentence() -> None:
    with pytest.raises(SettingError, match="there is no set of images 'cifar'; did you mean 'cifar10'"):
        places(["cifar=somewhere"])


def test_the_page_says_what_was_read() -> None:
    recipe = find("im2016/lsun-church-gran1")
    told = described(recipe, recipe.data("smoke"))
    assert told["set"] == "LSUN church at 64x64"
    assert told["read"] == {"from": "digits", "images": 1617, "classes": 10, "shape": "3x64x64"}
    assert described(find("metz2017/ring-k0"), find("metz2017/ring-k0").data("smoke")) == {"set": "Ring", "read": None}
    json.dumps(told)
