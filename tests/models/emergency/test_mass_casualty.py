"""The suite of a mass-casualty incident: it is sound, breaks no invariant, and keeps the law in its busiest hour."""

from __future__ import annotations

import numpy as np
import pytest

import twin
from tests.models.emergency.service_world import service
from tests.models.roads import Planned
from twin.contract import MINUTE, SECOND
from twin.execution.run import assemble
from twin.models.emergency.metrics import ENDS
from twin.why import Causes
from twin.world import World

END = 75 * MINUTE


@pytest.fixture(scope="module")
def whole():
    case = next(case for case in twin.load("mass_casualty").cases() if case.arm == "B")
    return World(assemble(case)).run(END)


def test_every_agency_is_sent_and_every_call_ends_in_one_way(whole):
    table = whole.assembly.by_name["emergency"].tables(whole.view("emergency"))["incidents/calls"]
    event = table["incident"] == table["incident"][np.flatnonzero(table["kind"] == "mass_casualty")[0]]
    sent = set(table["need"][event & (table["unit"] >= 0)])
    assert {"treat+carry", "pump", "extricate", "secure"} <= sent
    assert set(table["end"]) <= set(ENDS)
    ended = [whole.kpis()[f"calls_{end}"] for end in ENDS]
    assert ended == [(table["end"] == end).sum() for end in ENDS]
    assert sum(ended) == table["end"].shape[0]
    assert whole.check() == []


def test_the_stadium_lies_in_the_dark(whole):
    city, emergency = whole.assembly.city, whole.assembly.by_name["emergency"]
    table = emergency.tables(whole.view("emergency"))["incidents/calls"]
    nodes, buses = city["nodes"], city["buses"]
    stadium = np.flatnonzero(nodes["id"] == table["node"][table["kind"] == "mass_casualty"][0])
    far = np.hypot(buses["x"] - nodes["x"][stadium], buses["y"] - nodes["y"][stadium])
    near = np.argsort(far)[:10]
    assert far[near].max() < 1200
    assert not whole.state["bus.energised"][near].any()


def test_the_procedures_bring_help_and_are_told_stage_by_stage(whole):
    kinds = [row[1] for row in whole.events.rows()]
    assert kinds.count("procedure_begins") == 2
    assert "request_aid" in kinds
    table = whole.assembly.by_name["procedures"].tables(whole.view("procedures"))["procedures/timeline"]
    begun = table["acknowledged_time"] >= 0
    assert begun.sum() >= 8
    assert (table["acknowledged_time"][begun] >= table["told_time"][begun]).all()


def test_a_late_patient_leads_back_to_the_incident(whole):
    causes = Causes(whole.events.arrays(), whole.parents.arrays())
    late = causes.richest("call_late", planned={"mass_casualty"})
    assert "mass_casualty" in causes.kinds(late)


@pytest.mark.parametrize("minute", [47, 58])
def test_the_busiest_hour_keeps_the_law(whole, tmp_path, minute):
    world = World(whole.assembly).run(minute * MINUTE + 7)
    again = World.load(world.save(tmp_path), whole.assembly).run(END)
    assert again.digest() == whole.digest()
    assert again.events.rows() == whole.events.rows()


def test_an_incident_is_not_lost_when_callers_hang_up(tmp_path):
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        "units:\n  - {kind: ambulance_advanced, station: west, count: 4}\n"
        "  - {kind: fire_engine, station: east, count: 4}\n"
        "incidents:\n  medical: {share: 100}\n  mass_casualty: {needs: [treat+carry, pump]}\n"
    )
    events = [
        Planned("surge", 90 * SECOND, (1,), {"calls": 12, "duration": 0}),
        Planned("mass_casualty", 100 * SECOND, (1,), {"casualties": 30, "callers": 20, "calling": 1800.0}),
    ]
    world = service(events=events, plan=plan, call_takers=1, patience=100.0, duration=14400).run()
    told = [row[1] for row in world.events.rows()]
    assert "call_closed" in told
    assert told.count("mass_casualty_declared") == 1
    assert world.kpis()["calls_abandoned"] > 0
    assert world.check() == []
