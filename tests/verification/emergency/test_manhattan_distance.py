"""The square-root law of Kolesar and Blum (1973) on the streets of Manhattan.

The law is about distances between places that are independent and uniform. So units and calls are drawn here
uniformly along the streets, by key, and the distance is that of the shortest way, in metres.

Where it can hold, set before fitting. The island is 20.9 km long and its hull 66 km2, so it is 3.2 km wide: with
fewer units than make half that spacing, 66 / 1.6^2 = 26, its ends and banks rule (along a line the distance falls
as 1 / n). Two long blocks are 550 m: with more units than 66 / 0.55^2 = 218, the blocks rule. Tried: 30 to 210.

One-way streets are what kept the exponent near -0.4 before: the detour at the end of a way does not shrink when the
way does. It is a constant beside the law, so the law is tested on streets taken both ways, and the constant apart.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from twin.models.emergency.alone import read_jemss
from twin.random import uniform

pytestmark = pytest.mark.data

COUNTS = np.array([30, 60, 120, 210])
ROUNDS, CALLS = 10, 2_000


class Streets:
    """Arcs with their length and the row of the arc back, -1 for none."""

    def __init__(self, network, one_way):
        n = len(network.x)
        key = np.unique(np.r_[network.from_node * n + network.to_node, [] if one_way else self._back(network, n)])
        self.n, self.tail, self.head = n, *np.divmod(key.astype(np.int64), n)
        kept = self.tail != self.head
        self.tail, self.head = self.tail[kept], self.head[kept]
        self.length = np.hypot(*(axis[self.tail] - axis[self.head] for axis in (network.x, network.y)))
        key, back = self.tail * n + self.head, self.head * n + self.tail
        found = np.minimum(np.searchsorted(key, back), len(key) - 1)
        self.back = np.where(key[found] == back, found, -1)
        weight = np.cumsum(np.where(self.back >= 0, self.length / 2, self.length))
        self.share = weight / weight[-1]

    @staticmethod
    def _back(network, n):
        return network.to_node * n + network.from_node

    def places(self, seed, stream, count):
        """Draw arcs in proportion to length, each street once, and how far along them (m)."""
        ids = np.arange(count)
        arc = np.searchsorted(self.share, uniform(seed, stream, ids))
        return arc, uniform(seed, stream, ids, 1) * self.length[arc]

    def mean_distance(self, units, seed):
        """Return the mean distance (m) from the nearest of some units to calls."""
        unit, gone = self.places(seed, "unit", units)
        arc, along = self.places(seed, "call", CALLS)
        reach = self._reach(unit, gone)
        there = reach[self.tail[arc]] + along
        other = reach[self.head[arc]] + self.length[arc] - along
        return np.where(self.back[arc] >= 0, np.minimum(there, other), there).mean()

    def _reach(self, unit, gone):
        """Return the distance of each node from the nearest unit, by one tree from a node that joins them all."""
        turns = self.back[unit] >= 0
        tail = np.r_[self.tail, np.full(len(unit) + turns.sum(), self.n)]
        head = np.r_[self.head, self.head[unit], self.tail[unit][turns]]
        length = np.r_[self.length, self.length[unit] - gone, gone[turns]] + 1e-6
        order = np.lexsort((length, head, tail))
        first = order[np.unique(tail[order] * (self.n + 1) + head[order], return_index=True)[1]]
        graph = coo_matrix((length[first], (tail[first], head[first])), shape=(self.n + 1,) * 2)
        return dijkstra(graph.tocsr(), indices=self.n)


@pytest.fixture(scope="module")
def distance():
    """Mean distances (m) for each number of units, on streets both ways and as they are signed."""
    data = os.environ.get("TWIN_DATA")
    if not data:
        pytest.skip("TWIN_DATA is not set")
    network = read_jemss(Path(data) / "manhattan_ems").region.network
    found = {}
    for one_way in (False, True):
        streets = Streets(network, one_way)
        rounds = [[streets.mean_distance(count, seed) for count in COUNTS] for seed in range(ROUNDS)]
        found[one_way] = np.mean(rounds, axis=0)
    return found


def exponent(means):
    return np.polyfit(np.log(COUNTS), np.log(means), 1)[0]


def test_distance_falls_with_the_root_of_the_number_of_units(distance):
    found = exponent(distance[False])
    print(f"exponent {found:.3f}; mean distances {distance[False].round()} m")
    assert found == pytest.approx(-0.5, abs=0.05)


def test_one_way_streets_add_a_detour_that_stays(distance):
    """With it the law reads constant + c / sqrt(n); the constant lies between half a long block and two."""
    means = distance[True]
    slope, constant = np.polyfit(COUNTS**-0.5, means, 1)
    print(f"exponent {exponent(means):.3f} as signed; constant {constant:.0f} m; mean distances {means.round()} m")
    assert -0.45 < exponent(means) < -0.35
    assert 137 < constant < 550
    assert constant + slope * COUNTS**-0.5 == pytest.approx(means, rel=0.02)
    assert (means > distance[False]).all()
