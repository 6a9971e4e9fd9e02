"""Gridlocks that are let go: by hand, against the oracle, and with nobody lost."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.examples import examples
from tests.kernels.oracle_traffic import Oracle
from tests.kernels.traffic_cases import SECOND, random_case, run
from twin.kernels.traffic_arrays import ARRIVED, new_log
from twin.kernels.traffic_layout import Roads, Traffic, Trips, build
from twin.kernels.traffic_probe import gridlocks, lost_vehicles, occupancy
from twin.kernels.traffic_relax import relax

TRIANGLE = Roads(3, [0, 1, 2], [1, 2, 0], 5.0, 5.0)
"""Three links of one place each, 1 s at free flow and 1 s for the wave; headway 2 s."""


def _triangle() -> Traffic:
    """Three vehicles that start at once and each drive three links: full at 0 s, ready at 1 s."""
    routes = [0, 1, 2, -1, 1, 2, 0, -1, 2, 0, 1, -1]
    return build(TRIANGLE, Trips([0, 0, 0], [0, 1, 2], route_start=[0, 4, 8], routes=routes))


def test_three_cars_that_block_each_other_turn_together() -> None:
    traffic, log, rows = _triangle(), new_log(9), []
    run(traffic, 10 * SECOND, rows)
    assert rows == []
    assert relax(traffic, log, 9 * SECOND + 1) == []
    assert relax(traffic, log, 9 * SECOND) == [[0, 1, 2]]
    assert occupancy(traffic.state).tolist() == [1, 1, 1]
    run(traffic, 20 * SECOND, rows)
    # on their second links since 10 s; ready at 11 s, but a link lets nobody out before 12 s
    assert relax(traffic, log, 8 * SECOND + 1) == []
    assert relax(traffic, log, 8 * SECOND) == [[0, 1, 2]]
    run(traffic, 100 * SECOND, rows)
    assert traffic.state.arrival.tolist() == [22 * SECOND] * 3
    n_row = int(log.written[0])
    assert sorted(zip(log.vehicle[:n_row], log.link[:n_row], log.left[:n_row], strict=True)) == [
        (0, 0, 10 * SECOND), (0, 1, 20 * SECOND), (1, 1, 10 * SECOND),
        (1, 2, 20 * SECOND), (2, 0, 20 * SECOND), (2, 2, 10 * SECOND),
    ]  # fmt: skip


def test_a_log_without_room_leaves_the_gridlock_as_it_is() -> None:
    traffic = _triangle()
    run(traffic, 10 * SECOND, [])
    before = [array.copy() for array in traffic.state]
    assert relax(traffic, new_log(2), 0) == []
    assert all(np.array_equal(a, b) for a, b in zip(before, traffic.state, strict=True))


def _ring(seed: int, n_link: int) -> Traffic:
    """Draw a ring of short links on which everybody drives far."""
    rng = np.random.default_rng(seed)
    nodes = np.arange(n_link)
    roads = Roads(n_link, nodes, np.roll(nodes, -1), rng.choice([5.0, 12.0, 30.0], n_link), 10.0)
    origin = rng.integers(0, n_link, 60)
    routes, start = [], []
    for first in origin.tolist():
        start.append(len(routes))
        routes += [(first + step) % n_link for step in range(rng.integers(2, 2 * n_link))] + [-1]
    return build(roads, Trips(rng.integers(0, 40, 60) * SECOND, origin, route_start=start, routes=routes))


@examples(30)
@given(st.integers(0, 2**32 - 1), st.integers(3, 7))
def test_relaxed_rings_equal_the_oracle_and_everybody_arrives(seed: int, n_link: int) -> None:
    traffic = _ring(seed, n_link)
    oracle, rows, log = Oracle(traffic), [], new_log(100_000)
    for stop in range(20, 4000, 20):
        run(traffic, stop * SECOND, rows)
        oracle.run(stop * SECOND)
        for cycle in relax(traffic, log, 10 * SECOND):
            oracle.rotate(cycle)
        oracle.touch()
        assert lost_vehicles(traffic.state) == 0
    n_row = int(log.written[0])
    rows += list(zip(*(column[:n_row].tolist() for column in log[:4]), strict=True))
    assert sorted(rows) == sorted(oracle.log)
    assert (traffic.state.outcome == ARRIVED).all()


@pytest.mark.parametrize("seed", range(40))
def test_random_cities_with_relaxed_gridlocks_equal_the_oracle(seed: int) -> None:
    traffic = random_case(seed).build()
    oracle, rows, log = Oracle(traffic), [], new_log(10_000)
    for stop in range(50, 1000, 50):
        run(traffic, stop * SECOND, rows)
        oracle.run(stop * SECOND)
        for cycle in relax(traffic, log, 0):
            oracle.rotate(cycle)
        oracle.touch()
    n_row = int(log.written[0])
    rows += list(zip(*(column[:n_row].tolist() for column in log[:4]), strict=True))
    assert sorted(rows) == sorted(oracle.log)
    assert lost_vehicles(traffic.state) == 0


def test_some_rings_do_lock() -> None:
    locked = 0
    for seed in range(10):
        traffic = _ring(seed, 5)
        run(traffic, 1000 * SECOND, [])
        locked += bool(gridlocks(traffic.network, traffic.settings, traffic.state))
    assert locked > 0
