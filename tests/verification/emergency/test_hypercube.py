"""The hypercube model against exact fractions, dense solutions and its own limits."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.hypercube import city
from twin.models.queues import erlang_b, erlang_c, hypercube, hypercube_approximation

OWN_FIRST = [[0, 1, 2], [1, 0, 2], [2, 0, 1]]
CYCLIC = [[0, 1, 2], [1, 2, 0], [2, 0, 1]]


def fractions(*texts):
    return [float(Fraction(text)) for text in texts]


def test_three_equal_atoms_give_the_exact_fractions():
    found = hypercube([1, 1, 1], 1.0, OWN_FIRST)
    assert found.probability[[0, 7]] == pytest.approx(fractions("1/13", "9/26"), abs=1e-12)
    assert found.workload == pytest.approx(fractions("333/494", "112/171", "74/117"), abs=1e-12)


def test_three_uneven_atoms_give_the_exact_fractions():
    found = hypercube([1, 0.5, 1.5], 1.5, CYCLIC)
    assert found.workload == pytest.approx(fractions("11350/20729", "9777/20729", "11603/20729"), abs=1e-12)
    assert found.blocked == pytest.approx(4 / 19, abs=1e-12)


def dense(arrival, service, preference):
    """Solve the 2^n balance equations as one linear system."""
    units = len(service)
    rate = np.zeros((2**units, 2**units))
    for state in range(2**units):
        idle = [unit for unit in range(units) if not state >> unit & 1]
        for atom, calls in enumerate(arrival):
            if idle:
                sent = min(idle, key=list(preference[atom]).index)
                rate[state, state | 1 << sent] += calls
        for unit in set(range(units)) - set(idle):
            rate[state, state ^ 1 << unit] += service[unit]
    rate -= np.diag(rate.sum(axis=1))
    system = rate.T.copy()
    system[0] = 1.0
    return np.linalg.solve(system, np.eye(2**units)[0])


@settings(deadline=None, max_examples=60)
@given(data=st.data(), units=st.integers(1, 6), atoms=st.integers(1, 7))
def test_any_rates_and_lists_give_the_solution_of_the_balance_equations(data, units, atoms):
    rates = st.floats(0.05, 8)
    arrival = np.array(data.draw(st.lists(st.one_of(st.just(0.0), rates), min_size=atoms, max_size=atoms)))
    arrival[0] += 0.1
    service = np.array(data.draw(st.lists(rates, min_size=units, max_size=units)))
    preference = np.array([data.draw(st.permutations(range(units))) for _ in range(atoms)])
    found = hypercube(arrival, service, preference)
    assert found.probability == pytest.approx(dense(arrival, service, preference), abs=1e-12)
    assert found.share.sum(axis=1) + found.blocked == pytest.approx(np.ones(atoms), abs=1e-12)
    served = arrival @ found.share
    assert found.workload * service == pytest.approx(served, abs=1e-11)


def test_a_waiting_line_leaves_the_known_totals():
    arrival, preference, _ = city(6, 12, 0.7)
    found = hypercube(arrival, 1.0, preference, waiting=True)
    assert found.blocked == pytest.approx(erlang_c(4.2, 6), abs=1e-12)
    assert found.workload.sum() == pytest.approx(4.2, abs=1e-11)
    assert found.share.sum(axis=1) == pytest.approx(np.full(12, 1 - found.blocked), abs=1e-12)


@pytest.mark.parametrize("waiting", [False, True])
@pytest.mark.parametrize("load", [0.2, 0.5, 0.8, 0.97])
def test_the_approximation_stays_near_the_exact_model(load, waiting):
    arrival, preference, travel = city(8, 30, load)
    exact = hypercube(arrival, 1.0, preference, waiting=waiting)
    near = hypercube_approximation(arrival, 1.0, preference, waiting=waiting)
    assert near.blocked == pytest.approx(exact.blocked, abs=1e-12)
    assert near.workload == pytest.approx(exact.workload, rel=0.05)
    assert near.workload.sum() == pytest.approx(exact.workload.sum(), abs=1e-9)
    assert near.mean_time(travel, arrival) == pytest.approx(exact.mean_time(travel, arrival), rel=0.03)
    assert near.share.sum(axis=1) + near.blocked == pytest.approx(np.ones(30), abs=1e-12)


@pytest.mark.parametrize("waiting", [False, True])
@pytest.mark.parametrize(("units", "load"), [(200, 0.5), (400, 0.9), (400, 0.99)])
def test_the_approximation_settles_for_many_units(units, load, waiting):
    arrival, preference, _ = city(units, 20, load)
    found = hypercube_approximation(arrival, 1.0, preference, waiting=waiting)
    served = load * units * (1 if waiting else 1 - found.blocked)
    assert found.workload.sum() == pytest.approx(served, rel=1e-12)
    assert found.workload.max() < 1
    assert arrival @ found.share.sum(axis=1) == pytest.approx(load * units * (1 - found.blocked))


def test_workloads_that_do_not_settle_are_refused(monkeypatch):
    monkeypatch.setattr("twin.models.queues.hypercube_model._ROUNDS", 5)
    arrival, preference, _ = city(8, 30, 0.5)
    with pytest.raises(ValueError, match="8 units did not settle in 5 rounds"):
        hypercube_approximation(arrival, 1.0, preference)


def test_the_approximation_is_exact_where_units_cannot_be_told_apart():
    preference = [[0, 1, 2, 3], [1, 2, 3, 0], [2, 3, 0, 1], [3, 0, 1, 2]]
    exact, near = (solve([1.0] * 4, 1.5, preference) for solve in (hypercube, hypercube_approximation))
    assert near.workload == pytest.approx(exact.workload, abs=1e-12)


@pytest.mark.parametrize("units", [10, pytest.param(20, marks=pytest.mark.slow)])
def test_many_units_keep_the_known_totals(units):
    arrival, preference, _ = city(units, 40, 0.7)
    found = hypercube(arrival, 1.0, preference)
    assert found.blocked == pytest.approx(erlang_b(0.7 * units, units), abs=1e-12)
    assert found.workload == pytest.approx(arrival @ found.share, abs=1e-11)


@pytest.mark.slow
@pytest.mark.parametrize(("units", "limit"), [(10, 0.05), (20, 10.0)])
def test_the_exact_model_is_solved_in_time(units, limit):
    hypercube([1.0], 1.0, [[0, 1]])
    arrival, preference, _ = city(units, 40, 0.7)
    started = time.process_time()
    hypercube(arrival, 1.0, preference)
    spent = time.process_time() - started
    print(f"{units} units: {spent:.4f} s")
    assert spent < limit


def test_rates_that_differ_by_a_million_still_settle():
    found = hypercube([1e-3, 1e3], [1e-3, 1e3, 1.0], [[0, 1, 2], [2, 1, 0]])
    exact = dense(np.array([1e-3, 1e3]), [1e-3, 1e3, 1.0], [[0, 1, 2], [2, 1, 0]])
    assert found.probability == pytest.approx(exact, abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([1, -2], 1.0, [[0, 1], [1, 0]]), r"arrival\[1\] \(-2\) must be a finite number 0 or more"),
        (([1, 2], 1.0, [[0, 1], [1, 1]]), r"preference\[1\] .* must name each unit 0 to 1 once"),
        (([1, 2], [1.0, 0.0], [[0, 1], [1, 0]]), r"service\[1\] \(0\) must be a finite number greater than 0"),
        (([0, 0], 1.0, [[0, 1], [1, 0]]), "arrival is 0 in every row"),
        (([1], 1.0, [list(range(23))]), "use hypercube_approximation"),
        (([1, 2], 1.0, [[0, 1]]), r"preference has shape \(1, 2\)"),
    ],
)
def test_bad_rows_are_named(arguments, words):
    with pytest.raises(ValueError, match=words):
        hypercube(*arguments)


def test_a_line_that_would_grow_for_ever_is_refused():
    for arrival in ([2, 2], [1, 1], [1, 1 - 1e-14]):
        with pytest.raises(ValueError, match="grows for ever"):
            hypercube(arrival, 1.0, [[0, 1], [1, 0]], waiting=True)
