"""The kernel against the oracle, and against itself in other chunks and names."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.examples import examples
from tests.kernels.oracle_traffic import Oracle
from tests.kernels.traffic_cases import HORIZON, SECOND, change, random_case, run
from twin.kernels.traffic_arrays import ARRIVED, CANCELLED, STRANDED
from twin.kernels.traffic_layout import Traffic
from twin.kernels.traffic_probe import lost_vehicles

seeds = st.integers(0, 2**32 - 1)


def assert_same_as_oracle(traffic: Traffic, rows: list[tuple[int, ...]], oracle: Oracle) -> None:
    assert sorted(rows) == sorted(oracle.log)
    arrival = traffic.state.arrival
    assert {int(v): int(arrival[v]) for v in np.flatnonzero(arrival >= 0)} == oracle.arrival
    outcome = traffic.state.outcome
    assert set(np.flatnonzero(outcome == STRANDED)) == oracle.stranded
    assert set(np.flatnonzero(outcome == CANCELLED)) == oracle.cancelled
    assert set(np.flatnonzero(outcome == ARRIVED)) == set(oracle.arrival)
    assert lost_vehicles(traffic.state) == 0


@examples(60)
@given(seeds)
def test_equals_the_heap_oracle(seed: int) -> None:
    traffic = random_case(seed).build()
    oracle, rows = Oracle(traffic), []
    run(traffic, HORIZON, rows)
    oracle.run(HORIZON)
    assert_same_as_oracle(traffic, rows, oracle)


@examples(40)
@given(seeds)
def test_a_city_of_fixed_signals_alone_equals_the_heap_oracle(seed: int) -> None:
    case = random_case(seed)
    links = case.links | {"lanes": 1.0, "rank": 0}
    signals = case.signals | {"control": case.signals["control"] % 2}
    traffic = replace(case, links=links, signals=signals, node_capacity=np.inf).build()
    oracle, rows = Oracle(traffic), []
    run(traffic, HORIZON, rows)
    oracle.run(HORIZON)
    assert_same_as_oracle(traffic, rows, oracle)


@examples(60)
@given(seeds)
def test_equals_the_heap_oracle_under_changes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    traffic = random_case(seed).build()
    oracle, rows = Oracle(traffic), []
    for instant in np.sort(rng.integers(0, 400 * SECOND, 6)).tolist():
        run(traffic, instant, rows)
        oracle.run(instant)
        change(rng, traffic, oracle)
    run(traffic, HORIZON, rows)
    oracle.run(HORIZON)
    assert_same_as_oracle(traffic, rows, oracle)


@examples(40)
@given(seeds)
def test_any_chunks_give_the_same_bits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    case = replace(random_case(seed, n_vehicle=200, longer=10.0), group_limit=1)
    whole, parts = case.build(), case.build()
    rows_whole: list[tuple[int, ...]] = []
    rows_parts: list[tuple[int, ...]] = []
    for stop in range(10 * SECOND, 900 * SECOND, 30 * SECOND):
        run(whole, stop, rows_whole)
        for instant in np.sort(rng.integers(stop - 30 * SECOND, stop, 20)).tolist():
            run(parts, instant, rows_parts)
        run(parts, stop, rows_parts)
        assert sorted(rows_whole) == sorted(rows_parts)
        for name, one, two in zip(whole.state._fields, whole.state, parts.state, strict=True):
            assert np.array_equal(one, two), name


@examples(20)
@given(seeds)
def test_a_copied_state_continues_bit_for_bit(seed: int) -> None:
    traffic = random_case(seed).build()
    rows: list[tuple[int, ...]] = []
    run(traffic, 123_456_789, rows)
    branch = traffic._replace(state=type(traffic.state)(*(a.copy() for a in traffic.state)))
    rows_branch = list(rows)
    run(traffic, HORIZON, rows)
    run(branch, HORIZON, rows_branch)
    assert rows == rows_branch
    assert all(np.array_equal(a, b) for a, b in zip(traffic.state, branch.state, strict=True))


@pytest.mark.parametrize("limit", [1, 5, 1000])
def test_groups_change_no_result(limit: int) -> None:
    rows: list[tuple[int, ...]] = []
    rows_limit: list[tuple[int, ...]] = []
    run(replace(random_case(7), group_limit=16).build(), HORIZON, rows)
    run(replace(random_case(7), group_limit=limit).build(), HORIZON, rows_limit)
    assert sorted(rows) == sorted(rows_limit)
