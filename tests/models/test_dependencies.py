"""Pressure that acts on hospitals and pumps: delays, causes, and loops that repeat themselves."""

from __future__ import annotations

import numpy as np
import pytest

from tests.models.utility_city import ancestors, ids, places, planned, times
from tests.models.water_city import small_city, water_tables, water_world
from twin.city.dependencies import table_of_rows
from twin.contract import HOUR, SECOND
from twin.models.dependencies import Dependencies
from twin.world import World


def row(junction, table, name, rule, delay):
    return ("junctions", junction, table, name, "water", rule, delay, "test")


def hospital_city():
    """Return the line of four junctions with a hospital at junction 1, whose tank lasts half an hour."""
    hospitals = {"id": ids("h", 1), **places([500.0])}
    tables = {**water_tables(), "hospitals": hospitals}
    rows = table_of_rows([row("j1", "hospitals", "h0", "store", 1800.0)], tables)
    return small_city(hospitals=hospitals, dependencies=rows)


def starving_city(delay=60.0):
    """Return a pump behind 2 km of thin main: it runs its own suction dry, and stops for it after a minute."""
    base = water_tables()
    pipes = {**base["pipes"], "from_node": np.array([4, 1, 2, 3]), "diameter": np.array([0.1, 0.3, 0.3, 0.3])}
    pipes |= {"to_node": np.array([0, 2, 3, 5]), "length": np.array([2000.0, 500.0, 500.0, 500.0])}
    pumps = {**base["pumps"], "from_node": np.array([0]), "to_node": np.array([1])}
    lake = {**base["reservoirs"], "head": np.array([25.0])}
    rows = table_of_rows([row("j0", "pumps", "u0", "cut_out", delay)], base)
    return small_city(pipes=pipes, pumps=pumps, reservoirs=lake, water_controls=None, dependencies=rows)


def world_of(city, *events, hours=24):
    return water_world(city, *events, hours=hours, parts=[Dependencies()])


def test_a_hospital_lives_on_its_tank_and_then_names_the_failure():
    """The tank of the town feeds it until it is empty; half an hour later the hospital's own is."""
    world = world_of(hospital_city(), planned("pump_failure", 0, [0], duration=8 * 3600.0)).run("12 h")
    (lost,), (dry,) = times(world, "pressure_lost"), times(world, "hospital_dry")
    assert dry == lost + 1800
    event = next(i for i, r in enumerate(world.events.rows()) if r[1] == "hospital_dry")
    assert "pump_failure" in ancestors(world, event)
    assert times(world, "hospital_water_back") == [8 * 3600 + 1800]
    assert world.check() == []


def test_water_that_returns_in_time_saves_the_hospital():
    world = world_of(hospital_city(), planned("pump_failure", 0, [0], duration=6.2 * 3600)).run("12 h")
    assert times(world, "pressure_lost") != []
    assert times(world, "hospital_dry") == []
    assert world.state["coupling.pending"].tolist() == [-1]


def test_a_pump_that_runs_its_own_suction_dry_oscillates_is_counted_and_named():
    """It stops a minute after each start and starts a minute after each stop."""
    world = world_of(starving_city()).run("2 h")
    out, back = times(world, "pump_cut_out"), times(world, "pump_cut_in")
    assert out[:3] == [60, 180, 300]
    assert back[:3] == [120, 240, 360]
    assert world.state["coupling.failures"].tolist() == [60]
    assert world.kpis()["coupling_repeats"] == 59
    told = [r for r in world.events.rows() if r[1] == "coupling_repeats"]
    assert [(r[2], r[3], r[4]) for r in told] == [(0, 1.0, 0), (0, 10.0, 0)]
    named = world.assembly.by_name["dependencies"].tables(world.view("dependencies"))["couplings"]
    assert (named["from"].tolist(), named["to"].tolist()) == (["j0"], ["u0"])


def test_an_influence_against_the_order_takes_a_second_at_least():
    world = world_of(starving_city(delay=0.0)).run("10 s")
    assert times(world, "pump_cut_out")[:2] == [1, 3]


