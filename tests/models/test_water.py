"""Stories of a line of pipes between a pumped lake and a tank."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.utility_city import order, planned, six_bus_city, times
from tests.models.water_city import network_file, small_city, water_tables, water_world
from twin.city import City
from twin.contract import HOUR, SECOND
from twin.models.power import Power
from twin.models.water.inp import read_inp
from twin.models.water.state import IMPRECISE, OSCILLATIONS, UNSOLVED


def test_a_quiet_day_serves_everybody_and_breaks_nothing():
    world = water_world(small_city()).run("24 h")
    assert world.kpis()["water_service_availability"] == pytest.approx(1.0)
    assert world.kpis()["water_person_hours_lost"] == 0
    assert world.check() == []
    assert 2.0 - 1e-3 <= world.state["tank.level"][0] <= 4.0 + 1e-3


def test_the_tank_feeds_a_town_whose_pump_fails_until_it_is_empty():
    """3 m x 78.54 m2 last 235.6 m3 / 10..12 L/s = 5.9 h."""
    world = water_world(small_city(), planned("pump_failure", 0, [0])).run("24 h")
    lost = times(world, "pressure_lost")
    assert lost == [pytest.approx(5.95 * 3600, rel=0.02)]
    assert world.state["tank.level"][0] == pytest.approx(0.0, abs=1e-9)
    hours = 24 - lost[0] / 3600
    assert world.kpis()["water_person_hours_lost"] == pytest.approx(500 * hours, rel=1e-6)
    assert world.check() == []


def behind_the_loss(*events, **options):
    """Return the kinds of event that the first loss of pressure names."""
    world = water_world(small_city(), *events, **options).run("8 h")
    rows = world.events.rows()
    lost = next(i for i, row in enumerate(rows) if row[1] == "pressure_lost")
    return [rows[p][1] for c, p in world.parents.rows() if c == lost]


HARMLESS = planned("pipe_switch", 3600, [1], value=1)


@pytest.mark.parametrize(
    "what",
    [
        planned("pump_failure", 0, [0]),
        planned("pump_switch", 0, [0], value=0),
        planned("pump_speed", 0, [0], value=0.1),
        planned("pipe_switch", 0, [0], value=0),
        planned("isolate", 0, [0]),
    ],
    ids=lambda event: event.kind,
)
def test_a_tank_that_runs_empty_names_what_is_in_force_and_no_order_in_between(what):
    """The tank lasts 5.9 h; an hour after the event a pipe is opened that was open."""
    assert behind_the_loss(what, HARMLESS) == [what.kind]


def test_an_order_taken_back_by_another_is_no_cause():
    failure = planned("pump_failure", 0, [0])
    slow, fast = (planned("pump_speed", at, [0], value=value) for at, value in ((600, 0.5), (1200, 1.0)))
    assert behind_the_loss(failure, slow, fast) == ["pump_failure"]


def test_the_draws_and_leaks_that_drain_a_tank_are_causes_of_its_end():
    draw, leak = planned("hydrant_draw", 0, [1], flow=0.03), planned("leak", 60, [3], area=1e-3)
    assert behind_the_loss(planned("pump_failure", 0, [0]), draw, leak, HARMLESS) == [
        "pump_failure",
        "hydrant_draw",
        "leak",
    ]


def test_an_event_that_takes_pressure_at_once_is_named_first():
    assert behind_the_loss(planned("pump_failure", 0, [0]), *CUT)[0] == "pipe_switch"


def test_controls_stop_and_start_the_pump_by_the_level_of_the_tank():
    world = water_world(small_city()).run("24 h")
    rows = [(t, aim) for t, kind, aim, *_ in world.events.rows() if kind == "water_control"]
    assert [aim for _, aim in rows][:2] == [1, 0]
    assert all(t % SECOND == 0 for t, _ in rows)


def test_a_pump_without_power_stops_and_names_the_outage():
    tables = {name: dict(table) for name, table in six_bus_city().tables.items()} | water_tables(bus=3)
    city = City("both", "Power and water", "left", "UTC", 32750, tables)
    world = water_world(city, planned("substation_failure", 3600, [0], duration=7200.0), parts=[Power()]).run("4 h")
    assert times(world, "pump_stopped") == [3600]
    assert times(world, "pump_started") == [10800]
    stopped = next(i for i, row in enumerate(world.events.rows()) if row[1] == "pump_stopped")
    parents = [p for c, p in world.parents.rows() if c == stopped]
    assert [world.events.rows()[p][1] for p in parents] == ["outage"]


def test_a_hydrant_is_dry_below_twenty_psi_and_comes_back():
    city = small_city()
    world = water_world(city, planned("hydrant_draw", 3600, [1], flow=0.2, duration=1800.0)).run("2 h")
    assert times(world, "hydrant_dry") == [3600]
    assert times(world, "hydrant_back") == [5400]
    gentle = water_world(city, planned("hydrant_draw", 3600, [1], flow=0.02, duration=1800.0)).run("2 h")
    assert times(gentle, "hydrant_dry") == []
    assert world.check() == gentle.check() == []


def test_a_burst_spills_by_the_orifice_equation_until_it_is_mended():
    """A tenth of a 0.3 m pipe: 0.6 x 0.00707 m2 x sqrt(2 g p)."""
    world = water_world(small_city(), planned("pipe_burst", 3600, [1], share=0.1, duration=1800.0)).run("75 min")
    pressure = world.state["junction.pressure"][1]
    spilt = world.state["water_node.inflow"][1] - world.state["junction.delivered"][1]
    assert spilt == pytest.approx(0.6 * 0.1 * np.pi / 4 * 0.3**2 * np.sqrt(2 * 9.80665 * pressure), rel=1e-3)
    world.run("100 min")
    assert world.state["water_node.inflow"][1] == pytest.approx(world.state["junction.delivered"][1])


def test_an_isolated_pipe_carries_nothing_and_all_valves_of_its_segment_close():
    cut = {"shutoffs": {"pipe": np.array([0, 2]), "node": np.array([1, 2])}}
    world = water_world(small_city(**cut), planned("isolate", 3600, [1])).run("2 h")
    assert (world.state["water_link.shut"][:4] > 0).tolist() == [True, True, True, False]
    assert not world.state["water_node.connected"][1]
    assert world.state["junction.pressure"][1] == 0
    assert world.check() == []


def test_a_pump_under_manual_control_ignores_the_tank():
    events = (planned("pump_switch", 3600, [0], value=0), planned("pump_automatic", 20 * 3600, [0]))
    world = water_world(small_city(), *events).run("6 h")
    assert world.state["water_link.flow"][4] == 0
    assert world.state["tank.level"][0] < 2
    world.run("22 h")
    assert world.state["water_link.flow"][4] > 0


def test_a_pump_that_its_own_pressure_stops_is_counted_and_named():
    control = {
        "link": np.array([4, 4]),
        "when": np.array(["above", "below"]),
        "node": np.array([0, 0]),
        "limit": np.array([34.0, 33.9]),
        "status": np.array([0, 1], np.int8),
        "setting": np.array([0.0, 1.0]),
    }
    world = water_world(small_city(water_controls=control)).run("3 h")
    turned = [row for row in world.events.rows() if row[1] == "water_oscillates"]
    assert world.state["water_count.number"][OSCILLATIONS] == len(turned) > 0
    assert {row[2] for row in turned} == {4}


def now_in(world):
    """Return the model's series at this instant."""
    return world.assembly.by_name["water"].measure(world.view("water"))


