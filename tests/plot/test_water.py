"""Pictures of water networks hold what they are given."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.water_city import small_city

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


def test_the_map_shows_junctions_by_pressure_and_marks_those_cut_off():
    from twin.plot.water import pressure_map

    ax = pressure_map(small_city(), np.array([40.0, 10.0, 5.0, 0.0]), np.array([True, True, True, False]))
    drawn = [c.get_offsets().shape[0] for c in ax.collections if hasattr(c, "get_offsets") and c.get_label() != ""]
    assert 3 in drawn
    assert 1 in drawn
    assert {t.get_text() for t in ax.get_legend().get_texts()} == {"no water reaches", "reservoir", "tank"}


def test_levels_are_drawn_on_given_axes_with_units():
    from matplotlib.figure import Figure

    from twin.plot.water import tank_levels

    given = Figure().subplots()
    ax = tank_levels([0, 1, 2], {"T1": [3.0, 2.5, 2.0], "T2": [1.0, 1.5, 2.0]}, ax=given)
    assert ax is given
    assert [line.get_label() for line in ax.lines] == ["T1", "T2"]
    assert ax.get_ylabel().endswith("(m)")
