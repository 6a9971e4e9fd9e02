"""The generated water network: fed, within its pressures, strong enough for a fire, and fair in size."""

from __future__ import annotations

import numpy as np
import pytest

import twin
from tests.city.small import write_town
from twin.models.water.engine import WaterEngine
from twin.models.water.network import Network
from twin.models.water.state import UNSOLVED, WaterState

SECOND = 1_000_000
FIRE_FLOW = 0.0315
TWENTY_PSI = 14.069


def busiest(city):
    """Return engine, and the state in the hour of the largest demand; patterns begin at midnight."""
    network = Network(city, {"pressure_driven": False})
    engine, state = WaterEngine(network, city), WaterState.start_of(network)
    hour = int(np.argmax(city["water_pattern_values"]["value"]))
    engine.run(state, hour * 3600 * SECOND + 1)
    return engine, state, hour * 3600 * SECOND + 2


def pressure_of(engine, state):
    """Return m at the junctions with a hydrant."""
    rows = len(engine.network.demand_junction)
    return (state.head - engine.network.elevation)[:rows]


def test_the_network_is_of_the_size_the_file_states(nusantara):
    assert 150 <= nusantara.rows("junctions") <= 400
    assert nusantara["junctions"]["population"].sum() == pytest.approx(200000, abs=200)
    litres = 1e3 * 86400 * nusantara["water_demands"]["base"].sum()
    assert litres == pytest.approx(200000 * 150 + 92000 * 50, rel=1e-6)


def test_every_junction_is_joined_to_the_works(nusantara):
    _, state, _ = busiest(nusantara)
    assert state.connected.all()
    assert state.count[UNSOLVED] == 0


def test_pressures_lie_between_20_and_60_m_in_the_busiest_hour(nusantara):
    engine, state, _ = busiest(nusantara)
    pressure = pressure_of(engine, state)
    assert 20.0 <= pressure.min() < pressure.max() <= 60.0


def test_pressures_hold_all_day(nusantara):
    network = Network(nusantara)
    engine, state = WaterEngine(network, nusantara), WaterState.start_of(network)
    for hour in range(0, 24, 3):
        engine.run(state, hour * 3600 * SECOND + 1)
        assert pressure_of(engine, state).min() > 20.0
    assert (state.level > 0.5).all()


def test_a_fire_in_the_busiest_hour_leaves_twenty_psi_at_every_third_hydrant(nusantara):
    engine, state, now = busiest(nusantara)
    left = []
    for junction in nusantara["hydrants"]["junction"][::3].tolist():
        trial = state.copy()
        trial.draw[junction] = FIRE_FLOW
        engine.solve(trial, now)
        left.append(pressure_of(engine, trial)[junction])
    assert min(left) > TWENTY_PSI


def test_zones_hang_on_boosters_and_reducing_valves_and_pumps_on_buses(nusantara):
    pumps = nusantara["pumps"]
    assert nusantara.rows("pumps") > 2
    assert nusantara.rows("valves") > 0
    assert (nusantara["buses"]["kind"][pumps["bus"]] == "load").all()
    flooded = nusantara["buses"]["substation"][pumps["bus"]] == 1
    assert 0 < flooded.sum() < len(flooded)


def test_mains_follow_streets(nusantara):
    pipes, water = nusantara["pipes"], nusantara["junctions"]
    inner = (pipes["from_node"] < len(water["x"])) & (pipes["to_node"] < len(water["x"]))
    ends = [np.stack([water["x"], water["y"]], axis=1)[pipes[e][inner]] for e in ("from_node", "to_node")]
    straight = np.hypot(*(ends[0] - ends[1]).T)
    assert (pipes["length"][inner] >= straight - 5.1).all()
    assert pipes["length"][inner].sum() < 2.0 * straight.sum()


def test_a_map_without_water_gets_a_network_too(tmp_path):
    city = twin.city.build_city(write_town(tmp_path), population=4000)
    assert city.check() == []
    assert city.rows("fire_stations") == 1
    engine, state, _ = busiest(city)
    assert state.connected.all()
    assert 20.0 <= pressure_of(engine, state).min() <= pressure_of(engine, state).max() <= 60.0
