"""Fires on six junctions over a line of pipes: water in time, too little of it, and none."""

from __future__ import annotations

import numpy as np
import pytest

import twin
from tests.models.utility_city import MIDNIGHT, Roads, ids, places, planned, six_bus_city, times
from tests.models.water_city import water_tables
from twin.assembly import Assembly
from twin.contract import HOUR, SECOND, Setup
from twin.models.fire import Fire
from twin.models.power import Power
from twin.models.water import Water
from twin.world import World

GENTLE, GREEDY = 0.02, 0.2


def fire_city(engines=1):
    """Return six junctions with one fire station at node 0, and the water line on bus 3; hydrant 1 is at node 5."""
    stations = {"id": ids("f", 1), "name": ids("Fire ", 1), **places([0.0]), "node": np.array([0], np.int32)}
    hydrants = {"id": ids("y", 2), "junction": np.array([0, 2]), "node": np.array([0, 5], np.int32)}
    stations["engines"] = np.array([engines], np.int32)
    return six_bus_city(**{**water_tables(bus=3), "hydrants": hydrants, "fire_stations": stations})


def world_of(*events, city=None, options=None):
    city = city or fire_city()
    setup = Setup(city, {}, 1, MIDNIGHT, 8 * HOUR, events)
    return World(Assembly(city, [Roads(), Power(), Water(), Fire()], [], setup, {"fire": options or {}}))


def fire(at, node=5, flow=GENTLE, fight=1200.0):
    return planned("fire", at, [node], flow=flow, fight=fight)


def test_a_fire_with_water_takes_its_time_and_that_of_the_way():
    """80 s to turn out and five roads of 100 s: 580 s of growth, then 1200 + 580 s of water."""
    world = world_of(fire(600)).run("3 h")
    assert times(world, "engine_on_scene") == [600 + 580]
    assert times(world, "fire_fought") == [600 + 580 + 1e-6]
    assert times(world, "fire_out") == [pytest.approx(600 + 580 + 1780, abs=1e-3)]
    assert world.kpis()["fire_hours"] == pytest.approx((580 + 1780) / 3600, abs=1e-6)
    assert world.state["hydrant.flow"].tolist() == [0, 0]
    assert world.state["engine_unit.node"].tolist() == [0]
    assert world.check() == []


def test_growth_can_be_switched_off():
    world = world_of(fire(600), options={"growth": 0.0}).run("3 h")
    assert times(world, "fire_out") == [pytest.approx(600 + 580 + 1200, abs=1e-3)]


def test_a_hydrant_that_runs_dry_stalls_the_fight_until_the_building_is_lost():
    world = world_of(fire(600, flow=GREEDY)).run("4 h")
    assert times(world, "hydrant_dry") == [1180]
    assert times(world, "fire_stalls") == [1180 + 1e-6]
    assert times(world, "building_lost") == [600 + 7200]
    assert times(world, "fire_out") == times(world, "fire_fought") == []
    assert world.kpis()["fire_dry_minutes"] == pytest.approx((7200 - 580) / 60, rel=1e-6)
    assert world.kpis()["fires_lost"] == 1


def test_water_that_comes_late_makes_the_fire_longer():
    """A leak takes the pressure for 600 s; each of them counts twice: as waiting and as growth."""
    other = planned("leak", 500, [2], area=0.05, duration=1280.0)
    world = world_of(fire(600, fight=300.0), other).run("1 h")
    assert times(world, "fire_stalls") == [pytest.approx(1180, abs=1e-3)]
    assert times(world, "fire_fought") == [1780]
    assert times(world, "fire_out") == [pytest.approx(1780 + 300 + 1180, abs=1e-3)]


def test_two_fires_on_one_hydrant_both_draw_until_each_is_out():
    """The second engine comes 520 s later; the first fire is out at 2960 s, the second burns on."""
    world = world_of(fire(600), fire(1120, node=5, fight=3000.0), city=fire_city(engines=2)).run("45 min")
    assert world.state["fire.stage"][:2].tolist() == [3, 3]
    assert world.state["hydrant.flow"].tolist() == [0, 2 * GENTLE]
    world.run("55 min")
    assert world.state["fire.stage"][:2].tolist() == [5, 3]
    assert world.state["hydrant.flow"].tolist() == [0, GENTLE]
    assert world.run("3 h").state["hydrant.flow"].tolist() == [0, 0]


def test_a_fire_waits_for_the_only_engine():
    world = world_of(fire(600), fire(700, node=4)).run("4 h")
    out, sent = times(world, "fire_out"), times(world, "engine_sent")
    assert sent == [600, pytest.approx(out[0] + 500, abs=1e-3)]


def test_an_engine_waits_where_no_road_leads_on():
    assert times(world_of(fire(600, node=5), city=cut_off()).run("1 h"), "engine_sent") == []


def cut_off():
    """Return the city without the last street."""
    city = fire_city()
    links = {name: column[:8] for name, column in city["links"].items()}
    tables = {name: dict(table) for name, table in city.tables.items()} | {"links": links}
    return twin.city.City("cut", "Cut", "left", "UTC", 32750, tables)


def test_the_law_holds_at_random_instants(tmp_path):
    events = (fire(600, flow=GREEDY), fire(900, node=2), planned("substation_failure", 1000, [0], duration=1500.0))
    world = world_of(*events, city=fire_city(engines=2))
    whole = world.branch().run(3 * HOUR)
    assert whole.check() == []
    for cut in np.random.default_rng(8).uniform(590, 9000, 6).tolist():
        first = world.branch().run(round(cut * SECOND))
        first.save(tmp_path / f"{cut}")
        second = World.load(tmp_path / f"{cut}", world.assembly).run(3 * HOUR)
        assert (second.digest(), second.events.rows()) == (whole.digest(), whole.events.rows())
        assert second.parents.rows() == whole.parents.rows()
