"""Relocation: where freed and idle ambulances are sent to wait."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.cities import line_city
from tests.models.roads import Mirror, Planned, assemble
from tests.policies.test_dispatch import PLAIN
from twin.contract import SECOND
from twin.models.emergency.model import Emergency
from twin.models.policies.dispatch import ClosestIdle
from twin.models.policies.moveup import ComplianceTable, DmexclpRelocation, PriorityList, Static
from twin.world import World

ALL = [Static, DmexclpRelocation, PriorityList, ComplianceTable]


def town(units=(2, 0)):
    """Return the line with stations at nodes 0 and 3; nearly everybody lives at node 3."""
    city = line_city()
    stations = {name: np.concatenate([column, column]) for name, column in city["stations"].items()}
    stations["node"] = np.array([0, 3], dtype=np.int32)
    stations["units"] = np.array(units, dtype=np.int32)
    zones = {**city["zones"], "population": np.array([1, 3000], dtype=np.int32)}
    near = {**city.parameters["emergency"], "target_response": [320.0] * 3}
    return replace(line_city(stations=stations, zones=zones), parameters={"emergency": near})


def run(policy, events=(), city=None, until=None, **options):
    parts = assemble(
        city or town(), [Emergency(), Mirror()], [ClosestIdle(), policy], events, 9000, 1, {**PLAIN, **options}
    )
    return World(parts).run(until)


def call(at, zone=1, calls=1):
    return Planned("surge", at * SECOND, (zone,), {"calls": calls, "duration": 0})


@pytest.mark.parametrize("rule", [DmexclpRelocation, PriorityList])
def test_a_freed_ambulance_goes_where_people_are_uncovered(rule):
    world = run(rule(), [call(100)])
    assert world.state["unit.station"].tolist() == [1, 0]
    assert world.state["unit.node"].tolist() == [3, 0]
    assert world.check() == []


def test_without_relocation_it_goes_home():
    assert run(Static(), [call(100)]).state["unit.node"].tolist() == [0, 0]


def test_the_second_goes_where_the_first_is_not():
    # Both are freed; the many at node 3 gain half as much by a second unit, still more than the one person at node 1.
    world = run(DmexclpRelocation(), [call(100, calls=2)], dmexclp_relocation={"busy_fraction": 0.5})
    assert world.state["unit.station"].tolist() == [1, 1]
    even = town()
    even = replace(
        even, tables={**even.tables, "zones": {**even["zones"], "population": np.array([3000, 3000], np.int32)}}
    )
    assert sorted(run(DmexclpRelocation(), [call(100, calls=2)], even).state["unit.station"].tolist()) == [0, 1]


def test_only_a_table_moves_units_that_did_nothing():
    # The unit of node 3 is sent out; the other one, idle at node 0, takes its place at once.
    events, city = [call(100)], town((1, 1))
    table = run(ComplianceTable(), events, city, until=400 * SECOND)
    assert table.state["unit.station"].tolist() == [1, 1]
    assert table.state["desk.moves"].sum() == 1
    assert run(DmexclpRelocation(), events, city, until=400 * SECOND).state["desk.moves"].sum() == 0


def test_lists_and_tables_go_on_where_a_plan_has_more_ambulances_than_the_stations():
    # The city has one ambulance. A second one at node 3 adds half of 3000 people, one at node 0 a single person.
    policy, table = PriorityList(), ComplianceTable()
    for rule in (policy, table):
        run(rule, city=town((1, 0)), until=SECOND)
    assert policy.listed == (1,)
    assert policy.place(np.array([0, 1]), own=0) == 1
    assert [table.row(count).tolist() for count in (1, 3)] == [[1], [1, 1, 1]]


@pytest.mark.parametrize("rule", ALL)
def test_a_run_cut_in_two_is_the_same(rule):
    whole = run(rule(), [call(100, calls=3), call(2000, 0)])
    world = run(rule(), [call(100, calls=3), call(2000, 0)], until=2100 * SECOND)
    assert world.run().digest() == whole.digest()