def test_a_pump_with_enough_suction_is_left_alone():
    city = starving_city()
    pipes = {**dict(city["pipes"]), "diameter": np.full(4, 0.5)}
    wide = small_city(
        **{n: dict(city[n]) for n in ("pumps", "reservoirs", "dependencies")}, pipes=pipes, water_controls=None
    )
    assert times(world_of(wide).run("2 h"), "pump_cut_out") == []


def fed_city():
    """Return the town with a pump that is cut out a minute after pressure at junction 1 is lost."""
    return small_city(dependencies=table_of_rows([row("j1", "pumps", "u0", "cut_out", 60.0)], water_tables()))


def dry_events():
    """Return the closing and opening of the mains on both sides of junctions 1 and 2."""
    return [planned("pipe_switch", at, [0, 2], value=value) for at, value in ((1800, 0), (3600, 1))]


def dry_spell(*more, hours=2):
    """Return a run in which the main behind junction 0 is closed from 1800 s to 3600 s, and the tank too."""
    return world_of(fed_city(), *dry_events(), *more, hours=hours)


def pump_link(world):
    return world.assembly.by_name["water"].network.first_pump


def running(world):
    """Tell whether the pump gives water."""
    return bool(world.state["water_link.flow"][pump_link(world)] > 1e-6)


@pytest.mark.parametrize(("ordered", "runs"), [(None, True), (0, False), (1, True)])
def test_a_cut_in_leaves_what_the_operator_ordered(ordered, runs):
    orders = [] if ordered is None else [planned("pump_switch", 600, [0], value=ordered)]
    world = dry_spell(planned("pump_switch", 10, [0], value=1), planned("pump_automatic", 20, [0]), *orders)
    assert running(world.run(500 * SECOND))
    world.run(2400 * SECOND)
    assert not running(world)
    assert len(times(world, "pump_cut_out")) == 1
    world.run(3900 * SECOND)
    assert len(times(world, "pump_cut_in")) == 1
    assert running(world) == runs
    assert world.state["water_link.held"][pump_link(world)] == (ordered is not None)
    assert world.check() == []


def test_an_order_to_run_waits_for_the_protection():
    """Ordered on while it is cut out, a pump starts when suction is back; ordered off, it does not."""
    for value in (1, 0):
        world = dry_spell(planned("pump_switch", 2400, [0], value=value)).run(2500 * SECOND)
        assert not running(world)
        assert running(world.run(3900 * SECOND)) == bool(value)


def test_controls_go_on_while_a_pump_is_cut_out():
    """The tank is above the level at which the control stops the pump: a cut-in does not start it."""
    tanks = {**water_tables()["tanks"], "initial_level": np.array([4.5])}
    rows = table_of_rows([row("j1", "pumps", "u0", "cut_out", 60.0)], water_tables())
    world = world_of(small_city(tanks=tanks, dependencies=rows), *dry_events(), hours=2)
    assert not running(world.run(3900 * SECOND))
    assert len(times(world, "pump_cut_in")) == 1


def test_a_pump_with_two_protections_runs_when_both_let_go():
    base = water_tables()
    rows = table_of_rows([row(j, "pumps", "u0", "cut_out", d) for j, d in (("j1", 60.0), ("j2", 600.0))], base)
    world = world_of(small_city(dependencies=rows), planned("pump_switch", 10, [0], value=1), *dry_events(), hours=2)
    assert world.run(3700 * SECOND).state["water_link.cut_out"].max() == 1
    assert not running(world)
    assert running(world.run(4300 * SECOND))


@pytest.mark.parametrize("city", [hospital_city(), starving_city()], ids=["hospital", "pump"])
def test_a_run_in_two_parts_is_the_same_run(city, tmp_path):
    world = world_of(city, planned("pump_failure", 3600, [0], duration=7 * 3600.0))
    whole = world.branch().run(10 * HOUR)
    for cut in np.random.default_rng(5).uniform(0, 10 * 3600, 4).tolist():
        first = world.branch().run(round(cut * SECOND))
        first.save(tmp_path / f"{cut}")
        second = World.load(tmp_path / f"{cut}", world.assembly).run(10 * HOUR)
        assert second.digest() == whole.digest()
        assert second.events.rows() == whole.events.rows()
