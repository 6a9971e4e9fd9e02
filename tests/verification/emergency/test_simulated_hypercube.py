"""The compiled emergency engine, set up as a hypercube, against the exact model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from twin.models.queues import hypercube

alone = pytest.importorskip("twin.models.emergency.alone")

CASES = {
    "own first": ([1, 1, 1], 1.0, [[0, 1, 2], [1, 0, 2], [2, 0, 1]]),
    "cyclic": ([1, 0.5, 1.5], 1.5, [[0, 1, 2], [1, 2, 0], [2, 0, 1]]),
}
PARTS = 20


def region_of_one_place(units):
    """Return a service in which nobody has to drive."""
    network = alone.build_network(np.array([[0.0, 0.0], [1.0, 0.0]]), [0, 1], [1, 0], [[1.0, 1.0]])
    here = pd.DataFrame({"node": [0] * units, "walk": 0.0})
    priorities = pd.DataFrame({"name": ["all"], "target": [1.0]})
    driving = alone.Driving(np.array([0.0]), np.array([0.0]), np.zeros((1, 3), np.int64))
    stations = pd.DataFrame({"station": range(units)})
    return alone.Region(network, here, here, stations, priorities, driving, np.zeros((1, 1), np.bool_))


def calls_of(arrival, service, count, seed):
    draw = np.random.Generator(np.random.Philox(seed))
    rate = np.asarray(arrival, float)
    return pd.DataFrame(
        {
            "arrive": 600 * np.cumsum(draw.exponential(1 / rate.sum(), count)),
            "node": 0,
            "priority": 0,
            "zone": draw.choice(rate.size, count, p=rate / rate.sum()),
            "scene": 600 * draw.exponential(1 / service, count),
        }
    )


def simulated(case, count, seed):
    """Return workloads and share lost of one run."""
    arrival, service, preference = case
    calls = calls_of(arrival, service, count, seed)
    rules = alone.Rules(dispatch="preference", preference=np.array(preference), queue_limit=0, log=False)
    served = alone.simulate(region_of_one_place(len(preference[0])), calls, rules).calls
    unit = served["unit"].to_numpy(np.int64)
    busy = np.bincount(unit[unit >= 0], calls["scene"].to_numpy()[unit >= 0], len(preference[0]))
    return np.r_[busy / calls["arrive"].iloc[-1], (unit < 0).mean()]


@pytest.mark.parametrize(("size"), [100_000, pytest.param(10_000_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", CASES)
def test_workloads_and_losses_are_those_of_the_exact_model(name, size):
    exact = hypercube(*CASES[name])
    found = np.array([simulated(CASES[name], size // PARTS, seed) for seed in range(PARTS)])
    error = found.std(axis=0, ddof=1) / np.sqrt(PARTS)
    gap = np.abs(found.mean(axis=0) - np.r_[exact.workload, exact.blocked])
    assert (gap < 4 * error).all()
    assert gap.max() < (0.002 if size > 1_000_000 else 0.01)
