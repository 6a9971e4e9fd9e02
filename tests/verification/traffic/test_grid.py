"""The grid of the benchmark: what its vehicles do, against the heap oracle and in any chunks."""

import numpy as np
import pytest

from benchmarks.peers import ours
from benchmarks.peers.grid import PLATOON, grid_case
from tests.kernels.oracle_traffic import Oracle
from twin.kernels.traffic import advance
from twin.kernels.traffic_arrays import new_log


def test_the_grid_is_what_the_benchmark_says() -> None:
    case = grid_case(2)
    assert (len(case.from_node), len(case.depart), case.traversals) == (440, 60_984, 831_600)
    steps = [len(case.route(vehicle)) for vehicle in range(0, 60_984, 997)]
    rows = np.abs(case.origin // 11 - case.destination // 11) + np.abs(case.origin % 11 - case.destination % 11)
    assert steps == rows[::997].tolist()
    assert (np.bincount(case.platoon[case.platoon >= 0]) == PLATOON).all()
    assert case.from_node[case.routes[case.start]].tolist() == case.origin.tolist()


def _arrivals_and_log(share: float, stops: list[int]) -> tuple[list[int], list[tuple[int, ...]]]:
    case = grid_case(1, share)
    traffic, log = ours.lay_out(case), new_log(case.traversals)
    for stop in [*stops, ours.END]:
        advance(*traffic, log, stop)
    return traffic.state.arrival.tolist(), sorted(zip(*(column.tolist() for column in log[:4]), strict=True))


@pytest.mark.jit
def test_chunks_change_nothing_on_the_congested_grid() -> None:
    stops = np.sort(np.random.default_rng(5).integers(0, 6000 * ours.SECOND, 50)).tolist()
    assert _arrivals_and_log(1.0, []) == _arrivals_and_log(1.0, stops)


@pytest.mark.parametrize("share", [0.02, pytest.param(1.0, marks=pytest.mark.slow)])
def test_arrivals_and_log_equal_those_of_the_heap_oracle(share: float) -> None:
    oracle = Oracle(ours.lay_out(grid_case(1, share)))
    oracle.run(ours.END)
    arrival, log = _arrivals_and_log(share, [])
    assert arrival == [oracle.arrival[vehicle] for vehicle in range(len(arrival))]
    assert log == sorted(oracle.log)
