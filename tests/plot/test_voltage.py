"""The map of voltages says what has power and what has not."""

from __future__ import annotations

import numpy as np
import pytest

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

from matplotlib import pyplot  # noqa: E402

from tests.models.utility_city import six_bus_city  # noqa: E402
from tests.synthetic_results import small_city  # noqa: E402
from twin.city import City  # noqa: E402
from twin.plot.voltage import _scale, voltage_map  # noqa: E402

VOLTAGE = np.array([1.02, 1.01, 1.0, 0.0, 0.0, 0.97])


def legend(ax):
    return {text.get_text() for text in ax.get_legend().get_texts()}


def test_the_map_draws_on_the_axes_it_is_given():
    ax = pyplot.figure().add_subplot()
    assert voltage_map(six_bus_city(), VOLTAGE, ax=ax) is ax
    pyplot.close("all")


def test_the_legend_names_what_is_there_and_nothing_else():
    dark = legend(voltage_map(six_bus_city(), VOLTAGE))
    assert {"Without power", "Line in the dark", "Open tie", "Infeed from outside"} <= dark
    whole = legend(voltage_map(six_bus_city(), np.full(6, 1.0)))
    assert not {"Without power", "Line in the dark"} & whole
    assert ("Substation" in whole) == bool(six_bus_city().rows("substations"))
    assert "Substation" in legend(voltage_map(small_city(), np.full(small_city().rows("buses"), 1.0)))
    pyplot.close("all")


def test_a_grid_without_streets_is_drawn():
    city = six_bus_city()
    names = ("buses", "lines", "transformers", "sources")
    alone = City("g", "Grid", "left", "UTC", 32750, {name: dict(city[name]) for name in names})
    assert voltage_map(alone, VOLTAGE).get_title(loc="left") == "Voltage of the grid"
    pyplot.close("all")


def test_a_wrong_length_is_refused():
    with pytest.raises(ValueError, match="5 values for 6 buses"):
        voltage_map(six_bus_city(), VOLTAGE[:5])


@pytest.mark.parametrize(("low", "high"), [(0.95, 1.0), (0.9999, 1.0001), (0.82, 1.0), (0.5, 0.7)])
def test_the_scale_holds_all_voltages(low, high):
    edges = _scale(np.array([low, high])).edges
    assert edges[0] <= low
    assert edges[-1] >= high
    assert edges[-1] - edges[0] <= max(6 * 0.002, 4 * (high - low)) + 1e-9
