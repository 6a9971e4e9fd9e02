"""Lanes that a scenario closes and speeds that it limits for a while, worked out by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import twin
from tests.models.traffic.small_city import small_city
from twin.assembly import Assembly
from twin.contract import SECOND, EventKind, Model, Setup
from twin.fields import Field
from twin.kernels.traffic_arrays import ENTRIES, EXITS
from twin.models.traffic import Traffic
from twin.world import World

PAIRS = [(0, 1), (1, 2), (2, 3), (3, 0)]
"""A street of three links and the way back; only zone 0 has people and only zone 3 has jobs."""


def street(lanes=(4, 2, 2, 4), trips=15_000):
    city = small_city(PAIRS, length=1000.0, trips=trips)
    wide = np.array(lanes, np.int32)
    zones = dict(city["zones"]) | {"population": np.array([100, 0, 0, 0]), "jobs": np.array([0, 0, 0, 100])}
    links = dict(city["links"]) | {"lanes": wide, "capacity": 0.5 * wide}
    return small_city(PAIRS, links=links, zones=zones, trips=trips)


def planned(kind, time, targets, duration, **params):
    label = f"road.yaml:{time}"
    params["duration"] = float(duration)
    return SimpleNamespace(kind=kind, time=time * SECOND, targets=tuple(targets), params=params, label=label)


def world_of(*events, city=None, parts=()):
    setup = Setup(city or street(), {}, 1, 1_768_460_400 * SECOND, 3600 * SECOND, events)
    return World(Assembly(setup.city, [Traffic(), *parts], [], setup, {"traffic": {"informed_share": 0.0}}))


def after(world, at):
    """Return the state once what happens at a time (s) has happened."""
    return world.run(at * SECOND + 1).state


def counts(world, at):
    """Return how many have begun a trip to zone 3 by a time (s), and entered and left the middle of the street."""
    queue = after(world, at)["road.queue"]
    traffic = world.assembly.components[-1]
    there = (traffic.trips.origin == 0) & (traffic.trips.destination == 3)
    return np.array([(traffic.trips.depart[there] <= at * SECOND).sum(), queue[1, ENTRIES], queue[1, EXITS]])


HALF = planned("lane_closure", 600, [1], 1200, lanes_left=1.0)


def test_of_two_lanes_one_lets_half_of_the_capacity_through_and_the_rest_queues():
    world, free = world_of(HALF), world_of()
    gone = np.diff([counts(world, at) for at in (800, 1800, 1900)], axis=0)
    usual = np.diff([counts(free, at) for at in (800, 1800)], axis=0)[0]
    demand = usual[0]
    assert 700 < demand < 800
    # by 800 s those who were on two lanes have left by one; it carries 0.5 veh/s, and the others stand before it
    assert usual[1] == pytest.approx(demand, abs=30)
    assert gone[0, 1] == gone[0, 2] == pytest.approx(500, abs=1)
    assert gone[0, 0] == demand
    # then the queue leaves with the 1 veh/s of two lanes
    assert gone[1, 1] == pytest.approx(100, abs=1)


def test_a_closed_lane_takes_its_room_and_gives_it_back():
    world = world_of(HALF)
    built = world.run(0).state["road.storage"][1], world.state["road.headway"][1]
    narrow = after(world, 600)["road.storage"][1], world.state["road.headway"][1]
    assert built == (300_000, SECOND)
    assert narrow == (150_000, 2 * SECOND)
    assert world.state["link.lanes"].tolist() == [4, 1, 2, 4]
    after(world, 1800)
    assert (world.state["road.storage"][1], world.state["road.headway"][1]) == built


@pytest.mark.parametrize(
    ("left", "held"),
    [((3.0, 1.5), [(3, 100), (1.5, 200), (1.5, 200)]), ((1.5, 3.0), [(1.5, 100), (1.5, 100), (3, 200)])],
)
def test_of_two_closures_the_one_with_fewer_lanes_left_holds_and_is_named(left, held):
    first, second = (planned("lane_closure", 100 * n, [0], 500, lanes_left=left[n - 1]) for n in (1, 2))
    world, seen = world_of(first, second), []
    for at in (99, 100, 200, 600, 700):
        state = after(world, at)
        cause = int(state["link.lanes@cause"][0])
        seen.append((state["link.lanes"][0], world.events.rows()[cause][0] // SECOND if cause >= 0 else None))
    assert seen == [(4, None), *held, (4, 700)]


def test_a_slow_street_names_the_lanes_closed_ahead():
    world = world_of(HALF).run(1800 * SECOND)
    rows = world.events.rows()
    slow = [number for number, row in enumerate(rows) if row[1] == "link_slow"]
    behind = {rows[parent][1] for child, parent in world.parents.rows() if child in slow}
    assert behind == {"lane_closure"}


@pytest.mark.parametrize("at", [600, 1111, 1800])
def test_a_run_goes_on_from_any_instant(at, tmp_path):
    whole = world_of(HALF).run()
    cut = world_of(HALF).run(at * SECOND)
    assert World.load(cut.save(tmp_path), cut.assembly).run().digest() == whole.digest()


def test_a_closure_that_takes_no_lane_is_doubted():
    setup = Setup(street(), {}, 1, 0, 3600 * SECOND, (HALF, planned("lane_closure", 7, [1, 2], 60, lanes_left=2.0)))
    assert Traffic().doubt(setup) == [
        "road.yaml:7: lane_closure changes nothing: no road it names has more lanes than those left"
    ]


class _Wet(Model):
    """Water on the middle of the street leaves a share of its speed from 100 s on."""

    name = "wet"
    owns = (Field("link.wet_speed", "float64", "1", "share of the dry speed that water leaves", 1, traced=True),)
    events = (EventKind("wets", "water comes", quiet=True),)

    def __init__(self, share):
        self.share = share

    def setup(self, setup):
        return {}

    def start(self, view):
        view.schedule("wets", 100 * SECOND)

    def on_event(self, view, event):
        view.put("link.wet_speed", 1, self.share)


LIMIT = planned("speed_limit", 50, [0, 1], 450, speed=5.0)


@pytest.mark.parametrize(("share", "wet"), [(0.8, 200), (0.25, 400)])
def test_of_water_and_a_speed_limit_the_slower_holds(share, wet):
    # 1,000 m at 10 m/s, at the limit of 5 m/s, and at the share of 10 m/s that water leaves
    world = world_of(LIMIT, parts=[_Wet(share)])
    seen = [(after(world, at)["road.free_flow"][:3] // SECOND).tolist() for at in (49, 50, 100, 500)]
    assert seen == [[100, 100, 100], [200, 200, 100], [200, wet, 100], [100, round(100 / share), 100]]


def test_half_of_a_way_takes_twice_as_long_under_half_of_the_speed():
    # trips are few: nobody waits
    city = street(trips=400)
    world, free = world_of(planned("speed_limit", 600, [0, 1, 2], 2400, speed=5.0), city=city), world_of(city=city)
    world.run(), free.run()
    depart = world.assembly.components[-1].trips.depart / SECOND
    arrival, usual = (run.state["vehicle.arrival"] / SECOND for run in (world, free))
    there = (np.abs(usual - depart - 300) < 5) & (depart > 310) & (depart < 590)
    assert there.sum() > 3
    # driven as usual until 600 s, what is left of the 300 s takes twice as long
    assert (arrival - 600)[there] == pytest.approx(2 * (usual - 600)[there], abs=10)


def test_the_embedded_road_works_close_lanes_and_slow_the_same_links():
    kinds = {case.arm: [event.kind for event in case.events] for case in twin.load("roadworks").cases()}
    works = ["lane_closure"]
    assert kinds == {"no_works": [], "peak": works, "later": works, "peak_limit": [*works, "speed_limit"]}
    case = next(case for case in twin.load("roadworks").cases() if case.arm == "peak_limit")
    assert case.events[0].targets == case.events[1].targets != ()
