"""Small services for tests: a grid of streets, one point without roads."""

from __future__ import annotations

import numpy as np
import pandas as pd

from twin.models.emergency.network import build_network
from twin.models.emergency.region import Driving, Region


def grid_arcs(n, rng):
    """Return arcs of an n x n grid with bends: two-way rows, one-way columns, a parallel arc and a loop."""
    xy, arcs = [], []
    xy += [(500.0 * i, 500.0 * j) for i in range(n) for j in range(n)]
    for i in range(n):
        for j in range(n):
            here = i * n + j
            if i + 1 < n:
                bend = len(xy)
                xy.append((500.0 * i + 250.0, 500.0 * j))
                arcs += [(here, bend), (bend, here), (bend, here + n), (here + n, bend)]
            if j + 1 < n:
                pair = (here, here + 1) if i % 2 == 0 else (here + 1, here)
                bend = len(xy)
                xy.append((500.0 * i, 500.0 * j + 250.0))
                arcs += [(pair[0], bend), (bend, pair[1])]
    corner = n - 1
    arcs += [(corner, corner + n * (n - 1)), (n * (n - 1) + corner, corner), (0, 0), (0, 1)]
    arcs += [(0, n * (n - 1)), (n * (n - 1), 0)]
    times = rng.uniform(20.0, 60.0, (2, len(arcs)))
    times[1] *= 1.5
    return np.array(xy), np.array(arcs), times


def grid_region(n=4, units=(0, 0, 1, 2), seed=1, upgrades=True):
    """Return a service on a grid of streets with three stations and two hospitals."""
    rng = np.random.default_rng(seed)
    xy, arcs, times = grid_arcs(n, rng)
    network = build_network(xy, arcs[:, 0], arcs[:, 1], times)
    allowed = np.zeros((2, 2), bool)
    allowed[1, 0] = upgrades
    mode = np.array([[0, 1, 1, 1], [1, 1, 1, 0]])
    return Region(
        network,
        pd.DataFrame({"node": [0, n + 1, len(xy) - 1], "walk": [10.0, 0.0, 35.5]}),
        pd.DataFrame({"node": [n * n - 1, n * n + 2], "walk": [0.0, 20.0]}),
        pd.DataFrame({"station": list(units)}),
        pd.DataFrame({"name": ["urgent", "other"], "target": [400.0, 900.0]}),
        Driving(np.array([0.3, 0.4]), np.array([0.0, 20_000.0]), mode),
        allowed,
        pd.DataFrame({"x": xy[:, 0], "y": xy[:, 1], "weight": rng.random(len(xy))}),
    )


def grid_calls(region, count=60, seed=2, gap=250.0):
    """Draw calls anywhere on the network."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "arrive": np.cumsum(rng.exponential(gap, count)),
            "node": rng.integers(0, len(region.network.x), count),
            "walk": rng.uniform(0, 80, count).round(3),
            "priority": rng.integers(0, 2, count),
            "answer": rng.uniform(0, 120, count),
            "mobilise": rng.uniform(0, 90, count),
            "scene": rng.exponential(500, count),
            "transport": rng.random(count) < 0.7,
            "hospital": np.where(rng.random(count) < 0.2, 1, -1),
            "handover": rng.exponential(300, count),
            "patience": np.where(rng.random(count) < 0.3, 300.0, np.nan),
            "zone": rng.integers(0, 2, count),
        }
    )


def point_region(n_unit):
    """Return a service where every way takes no time: one node, one station."""
    network = build_network(np.zeros((1, 2)), np.zeros(0, int), np.zeros(0, int), np.zeros((1, 0)))
    none = pd.DataFrame({"node": np.zeros(0, int), "walk": np.zeros(0)})
    return Region(
        network,
        pd.DataFrame({"node": [0], "walk": [0.0]}),
        none,
        pd.DataFrame({"station": [0] * n_unit}),
        pd.DataFrame({"name": ["all"], "target": [600.0]}),
        Driving(np.array([1.0]), np.array([0.0]), np.zeros((1, 3), int)),
        np.zeros((1, 1), bool),
    )
