"""The fire on Net3: pumps out, and a large draw, pressure-driven, by EPANET and by the twin."""

from __future__ import annotations

from ctypes import c_double
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from tests.models.water_city import network_file
from tests.verification.utilities.water_oracle import Oracle
from twin.models.water.engine import SECOND, WaterEngine
from twin.models.water.epanet import library as lib
from twin.models.water.inp import read_inp
from twin.models.water.network import Network
from twin.models.water.state import NEXT, STEP_END, WaterState

HOURS, DRAW = 24, 0.06309
PUMPS_OUT, FIRE = (6, 12), (8, 10)
SETTINGS = {"pressure_driven": True, "least_pressure": 0.0, "required_pressure": 14.069, "pressure_exponent": 0.5}
_PRESSURE_DRIVEN = 1


def inside(time, hours):
    """Tell whether a time (s) lies in a span of hours."""
    return hours[0] * 3600 <= time < hours[1] * 3600


def plain_file(folder):
    """Write Net3 without the controls of its pumps, so that only the story moves them."""
    lines, skip = [], False
    for line in network_file("Net3.inp").read_text().splitlines():
        skip = line.strip() == "[CONTROLS]" or (skip and not line.startswith("["))
        if not skip:
            lines.append(line)
    target = folder / "net3_plain.inp"
    target.write_text("\n".join(lines))
    return target


def epanet_fire(folder):
    """Run EPANET by itself, warm; return the network and its solutions."""
    path = plain_file(folder)
    network = Network(read_inp(path), SETTINGS)
    oracle = Oracle(path, network, folder)
    units = network.units
    limits = [SETTINGS["least_pressure"] / units.pressure, SETTINGS["required_pressure"] / units.pressure, 0.5]
    assert oracle.en.EN_setdemandmodel(oracle.handle, _PRESSURE_DRIVEN, *(c_double(x) for x in limits)) == 0
    base = network.demand_base[network.demand_junction == network.node_identifier.tolist().index("121")]
    pattern_of = factors_of(network)

    def story(oracle, time):
        for pump in network.identifiers["pumps"].tolist():
            oracle.set_link(pump, lib.LINK_STATUS, 0.0 if inside(time, PUMPS_OUT) else 1.0)
        extra = DRAW / pattern_of(time) if inside(time, FIRE) else 0.0
        oracle.set_node("121", lib.NODE_BASEDEMAND, (float(base.sum()) + extra) / units.flow)

    return network, list(oracle.run(HOURS, story))


def factors_of(network):
    """Return the demand factor of junction 121 by time (s)."""
    row = int(np.flatnonzero(network.demand_junction == network.node_identifier.tolist().index("121"))[0])
    pattern = int(network.demand_pattern[row])
    first, count = network.patterns.first[pattern], network.patterns.count[pattern]
    return lambda time: float(network.patterns.x[first + (time // network.hydraulics.pattern_step) % count])


def twin_fire(network):
    """Step the twin through the same story; return its solutions by time (s)."""
    with TemporaryDirectory() as folder:
        city = read_inp(plain_file(Path(folder)))
    engine = WaterEngine(network, city)
    state = WaterState.start_of(network)
    pumps = slice(network.first_pump, network.first_valve)
    node = network.node_identifier.tolist().index("121")
    found, now = {}, 0
    while now <= HOURS * 3600 * SECOND:
        time = now // SECOND
        state.status[pumps], state.setting[pumps] = 1, 1.0
        state.works[pumps] = not inside(time, PUMPS_OUT)
        state.draw[node] = DRAW if inside(time, FIRE) else 0.0
        engine.fill(state, now)
        engine.solve(state, now)
        found[time] = (state.head.copy(), state.flow.copy(), state.connected.copy())
        now = int(state.clock[STEP_END])
        assert state.clock[NEXT] == now
    return found
