"""The suite `cascade` tells its whole story: from rain to a dry hydrant, and what an order of repairs is worth."""

from __future__ import annotations

import numpy as np
import pytest

import twin
from twin.why import Causes, verify_each

pytestmark = pytest.mark.slow

CHAIN = ("rain", "drains_full", "substation_wet", "substation_trip", "outage", "pump_stopped")
ORDERS = ("first_come", "largest_capacity", "betweenness", "hospital_first", "joint_power_water", "lookahead")


@pytest.fixture(scope="module")
def suite():
    return twin.load("cascade")


@pytest.fixture(scope="module")
def runs(suite):
    return {arm: suite.world(arm).run() for arm in ORDERS}


def causes_of(world):
    return Causes(world.events.arrays(), world.parents.arrays())


def test_a_dry_hydrant_goes_back_to_the_rain_and_to_failures_still_in_force(runs):
    found = causes_of(runs["first_come"])
    event = found.find("hydrant_dry")[0]
    assert set(CHAIN) < found.kinds(event)
    assert {str(found.events["kind"][root]) for root in found.roots(event)} == {"rain", "drain_blockage", "storm"}


def test_without_the_rain_the_hydrant_is_not_dry(runs):
    world = runs["first_come"]
    found = causes_of(world)
    verdicts = verify_each(found, found.find("hydrant_dry")[0], world.assembly)
    gone = {verdict.root_kind: verdict.gone for verdict in verdicts if not verdict.others}
    assert gone["rain"]
    assert not gone["storm"]


def test_the_dispatch_sends_engines_and_the_fire_without_water_keeps_them(runs):
    world = runs["first_come"]
    found = causes_of(world)
    stalled = found.find("fire_stalls")[0]
    assert {"hydrant_dry", "engine_on_scene", "unit_dispatched", "call_rings", "fire"} <= found.kinds(stalled)
    assert found.find("engine_sent") == []
    first = found.find("fire")[0]
    fights = (world.state["call.scenario"] == found.events["data"][first]) & world.state["call.fights"]
    lost = float(found.events["time"][found.find("building_lost")[0]])
    assert np.abs(world.state["call.closed"][fights] - lost).max() < 60e6


def test_orders_of_repair_differ_and_looking_ahead_costs_little_more_than_the_best(runs):
    lost = {arm: world.kpis()["person_hours_lost"] for arm, world in runs.items()}
    assert len(set(lost.values())) == len(ORDERS)
    assert lost["lookahead"] < lost["first_come"]
    assert lost["lookahead"] < 1.15 * min(lost.values())


def test_there_are_more_failures_than_crews_and_every_run_adds_up(runs):
    assert len(runs) >= 2
    for arm, world in runs.items():
        failed = {row[2] for row in world.events.rows() if row[1] in ("line_failure", "substation_trip")}
        assert len(failed) > world.state["crew.free"].shape[0], arm
        assert world.check() == [], arm
