"""Water over time, on roads and in substations."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models.utility_city import FLOOD, Roads, ancestors, assemble, planned, six_bus_city, times
from twin.contract import SECOND
from twin.models.hazards import Hazards
from twin.models.hydrograph import Hydrograph, wet_speed
from twin.models.power import Power
from twin.world import World

HOUR = 3600 * SECOND


def world_at(seconds, *events, parts=None):
    world = World(assemble(*events, parts=parts or [Hazards(), Roads()]))
    return world.run(round(seconds * SECOND) + 1)


def test_the_stage_follows_straight_lines():
    water = Hydrograph(2.0, rise=4, hold=2, fall=8)
    assert [water.stage(t) for t in (-1, 0, 1, 4, 5, 6, 10, 14, 15)] == [0, 0, 0.5, 2, 2, 2, 1, 0, 0]


def test_a_wall_of_water_is_there_at_once_and_gone_at_the_end():
    water = Hydrograph(2.0, rise=0, hold=3, fall=0)
    assert [water.stage(t) for t in (-1, 0, 2, 3)] == [0, 2, 2, 0]


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.integers(1, 20))
def test_looks_meet_every_corner_and_end(rise, hold, fall, every):
    water = Hydrograph(1.0, rise, hold, fall)
    looks = [0]
    while looks[-1] < water.end:
        looks.append(water.next_look(looks[-1], every))
    assert {rise, rise + hold, water.end} <= set(looks)
    assert max(np.diff(looks), default=0) <= every


def test_speed_in_water_is_that_of_the_paper():
    published = [86.9448, 86.9448 - 27.645 + 2.25, 86.9448 - 55.29 + 9.0, 86.9448 - 82.935 + 20.25]
    assert wet_speed(np.array([0.0, 0.05, 0.1, 0.15])) == pytest.approx(np.array(published) / 86.9448)
    assert wet_speed(np.array([0.3, 5.0])) == pytest.approx(2.0748 / 86.9448)


def test_roads_close_by_their_deepest_end_and_open_again():
    state = world_at(1799, FLOOD).state
    assert state["link.depth"].tolist() == pytest.approx([0, 0, *[0.25] * 6, 0, 0])
    assert state["link.open"].all()
    state = world_at(1800, FLOOD).state
    assert (~state["link.open"]).nonzero()[0].tolist() == [2, 3, 4, 5, 6, 7]
    assert world_at(14099, FLOOD).state["link.open"].sum() == 4
    assert world_at(14100, FLOOD).state["link.open"].all()


def test_water_slows_before_it_closes():
    state = world_at(900, FLOOD).state
    assert state["link.wet_speed"][2] == pytest.approx(wet_speed(np.array([1 / 12]))[0])
    assert state["link.wet_speed"][0] == 1.0


def test_all_is_dry_at_the_end_and_the_crest_was_reached():
    assert world_at(600 + 3600, FLOOD).state["link.depth"].max() == 1.0
    world = world_at(15000, FLOOD)
    assert world.state["link.depth"].max() == world.state["substation.depth"].max() == 0.0
    assert (world.state["link.wet_speed"] == 1.0).all()
    assert world.state["flood.event"].tolist() == [-1]
    assert len(world.state["pending.alive"].nonzero()[0]) == 1
    assert world.check() == []


def test_substation_depth_uses_its_own_elevation():
    world = world_at(4200, FLOOD)
    assert world.state["substation.depth"].tolist() == [0.75, 0.0]
    assert times(world, "substation_wet", 0) == [1800.0]


def test_two_floods_combine_by_the_larger_depth():
    late = planned("flood", 1000, [3, 4], peak=7.0, rise=0.0, hold=3600.0, fall=0.0)
    world = world_at(4600 - 1, FLOOD, late)
    assert world.state["link.depth"].tolist() == pytest.approx([0, 0, 1, 1, 7, 7, 7, 7, 2, 2])
    events = world.events.rows()
    deep, shallow = (int(world.state["link.depth@cause"][link]) for link in (4, 2))
    assert events[deep][0] == 1000 * SECOND
    assert events[shallow][0] == 600 * SECOND
    assert world.run(4601 * SECOND).state["link.depth"].tolist() == pytest.approx([0, 0, *[1] * 6, 0, 0])


def test_the_flood_is_behind_a_closed_road():
    world = world_at(1800, FLOOD)
    cause = int(world.state["link.closure@cause"][4])
    assert ancestors(world, cause) == ["road_flooded", "flood"]


def test_closures_by_order_add_up_and_end():
    first = planned("road_closure", 100, [0, 1], duration=500.0)
    second = planned("road_closure", 200, [1], duration=1000.0)
    at = {t: world_at(t, first, second).state["link.open"][:2].tolist() for t in (99, 100, 599, 600, 1199, 1200)}
    assert at[99] == at[1200] == [True, True]
    assert at[100] == at[599] == [False, False]
    assert at[600] == at[1199] == [True, False]


def test_a_flood_without_traffic_or_power_runs():
    city = six_bus_city(substations=None, buses=None, lines=None, sources=None, transformers=None, dependencies=None)
    world = World(assemble(FLOOD, parts=[Hazards()], city=city)).run(3 * HOUR)
    assert world.state["link.depth"].max() == 1.0


def test_a_deeper_flood_takes_over_the_name_of_the_water_at_a_substation():
    """The first flood stands 0.05 m over the substation until the second one passes it, and again after it."""
    first = planned("flood", 0, [2, 3], peak=0.3, rise=60.0, hold=7200.0, fall=60.0)
    second = planned("flood", 3600, [2, 3], peak=1.0, rise=60.0, hold=600.0, fall=60.0)
    world = World(assemble(first, second, parts=[Hazards(), Power(), Roads()])).run("2 h")
    assert times(world, "substation_wet", 0) == [60, 3660, 4320]
    trip = next(i for i, row in enumerate(world.events.rows()) if row[1] == "substation_trip")
    assert times(world, "substation_trip") == [3660]
    rows = world.events.rows()
    assert [row[0] for row in rows if row[1] == "flood"] == [0, 3600 * SECOND]
    behind = next(parent for child, parent in world.parents.rows() if child == trip)
    flood = next(parent for child, parent in world.parents.rows() if child == behind)
    assert rows[flood][:2] == (3600 * SECOND, "flood")
