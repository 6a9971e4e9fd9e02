"""The hypercube kernels on bare arrays; they pass with the JIT off too."""

from __future__ import annotations

import numpy as np
import pytest

from twin.kernels.hypercube import fill_rates, first_idle, rescale_levels, share_dispatches, solve

ARRIVAL, SERVICE = np.array([1.0, 2.0]), np.array([1.5, 0.5])
LISTS = np.array([[0, 1], [1, 0]])


def tables():
    rate, flow = np.empty((4, 2)), np.empty((2, 4))
    fill_rates(ARRIVAL, SERVICE, LISTS, rate, flow)
    return rate, flow


def test_the_first_idle_unit_of_the_list_is_found():
    assert [first_idle(state, LISTS, 0) for state in range(4)] == [0, 1, 0, -1]
    assert [first_idle(state, LISTS, 1) for state in range(4)] == [1, 1, 0, -1]


def test_rates_lead_in_from_the_state_that_differs_in_one_unit():
    rate, flow = tables()
    assert rate.tolist() == [[1.5, 0.5], [1.0, 0.5], [1.5, 2.0], [3.0, 3.0]]
    assert flow.tolist() == [[3.0, 3.0, 3.0, 0.0], [0.0, 1.5, 0.5, 2.0]]


def test_the_solution_balances_every_state():
    rate, flow = tables()
    share = np.full(4, 0.25)
    assert solve(rate, flow, (1000, 1e-15), share) > 0
    for state in range(4):
        into = sum(share[state ^ (1 << unit)] * rate[state, unit] for unit in range(2))
        assert into == pytest.approx(share[state] * flow[:, state].sum(), abs=1e-13)
    assert share.sum() == pytest.approx(1.0)


def test_too_few_sweeps_are_told_by_a_code():
    rate, flow = tables()
    assert solve(rate, flow, (1, 0.0), np.full(4, 0.25)) == -1


def test_levels_are_rescaled_to_their_birth_death_chain():
    _, flow = tables()
    share = np.full(4, 0.25)
    rescale_levels(np.array([0, 1, 1, 2]), flow, share, np.zeros((4, 3)))
    ratio = np.array([1.0, 3.0, 9.0 / 2.0])
    assert [share[0], share[1] + share[2], share[3]] == pytest.approx(ratio / ratio.sum())
    assert share[1] == share[2]


def test_shares_and_workloads_are_sums_over_states():
    share, workload = np.empty((2, 2)), np.empty(2)
    share_dispatches(np.array([0.1, 0.2, 0.3, 0.4]), LISTS, share, workload)
    assert workload == pytest.approx([0.6, 0.7])
    assert share.tolist() == [pytest.approx([0.4, 0.2]), pytest.approx([0.3, 0.3])]
