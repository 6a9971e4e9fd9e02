"""Published values and independent solutions that the queueing formulas must meet."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import solve_banded

from twin.models.queues import erlang_a, erlang_b, erlang_c, loss_states, servers_for, waiting_line


@pytest.mark.parametrize(
    ("load", "servers", "lost"),
    [(1, 1, 0.5), (2, 3, 0.2105263158), (5, 8, 0.0700478522), (10, 15, 0.0364969455)],
)
def test_erlang_b_has_the_published_values(load, servers, lost):
    assert erlang_b(load, servers) == pytest.approx(lost, abs=1e-9)
    assert loss_states(load, servers)[-1] == pytest.approx(lost, abs=1e-9)


@pytest.mark.parametrize(
    ("load", "servers", "waits"), [(2, 3, 0.4444444444), (5, 8, 0.1672665067), (20, 25, 0.2091028266)]
)
def test_erlang_c_has_the_published_values(load, servers, waits):
    assert erlang_c(load, servers) == pytest.approx(waits, abs=1e-9)


def chain(births, deaths):
    """Solve the balance equations of a birth-death chain as a banded linear system; its last state weighs 1."""
    births, deaths = np.asarray(births, float), np.asarray(deaths, float)
    bands = np.zeros((3, births.size))
    bands[0, 1:], bands[2, :-1] = deaths[:-1], births[:-1]
    bands[1] = -(births + np.r_[0.0, deaths[:-1]])
    weight = np.r_[solve_banded((1, 1), bands, -deaths[-1] * np.eye(births.size)[-1]), 1.0]
    return weight / weight.sum()


@settings(deadline=None, max_examples=60)
@given(
    arrival=st.floats(0.1, 12),
    service=st.floats(0.3, 3),
    patience=st.floats(0.3, 3),
    servers=st.integers(1, 8),
)
def test_erlang_a_is_the_birth_death_solution(arrival, service, patience, servers):
    states = np.arange(1, servers + 120)
    deaths = np.minimum(states, servers) * service + np.maximum(states - servers, 0) * patience
    share = chain(np.full(states.size, arrival), deaths)
    queue = share[servers:] @ np.arange(share.size - servers)
    found = erlang_a(arrival, service, patience, servers)
    assert found.wait_probability == pytest.approx(share[servers:].sum(), abs=1e-9)
    assert found.mean_queue == pytest.approx(queue, abs=1e-9)
    assert found.abandon_probability == pytest.approx(patience * queue / arrival, abs=1e-9)
    busy = share @ np.minimum(np.arange(share.size), servers) / servers
    assert found.utilisation == pytest.approx(busy, abs=1e-9)


@pytest.mark.parametrize(
    ("arrival", "patience", "servers"), [(10.0, 0.5, 8), (3.0, 5.0, 4), (20.0, 0.1, 12), (0.5, 1.0, 1)]
)
def test_the_service_level_ends_where_nobody_is_left_to_answer(arrival, patience, servers):
    found = erlang_a(arrival, 1.0, patience, servers)
    assert found.answered_within(0) == pytest.approx(1 - found.wait_probability)
    assert found.answered_within(1e6) == pytest.approx(1 - found.abandon_probability, abs=1e-10)
    levels = [found.answered_within(s) for s in np.linspace(0, 20, 30)]
    assert (np.diff(levels) >= -1e-12).all()


def test_the_service_level_meets_a_simulated_call_centre():
    draw = np.random.Generator(np.random.Philox(3))
    n, servers, arrival, patience = 200_000, 4, 4.0, 0.7
    clock = np.cumsum(draw.exponential(1 / arrival, n))
    talk, leaves = draw.exponential(1.0, n), draw.exponential(1 / patience, n)
    free = [0.0] * servers
    offered = np.empty(n)
    for i in range(n):
        first = min(range(servers), key=free.__getitem__)
        offered[i] = max(free[first] - clock[i], 0.0)
        if offered[i] <= leaves[i]:
            free[first] = max(free[first], clock[i]) + talk[i]
    found = erlang_a(arrival, 1.0, patience, servers)
    quick = (offered <= 0.3) & (offered <= leaves)
    blocks = quick.reshape(100, -1).mean(axis=1)
    error = blocks.std(ddof=1) / 10
    assert abs(quick.mean() - found.answered_within(0.3)) < 3 * error
    assert abs((offered > leaves).mean() - found.abandon_probability) < 0.005


@settings(deadline=None)
@given(load=st.floats(0.01, 50), servers=st.integers(1, 60))
def test_patience_without_end_and_none_are_the_two_other_formulas(load, servers):
    assert erlang_a(load, 1.0, 1e9, servers).wait_probability == pytest.approx(erlang_b(load, servers), abs=1e-6)
    if load < 0.95 * servers:
        assert erlang_a(load, 1.0, 1e-9, servers).wait_probability == pytest.approx(erlang_c(load, servers), abs=1e-6)


@settings(deadline=None)
@given(load=st.floats(0.01, 2000), servers=st.integers(1, 2500))
def test_the_formulas_are_stable_for_large_systems(load, servers):
    lost = erlang_b(load, servers)
    assert 0 <= lost <= 1
    assert lost == pytest.approx(loss_states(load, servers)[-1], rel=1e-9, abs=1e-300)
    found = erlang_a(load, 1.0, 0.05, servers)
    assert 0 <= found.abandon_probability < 1
    assert found.utilisation <= 1 + 1e-12
    assert found.abandon_probability >= 1 - servers / load - 1e-9
    if load < servers:
        assert lost <= erlang_c(load, servers) <= 1


def test_a_thousand_servers_agree_with_exact_fractions():
    from fractions import Fraction

    lost = Fraction(1)
    for k in range(1, 1001):
        lost = 950 * lost / (k + 950 * lost)
    assert erlang_b(950, 1000) == pytest.approx(float(lost), rel=1e-12)
    exact = 1000 * lost / (1000 - 950 * (1 - lost))
    assert erlang_c(950, 1000) == pytest.approx(float(exact), rel=1e-12)


def test_the_waiting_line_obeys_little_and_its_own_tail():
    line = waiting_line(20.0, 1.0, 25)
    assert line.mean_queue == pytest.approx(20.0 * line.mean_wait)
    seconds = np.linspace(0, 20, 20_001)
    late = np.array([1 - line.answered_within(s) for s in seconds])
    assert np.trapezoid(late, seconds) == pytest.approx(line.mean_wait, rel=1e-4)


@settings(deadline=None)
@given(service=st.floats(1e-6, 1e6), servers=st.integers(1, 200), spare=st.floats(-14, -1))
def test_a_line_close_to_its_limit_is_finite_or_refused(service, servers, spare):
    arrival = servers * service * (1 - 10**spare)
    if spare > -11.5:
        line = waiting_line(arrival, service, servers)
        assert 0 < line.wait_probability <= 1
        assert line.mean_wait * servers * service == pytest.approx(line.wait_probability * 10**-spare, rel=1e-3)
    elif spare < -12.5:
        with pytest.raises(ValueError, match="grows for ever"):
            waiting_line(arrival, service, servers)


@pytest.mark.parametrize("waiting", [False, True])
def test_the_least_number_of_servers_is_the_least(waiting):
    share = erlang_c if waiting else erlang_b
    for load, limit in itertools.product((0.5, 7.3, 120.0), (0.2, 0.01, 1e-6)):
        count = servers_for(load, limit, waiting=waiting)
        assert share(load, count) <= limit
        if count > load + 1:
            assert share(load, count - 1) > limit


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: erlang_c(8, 8), r"load \(8\) must be less than servers \(8\).*least number of servers is 9"),
        (lambda: erlang_c(8 * (1 - 1e-15), 8), "least number of servers is 9"),
        (lambda: waiting_line(0.3, 0.1, 3), r"arrival in all \(0.3/s\) must be less than service in all \(0.3/s\)"),
        (lambda: waiting_line(4.0, 1.0, 3), "grows for ever"),
        (lambda: erlang_b(-1, 3), r"load \(-1\) must be 0 or more; the nearest limit is 0"),
        (lambda: erlang_b(1, 2.5), r"servers \(2.5\) must be a whole number; the nearest is 2"),
        (lambda: erlang_b(float("nan"), 2), r"load \(nan\) must be a finite number"),
        (lambda: erlang_a(1, 1, 0, 2), r"patience \(0\) must be greater than 0"),
        (lambda: erlang_a("many", 1, 1, 2), r"arrival \('many'\) must be a number"),
    ],
)
def test_bad_arguments_are_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
