"""The square-root law on a torus, where it has no edges to disturb it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from twin.models.location import distance_constant, mean_distance

SIDE = 1000.0


def measured(idle, power, rounds, calls=4000):
    draw = np.random.Generator(np.random.Philox(11))
    total = 0.0
    for _ in range(rounds):
        units = cKDTree(draw.random((idle, 2)) * SIDE, boxsize=SIDE)
        total += units.query(draw.random((calls, 2)) * SIDE, p=power)[0].mean()
    return total / rounds


@pytest.mark.parametrize(("metric", "power", "constant"), [("euclid", 2, 0.5), ("right_angle", 1, 0.62666)])
def test_the_constant_on_a_torus(metric, power, constant):
    assert distance_constant(metric) == pytest.approx(constant, abs=5e-6)
    found = measured(400, power, 100) / np.sqrt(SIDE**2 / 400)
    assert found == pytest.approx(constant, rel=0.005)
    assert mean_distance(SIDE**2, 400, metric) == pytest.approx(constant * SIDE / 20, rel=1e-5)


def test_four_times_the_units_halve_the_distance():
    few, many = measured(100, 2, 100), measured(400, 2, 100)
    assert np.log(many / few) / np.log(4) == pytest.approx(-0.5, abs=0.01)
