"""Dispatch rules: whom they send, on a line where distances are plain."""

import numpy as np
import pytest

from tests.cities import line_city
from tests.models.emergency.service_world import Watch, plan_file
from tests.models.emergency.service_world import two_stations as ends
from tests.models.roads import Mirror, Planned, assemble
from twin.contract import SECOND
from twin.kernels import coverage
from twin.models.emergency.model import Emergency
from twin.models.policies.dispatch import ClosestIdle, Dmexclp
from twin.world import World

PLAIN = {"emergency": {"calls_factor": 0.0, "spread": 0.0, "triage_error": 0.0}}


def two_stations(far_units=1):
    """Return the line with one unit at node 2 and others at node 0; people only at node 3."""
    city = line_city()
    stations = {name: np.concatenate([column, column]) for name, column in city["stations"].items()}
    stations["node"] = np.array([2, 0], dtype=np.int32)
    stations["units"] = np.array([1, far_units], dtype=np.int32)
    zones = {**city["zones"], "population": np.array([1, 3000], dtype=np.int32)}
    return line_city(stations=stations, zones=zones)


def sent(policy, zone, events=(), city=None, **options):
    events = [Planned("surge", 100 * SECOND, (zone,), {"calls": 1, "duration": 0}), *events]
    parts = assemble(city or two_stations(), [Emergency(), Mirror()], [policy], events, 3600, 1, {**PLAIN, **options})
    world = World(parts).run()
    return int(world.state["call.unit"][0])


def test_closest_idle_sends_the_nearer_unit():
    assert sent(ClosestIdle(), zone=1) == 0


def test_closest_idle_goes_by_reported_times_not_by_distance():
    # Node 1 lies between the stations; the road from node 2 to node 1 is slow.
    slow = Planned("slow", 10 * SECOND, (3,), {"factor": 5.0})
    assert sent(ClosestIdle(), zone=0, events=[slow]) == 1


def test_dmexclp_keeps_the_unit_that_alone_covers_the_people():
    # Both can be at node 1 in time (100 s each); only unit 0 covers node 3: 60 s to
    # answer, 90 s to leave and 250 s to drive are allowed.
    city = two_stations()
    near = {**city.parameters["emergency"], "target_response": [400.0, 400.0, 400.0]}
    from dataclasses import replace

    city = replace(city, parameters={"emergency": near})
    assert sent(Dmexclp(), zone=0, city=city) == 1


def test_dmexclp_sends_the_closest_when_nobody_is_in_time():
    from dataclasses import replace

    city = two_stations()
    near = {**city.parameters["emergency"], "target_response": [50.0, 50.0, 50.0]}
    assert sent(Dmexclp(), zone=1, city=replace(city, parameters={"emergency": near})) == 0


def test_dmexclp_believes_units_of_its_own_kind_and_on_duty_only(tmp_path, monkeypatch):
    # Of four units only the two at the east may be sent: one is at the hospital when the second call comes.
    believed = []
    losses = coverage.coverage_losses
    monkeypatch.setattr(coverage, "coverage_losses", lambda *given: believed.append(given[3]) or losses(*given))
    plan = plan_file(
        tmp_path,
        "rosters: {all: ['00:00-24:00'], night: ['22:00-06:00']}\nunits:\n"
        "  - {kind: ambulance_advanced, station: east, count: 2, roster: all}\n"
        "  - {kind: ambulance_advanced, station: west, roster: night}\n"
        "  - {kind: police, station: west, roster: all}\n",
    )
    calls = [Planned("surge", at * SECOND, (1,), {"calls": 1, "duration": 0}) for at in (100, 900)]
    city = line_city(stations=ends())
    parts = [Emergency(), Watch(4)]
    World(
        assemble(city, parts, [Dmexclp()], calls, 1500, 1, {"emergency": {**PLAIN["emergency"], "service": plan}})
    ).run()
    assert set(believed) == {0.05, 0.5}


@pytest.mark.parametrize("rule", [ClosestIdle, Dmexclp])
def test_urgent_calls_come_first(rule):
    class Late(rule):
        name = "late"
        every = 300 * SECOND
        on = ()

    events = [Planned("surge", 100 * SECOND, (1,), {"calls": 8, "duration": 0})]
    parts = assemble(two_stations(), [Emergency(), Mirror()], [Late()], events, 302, 3, PLAIN)
    world = World(parts).run(301 * SECOND)
    orders = [row for row in world.events.rows() if row[1] == "order.dispatch"]
    priorities = world.state["call.priority"][[row[2] for row in orders]]
    assert len(orders) == 2
    assert sorted(world.state["call.priority"])[:2] == sorted(priorities)
