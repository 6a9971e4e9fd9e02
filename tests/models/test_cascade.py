"""Flood to silent feed, with every instant worked out by hand; and the law of saving."""

from __future__ import annotations

import pytest

from tests.models.utility_city import FLOOD, ancestors, assemble, order, planned, times
from twin.contract import SECOND
from twin.execution.output import event_columns
from twin.world import World

END = 20_000 * SECOND
STORM = planned("storm", 3000, [0, 1, 3], probability=0.3, duration=1800.0)


@pytest.fixture(scope="module")
def assembly():
    return assemble(FLOOD, STORM, seed=3)


@pytest.fixture(scope="module")
def flooded():
    world = World(assemble(FLOOD))
    order(world, "power_repair", 16000, 0, data=0)
    return world.run(END)


def test_each_link_of_the_chain_has_its_instant(flooded):
    """Stage rises 1 m in 3600 s from 600 s, looked at each 300 s.

    Roads at 5.00 m close when the stage is 0.3 m or more: 1080 s on, seen at
    1200 s. The substation at 5.25 m trips at a stage of 0.55 m: 1980 s on, seen
    at 2100 s. The battery of site 0 lasts 600 s, the generator of the hospital
    3600 s. SCADA polled at 2700 s, so its report keeps 1 s distance and takes 2 s.
    """
    assert set(times(flooded, "road_flooded")) == {600 + 1200}
    assert times(flooded, "substation_trip") == times(flooded, "outage") == [600 + 2100]
    assert times(flooded, "asset_alarm")[0] == 2700 + 1 + 2
    assert times(flooded, "battery_empty") == [2700 + 600, 2700 + 3600]
    assert times(flooded, "site_dead") == [3300]
    assert set(times(flooded, "feed_silent")) == {3300}
    assert set(times(flooded, "road_drained")) == {14100}
    assert times(flooded, "supply_back") == times(flooded, "site_back") == [16000]


def test_the_log_names_what_each_event_is_about(flooded):
    """Also where a model only logs it, and where `data` says of which table the target is a row."""
    columns = event_columns(flooded, flooded.events.arrays())
    named = {kind: columns["target_id"][columns["kind"] == kind].tolist() for kind in set(columns["kind"])}
    city = flooded.assembly.city
    assert named["battery_empty"] == [city["sites"]["id"][0], city["hospitals"]["id"][0]]
    assert named["site_dead"] == [city["sites"]["id"][0]]
    assert named["outage"][0] in city["buses"]["id"]
    assert named["asset_alarm"][0] == named["power_repair"][0] == city["substations"]["id"][0]


def test_the_signal_is_dark_in_the_instant_of_the_trip():
    world = World(assemble(FLOOD)).run(2700 * SECOND)
    assert world.state["signal.powered"][0]
    world.run(2700 * SECOND + 1)
    assert not world.state["signal.powered"][0]
    chain = ["outage", "substation_trip", "substation_wet", "flood"]
    assert ancestors(world, int(world.state["signal.powered@cause"][0])) == chain


def test_a_silent_feed_leads_back_to_the_flood():
    world = World(assemble(FLOOD)).run(3400 * SECOND)
    chain = ["feed_silent", "site_dead", "battery_empty", "outage", "substation_trip", "substation_wet", "flood"]
    assert ancestors(world, int(world.state["observed_link.silent@cause"][0])) == chain


def test_observations_behind_the_dead_site_age():
    world = World(assemble(FLOOD)).run(6000 * SECOND)
    age = (world.now - world.state["observed_link.stamp"]) / SECOND
    assert age[:6].tolist() == [6000 - 3300] * 6
    assert age[6:].tolist() == [60] * 4


def test_lost_supply_and_invariants(flooded):
    assert flooded.kpis()["customer_minutes_lost"] == pytest.approx(150 * (16000 - 2700) / 60)
    assert flooded.check() == []


def test_without_the_flood_nothing_of_it_happens(assembly):
    world = World(assembly).run(500 * SECOND).branch(without=(0,)).run(END)
    assert times(world, "substation_trip") == times(world, "road_flooded") == []


@pytest.mark.parametrize("cut", [0, 600, 1234.5, 2700.000001, 3299.9, 3302, 4000, 9999.9, 14100])
def test_a_run_in_two_parts_is_the_same_run(assembly, cut, tmp_path):
    whole = World(assembly).run(END)
    first = World(assembly).run(round(cut * SECOND))
    first.save(tmp_path)
    child = first.branch()
    second = World.load(tmp_path, assembly).run(END)
    assert second.digest() == child.run(END).digest() == whole.digest()
    assert second.events.rows() == child.events.rows() == whole.events.rows()
    assert second.parents.rows() == whole.parents.rows()
    assert second.kpis() == whole.kpis()
