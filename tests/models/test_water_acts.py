"""What people and failures do to pipes, pumps, valves and hydrants, alone and at once."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.utility_city import ids, order, planned, six_bus_city, times
from tests.models.water_city import small_city, water_tables, water_world
from twin.assembly import Assembly
from twin.city import City
from twin.contract import HOUR, Setup
from twin.errors import ScenarioError
from twin.models.power import Power
from twin.models.water import Water
from twin.models.water.backend import Inputs
from twin.models.water.epanet import EpanetBackend
from twin.models.water.network import Network
from twin.world import World


def doubled(check_valve=True):
    """Return the line of junctions with a second pipe, 4, beside pipe 1, that may have a check valve."""
    pipes = {name: np.append(column, column[1]) for name, column in water_tables()["pipes"].items()}
    pipes |= {"id": ids("p", 5), "check_valve": np.array([False] * 4 + [check_valve])}
    return small_city(pipes=pipes, water_controls=None)


@pytest.mark.parametrize("event", [planned("isolate", 3600, [4]), planned("pipe_switch", 3600, [4], value=0)])
def test_a_pipe_with_a_check_valve_can_be_shut(event):
    world = water_world(doubled(), event).run("30 min")
    assert world.state["water_link.flow"][4] > 1e-3
    world.run("70 min")
    plain = water_world(doubled(check_valve=False), event).run("70 min")
    assert world.state["water_link.flow"][4] == 0
    assert world.state["water_link.flow"] == pytest.approx(plain.state["water_link.flow"], abs=1e-9)
    assert world.check() == []


def test_a_check_valve_works_again_when_its_pipe_is_reopened():
    """Without the pump the tank feeds the town, against the valve."""
    events = (planned("isolate", 600, [4]), planned("reopen", 1200, [4]), planned("pump_failure", 1800, [0]))
    world = water_world(doubled(), *events).run("25 min")
    assert world.state["water_link.flow"][4] > 1e-3
    world.run("1 h")
    assert world.state["water_link.flow"][1] < -1e-3
    assert world.state["water_link.flow"][4] == pytest.approx(0.0, abs=1e-7)


def valved(kind, state="active", curve=-1):
    """Return the line of junctions with a valve in place of pipe 1."""
    pipes = {name: np.delete(column, 1) for name, column in water_tables()["pipes"].items()}
    valve = {
        "id": ids("v", 1),
        "from_node": np.array([1]),
        "to_node": np.array([2]),
        "kind": np.array([kind]),
        "diameter": np.array([0.3]),
        "minor_loss": np.zeros(1),
        "setting": np.array([20.0]),
        "curve": np.array([curve]),
        "state": np.array([state]),
    }
    curves = {"id": ids("c", 2), "first": np.array([0, 1]), "count": np.array([1, 2])}
    points = {"x": np.array([0.02, 0.0, 0.05]), "y": np.array([50.0, 0.0, 5.0])}
    return small_city(pipes=pipes, valves=valve, water_curves=curves, water_curve_points=points, water_controls=None)


def test_a_general_purpose_valve_loses_head_by_its_curve():
    world = water_world(valved("GPV", curve=1)).run("1 h")
    head, flow = world.state["water_node.head"], world.state["water_link.flow"][4]
    assert head[1] - head[2] == pytest.approx(flow * 5.0 / 0.05, rel=1e-3)
    assert flow > 1e-3


def test_shutting_a_check_valve_leaves_no_trace_in_the_solver():
    network = Network(doubled())
    opened, shut = (
        Inputs(np.full(4, 0.002), np.zeros(4), np.zeros(1), np.ones(1), status, network.initial_setting)
        for status in (network.initial_status, np.where(np.arange(6) == 4, 0, network.initial_status).astype(np.int8))
    )
    used = EpanetBackend(network)
    first = used.solve(opened).head.tobytes()
    there = used.solve(shut).head.tobytes()
    assert used.solve(opened).head.tobytes() == first != there
    assert EpanetBackend(network).solve(shut).head.tobytes() == there


def spilt(world):
    """Return what leaks at each junction, m3/s."""
    return world.state["water_node.inflow"][:4] - world.state["junction.delivered"]


@pytest.mark.parametrize("cut", [planned("isolate", 1200, [1]), planned("pipe_switch", 1200, [1], value=0)])
def test_a_burst_in_a_pipe_that_is_shut_spills_nothing(cut):
    """Junction 1, at which pipe 1 spills, keeps its water from the pump."""
    world = water_world(small_city(), planned("pipe_burst", 600, [1], share=0.05, duration=0.0), cut).run("15 min")
    assert spilt(world)[1] > 0.02
    world.run("30 min")
    assert spilt(world)[1] == pytest.approx(0.0, abs=1e-9)
    assert world.state["water_node.connected"][1]
    order(world, "reopen" if cut.kind == "isolate" else "pipe_switch", 1900, 1, 1.0)
    world.run("40 min")
    assert spilt(world)[1] > 0.02


def test_mending_one_of_two_bursts_at_a_junction_leaves_the_other():
    pipes = water_tables()["pipes"] | {"from_node": np.array([0, 1, 1, 3]), "to_node": np.array([1, 2, 3, 5])}
    bursts = [planned("pipe_burst", 600, [pipe], share=0.02, duration=0.0) for pipe in (1, 2)]
    world = water_world(small_city(pipes=pipes), *bursts).run("15 min")
    both = world.state["junction.leak@water"][1]
    order(world, "pipe_repair", 1000, 1)
    world.run("20 min")
    assert world.state["junction.leak@water"][1] == pytest.approx(both / 2)
    assert world.state["water_link.failed"][:4].tolist() == [False, False, True, False]


def test_a_leak_that_ends_leaves_the_burst_beside_it_and_the_other_leak():
    events = (
        planned("pipe_burst", 0, [1], share=0.1, duration=0.0),
        planned("leak", 300, [1, 2], area=0.001, duration=600.0),
        planned("leak", 600, [1], area=0.002, duration=0.0),
    )
    world = water_world(small_city(), *events).run("4 min")
    burst = world.state["junction.leak@water"][1]
    one = 0.6 * 0.001 * np.sqrt(2 * 9.80665)
    world.run("12 min")
    assert world.state["junction.leak@water"] == pytest.approx([0, burst + 3 * one, one, 0])
    world.run("20 min")
    assert world.state["junction.leak@water"] == pytest.approx([0, burst + 2 * one, 0, 0])
    order(world, "leak", 1300, 1, 0.001)
    world.run("22 min")
    assert world.state["junction.leak@water"][1] == pytest.approx(burst + 3 * one)
    order(world, "leak_repair", 1400, 1)
    world.run("24 min")
    assert world.state["junction.leak@water"].tolist() == [0, burst, 0, 0]


def test_a_leak_in_a_network_without_bursts_opens_and_is_mended():
    world = water_world(small_city(), planned("leak", 300, [1], area=0.001, duration=0.0)).run("6 min")
    assert spilt(world)[1] > 0.01
    order(world, "leak_repair", 400, 1)
    assert spilt(world.run("7 min"))[1] == pytest.approx(0.0, abs=1e-9)


def test_the_longer_of_two_failures_of_a_pump_counts():
    events = (planned("pump_failure", 0, [0], duration=3600.0), planned("pump_failure", 1800, [0], duration=3600.0))
    world = water_world(small_city(), *events).run("80 min")
    assert world.state["water_link.failed"][4]
    world.run("95 min")
    assert not world.state["water_link.failed"][4]
    lasting = water_world(small_city(), events[0], planned("pump_failure", 1800, [0])).run("80 min")
    assert lasting.state["water_link.failed"][4]
    order(lasting, "pump_repair", 4900, 0)
    assert not lasting.run("90 min").state["water_link.failed"][4]


def test_an_ordered_failure_lasts_as_long_as_it_says():
    world = water_world(small_city())
    order(world, "pump_failure", 60, 0, 600.0)
    assert world.run("10 min").state["water_link.failed"][4]
    assert not world.run("12 min").state["water_link.failed"][4]


def test_a_burst_of_no_size_spills_nothing():
    world = water_world(small_city())
    order(world, "pipe_burst", 60, 1, 0.0)
    world.run("5 min")
    assert world.state["junction.leak@water"].tolist() == [0, 0, 0, 0]
    assert world.state["water_link.failed"][1]


def test_draws_from_one_hydrant_add_up_and_end_alone():
    events = [planned("hydrant_draw", 60 * i, [0], flow=0.01 * i, duration=1800.0) for i in (1, 2)]
    world = water_world(small_city(), *events)
    order(world, "hydrant_draw", 300, 0, 0.005)
    assert world.run("10 min").state["hydrant.flow"].tolist() == [pytest.approx(0.035), 0]
    order(world, "hydrant_draw", 700, 0, 0.0)
    assert world.run("20 min").state["hydrant.flow"].tolist() == [pytest.approx(0.03), 0]
    assert world.run("1900 s").state["hydrant.flow"].tolist() == [0.02, 0]
    assert world.state["junction.draw@water"].tolist() == [0.02, 0, 0, 0]
    assert world.run("33 min").state["hydrant.flow"].tolist() == [0, 0]


def test_valves_and_pipes_are_given_back_to_their_controls():
    control = {
        "link": np.array([4, 0]),
        "when": np.array(["time", "time"]),
        "node": np.array([-1, -1]),
        "limit": np.array([7200.0, 7200.0]),
        "status": np.array([0, 0], np.int8),
        "setting": np.array([np.nan, np.nan]),
    }
    city = valved("TCV")
    city = small_city(**{name: dict(table) for name, table in city.tables.items()} | {"water_controls": control})
    by_hand = (planned("valve_set", 60, [0], value=5.0), planned("pipe_switch", 60, [0], value=1))
    back = (planned("valve_automatic", 3600, [0]), planned("pipe_automatic", 3600, [0]))
    held = water_world(city, *by_hand).run("3 h").state["water_link.status"]
    freed = water_world(city, *by_hand, *back).run("3 h").state["water_link.status"]
    assert (held[4], held[0]) == (2, 1)
    assert (freed[4], freed[0]) == (0, 0)


def test_a_valve_is_opened_fully_and_closed():
    events = (planned("valve_switch", 3600, [0], value=0), planned("valve_switch", 7200, [0], value=1))
    world = water_world(valved("FCV"), *events).run("90 min")
    assert world.state["water_link.flow"][4] == 0
    world.run("150 min")
    assert world.state["water_node.head"][1] == pytest.approx(world.state["water_node.head"][2], abs=1e-2)
    assert world.state["water_link.flow"][4] > 1e-3


def test_a_curve_is_no_setting():
    with pytest.raises(ScenarioError, match="valve v0 is a GPV"):
        water_world(valved("GPV", curve=1), planned("valve_set", 60, [0], value=5.0))
    world = water_world(valved("GPV", curve=1))
    order(world, "valve_set", 60, 0, 5.0)
    world.run("1 h")
    assert times(world, "valve_refused") == [60]
    assert np.isnan(world.state["water_link.setting"][4])


def test_lasting_events_are_saved_and_go_on(tmp_path):
    events = (
        planned("pipe_burst", 600, [1], share=0.02, duration=900.0),
        planned("leak", 700, [1, 2], area=0.001, duration=1200.0),
        planned("hydrant_draw", 650, [1], flow=0.01, duration=700.0),
        planned("pump_failure", 500, [0], duration=1500.0),
    )
    world = water_world(small_city(), *events).run("15 min")
    world.save(tmp_path / "state")
    resumed = World.load(tmp_path / "state", world.assembly).run("2 h")
    assert resumed.digest() == world.run("2 h").digest()
    assert not world.state["junction.leak@water"].any()


def test_clock_times_follow_the_local_day():
    """The run starts at 17:00; the pump stops at 18:00 and starts at 20:00."""
    control = {
        "link": np.array([4, 4]),
        "when": np.array(["clock", "clock"]),
        "node": np.array([-1, -1]),
        "limit": np.array([18 * 3600.0, 20 * 3600.0]),
        "status": np.array([0, 1], np.int8),
        "setting": np.array([0.0, 1.0]),
    }
    setup = Setup(small_city(water_controls=control), {}, 1, 17 * HOUR, 24 * HOUR, ())
    world = World(Assembly(setup.city, [Water()], [], setup, {})).run("6 h")
    assert times(world, "water_control") == [3600, 3 * 3600]


def test_whoever_is_cut_off_is_without_water_whatever_pressure_is_asked_for():
    cut = (planned("isolate", 60, [0, 3]),)
    world = water_world(small_city(), *cut, options={"service_pressure": 0.0}).run("62 min")
    assert world.state["junction.low"].tolist() == [False, True, True, True]
    assert world.kpis()["water_person_hours_lost"] == pytest.approx(500 * 61 / 60)


def test_an_index_of_a_network_that_was_never_solved_is_no_number():
    world = water_world(small_city())
    assert np.isnan(world.kpis()["water_todini_min"])
    assert 0 < world.run("1 h").kpis()["water_todini_min"] < 1


def test_a_line_on_which_no_pump_hangs_asks_for_no_solution():
    tables = {name: dict(table) for name, table in six_bus_city().tables.items()} | water_tables(bus=3)
    city = City("both", "Power and water", "left", "UTC", 32750, tables)
    switching = [planned("switch", 60 * i, [1], value=i % 2) for i in range(1, 11)]
    quiet, busy = (water_world(city, *events, parts=[Power()]).run("30 min") for events in ((), switching))
    assert quiet.state["line.closed"][1]
    assert not busy.state["line.closed"][1]
    assert busy.state["water_count.number"][0] == quiet.state["water_count.number"][0]
