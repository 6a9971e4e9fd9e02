"""Turn pandapower nets into our networks by their own per-unit matrices, an independent way to our arrays."""

from __future__ import annotations

import numpy as np

from twin.models.power.network import BASE, Network


def network_of_net(net):
    """Return network, edge states, loads (W, var): pandapower's internal branches, one row each.

    The net must have been solved by `runpp(trafo_model="pi")`: its internal matrices then hold
    the branches of lines and transformers in pu of their to-side.
    """
    from pandapower.pypower.idx_brch import BR_B, BR_G

    inner = net._ppc
    base_va = inner["baseMVA"] * 1e6
    bus, branch, machines = inner["bus"].real, inner["branch"], inner["gen"].real
    start, end = branch[:, 0].real.astype(int), branch[:, 1].real.astype(int)
    factor = base_va / BASE
    series, charging = branch[:, 2] + 1j * branch[:, 3], 1j * branch[:, BR_B] + branch[:, BR_G]
    tap = np.where(branch[:, 8].real == 0, 1.0, branch[:, 8].real)
    slack = bus[:, 1] == 3
    held = bus[:, 1] == 2
    rows = np.array([np.flatnonzero(machines[:, 0].astype(int) == b)[0] for b in np.flatnonzero(slack)])
    active, reactive = bus[:, 2] * 1e6, bus[:, 3] * 1e6
    np.subtract.at(
        active, machines[:, 0].astype(int), np.where(held[machines[:, 0].astype(int)], machines[:, 1], 0) * 1e6
    )
    held_rows = [np.flatnonzero(machines[:, 0].astype(int) == b)[0] for b in np.flatnonzero(held)]
    none = np.zeros(len(bus))
    network = Network(
        rated=bus[:, 9] * 1e3,
        from_bus=start,
        to_bus=end,
        impedance=series / factor,
        shunt=charging * factor,
        ratio=tap,
        rating=np.full((len(branch), 2), np.inf),
        bus_shunt=(bus[:, 4] + 1j * bus[:, 5]) * 1e6 / BASE,
        current_share=none,
        impedance_share=none,
        source_bus=np.flatnonzero(slack),
        source_voltage=machines[rows, 5],
        source_impedance=np.zeros(len(rows), complex),
        held_bus=np.flatnonzero(held),
        held_voltage=machines[held_rows, 5] if held_rows else np.zeros(0),
        held_low=np.full(int(held.sum()), -np.inf),
        held_high=np.full(int(held.sum()), np.inf),
    )
    return network, branch[:, 10].real.astype(bool), active, reactive


def voltages_of_net(net):
    """Return the magnitudes pandapower found, in the order of its internal buses."""
    return net._ppc["bus"][:, 7].real


def feeder(buses, seed, drop=0.08):
    """Return parent, resistance, reactance (ohm at 20 kV), active and reactive load of a generated feeder.

    Three of four buses continue the last one, the others branch off one of the last fifty; loads are
    uniform; impedances are scaled so that the voltage drop of an evenly loaded feeder would be `drop`.
    """
    draw = np.random.Generator(np.random.Philox(seed))
    back = draw.integers(1, 50, buses)
    parent = np.where(draw.random(buses) < 0.75, np.arange(buses) - 1, np.maximum(np.arange(buses) - back, 0))
    parent[:1] = -1
    active = draw.uniform(0.0, 2e7 / buses, buses)
    active[0] = 0.0
    reactive = 0.4 * active
    below = active.copy()
    for bus in range(buses - 1, 0, -1):
        below[parent[bus]] += below[bus]
    depth = np.zeros(buses)
    for bus in range(1, buses):
        depth[bus] = depth[parent[bus]] + below[bus]
    ohm = drop * 20e3**2 / (1.4 * depth.max()) * draw.uniform(0.5, 1.5, buses)
    return parent, ohm, ohm, active, reactive


def network_of_feeder(parent, resistance, reactance, held=1.0):
    """Return the network of a generated feeder with a stiff source at bus 0."""
    buses = len(parent)
    none, edges = np.zeros(buses), buses - 1
    return Network(
        rated=np.full(buses, 20e3),
        from_bus=parent[1:].astype(np.int64),
        to_bus=np.arange(1, buses),
        impedance=(resistance + 1j * reactance)[1:] * BASE / 20e3**2,
        shunt=np.zeros(edges, complex),
        ratio=np.ones(edges),
        rating=np.full((edges, 2), np.inf),
        bus_shunt=none.astype(complex),
        current_share=none,
        impedance_share=none,
        source_bus=np.zeros(1, np.int64),
        source_voltage=np.array([held]),
        source_impedance=np.zeros(1, complex),
        held_bus=np.zeros(0, np.int64),
        held_voltage=np.zeros(0),
        held_low=np.zeros(0),
        held_high=np.zeros(0),
    )


def net_of_feeder(parent, resistance, reactance, active, reactive):
    """Return the same feeder as a pandapower net."""
    import pandapower

    net = pandapower.create_empty_network()
    pandapower.create_buses(net, len(parent), vn_kv=20.0)
    pandapower.create_ext_grid(net, 0)
    ends = (parent[1:], np.arange(1, len(parent)))
    pandapower.create_lines_from_parameters(
        net, *ends, length_km=1.0, r_ohm_per_km=resistance[1:], x_ohm_per_km=reactance[1:], c_nf_per_km=0, max_i_ka=9
    )
    pandapower.create_loads(net, np.arange(len(parent)), p_mw=active / 1e6, q_mvar=reactive / 1e6)
    return net
