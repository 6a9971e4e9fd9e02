"""Single-line outages of the 33-bus feeder and the ties that answer them, against pandapower."""

from __future__ import annotations

import numpy as np
import pytest

from tests.verification.utilities.test_power_flow import grid33
from twin.models.power.restore import Fault, best_tie, plan_ties
from twin.models.power.solver import FlowSolver

pandapower = pytest.importorskip("pandapower", reason="pandapower is in the extra `test`")

LINES, TIES = 32, np.arange(32, 37)


@pytest.fixture(scope="module")
def feeder():
    network, works, active, reactive = grid33()
    return FlowSolver(network), works, active, reactive


def fault_of(feeder, line):
    _, works, active, reactive = feeder
    works = works.copy()
    works[line] = False
    return Fault(np.ones(33, bool), works, active, reactive, active)


def unsupplied(flows, fault):
    return fault.active[~flows.connect(fault.bus_works, fault.edge_works)[0]].sum() / 1e6


@pytest.mark.parametrize(("line", "lost"), [(0, 3.715), (1, 3.255), (2, 2.235), (3, 2.115)])
def test_the_load_lost_with_each_of_the_first_lines(feeder, line, lost):
    assert unsupplied(feeder[0], fault_of(feeder, line)) == pytest.approx(lost, abs=1e-9)


def by_pandapower(net, line, tie=None):
    """Return lost load (MW) and lowest voltage with one line out and one tie closed; no flow is inf."""
    net.line["in_service"] = np.arange(37) < LINES
    net.line.loc[line, "in_service"] = False
    if tie is not None:
        net.line.loc[tie, "in_service"] = True
    try:
        pandapower.runpp(net, tolerance_mva=1e-7, numba=False)
    except pandapower.LoadflowNotConverged:
        return np.inf, 0.0
    dark = net.res_bus.vm_pu.isna()
    return float(net.load.p_mw[dark[net.load.bus].to_numpy()].sum()), net.res_bus.vm_pu.min()


@pytest.mark.parametrize("lines", [(1, 7, 24), pytest.param(range(LINES), marks=pytest.mark.slow)], ids=["3", "32"])
def test_lost_load_and_best_tie_agree_with_pandapower(feeder, lines):
    """Best: most load restored, then the highest lowest voltage."""
    import pandapower.networks

    net = pandapower.networks.case33bw()
    for line in lines:
        fault = fault_of(feeder, line)
        lost, _ = by_pandapower(net, line)
        assert unsupplied(feeder[0], fault) == pytest.approx(lost, abs=1e-9)
        outcomes = {tie: by_pandapower(net, line, tie) for tie in TIES.tolist()}
        ranked = sorted((round(left, 9), -round(low, 7), tie) for tie, (left, low) in outcomes.items() if left < lost)
        best = best_tie(feeder[0], fault, TIES)
        if not ranked:
            assert best is None
            continue
        left, low, tie = ranked[0]
        assert best.edge == tie
        assert best.restored / 1e6 == pytest.approx(lost - left, abs=1e-9)
        assert best.voltage == pytest.approx(-low, abs=1e-7)


def test_two_outages_take_two_ties(feeder):
    fault = fault_of(feeder, 2)
    fault.edge_works[24] = False
    plan = plan_ties(feeder[0], fault, TIES)
    fault.edge_works[[tie.edge for tie in plan]] = True
    assert len(plan) == 2
    assert unsupplied(feeder[0], fault) == 0


def test_no_tie_helps_where_the_source_line_is_out(feeder):
    assert plan_ties(feeder[0], fault_of(feeder, 0), TIES) == []


def test_a_tie_that_would_leave_the_limits_is_passed_over(feeder):
    from twin.models.power.restore import Limits

    fault = fault_of(feeder, 2)
    free = best_tie(feeder[0], fault, TIES)
    assert best_tie(feeder[0], fault, TIES, Limits(voltage=free.voltage - 1e-6)) == free
    assert best_tie(feeder[0], fault, TIES, Limits(voltage=free.voltage + 1e-6)) is None


def test_a_flow_does_not_depend_on_the_switching_asked_before(feeder):
    """The solver keeps the last tree beside its question; another switching must not be answered by it."""
    network, shares = feeder[0].network, (1, 2, 1, 1)
    faults = [fault_of(feeder, line) for line in (7, 7, 24, 7)]
    inputs = [(f.bus_works, f.edge_works, s * f.active, f.reactive) for f, s in zip(faults, shares, strict=True)]
    kept, fresh = FlowSolver(network), [FlowSolver(network).solve(*one) for one in inputs]
    for one, wanted in zip(inputs, fresh, strict=True):
        found = kept.solve(*one)
        assert found.voltage.tobytes() == wanted.voltage.tobytes()
        assert found.current.tobytes() == wanted.current.tobytes()
    assert fresh[0].voltage.tobytes() == fresh[3].voltage.tobytes() != fresh[1].voltage.tobytes()
