"""Calls and ambulances: exact times on five nodes in a row, 100 s a link."""

import numpy as np
import pytest

from tests.cities import line_city
from tests.models.emergency.service_world import kinds, parents_of
from tests.models.roads import Mirror, Planned, assemble
from twin.contract import SECOND, EventKind, Model
from twin.fields import Field
from twin.models.emergency.model import Emergency
from twin.models.policies.dispatch import ClosestIdle
from twin.world import World

PLAIN = {"calls_factor": 0.0, "spread": 0.0, "triage_error": 0.0}
ALL = tuple(range(8))


def one_call(at=100, zone=1, calls=1, duration=0):
    return Planned("surge", at * SECOND, (zone,), {"calls": calls, "duration": duration})


def world_of(events, city=None, duration=7200, seed=1, policies=None, **options):
    rules = [ClosestIdle()] if policies is None else policies
    options = {"emergency": {**PLAIN, **options}}
    parts = assemble(city or line_city(), [Emergency(), Mirror()], rules, events, duration, seed, options)
    return World(parts)


def times(world, call=0):
    columns = ("rung", "triaged", "dispatched", "on_scene", "at_hospital", "bay", "closed")
    return {c: world.state[f"call.{c}"][call] / SECOND for c in columns}


def test_one_call_passes_all_stages_at_the_times_worked_out_by_hand():
    world = world_of([one_call()]).run()
    # Rings at 100 s at node 3; 60 s triage; the order takes 2 s to arrive; 30 s dispatcher,
    # 60 s mobilisation, 3 links; 600 s on scene, 1 link to hospital, 900 s handover.
    assert times(world) == {
        "rung": 100,
        "triaged": 160,
        "dispatched": 162,
        "on_scene": 162 + 30 + 60 + 300,
        "at_hospital": 552 + 600 + 100,
        "bay": 1252,
        "closed": 2152,
    }
    assert world.kpis()["response_mean"] == 452
    assert world.kpis()["late_share"] == 0
    # Node 4 back to node 0: 400 s.
    assert world.state["unit.node"][0] == 0
    assert world.state["unit.stage"].tolist() == [0, 0]
    assert world.check() == []


def test_the_story_is_told_in_events():
    world = world_of([one_call()]).run()
    story = [k for k in kinds(world) if k.startswith(("call_", "unit_", "dispatch", "surge"))]
    assert story == [
        "surge",
        "call_rings",
        "call_triaged",
        "dispatch",
        "unit_dispatched",
        "dispatcher_free",
        "unit_on_scene",
        "unit_at_hospital",
        "call_closed",
        "unit_free",
    ]
    assert set(parents_of(world, kinds(world).index("unit_dispatched"))) == {"dispatch", "call_triaged"}


def test_a_dispatcher_is_busy_while_handling_an_order():
    world = world_of([one_call()]).run(170 * SECOND)
    assert world.state["dispatcher.idle"].tolist() == [False, True, True, True]
    assert world.run(193 * SECOND).state["dispatcher.idle"].all()


def test_two_calls_queue_for_one_bay():
    world = world_of([one_call(calls=2)]).run()
    first, second = times(world, 0), times(world, 1)
    assert first["at_hospital"] == second["at_hospital"] == 1252
    assert sorted([first["bay"], second["bay"]]) == [1252, 2152]
    assert world.kpis()["hospital_wait"] == 450
    assert world.check() == []


def test_a_road_that_closes_ahead_holds_the_unit_until_it_opens():
    events = [one_call(), Planned("shut", 400 * SECOND, (4,)), Planned("reopen", 1000 * SECOND, (4,))]
    world = world_of(events).run()
    # Under way since 252 s; rolls on to node 2 and stands there from 452 s to 1000 s (and 1 us).
    assert times(world)["on_scene"] == pytest.approx(1100, abs=1e-5)
    assert world.state["unit.leg_tries"].sum() == 1
    assert world.check() == []


def test_a_unit_on_its_way_back_goes_to_the_next_call_from_where_it_is():
    quick = line_city()
    units = {**quick["stations"], "units": np.array([1], dtype=np.int32)}
    world = world_of([one_call(), one_call(at=2230)], line_city(stations=units)).run()
    # Free at node 4 at 2152; call 2 triaged 2290, order 2292, at 2322 the unit is 170 s on its way:
    # it finishes link 5 (node 3 to 2) at 2352 and returns to node 3 by 2452.
    assert times(world, 1)["dispatched"] == 2292
    assert times(world, 1)["on_scene"] == 2452


def test_an_order_that_crosses_another_fails_and_is_decided_again():
    class Stubborn(ClosestIdle):
        name = "stubborn"

        def choose(self, observation, call, units, reach):
            return 0

    world = world_of([one_call(), one_call(at=101)], seed=2, policies=[Stubborn()]).run()
    assert world.state["call.priority"].tolist() == [3, 1]
    # At 161 s the second call, more urgent, is given unit 0 too: the first order acts only at 162 s.
    failed = [row for row in world.events.rows() if row[1] == "dispatch_failed"]
    assert [(row[0] / SECOND, row[2]) for row in failed] == [(163, 1)]
    assert world.state["call.stage"].tolist() == [8, 8]
    assert world.state["desk.failed_orders"][0] == 1


def test_a_late_unit_names_the_event_that_slowed_its_road():
    events = [one_call(), Planned("slow", 10 * SECOND, (2, 4), {"factor": 9.0})]
    world = world_of(events, siren_share=1.0).run()
    late = kinds(world).index("call_late")
    assert "slow" in parents_of(world, late)
    assert world.events.arrays()["value"][late] == 452 + 2 * 800


