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