CUT = (planned("pipe_switch", 4200, [0, 3], value=0),)


def test_a_town_whose_pipes_are_shut_on_both_sides_is_dry_at_that_instant():
    """Junctions 1 to 3 are cut off; the pump holds junction 0 at its shut-off head, 4/3 of 50 m."""
    world = water_world(small_city(), *CUT).run("4200 s")
    assert (world.state["junction.pressure"] > 20).all()
    world.run("4201 s")
    assert (world.state["junction.delivered"] == 0).all()
    assert world.state["junction.pressure"] == pytest.approx([4 / 3 * 50 - 10, 0, 0, 0], abs=0.01)
    assert world.state["water_node.connected"][:4].tolist() == [True, False, False, False]
    assert times(world, "pressure_lost") == [4200]
    assert now_in(world)["persons_without_water"] == 500
    assert now_in(world)["water_unserved"] == pytest.approx(0.012)
    assert world.state["water_count.number"][UNSOLVED] == 0
    assert world.check() == []


def test_service_counts_a_cut_off_town_from_the_instant_of_the_cut():
    """Asked is 10 L/s in the first hour and 12 L/s in the second; given until 4200 s. 500 persons lose 3000 s."""
    kpis = water_world(small_city(), *CUT).run("2 h").kpis()
    assert kpis["water_service_availability"] == pytest.approx((36 + 7.2) / (36 + 43.2), rel=1e-6)
    assert kpis["water_person_hours_lost"] == pytest.approx(500 * 3000 / 3600)