def test_nobody_answers_and_the_caller_hangs_up():
    city = line_city()
    world = world_of([one_call(calls=3)], city, call_takers=1, patience=50.0).run()
    assert sorted(world.state["call.stage"].tolist()) == [8, 9, 9]
    assert (world.state["call.closed"][world.state["call.stage"] == 9] == 150 * SECOND).all()
    assert world.check() == []


def test_calls_are_the_same_whatever_is_decided():
    lazy = world_of([], policies=[], calls_factor=10.0, spread=0.46, duration=14400).run()
    quick = world_of([], calls_factor=10.0, spread=0.46, duration=14400).run()
    assert lazy.state["call.rung"].tolist() == quick.state["call.rung"].tolist()
    assert lazy.kpis()["calls_served"] == 0 < quick.kpis()["calls_served"]
    assert lazy.kpis()["late_share"] == 1.0
    assert quick.check() == [] == lazy.check()


def test_without_the_surge_its_calls_do_not_ring():
    world = world_of([one_call(at=500)])
    world.run(100 * SECOND)
    other = world.branch(without=(0,)).run()
    assert "call_rings" not in kinds(other)
    assert "call_rings" in kinds(world.run())


@pytest.mark.parametrize("at", [130, 165, 400, 600, 1200, 1300, 1800, 2200, 2500])
def test_a_snapshot_at_any_stage_goes_on_bit_for_bit(tmp_path, at):
    events = [
        one_call(calls=2),
        one_call(at=900, zone=0),
        Planned("slow", 400 * SECOND, ALL, {"factor": 2.5}),
        Planned("shut", 1250 * SECOND, (4, 5)),
    ]
    whole = world_of(events, spread=0.46).run()
    world = world_of(events, spread=0.46)
    world.run(at * SECOND + 7).save(tmp_path)
    again = World.load(tmp_path, world.assembly).run()
    assert again.digest() == whole.digest()
    assert again.events.rows() == whole.events.rows()
    assert world.branch().run().digest() == whole.digest()


def test_daily_calls_follow_the_rate_and_the_people():
    world = world_of([], line_city(), duration=100 * 86400, policies=[], calls_factor=1.0)
    calls = world.assembly.by_name["emergency"].calls
    daily = calls.time.shape[0] / 100
    # Poisson: mean 24 a day, standard error 0.49; three quarters of the people live in zone 1.
    assert daily == pytest.approx(24, abs=4 * 0.49)
    assert (calls.zone == 1).mean() == pytest.approx(0.75, abs=4 * 0.009)
    assert (np.diff(calls.time) >= 0).all()


class Deaf(Mirror):
    """Reports that fall silent about unit 0 when the scenario says so."""

    owns = (
        *Mirror.owns,
        Field("observed_unit.silent", "bool", "1", "not heard", traced=True),
        Field("observed_link.silent", "bool", "1", "not heard", traced=True),
    )
    events = (EventKind("hush", "reports of everything end", scenario=True),)

    def on_event(self, view, event):
        view.put("observed_unit.silent", 0, True)
        view.put("observed_link.silent", slice(None), True)


class Ward(Model):
    """A hospital that loses its power when the scenario says so."""

    name = "ward"
    owns = (Field("hospital.powered", "bool", "1", "has power", 1, traced=True),)
    events = (EventKind("dark_ward", "hospitals lose power", scenario=True),)

    def on_event(self, view, event):
        view.put("hospital.powered", slice(None), False)


def world_with(parts, events):
    return World(assemble(line_city(), parts, [ClosestIdle()], events, 7200, 1, {"emergency": PLAIN}))


def test_a_hospital_without_power_takes_longer():
    world = world_with([Emergency(), Mirror(), Ward()], [one_call(), Planned("dark_ward", SECOND)]).run()
    assert times(world)["closed"] == 1252 + 1.5 * 900


def test_an_order_on_old_reports_names_the_silence():
    events = [Planned("hush", SECOND), one_call(), Planned("slow", 10 * SECOND, (4,), {"factor": 20.0})]
    world = world_with([Emergency(), Deaf()], events).run()
    assert "hush" in parents_of(world, kinds(world).index("unit_dispatched"))
    assert {"hush", "slow"} <= set(parents_of(world, kinds(world).index("call_late")))


def test_a_unit_held_up_by_a_closed_road_names_the_closing():
    events = [one_call(), Planned("shut", 400 * SECOND, (4,)), Planned("reopen", 1000 * SECOND, (4,))]
    world = world_of(events).run()
    assert "shut" in parents_of(world, kinds(world).index("call_late"))


def test_a_returning_unit_with_a_new_order_avoids_a_road_that_closes_meanwhile():
    stations = {**line_city()["stations"], "units": np.array([1], dtype=np.int32)}
    events = [one_call(), one_call(at=2278), Planned("shut", 2345 * SECOND, (3,))]
    world = world_of(events, line_city(stations=stations)).run()
    # Ordered at 2340 s, it would drive from link 5 on to link 3 at 2352 s; it stops at node 2
    # instead, and turns when the dispatcher is ready at 2370 s.
    assert times(world, 1)["on_scene"] == 2470
    assert world.check() == []


def test_the_most_urgent_patient_gets_the_next_bay():
    stations = {**line_city()["stations"], "units": np.array([3], dtype=np.int32)}
    calls = [one_call(), one_call(at=110), one_call(at=120)]
    world = world_of(calls, line_city(stations=stations), seed=6).run()
    priority = world.assembly.by_name["emergency"].calls.priority
    assert priority[2] < priority[1]
    assert world.state["call.at_hospital"].tolist() == [1252 * SECOND, 1262 * SECOND, 1272 * SECOND]
    assert np.argsort(world.state["call.bay"]).tolist() == [0, 2, 1]
