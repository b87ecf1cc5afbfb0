"""Rows of one class stay rows of one class in whatever room a grid is shown."""

import numpy as np
import pytest

from agon.figures.grids import Grid
from agon.figures.pictures import grid_png, read_grid
from agon.training.labels import class_rows


def of_classes(n: int, classes: int) -> Grid:
    """A grid as a class-conditional training keeps it; the value of each tile is its class."""
    labels, columns = class_rows(n, classes)
    tiles = np.broadcast_to(labels.numpy().astype(np.uint8)[:, None, None, None], (len(labels), 1, 2, 2))
    return read_grid(grid_png(np.ascontiguousarray(tiles), columns))


def rows_of(grid: Grid) -> list[list[int]]:
    """The class of each tile, row by row."""
    classes = grid.tiles[:, 0, 0, 0].tolist()
    return [classes[at : at + grid.columns] for at in range(0, len(classes), grid.columns)]


@pytest.mark.parametrize("classes", [1, 2, 3, 4, 7, 8, 10, 16, 40, 64])
@pytest.mark.parametrize("across", [3, 4, 5, 7, 8])
def test_no_class_is_broken_and_none_is_left_out_where_there_is_room(classes: int, across: int) -> None:
    shown = of_classes(64, classes).within(across)
    rows = rows_of(shown)
    tiles = [each for row in rows for each in row]
    assert tiles == sorted(tiles)
    assert len({tiles.count(each) for each in tiles}) == 1, "each class has as many tiles as every other"
    assert shown.columns <= across
    assert len(shown.tiles) <= across**2
    assert len(set(tiles)) == min(classes, across**2)
    if 6 <= classes <= across:  # each class has one row, and there is room for all
        assert [set(row) for row in rows] == [{each} for each in range(classes)]


def test_negative_control_a_square_of_the_same_tiles_mixes_classes() -> None:
    mixed = of_classes(64, 10)._replace(rows_belong=False).within(8)
    assert any(len(set(row)) > 1 for row in rows_of(mixed))


@pytest.mark.parametrize(("classes", "most"), [(10, 8), (10, 16), (3, 8)])
def test_a_column_shows_as_many_classes_as_it_has_tiles(classes: int, most: int) -> None:
    shown = of_classes(60, classes).column(most)[:, 0, 0, 0].tolist()
    assert shown == sorted(shown)
    assert len(set(shown)) == min(classes, most)


def test_whether_rows_belong_together_is_in_the_file_and_told_of_older_ones() -> None:
    tiles = np.zeros((64, 1, 2, 2), np.uint8)
    assert read_grid(grid_png(tiles, 8)).rows_belong
    assert not read_grid(grid_png(tiles)).rows_belong
    assert [read_grid(grid_png(tiles, columns)).columns for columns in (6, 8, None)] == [6, 8, 8]
