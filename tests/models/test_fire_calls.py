"""Fires as calls of the emergency service: dispatch, engines kept by a dry hydrant, and calls that wait for them."""

from __future__ import annotations

import numpy as np
import pytest

from tests.cities import line_city
from tests.models.emergency.service_world import kinds, plan_file, seconds, service, two_stations
from tests.models.roads import Planned
from twin.contract import SECOND, EventKind, Model, Option
from twin.fields import Field
from twin.models.fire import Fire
from twin.world import World

ENGINE = """
units: [{kind: ambulance, station: west}, {kind: fire_engine, station: west}]
incidents: {medical: {share: 1}, fire: {needs: [pump]}}
"""
_UNTIL = Option("until", "when there is water, s", "number", 0.0)


class Hydrants(Model):
    """Hydrants that give no water from an event until a second it names."""

    name = "water"
    owns = (
        Field("hydrant.works", "bool", "1", "gives water", 1, traced=True),
        Field("hydrant.flow", "float64", "m3/s", "drawn"),
    )
    events = (
        EventKind("drought", "there is no water", "nodes", (_UNTIL,), scenario=True),
        EventKind("rain_falls", "there is water again"),
        EventKind("hydrant_draw", "water `value` is drawn", "hydrants"),
    )

    def setup(self, setup):
        return {"hydrant": setup.city.rows("hydrants")}

    def on_event(self, view, event):
        if event.kind == "hydrant_draw":
            view.put("hydrant.flow", event.target, event.value)
        else:
            view.put("hydrant.works", slice(None), event.kind == "rain_falls")
        if event.kind == "drought":
            view.schedule("rain_falls", round(event.params["until"] * SECOND) - view.now)


def town():
    """Return the line with a hydrant at nodes 1 and 3, and a fire station nobody needs."""
    at = np.array([1, 3], dtype=np.int32)
    place = {"x": np.zeros(1), "y": np.zeros(1), "lon": np.zeros(1), "lat": np.zeros(1), "name": np.array(["f"])}
    stations = {"id": np.array(["f0"]), "node": np.array([4], np.int32), "engines": np.array([1], np.int32), **place}
    hydrants = {"id": np.array(["y0", "y1"]), "node": at, "junction": np.zeros(2, np.int32)}
    return line_city(stations=two_stations(), hydrants=hydrants, fire_stations=stations)


def fire(at=100, node=3, fight=300.0):
    return Planned("fire", at * SECOND, (node,), {"fight": fight, "flow": 0.02})


def drought(until):
    return Planned("drought", 0, (0,), {"until": until})


def world_of(tmp_path, *events, plan=ENGINE):
    return service(events, plan=plan_file(tmp_path, plan), city=town(), parts=[Fire(), Hydrants()])


def at(world, kind):
    return [row[0] / SECOND for row in world.events.rows() if row[1] == kind]


def test_a_fire_is_a_call_and_keeps_its_engine_until_it_is_out(tmp_path):
    """Triaged 160, ordered 162, 30 s of dispatch, 80 s of turnout, three links of 100 s: there at 572.

    The fire is seen to be fought a second later. It has grown by 473 s, so it takes 773: out at 1346,
    when the scene time of 600 s is over long ago.
    """
    world = world_of(tmp_path, fire()).run()
    assert seconds(world, "on_scene") == 572
    assert at(world, "engine_on_scene") == [pytest.approx(573, abs=1e-3)]
    assert at(world, "fire_out") == [pytest.approx(1346, abs=1e-3)]
    assert seconds(world, "closed") == pytest.approx(1346, abs=1e-3)
    assert at(world, "engine_sent") == []
    assert world.state["hydrant.flow"].tolist() == [0, 0]
    assert world.check() == []


def test_a_small_fire_does_not_keep_the_engine(tmp_path):
    """Out at 573 + 533; the work on scene ends at 572 + 600."""
    world = world_of(tmp_path, fire(fight=60.0)).run()
    assert at(world, "fire_out") == [pytest.approx(1106, abs=1e-3)]
    assert seconds(world, "closed") == 1172


def test_a_dry_hydrant_makes_the_fire_grow_and_keeps_the_engine(tmp_path):
    """327 s without water on scene are waited for and make 327 s more to fight: out at 900 + 300 + 473 + 327."""
    world = world_of(tmp_path, drought(900.0), fire()).run()
    assert at(world, "fire_stalls") == [pytest.approx(573, abs=1e-3)]
    assert at(world, "fire_fought") == [900]
    assert at(world, "fire_out") == [2000]
    assert seconds(world, "closed") == pytest.approx(2000, abs=1e-3)
    assert world.kpis()["fire_dry_minutes"] == pytest.approx(327 / 60)


def test_an_engine_that_is_held_comes_later_to_the_next_fire(tmp_path):
    """The second fire is on the way home; it is reached later by as much as the first was out later."""
    wet = world_of(tmp_path, fire(), fire(700, node=1)).run()
    dry = world_of(tmp_path, drought(900.0), fire(), fire(700, node=1)).run()
    first, second = (world.state["call.on_scene"] / SECOND for world in (wet, dry))
    assert first[0] == second[0] == 572
    # It sets off home over the two links to the second fire, and gets the order while it drives.
    assert first[1] == pytest.approx(1346 + 200, abs=1e-3)
    assert second[1] - first[1] == pytest.approx(2000 - 1346, abs=1e-3)
    assert dry.kpis()["fire_hours"] > wet.kpis()["fire_hours"]


def test_the_engine_that_is_free_late_leads_back_to_the_dry_hydrant(tmp_path):
    world = world_of(tmp_path, drought(900.0), fire()).run()
    parents = {}
    for child, parent in world.parents.rows():
        parents.setdefault(child, []).append(parent)
    names, waiting, found = kinds(world), [kinds(world).index("unit_free")], set()
    while waiting:
        event = waiting.pop()
        found.add(names[event])
        waiting += parents.get(event, [])
    assert {"call_closed", "fire_out", "drought"} <= found


def test_a_building_that_burns_down_lets_the_engine_go(tmp_path):
    world = world_of(tmp_path, drought(7150.0), fire()).run()
    world_end = world_of(tmp_path, drought(1e6), Planned("fire", 0, (3,), {"fight": 300.0, "flow": 0.02}))
    assert at(world, "building_lost") == []
    world_end.assembly.by_name["fire"].burns_out = 3000 * SECOND
    done = world_end.run()
    assert at(done, "building_lost") == [3000]
    assert seconds(done, "closed") == pytest.approx(3000, abs=1e-3)


def test_a_plan_without_units_for_a_fire_leaves_it_to_the_fire_stations(tmp_path):
    plan = "units: [{kind: ambulance, station: west}]\n"
    world = world_of(tmp_path, fire(), plan=plan).run()
    assert at(world, "engine_sent") == [100]
    assert world.state["call.stage"].shape[0] == 0


@pytest.mark.parametrize("cut", [50, 100, 165, 572, 572.5, 573, 880, 1300, 2000.000001])
def test_the_law_holds_with_fires_that_are_calls(tmp_path, cut):
    world = world_of(tmp_path, drought(900.0), fire(), fire(700, node=1))
    whole = world.branch().run()
    first = world.branch().run(round(cut * SECOND))
    again = World.load(first.save(tmp_path / "kept"), world.assembly).run()
    assert again.digest() == whole.digest()
    assert again.events.rows() == whole.events.rows()
