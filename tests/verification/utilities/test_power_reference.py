"""Power flow against pandapower and published figures."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.utility_city import ids
from twin.city import City
from twin.models.power.grid import Grid
from twin.models.power.solver import GridSolver

pandapower = pytest.importorskip("pandapower", reason="pandapower is in the extra `test`")

STIFF = 1e16


def city_of(net):
    """Return a pandapower net of lines, loads and one infeed as a city; parallel loads add up."""
    buses = len(net.bus)
    load = np.zeros((2, buses))
    np.add.at(load[0], net.load.bus.to_numpy(), 1e6 * net.load.p_mw.to_numpy())
    np.add.at(load[1], net.load.bus.to_numpy(), 1e6 * net.load.q_mvar.to_numpy())
    lines = net.line
    tables = {
        "buses": {"id": ids("b", buses), "u_rated": 1e3 * net.bus.vn_kv.to_numpy(), "p": load[0], "q": load[1]},
        "lines": {
            "id": ids("w", len(lines)),
            "from_bus": lines.from_bus.to_numpy(),
            "to_bus": lines.to_bus.to_numpy(),
            "r": (lines.r_ohm_per_km * lines.length_km).to_numpy(),
            "x": (lines.x_ohm_per_km * lines.length_km).to_numpy(),
            "c": 1e-9 * (lines.c_nf_per_km * lines.length_km).to_numpy(),
            "i_n": np.minimum(1e3 * lines.max_i_ka.to_numpy(), 1e6),
            "length": 1e3 * lines.length_km.to_numpy(),
            "closed": lines.in_service.to_numpy(),
        },
        "sources": {
            "id": ids("g", 1),
            "bus": net.ext_grid.bus.to_numpy(),
            "u_ref": net.ext_grid.vm_pu.to_numpy(),
            "sk": np.array([STIFF]),
        },
    }
    if len(net.trafo):
        trafo = net.trafo
        tables["transformers"] = {
            "id": ids("t", len(trafo)),
            "from_bus": trafo.hv_bus.to_numpy(),
            "to_bus": trafo.lv_bus.to_numpy(),
            "u1": 1e3 * trafo.vn_hv_kv.to_numpy(),
            "u2": 1e3 * trafo.vn_lv_kv.to_numpy(),
            "s_n": 1e6 * trafo.sn_mva.to_numpy(),
            "uk": trafo.vk_percent.to_numpy() / 100,
            "pk": 1e6 * trafo.sn_mva.to_numpy() * trafo.vkr_percent.to_numpy() / 100,
            "i0": trafo.i0_percent.to_numpy() / 100,
            "p0": 1e3 * trafo.pfe_kw.to_numpy(),
        }
    return City("reference", "Reference", "right", "UTC", 32650, tables)


def voltages(city, line_works=None):
    """Return our voltages with the given lines working (default: as built)."""
    works = city["lines"]["closed"] if line_works is None else line_works
    grid = Grid(city)
    none = np.zeros(0, np.int64)
    supply = grid.supply(np.zeros(0, bool), works, none, np.full(len(works), -1))
    voltage, loading = GridSolver(city).solve(supply.fed, supply.edge_works, city["buses"]["p"], city["buses"]["q"])
    return voltage, loading, supply


def radial_net():
    """Return a small radial grid: infeed, transformer, two feeders with cables."""
    net = pandapower.create_empty_network(f_hz=50.0)
    high = pandapower.create_bus(net, 150.0)
    pandapower.create_ext_grid(net, high, vm_pu=1.02)
    low = pandapower.create_bus(net, 20.0)
    pandapower.create_transformer_from_parameters(
        net, high, low, sn_mva=30, vn_hv_kv=150, vn_lv_kv=20, vkr_percent=0.5, vk_percent=12, pfe_kw=20, i0_percent=0.2
    )
    for length in (2.0, 5.0):
        before = low
        for _ in range(3):
            bus = pandapower.create_bus(net, 20.0)
            pandapower.create_line_from_parameters(
                net, before, bus, length, r_ohm_per_km=0.16, x_ohm_per_km=0.11, c_nf_per_km=270, max_i_ka=0.4
            )
            pandapower.create_load(net, bus, p_mw=1.4, q_mvar=0.5)
            before = bus
    return net


def test_a_small_radial_grid_agrees_with_pandapower():
    net = radial_net()
    pandapower.runpp(net, tolerance_mva=1e-9, trafo_model="pi")
    voltage, loading, _ = voltages(city_of(net))
    assert voltage == pytest.approx(net.res_bus.vm_pu.to_numpy(), abs=1e-8)
    assert loading == pytest.approx(net.res_line.loading_percent.to_numpy() / 100, abs=1e-6)


def test_a_cut_off_branch_is_dark_in_both():
    net = radial_net()
    works = np.array([True, True, True, True, False, True])
    city = city_of(net)
    net.line["in_service"] = works
    pandapower.runpp(net, tolerance_mva=1e-9, trafo_model="pi")
    wanted = net.res_bus.vm_pu.to_numpy()
    voltage, _, supply = voltages(city, works)
    assert supply.fed.tolist() == np.isfinite(wanted).tolist()
    assert voltage == pytest.approx(np.nan_to_num(wanted), abs=1e-8)


def test_the_33_bus_feeder_has_the_published_loss_and_lowest_voltage():
    """Baran and Wu (1989), IEEE Trans. Power Delivery 4(2), base case: 202.677 kW, 0.913090 pu at bus 18."""
    import pandapower.networks

    net = pandapower.networks.case33bw()
    city = city_of(net)
    voltage, _, supply = voltages(city)
    assert supply.fed.all()
    assert voltage.min() == pytest.approx(0.913090, abs=5e-7)
    assert voltage.argmin() == 17
    assert loss(city, voltage, supply) / 1e3 == pytest.approx(202.677, abs=5e-4)
    pandapower.runpp(net, tolerance_mva=1e-9)
    assert voltage == pytest.approx(net.res_bus.vm_pu.to_numpy(), abs=1e-8)


def loss(city, voltage, supply):
    """Return the loss (W) of a radial feeder by a sweep of complex powers from its ends, with our voltages.

    S at the sending end = S at the receiving end + z |S / U|^2; only magnitudes are needed.
    """
    lines = city["lines"]
    impedance = lines["r"] + 1j * lines["x"]
    flow = city["buses"]["p"] + 1j * city["buses"]["q"]
    total = flow.sum().real
    volts = voltage * city["buses"]["u_rated"]
    _, order, parent, parent_edge = Grid(city)._normal
    for bus in order[::-1].tolist():
        if parent[bus] >= 0:
            z = impedance[parent_edge[bus]]
            flow[parent[bus]] += flow[bus] + z * abs(flow[bus] / volts[bus]) ** 2
    return float(flow[order[0]].real - total)
