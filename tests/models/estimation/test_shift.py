from __future__ import annotations

import numpy as np
import pytest

from tests.models.estimation.count_city import arm_place, grid_city
from twin.models.estimation.shift import find_shift


def counter_places():
    places = [arm_place(c, r, arm, 35.0) for c in range(5) for r in range(5) for arm in "NE" if c < 4 and r < 4]
    return np.array(places).T


@pytest.mark.parametrize("shift", [(0.0013, 0.0015), (-0.001, 0.0004), (0.0, -0.0017)])
def test_a_common_shift_is_found(shift):
    lon, lat = counter_places()
    found = find_shift(lon - shift[0], lat - shift[1], grid_city())
    assert (found.lon, found.lat) == pytest.approx(shift, abs=2e-5)
    assert found.after < 2.0 < found.before


def test_points_on_their_roads_stay():
    lon, lat = counter_places()
    found = find_shift(lon, lat, grid_city())
    assert (found.lon, found.lat) == (0.0, 0.0)


def test_points_with_an_error_of_some_metres_stay():
    lon, lat = counter_places()
    wobble = 6e-5 * np.sin(np.arange(lon.size) * 1.7)
    found = find_shift(lon + wobble, lat - wobble[::-1], grid_city())
    assert (found.lon, found.lat) == (0.0, 0.0)


def test_the_order_of_points_does_not_matter():
    lon, lat = counter_places()
    one = find_shift(lon + 0.001, lat + 0.0005, grid_city())
    two = find_shift(lon[::-1] + 0.001, lat[::-1] + 0.0005, grid_city())
    assert one == two


def test_points_elsewhere_on_earth_are_not_shifted():
    found = find_shift(np.array([106.8]), np.array([-6.2]), grid_city())
    assert (found.lon, found.lat, found.points) == (0.0, 0.0, 0)


def test_a_handful_of_points_is_not_shifted():
    lon, lat = counter_places()
    found = find_shift(lon[:5] + 0.001, lat[:5], grid_city())
    assert (found.lon, found.lat) == (0.0, 0.0)
