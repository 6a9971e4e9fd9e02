"""Failures, islands, voltages and lost supply on six buses."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from tests.models.utility_city import FLOOD, ancestors, assemble, order, planned, six_bus_city, times
from twin.contract import SECOND
from twin.errors import DataError
from twin.execution.output import event_columns
from twin.models.hazards import Hazards
from twin.models.power import Power
from twin.models.power.grid import Grid
from twin.models.power.profile import HOMES, WORK, demand_factor
from twin.models.power.solver import GridSolver
from twin.models.power.storm import storm_failures
from twin.world import World

HOUR = 3600 * SECOND
GRID = GridSolver(six_bus_city())
EDGES = np.array([True, True, False, True, True, True])
PEAK = np.array([0, 0, 0, 2e6, 1e6, 3e6])


def world_of(*events, parts=None, options=None, **tables):
    city = six_bus_city(**tables)
    return World(assemble(*events, parts=parts or [Power()], city=city, options=options))


def energised(world):
    return world.state["bus.energised"].astype(int).tolist()


def test_equal_inputs_give_equal_bits_after_any_other_state():
    fed = np.ones(6, bool)
    first = GRID.solve(fed, EDGES, PEAK, 0.3 * PEAK)
    GRID.solve(np.array([1, 0, 1, 0, 0, 1], bool), np.array([0, 0, 0, 1, 0, 1], bool), 2 * PEAK, PEAK)
    GRID.solve(fed, EDGES, 400 * PEAK, PEAK)
    again = GRID.solve(fed, EDGES, PEAK, 0.3 * PEAK)
    fresh = GridSolver(six_bus_city()).solve(fed, EDGES, PEAK, 0.3 * PEAK)
    assert first[0].tobytes() == again[0].tobytes() == fresh[0].tobytes()
    assert first[1].tobytes() == again[1].tobytes() == fresh[1].tobytes()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda solver: pickle.loads(pickle.dumps(solver))])
def test_a_copied_solver_solves_alike(copied):
    inputs = (np.ones(6, bool), EDGES, PEAK, 0.3 * PEAK)
    assert copied(GRID).solve(*inputs)[0].tobytes() == GRID.solve(*inputs)[0].tobytes()


def test_a_load_beyond_the_grid_has_no_solution():
    assert GRID.solve(np.ones(6, bool), EDGES, 400 * PEAK, PEAK) is None


def test_an_unsolvable_flow_is_reported_and_keeps_the_last_voltages():
    world = world_of(options={"power": {"load_every": 3600.0}}).run(60 * SECOND)
    good = world.state["bus.voltage"].copy()
    world.state["bus.load@power"][:] *= 400
    world.mark("bus.load")
    order(world, "switch", 100, 3, 1.0)
    world.run(200 * SECOND)
    assert times(world, "power_unsolved") == [100.0]
    assert world.state["bus.voltage"].tobytes() == good.tobytes()
    assert world.run(3700 * SECOND).state["bus.voltage"].tobytes() != good.tobytes()


def test_a_failed_busbar_darkens_what_hangs_on_it_and_nothing_else():
    world = world_of(planned("substation_failure", 50, [0], duration=0.0)).run(60 * SECOND)
    assert energised(world) == [1, 0, 1, 0, 0, 1]
    assert (world.state["bus.voltage"] > 0).tolist() == [True, False, True, False, False, True]
    assert world.check() == []


def test_a_tie_brings_back_what_the_break_cut_off():
    world = world_of(planned("line_failure", 50, [0], duration=0.0), planned("switch", 70, [2], value=1))
    assert energised(world.run(60 * SECOND)) == [1, 1, 1, 0, 0, 1]
    world.run(80 * SECOND)
    assert energised(world) == [1] * 6
    back = int(world.state["bus.energised@cause"][3])
    assert ancestors(world, back) == ["supply_back", "switch"]
    assert ancestors(world, int(world.state["bus.energised@cause"][1])) == []


def test_failures_with_a_duration_end_and_repairs_outlive_them():
    events = (planned("line_failure", 10, [0, 3], duration=100.0),)
    world = world_of(*events).run(20 * SECOND)
    order(world, "power_repair", 30, 0, data=1)
    order(world, "line_failure", 40, 0)
    assert energised(world.run(35 * SECOND)) == [1, 1, 1, 1, 1, 0]
    assert energised(world.run(109 * SECOND)) == [1, 1, 1, 0, 0, 0]
    assert energised(world.run(111 * SECOND)) == [1, 1, 1, 0, 0, 1]
    columns = event_columns(world, world.events.arrays())
    assert columns["target_id"][columns["kind"] == "power_repair"].tolist() == [world.assembly.city["lines"]["id"][0]]


def test_blackouts_overlap_and_end():
    both = planned("blackout", 100, [0, 1], duration=200.0)
    one = planned("blackout", 200, [1], duration=300.0)
    world = world_of(both, one)
    assert energised(world.run(150 * SECOND)) == [1, 0, 0, 0, 0, 0]
    assert energised(world.run(301 * SECOND)) == [1, 1, 0, 1, 1, 0]
    assert energised(world.run(501 * SECOND)) == [1] * 6


def test_a_substation_trips_in_deep_water_and_again_after_a_hasty_repair():
    world = world_of(FLOOD, parts=[Hazards(), Power()]).run(2700 * SECOND)
    assert energised(world) == [1] * 6
    order(world, "power_repair", 5000, 0, data=0)
    order(world, "power_repair", 15000, 0, data=0)
    world.run(5 * HOUR)
    assert times(world, "substation_trip") == [2700.0, 5000.0]
    assert energised(world) == [1] * 6
    assert world.state["grid.customer_minutes"][0] == pytest.approx(150 * (15000 - 2700) / 60)


def test_the_flood_is_behind_a_dark_bus():
    world = world_of(FLOOD, parts=[Hazards(), Power()]).run(2701 * SECOND)
    for bus in (1, 3, 4):
        cause = int(world.state["bus.energised@cause"][bus])
        assert ancestors(world, cause) == ["outage", "substation_trip", "substation_wet", "flood"]


def test_lost_supply_is_exact():
    factor = float(demand_factor(np.array([0.1]), 0.0)[0])
    world = world_of(
        planned("substation_failure", 90.5, [0], duration=330.25), planned("line_failure", 200, [3], duration=0.0)
    )
    figures = world.run(300 * SECOND).kpis()
    assert figures["customer_minutes_lost"] == pytest.approx((150 * 209.5 + 200 * 100) / 60, rel=1e-12)
    world.run(600 * SECOND)
    figures = world.kpis()
    assert figures["customer_minutes_lost"] == pytest.approx((150 * 330.25 + 200 * 400) / 60, rel=1e-12)
    lost = factor * (3e6 * 330.25 + 3e6 * 400) / 3.6e6
    assert figures["energy_not_supplied_kwh"] == pytest.approx(lost, rel=1e-12)


def test_demand_follows_the_hours():
    assert demand_factor(np.array([0.0, 1.0]), 19.0).tolist() == [HOMES[19], WORK[19]]
    assert demand_factor(np.array([0.5]), 9.5)[0] == pytest.approx((HOMES[9] + HOMES[10] + WORK[9] + WORK[10]) / 4)
    assert demand_factor(np.array([0.0]), 24.0) == demand_factor(np.array([0.0]), 0.0)
    world = world_of().run(19 * HOUR + 1)
    assert world.state["bus.load@power"][3] == pytest.approx(2e6 * (0.9 * HOMES[19] + 0.1 * WORK[19]))


def test_more_load_less_voltage():
    world = world_of(parts=[Power()]).run(4 * HOUR)
    night = world.state["bus.voltage"][3]
    assert world.run(19 * HOUR + 1).state["bus.voltage"][3] < night
    assert world.kpis()["voltage_min"] <= world.state["bus.voltage"][1:].min()


def test_a_storm_breaks_the_same_lines_in_every_order():
    run = assemble().setup
    event = planned("storm", 0, range(1000), probability=0.2, duration=3600.0)
    event.data = 0
    lines, length = np.arange(1000), np.tile([500.0, 2000.0], 500)
    found = dict(storm_failures(run, event, lines, length))
    backwards = dict(storm_failures(run, event, lines[::-1], length[::-1]))
    assert found == backwards
    short = sum(line % 2 == 0 for line in found)
    assert short == pytest.approx(500 * (1 - 0.8**0.5), abs=4 * np.sqrt(500 * 0.1 * 0.9))
    assert len(found) - short == pytest.approx(500 * 0.36, abs=4 * np.sqrt(500 * 0.36 * 0.64))
    assert 0 <= min(found.values()) < max(found.values()) <= HOUR


def test_a_storm_in_a_run_fails_lines_within_its_time():
    world = world_of(planned("storm", 100, [0, 1, 3], probability=1.0, duration=60.0)).run(161 * SECOND)
    assert len(times(world, "line_failure")) == 3
    assert all(100 <= t <= 160 for t in times(world, "line_failure"))
    assert energised(world) == [1, 1, 1, 0, 0, 0]


def test_the_search_agrees_with_the_normal_state():
    grid = Grid(six_bus_city())
    assert grid.connected(np.ones(2, bool), np.array([True, True, False, True])).all()
    assert grid.connected(np.array([False, True]), np.array([True] * 4)).tolist() == [1, 0, 1, 1, 1, 1]


def test_a_search_names_the_event_of_each_failure_although_the_same_line_fails_again():
    grid, station, works = Grid(six_bus_city()), np.ones(2, bool), np.array([True, False, False, True])
    told = [grid.supply(station, works, np.full(2, -1), np.where(works, -1, number)).event for number in (7, 7, 9)]
    assert [part.max() for part in told] == [7, 7, 9]


def test_a_broken_invariant_is_told():
    world = world_of().run(10 * SECOND)
    assert world.check() == []
    world.state["bus.energised"][3] = False
    assert len(world.check()) == 3


def test_reactive_power_at_a_bus_without_active_load_counts():
    def voltage(q):
        buses = {**dict(six_bus_city()["buses"]), "p": np.array([0, 0, 0, 2e6, 0, 3e6])}
        buses["q"] = np.array([0, 0, 0, 5e5, q, 9e5])
        return world_of(buses=buses).run("1 min").state["bus.voltage"][4]

    assert voltage(8e6) < voltage(0.0) - 0.01 < voltage(-2e6)


def test_a_load_that_is_no_number_is_named():
    with pytest.raises(DataError, match="bus 4 has a load of nan W"):
        GRID.solve(np.ones(6, bool), EDGES, np.where(np.arange(6) == 4, np.nan, PEAK), PEAK)


def test_without_any_solution_no_lowest_voltage_is_claimed():
    buses = {**dict(six_bus_city()["buses"]), "p": np.array([0, 0, 0, 9e9, 0, 9e9])}
    assert np.isnan(world_of(buses=buses).run("1 min").kpis()["voltage_min"])
