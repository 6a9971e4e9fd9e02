"""A city without streets is drawn by its networks, and a scheme is not measured."""

from __future__ import annotations

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402

from tests.models.utility_city import six_bus_city  # noqa: E402
from tests.models.water_city import small_city  # noqa: E402
from twin.city import City  # noqa: E402
from twin.plot import network_map, power_map  # noqa: E402
from twin.plot.base import has_places, is_to_scale  # noqa: E402


def grid_alone(stretch: float = 1.0) -> City:
    """Return the six buses without streets, with places `stretch` times as far apart as the lines are long."""
    city = six_bus_city()
    tables = {name: dict(city[name]) for name in ("buses", "lines", "transformers", "sources")}
    buses, lines = tables["buses"], tables["lines"]
    xy = np.stack([np.arange(6.0) * 100.0 * stretch, np.zeros(6)], axis=1)
    tables["buses"] = buses | {"x": xy[:, 0], "y": xy[:, 1]}
    gaps = np.abs(np.asarray(lines["to_bus"], dtype=float) - np.asarray(lines["from_bus"], dtype=float))
    tables["lines"] = lines | {"length": 100.0 * gaps}
    return City("g", "Grid", "left", "UTC", 32750, tables)


def words(ax):
    """Return what stands on the map: the scale bar's length and the arrow's letter among it."""
    return {text.get_text() for text in ax.texts}


def legend(ax):
    return {text.get_text() for text in ax.get_legend().get_texts()}


def test_a_grid_alone_is_drawn_with_its_infeed():
    city = grid_alone()
    ax = network_map(city)
    assert {"Power line", "Power line, open", "Bus", "Infeed from outside"} <= legend(ax)
    assert ax.get_title(loc="left") == "Grid"
    drawn = sum(len(group.get_offsets()) for group in ax.collections if group.get_label() == "Bus")
    assert drawn == city.rows("buses")
    pyplot.close("all")


def test_a_water_network_alone_is_drawn():
    assert {"Pipe", "Junction", "Reservoir", "Tank"} <= legend(network_map(small_city()))
    pyplot.close("all")


def test_outages_of_a_grid_without_streets_are_drawn_and_no_substation_is_told():
    ax = power_map(grid_alone(), np.array([0.0, 0.0, 30.0, 60.0, 0.0, 0.0]))
    assert "Without power" in legend(ax)
    assert "Substation" not in legend(ax)
    pyplot.close("all")


def test_a_scheme_has_neither_scale_bar_nor_arrow():
    assert is_to_scale(grid_alone())
    assert not is_to_scale(grid_alone(0.001))
    assert any(word.endswith(" m") for word in words(network_map(grid_alone())))
    assert not words(network_map(grid_alone(0.001)))
    pyplot.close("all")


def test_places_all_on_one_spot_are_none():
    assert has_places(grid_alone())
    assert not has_places(grid_alone(0.0))
