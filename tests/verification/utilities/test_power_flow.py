"""Sweep and general power flow against published feeders and pandapower."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.verification.utilities.pandapower_grids import (
    feeder,
    net_of_feeder,
    network_of_feeder,
    network_of_net,
    voltages_of_net,
)
from twin.models.power.solver import FlowSolver

pandapower = pytest.importorskip("pandapower", reason="pandapower is in the extra `test`")


def solved(net, **options):
    """Run pandapower to 1e-10 MVA and return our flow of the same net beside its voltages."""
    pandapower.runpp(net, tolerance_mva=1e-10, trafo_model="pi", numba=False, **options)
    network, works, active, reactive = network_of_net(net)
    flow = FlowSolver(network).solve(np.ones(network.buses, bool), works, active, reactive)
    return flow, voltages_of_net(net)


def grid33():
    """Return the 33-bus feeder: network, states, loads. Baran and Wu (1989), Transactions on Power Delivery 4(2)."""
    import pandapower.networks

    net = pandapower.networks.case33bw()
    pandapower.runpp(net, numba=False)
    net.line["in_service"] = True
    pandapower.runpp(net, numba=False)
    network, _, active, reactive = network_of_net(net)
    return network, np.arange(network.edges) < 32, active, reactive


def test_the_33_bus_feeder_has_the_published_losses_and_lowest_voltage():
    network, works, active, reactive = grid33()
    flow = FlowSolver(network).solve(np.ones(33, bool), works, active, reactive)
    assert flow.method == "sweep"
    assert flow.loss().real / 1e3 == pytest.approx(202.677, abs=5e-4)
    assert flow.loss().imag / 1e3 == pytest.approx(135.141, abs=5e-4)
    assert flow.voltage.min() == pytest.approx(0.913090, abs=5e-7)
    assert flow.voltage.argmin() == 17


def test_the_69_bus_feeder_has_the_published_loss_and_lowest_voltage():
    """224.992 kW and 0.909188 pu at bus 65: Baran and Wu (1989), Transactions on Power Delivery 4(1)."""
    start, to, *columns = np.loadtxt(Path(__file__).with_name("feeder69.csv"), delimiter=",", skiprows=4).T
    parent, ohm = np.full(69, -1), np.zeros((2, 69))
    load = np.zeros((2, 69))
    to = to.astype(int) - 1
    parent[to], ohm[:, to], load[:, to] = start - 1, columns[:2], columns[2:]
    scale = (20.0 / 12.66) ** 2
    network = network_of_feeder(parent, *(scale * ohm))
    flow = FlowSolver(network).solve(np.ones(69, bool), np.ones(68, bool), *(1e3 * load))
    assert flow.loss().real / 1e3 == pytest.approx(224.992, abs=5e-4)
    assert flow.voltage.min() == pytest.approx(0.909188, abs=5e-7)
    assert flow.voltage.argmin() == 64


def test_33_buses_by_sweep_agree_with_pandapower():
    import pandapower.networks

    flow, wanted = solved(pandapower.networks.case33bw())
    assert flow.method == "sweep"
    assert np.abs(flow.voltage - wanted).max() <= 1e-8


def test_the_cigre_medium_voltage_grid_agrees_with_pandapower():
    """With its switches S1 to S3 open, as CIGRE TF C6.04.02 (2014) has them."""
    import pandapower.networks

    flow, wanted = solved(pandapower.networks.create_cigre_network_mv())
    assert flow.method == "sweep"
    assert np.abs(flow.voltage - wanted).max() <= 1e-8


def test_a_ring_of_the_cigre_grid_agrees_with_pandapower():
    import pandapower.networks

    net = pandapower.networks.create_cigre_network_mv()
    net.switch["closed"] = True
    flow, wanted = solved(net)
    assert flow.method == "newton"
    assert np.abs(flow.voltage - wanted).max() <= 1e-8


@pytest.mark.parametrize("buses", [200, pytest.param(10_000, marks=pytest.mark.slow)])
def test_a_generated_feeder_agrees_with_pandapower(buses):
    grid = feeder(buses, seed=4)
    flow = FlowSolver(network_of_feeder(*grid[:3])).solve(np.ones(buses, bool), np.ones(buses - 1, bool), *grid[3:])
    net = net_of_feeder(*grid)
    pandapower.runpp(net, tolerance_mva=1e-8, numba=False)
    assert flow.method == "sweep"
    assert flow.voltage.min() < 0.96
    assert np.abs(flow.voltage - net.res_bus.vm_pu.to_numpy()).max() <= 1e-8


@pytest.mark.parametrize("case", ["case14", "case118"])
def test_generators_that_hold_a_voltage_agree_with_pandapower(case):
    import pandapower.networks

    flow, wanted = solved(getattr(pandapower.networks, case)())
    assert flow.method == "newton"
    assert np.abs(flow.voltage - wanted).max() <= 1e-6


def test_loads_that_depend_on_voltage_agree_with_pandapower():
    import dataclasses

    import pandapower.networks

    net = pandapower.networks.case33bw()
    net.load["const_z_p_percent"] = net.load["const_z_q_percent"] = 30.0
    net.load["const_i_p_percent"] = net.load["const_i_q_percent"] = 20.0
    pandapower.runpp(net, tolerance_mva=1e-10, numba=False, voltage_depend_loads=True)
    wanted = net.res_bus.vm_pu.to_numpy()
    network, works, active, reactive = grid33()
    shares = {"impedance_share": np.full(33, 0.3), "current_share": np.full(33, 0.2)}
    varying = FlowSolver(dataclasses.replace(network, **shares))
    inputs = (np.ones(33, bool), works, active, reactive)
    swept = varying.solve(*inputs)
    assert swept.method == "sweep"
    assert np.abs(swept.voltage - wanted).max() <= 1e-8
    assert np.abs(varying._general.solve(*inputs)[0] - wanted).max() <= 1e-8
    assert np.abs(FlowSolver(network).solve(*inputs).voltage - wanted).max() > 1e-3
