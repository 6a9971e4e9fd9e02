"""Two threads against one, to the bit: changes, chunks, short logs and gridlocks included."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.kernels.examples import examples
from tests.kernels.traffic_cases import HORIZON, SECOND, change, random_case
from twin.kernels.traffic import advance
from twin.kernels.traffic_arrays import DONE, LOG_FULL, NOW, new_log
from twin.kernels.traffic_layout import Traffic
from twin.kernels.traffic_pair import advance_pair, can_pair

jitted = pytest.mark.skipif(
    not can_pair(replace(random_case(0), group_limit=1).build().network),
    reason="two threads need compiled kernels and two processors",
)


def _run(traffic: Traffic, until: int, threads: int, n_row: int, rows: list[tuple[int, ...]]) -> None:
    log, status = new_log(n_row), LOG_FULL
    while status == LOG_FULL:
        status = advance(*traffic, log, until, threads)
        written = int(log.written[0])
        rows.extend(zip(*(column[:written].tolist() for column in log[:4]), strict=True))
        log.written[0] = 0


def _same_state(one: Traffic, two: Traffic) -> None:
    for name, a, b in zip(one.state._fields, one.state, two.state, strict=True):
        assert np.array_equal(a, b), name


@jitted
@examples(60)
@given(st.integers(0, 2**32 - 1), st.sampled_from([64, 90, 5000]))
@example(103, 64)
def test_two_threads_give_the_bits_of_one(seed: int, n_row: int) -> None:
    rng = np.random.default_rng(seed)
    case = replace(random_case(seed, n_node=9, n_link=25, n_vehicle=150, longer=5.0), group_limit=3)
    one, two = case.build(), case.build()
    rows: list[list[tuple[int, ...]]] = [[], []]
    for instant in [*np.sort(rng.integers(0, 400 * SECOND, 4)).tolist(), HORIZON]:
        _run(one, instant, 1, n_row, rows[0])
        _run(two, instant, 2, n_row, rows[1])
        assert sorted(rows[0]) == sorted(rows[1])
        _same_state(one, two)
        draw = int(rng.integers(2**32))
        for traffic in (one, two):
            change(np.random.default_rng(draw), traffic)


@jitted
def test_two_threads_without_a_log_come_to_the_end() -> None:
    case = replace(random_case(3, n_node=9, n_link=25), group_limit=1)
    one, two = case.build(), case.build()
    assert advance(*one, new_log(0), HORIZON) == DONE
    advance_pair(*two, new_log(0), HORIZON)
    assert two.state.clock[NOW] == HORIZON
    _same_state(one, two)


@jitted
def test_the_pair_leaves_a_log_that_is_nearly_full_to_one_thread() -> None:
    traffic = random_case(3, n_node=9, n_link=25).build()
    advance_pair(*traffic, new_log(8), HORIZON)
    assert traffic.state.clock[NOW] == 0
