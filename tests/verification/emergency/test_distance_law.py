"""The square-root law on a torus, where it has no edges to disturb it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from twin.models.location import distance_constant, mean_distance

SIDE = 1000.0


def measured(idle, power, rounds, calls):
    """Return mean distance and its standard error over independent rounds."""
    draw = np.random.Generator(np.random.Philox(11))
    means = np.empty(rounds)
    for i in range(rounds):
        units = cKDTree(draw.random((idle, 2)) * SIDE, boxsize=SIDE)
        means[i] = units.query(draw.random((calls, 2)) * SIDE, p=power)[0].mean()
    return means.mean(), means.std(ddof=1) / np.sqrt(rounds)


@pytest.mark.parametrize(("metric", "power", "constant"), [("euclid", 2, 0.5), ("right_angle", 1, 0.62666)])
def test_the_constant_on_a_torus(metric, power, constant):
    assert distance_constant(metric) == pytest.approx(constant, abs=5e-6)
    assert mean_distance(SIDE**2, 400, metric) == pytest.approx(constant * SIDE / 20, rel=1e-5)
    found, error = measured(2_500, power, rounds=100, calls=4_000) / np.sqrt(SIDE**2 / 2_500)
    print(f"{metric}: {found:.5f} +- {error:.5f}")
    assert 3 * error < 0.005 * constant, "half a percent would not be seen"
    assert found == pytest.approx(constant, rel=0.005)


def test_four_times_the_units_halve_the_distance():
    few, many = (measured(idle, 2, rounds=100, calls=2_000)[0] for idle in (100, 400))
    assert np.log(many / few) / np.log(4) == pytest.approx(-0.5, abs=0.01)
