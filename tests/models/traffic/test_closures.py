"""A road that closes in the twin makes vehicles wait or turn; nobody is taken out of the traffic."""

from __future__ import annotations

import numpy as np

from tests.models.traffic.small_city import small_city
from twin.assembly import Assembly
from twin.contract import SECOND, Event, EventKind, Model, Setup
from twin.fields import Field
from twin.kernels.traffic_arrays import ARRIVED, CANCELLED, STRANDED
from twin.models.traffic import Traffic
from twin.world import World


class Barriers(Model):
    """Shuts links at given times, and opens them."""

    name = "barriers"
    adds = ("link.closure",)
    events = (EventKind("shut", "a link closes", quiet=True), EventKind("free", "a link opens", quiet=True))

    def __init__(self, plan: tuple[tuple[float, str, int], ...]) -> None:
        self.plan = plan

    def setup(self, setup: Setup) -> dict[str, int]:
        return {}

    def start(self, view) -> None:
        for time, kind, link in self.plan:
            view.schedule(kind, int(time * SECOND), data=link)

    def on_event(self, view, event: Event) -> None:
        view.add("link.closure", np.array([event.data]), int(event.kind == "shut"))


class Rain(Model):
    """Slows link 0 to a twentieth from the first minute on."""

    name = "rain"
    owns = (Field("link.wet_speed", "float64", "1", "share of the dry speed", 1, traced=True),)
    events = (EventKind("pour", "it rains", quiet=True),)

    def setup(self, setup: Setup) -> dict[str, int]:
        return {}

    def start(self, view) -> None:
        view.schedule("pour", 60 * SECOND)

    def on_event(self, view, event: Event) -> None:
        view.put("link.wet_speed", 0, 0.05)


def world_with(plan, pairs, reroute_every=36_000.0, others=()):
    setup = Setup(small_city(pairs, trips=4000), {}, 1, 1_768_460_400 * SECOND, 1800 * SECOND)
    options = {"traffic": {"informed_share": 0.5, "reroute_every": reroute_every}}
    return World(Assembly(setup.city, [Traffic(), Barriers(plan), *others], [], setup, options))


PAIRS = [(0, 1), (1, 0), (1, 2), (2, 1)]
"""A street with a zone at each end and in its middle: link 2 is the only way into node 2."""


def test_who_has_no_way_waits_and_drives_on_when_the_road_opens():
    open_world = world_with((), PAIRS).run()
    world = world_with(((300.0, "shut", 2), (420.0, "free", 2)), PAIRS).run()
    count = world.state["outcome.vehicles"]
    assert count[STRANDED] == count[CANCELLED] == 0
    arrival, before = world.state["vehicle.arrival"], open_world.state["vehicle.arrival"]
    both = (arrival >= 0) & (before >= 0)
    assert count[ARRIVED] > 200
    assert (arrival[both] - before[both]).max() > 60 * SECOND
    assert world.kpis()["vehicle_hours"] > open_world.kpis()["vehicle_hours"]


def test_who_waits_to_the_end_counts_as_under_way():
    world = world_with(((300.0, "shut", 2),), PAIRS, reroute_every=600.0).run()
    count = world.state["outcome.vehicles"]
    assert count[STRANDED] == count[CANCELLED] == 0
    trips = world.assembly.by_name["traffic"].trips
    late = (trips.destination == 2) & (trips.origin != 2) & (trips.depart > 400 * SECOND)
    assert late.sum() > 5
    assert (world.state["vehicle.arrival"][late] < 0).all()


def test_a_road_that_opens_is_used_at_once():
    # Two ways from 0 to 1: direct, and the longer one by 2. No update of the informed falls into the run.
    world = world_with(((60.0, "shut", 0), (300.0, "free", 0)), [(0, 1), (1, 0), (0, 2), (2, 1), (1, 2), (2, 0)])
    model = world.assembly.by_name["traffic"]
    to_1 = int(np.searchsorted(model.destinations, 1))
    taken = []
    for until in ("59 s", "61 s", "301 s"):
        world.run(until)
        taken.append(
            [
                int(world.state[f"next_hop.{who}"].reshape(len(model.destinations), -1)[to_1, 0])
                for who in ("informed", "habitual")
            ]
        )
    assert taken == [[0, 0], [2, 2], [0, 0]]


def test_who_does_not_hear_of_times_learns_of_no_wet_road_when_another_closes():
    # 0 - 1 direct, and by 2; the link back from 2 closes and opens
    pairs = [(0, 1), (1, 0), (0, 2), (2, 1), (1, 2), (2, 0)]
    world = world_with(((120.0, "shut", 5), (240.0, "free", 5)), pairs, others=[Rain()])
    model = world.assembly.by_name["traffic"]
    to_1 = int(np.searchsorted(model.destinations, 1))
    world.run("301 s")
    tables = [world.state[f"next_hop.{who}"].reshape(len(model.destinations), -1) for who in ("informed", "habitual")]
    assert [int(table[to_1, 0]) for table in tables] == [2, 0]
