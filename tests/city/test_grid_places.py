"""Buses of imported grids lie on a grid of metres where the file, or the user, says where they are."""

from __future__ import annotations

import numpy as np
import pytest

from twin.city import City
from twin.city.grid_places import lay_out
from twin.errors import CityError

KARLSRUHE = np.array([[8.40, 49.00], [8.41, 49.00], [8.41, 49.02]])
"""731 m (a hundredth of a degree east at 49 degrees north), then 2,224 m north (two hundredths)."""


def tables(xy, lengths=(800.0, 2500.0, 1.0)):
    """Return three buses in a row, and a switch of no length across them."""
    buses = {"x": np.array(xy)[:, 0], "y": np.array(xy)[:, 1]}
    ends = {"from_bus": np.array([0, 1, 0]), "to_bus": np.array([1, 2, 2])}
    return {"buses": buses, "lines": ends | {"length": np.array(lengths)}}


def gaps(made):
    xy = np.stack([made["buses"]["x"], made["buses"]["y"]], axis=1)
    return np.linalg.norm(np.diff(xy, axis=0), axis=1)


def test_degrees_are_known_by_the_lengths_of_the_lines():
    made = tables(KARLSRUHE)
    grid, told = lay_out(made, None)
    assert grid == 32632
    assert "longitude and latitude, as the lengths of the lines agree" in told
    assert gaps(made) == pytest.approx([731.4, 2224.2], rel=2e-3)


@pytest.mark.parametrize(
    ("xy", "lengths"),
    [
        (KARLSRUHE, (1.2, 2.0, 1.0)),
        (KARLSRUHE * 100.0, (800.0, 2500.0, 1.0)),
        (KARLSRUHE * 0.0, (800.0, 2500.0, 1.0)),
        (KARLSRUHE, (1.0, 1.0, 1.0)),
    ],
    ids=["a scheme", "no degrees", "no places", "switches only"],
)
def test_places_that_are_no_degrees_stay_as_written(xy, lengths):
    made = tables(xy, lengths)
    assert lay_out(made, None) == (3857, "")
    assert np.array_equal(np.stack([made["buses"]["x"], made["buses"]["y"]], axis=1), xy)


def test_a_stated_grid_wins_over_the_lengths():
    made = tables(KARLSRUHE, (1.2, 2.0, 1.0))
    assert lay_out(made, 4326) == (32632, "read as EPSG:4326; laid on EPSG:32632")
    assert gaps(made) == pytest.approx([731.4, 2224.2], rel=2e-3)
    metres = tables(KARLSRUHE)
    assert lay_out(metres, 32750) == (32750, "")
    assert np.array_equal(metres["buses"]["x"], KARLSRUHE[:, 0])


def test_a_number_of_no_grid_is_refused():
    with pytest.raises(CityError, match="crs \\(12\\) is not an EPSG number"):
        lay_out(tables(KARLSRUHE), 12)


def test_lines_of_an_imported_grid_have_a_place_on_the_globe():
    made = tables(KARLSRUHE)
    grid, _ = lay_out(made, None)
    frame = City("g", "Grid", "right", "UTC", grid, made).frame("lines")
    assert np.array(frame.geometry.iloc[1].coords) == pytest.approx(KARLSRUHE[1:], abs=1e-9)