def test_without_a_solution_only_cut_off_parts_change():
    world = water_world(small_city(), *CUT)
    backend = world.assembly.by_name["water"].engine.backend
    before = world.run("70 min").branch().state
    backend.solve, kept = _never(backend.solve), backend.solve
    world.run("71 min")
    assert times(world, "water_unsolved", 0) == times(world, "pressure_lost", 1) == [4200]
    assert world.state["junction.delivered"].tolist() == [0, 0, 0, 0]
    assert world.state["junction.pressure"].tolist() == [before["junction.pressure"][0], 0, 0, 0]
    assert world.state["water_link.flow"].tolist() == [0, 0, 0, 0, before["water_link.flow"][4]]
    assert world.state["water_node.inflow"][5] == 0
    assert now_in(world)["persons_without_water"] == 500
    assert world.check() == []
    backend.solve = kept
    order(world, "pipe_switch", 4500, 0, 1.0)
    order(world, "pipe_switch", 4500, 3, 1.0)
    world.run("76 min")
    assert times(world, "pressure_back") == [4500]
    assert world.state["junction.delivered"].sum() == pytest.approx(0.012, rel=1e-6)


def test_no_solution_is_reported_and_the_run_goes_on_with_the_last_good_flows():
    world = water_world(small_city())
    world.run("61 min")
    flows = world.state["water_link.flow"].copy()
    backend = world.assembly.by_name["water"].engine.backend
    backend.solve, kept = _never(backend.solve), backend.solve
    order(world, "pump_switch", 5000, 0, 0.0)
    world.run("5000.5 s")
    assert world.state["water_count.number"][UNSOLVED] == 1
    assert np.array_equal(world.state["water_link.flow"], flows)
    assert times(world, "water_unsolved") == [5000]
    backend.solve = kept
    world.branch().run("3 h")
    assert world.run("3 h").state["water_link.flow"][4] == 0


def _never(solve):
    from dataclasses import replace

    from twin.models.water.backend import UNBALANCED

    return lambda inputs: replace(solve(inputs), code=UNBALANCED)


def test_nothing_is_solved_between_steps_when_nothing_changes():
    world = water_world(small_city()).run("1 h")
    solves = int(world.state["water_count.number"][0])
    world.run("1 h 50 min")
    assert int(world.state["water_count.number"][0]) <= solves + 2
    assert world.state["water_count.number"][IMPRECISE] == 0


def test_the_volume_asked_is_the_demand_over_time():
    """The pattern is 1 in the first hour and 1.2 in the second."""
    state = water_world(small_city()).run(2 * HOUR).state
    last = (2 * HOUR - state["water.since"][0]) / SECOND * state["water_rate.asked"][0]
    assert state["water.asked"][0] + last == pytest.approx(3600 * 0.01 + 3600 * 0.012, rel=1e-9)


def test_a_demand_driven_file_runs_pressure_driven():
    world = water_world(read_inp(network_file("Net3.inp")), planned("pump_failure", 0, [0, 1])).run("3 h")
    assert world.state["water_count.number"][UNSOLVED] == 0
    assert world.kpis()["water_service_availability"] <= 1.0
    assert world.check() == []
