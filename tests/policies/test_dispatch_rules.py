"""Lists, tables, rollout and hospitals as rules of dispatch: whom each sends on a line of five nodes."""

from __future__ import annotations

import inspect
from dataclasses import replace

import numpy as np
import pytest

from tests.cities import line_city
from tests.models.roads import Mirror, Planned, assemble
from tests.policies.test_dispatch import PLAIN, two_stations
from twin import registry
from twin.contract import SECOND
from twin.models.emergency.belief import believed_means, zone_of_nodes
from twin.models.emergency.model import Emergency
from twin.models.policies.dispatch import ClosestIdle
from twin.models.policies.dispatch_hospital import HospitalAware
from twin.models.policies.dispatch_lists import Districts
from twin.models.policies.dispatch_mdp import MdpHeuristic
from twin.models.policies.dispatch_rollout import Rollout, _clearly_best
from twin.world import World

TWO = {"call_takers": 2, "dispatchers": 2}
RULES = [Districts, HospitalAware, MdpHeuristic, Rollout]


def call(at, zone, calls=1):
    return Planned("surge", at * SECOND, (zone,), {"calls": calls, "duration": 0})


def run(policy, events, city=None, duration=7200, **options):
    parts = assemble(
        city or two_stations(), [Emergency(), Mirror()], [policy], events, duration, 1, {**PLAIN, **options}
    )
    return World(parts).run()


def with_settings(city, **settings):
    return replace(city, parameters={"emergency": {**city.parameters["emergency"], **settings}})


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_serves_every_call(rule):
    world = run(rule(), [call(100, 0, 3), call(900, 1, 3)], duration=14_000)
    assert (world.state["call.stage"] == 8).all()
    assert world.check() == []


@pytest.mark.parametrize("name", sorted(registry.policies("dispatch")) + sorted(registry.policies("relocation")))
def test_a_rule_fits_on_a_page(name):
    source = inspect.getsource(registry.get("policy", name))
    assert len(source.splitlines()) <= 60


def test_districts_send_the_station_of_the_place_although_another_unit_is_nearer_now():
    # Stations at nodes 3 and 2, hospital at node 0. Unit 0 is free there at 2052 s and nearly at node 1 when a call
    # comes from there (triaged at 2070 s). Node 1 is in the district of node 2, where unit 1 waits.
    city = two_stations()
    hospitals = {**city["hospitals"], "node": np.array([0], dtype=np.int32)}
    stations = {**city["stations"], "node": np.array([3, 2], dtype=np.int32)}
    city = replace(city, tables={**city.tables, "hospitals": hospitals, "stations": stations})
    calls = [call(100, 1), call(2010, 0)]
    assert run(ClosestIdle(), calls, city).state["call.unit"].tolist() == [0, 0]
    assert run(Districts(), calls, city).state["call.unit"].tolist() == [0, 1]


def test_a_call_waits_for_the_ambulance_that_hands_over_next_door():
    # Handover of unit 0 at node 4 ends at 1952 s; a call of node 3 is triaged at 1900 s. Unit 1 would need 300 s
    # of road, unit 0 about 52 s and one link: it waits, and unit 0 goes.
    events = [call(100, 1), call(1840, 1)]
    assert run(ClosestIdle(), events).state["call.unit"].tolist() == [0, 1]
    world = run(HospitalAware(), events)
    assert world.state["call.unit"].tolist() == [0, 0]
    assert world.state["call.on_scene"][1] < run(ClosestIdle(), events).state["call.on_scene"][1]


def test_no_call_waits_for_an_ambulance_that_is_not_clearly_sooner():
    events = [call(100, 1), call(1840, 1)]
    assert run(HospitalAware(), events, hospital_aware={"sooner": 400.0}).state["call.unit"].tolist() == [0, 1]


def test_only_one_call_waits_for_the_same_ambulance():
    # As above with two calls of node 3 at once: unit 0 can take one of them, the other gets unit 1 right away.
    world = run(HospitalAware(), [call(100, 1), call(1840, 1, 2)], emergency={**PLAIN["emergency"], **TWO})
    handed_over = world.state["call.closed"][0]
    assert sorted(world.state["call.unit"].tolist()) == [0, 0, 1]
    assert (world.state["call.dispatched"][1:] < handed_over).tolist().count(True) == 1


def test_the_process_keeps_the_unit_that_alone_is_in_time_for_the_many():
    # 400 s allow 250 s of road: both are in time at node 1, only unit 0 (node 2) is at node 3 with 3000 people.
    city = with_settings(two_stations(), target_response=[400.0] * 3, calls_per_day=60.0)
    assert run(ClosestIdle(), [call(100, 0)], city).state["call.unit"][0] == 0
    assert run(MdpHeuristic(), [call(100, 0)], city).state["call.unit"][0] == 1


def test_the_process_sends_the_closest_to_a_call_that_is_late_anyway():
    # To a table of which every entry is late the units are alike, and it names the first, here the far one.
    city = two_stations()
    stations = {**city["stations"], "node": np.array([0, 2], dtype=np.int32)}
    city = with_settings(replace(city, tables={**city.tables, "stations": stations}), target_response=[50.0] * 3)
    assert run(MdpHeuristic(), [call(100, 1)], city).state["call.unit"][0] == 1


def test_groups_hold_no_more_units_than_asked():
    world = run(MdpHeuristic(), [call(100, 0), call(100, 1)], two_stations(far_units=4), mdp_heuristic={"group": 2})
    assert (world.state["call.stage"] == 8).all()


def test_rollout_keeps_the_unit_the_many_need_when_calls_are_frequent():
    city = with_settings(two_stations(), target_response=[400.0] * 3, calls_per_day=200.0)
    options = {"rollout": {"futures": 60, "horizon": 900.0}}
    assert run(Rollout(), [call(100, 0)], city, **options).state["call.unit"][0] == 1
    rare = with_settings(two_stations(), target_response=[400.0] * 3, calls_per_day=0.1)
    assert run(Rollout(), [call(100, 0)], rare, **options).state["call.unit"][0] == 0


def test_rollout_believes_units_busy_that_it_has_just_sent():
    believed = []

    class Recorded(Rollout):
        def _situation(self, observation, settled):
            found = super()._situation(observation, settled)
            believed.append((found.ready.tolist(), dict(settled.sent)))
            return found

    policy = Recorded()
    run(policy, [call(100, 1, 2)], duration=400, emergency={**PLAIN["emergency"], **TWO})
    (none, first), (second, sent) = believed[:2]
    assert (none, first) == ([0.0, 0.0], {})
    (unit,) = sent.values()
    assert second[unit] == policy.means.service
    assert second[1 - unit] == 0.0


def test_noise_does_not_decide():
    noisy = np.array([[1.0, 1.2, 0.9, 1.1], [2.0, 0.1, 1.0, 0.9]])
    assert _clearly_best(noisy) == 0
    assert _clearly_best(np.array([[1.0, 1.2, 0.9, 1.1], [0.5, 0.7, 0.5, 0.6]])) == 1


def test_belief_is_made_of_published_figures():
    means = believed_means(line_city(), 90.0)
    # Talk 60 s; people 1000 at node 1 and 3000 at node 3; station at node 0: 100 s and 300 s; hospital at node 4.
    assert means.talk == 60.0
    assert means.scene == 600.0 + (300.0 * 1000 + 100.0 * 3000) / 4000 + 900.0
    assert means.service == 90.0 + (100.0 * 1000 + 300.0 * 3000) / 4000 + means.scene
    assert zone_of_nodes(line_city()).tolist()[:2] == [0, 0]
