"""Patients who wait get worse: told by hand on the line city. With seed 2 the call at node 3 has priority 3."""

import math

import pytest

from tests.models.emergency.service_world import kinds, parents_of, plan_file, seconds, service
from tests.models.roads import Planned
from twin.contract import SECOND
from twin.models.emergency.outcomes import survival
from twin.world import World


def one_call(at=100, zone=1, calls=1):
    return Planned("surge", at * SECOND, (zone,), {"calls": calls, "duration": 0})


def patient(plan="", **given):
    return service([one_call()], plan=plan, seed=2, **{"worsens_after": 300.0, **given})


def moments(world):
    return [(row[0] / SECOND, row[3]) for row in world.events.rows() if row[1] == "patient_worsens"]


def test_a_patient_nobody_is_sent_to_becomes_more_urgent_step_by_step():
    world = patient(dispatch=False).run()
    # Triaged at 160 s with priority 3; after 300 s each more urgent, until there is nothing above.
    assert moments(world) == [(460.0, 2.0), (760.0, 1.0)]
    assert world.state["call.priority"][0] == 1
    assert world.kpis()["patients_worsened"] == 2
    assert world.check() == []


def test_a_patient_who_is_reached_in_time_does_not():
    world = patient().run()
    assert seconds(world, "on_scene") < 460
    assert moments(world) == []
    assert world.kpis()["patients_worsened"] == 0


@pytest.mark.parametrize(("at", "new"), [(400, 2), (500, 1), (800, 0)])
def test_a_future_counts_only_what_worsens_in_it(at, new):
    world = patient(dispatch=False).run(at * SECOND)
    ended = world.branch(policies=[], horizon=1000 * SECOND, replications=1, workers=1).branches[0]
    assert ended.whole["patients_worsened"] == 2
    assert ended.figures["patients_worsened"] == new


def test_patients_worsen_only_when_told_to():
    assert moments(patient(dispatch=False, worsens_after=0.0).run()) == []


def test_a_crime_does_not_worsen(tmp_path):
    units = "units: [{kind: ambulance, station: west}, {kind: police, station: west}]\n"
    crime = "incidents: {crime: {share: 1}, medical: {share: 0}}\n"
    assert moments(patient(plan_file(tmp_path, units + crime), dispatch=False).run()) == []


def test_the_chain_behind_it_leads_back_to_the_call():
    world = patient(dispatch=False).run()
    first = kinds(world).index("patient_worsens")
    assert parents_of(world, first) == ["call_triaged"]


def test_the_chance_to_survive_follows_the_wait_of_urgent_calls():
    # With seed 1 the call has priority 1; nobody comes for 1000 s.
    waiting = service([one_call()], dispatch=False, seed=1).run(1100 * SECOND)
    assert waiting.assembly.by_name["emergency"].calls.priority.tolist() == [1]
    assert waiting.kpis()["survival_proxy"] == pytest.approx(survival([1000.0])[0])
    assert math.isnan(patient(dispatch=False).run().kpis()["survival_proxy"])


@pytest.mark.parametrize("at", [165, 459, 500, 760])
def test_worsening_keeps_the_law(tmp_path, at):
    whole, world = patient(dispatch=False).run(), patient(dispatch=False)
    again = World.load(world.run(at * SECOND + 3).save(tmp_path / "kept"), world.assembly).run()
    assert again.digest() == whole.digest() == world.branch().run().digest()
