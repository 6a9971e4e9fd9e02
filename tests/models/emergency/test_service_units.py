"""Units of a service, told by hand: moves, upgrades, rosters, neighbours, several units at one place."""

import pytest

from tests.models.emergency.service_world import HALVES, kinds, parents_of, plan_file, seconds, service
from tests.models.roads import Planned
from twin.contract import SECOND, Model
from twin.fields import Field
from twin.models.emergency.tables import NOT_ABLE, NOT_FREE, OFF_DUTY
from twin.world import World

FIRE = """
units:
  - {kind: fire_engine, station: west}
  - {kind: ambulance, station: east}
incidents:
  medical: {share: 0}
  fire: {share: 1, needs: [pump, treat+carry]}
"""


class Deaf(Model):
    """Knows which units are not heard: none."""

    name = "deaf"
    owns = (Field("observed_unit.silent", "bool", "1", "not heard", traced=True),)


def one_call(at=100, zone=1, calls=1):
    return Planned("surge", at * SECOND, (zone,), {"calls": calls, "duration": 0})


def failures(world):
    return [(row[0] / SECOND, int(row[4])) for row in world.events.rows() if row[1] == "dispatch_failed"]


def test_a_moved_unit_stands_at_its_new_station_and_goes_back_there():
    world = service(orders=[(10, "move", 0, 1)], duration=2000).run(411 * SECOND)
    assert world.state["unit.stage"].tolist() == [6, 0]
    world.run(413 * SECOND)
    # Ordered at 12 s, 400 s of driving from node 0 to node 4.
    assert world.state["unit.node"].tolist() == [4, 4]
    assert world.state["unit.stage"].tolist() == [0, 0]
    assert world.check() == []


def test_a_moving_unit_takes_a_call_from_where_it_is():
    world = service([one_call(100, 0)], orders=[(10, "move", 0, 1)], dispatch=True).run()
    # At 192 s, when the dispatcher is ready, it is on its way from node 1 to 2: on to 2, back to 1.
    assert seconds(world, "on_scene") == 312
    assert world.state["unit.node"][0] == 4


@pytest.mark.parametrize(("unit", "station"), [(0, 7), (0, -1)])
def test_a_move_to_no_station_fails(unit, station):
    world = service(orders=[(10, "move", unit, station)], duration=600).run()
    assert "move_failed" in kinds(world)
    assert world.state["desk.failed_orders"][0] == 1


def test_a_busy_unit_is_not_moved():
    world = service([one_call()], orders=[(200, "move", 1, 0)], duration=2500).run()
    assert "move_failed" in kinds(world)
    assert world.state["unit.station"].tolist() == [0, 1]


UPGRADE = "units: [{kind: ambulance, station: west}]\nupgrades: [[3, 1]]\n"


def two_calls(plan, **given):
    """Return a world with a call of priority 3 at node 3 and, later, one of priority 1 at node 1."""
    calls = [one_call(100, 1), one_call(200, 0)]
    return service(calls, [(270, "dispatch", 1, 0)], plan, seed=2, **given)


def test_a_unit_under_way_is_taken_for_a_more_urgent_call(tmp_path):
    world = two_calls(plan_file(tmp_path, UPGRADE)).run(400 * SECOND)
    assert world.state["call.unit"].tolist() == [-1, 0]
    world.run()
    assert world.state["call.priority"].tolist() == [3, 1]
    # Sets off for node 3 at 252 s; the order acts at 272 s, the dispatcher is ready at 302 s; node 1 at 352 s.
    assert seconds(world, "on_scene", 1) == 352
    # Scene until 952, hospital 1252, free 2152; the first call is given again at 2162 s (the
    # desk looks every 30 s, and orders take 2 s) and reached from node 4.
    assert seconds(world, "dispatched", 0) == 2162
    assert seconds(world, "on_scene", 0) == 2252
    assert world.state["call.preempted"].tolist() == [1, 0]
    assert world.kpis()["units_preempted"] == 1
    assert world.check() == []


@pytest.mark.parametrize(("at", "new"), [(265, 1), (400, 0)])
def test_a_future_counts_only_the_units_taken_in_it(tmp_path, at, new):
    world = two_calls(plan_file(tmp_path, UPGRADE)).run(at * SECOND)
    ended = world.branch(policies=[], horizon=600 * SECOND, replications=1, workers=1).branches[0]
    assert ended.whole["units_preempted"] == 1
    assert ended.figures["units_preempted"] == new


def test_a_call_is_open_while_it_waits_and_while_a_unit_is_under_way(tmp_path):
    world = two_calls(plan_file(tmp_path, UPGRADE)).run(400 * SECOND)
    assert world.state["call.unit"].tolist() == [-1, 0]
    assert world.kpis()["calls_open"] == 2


def test_the_lateness_of_a_call_that_lost_its_unit_names_the_order(tmp_path):
    world = two_calls(plan_file(tmp_path, UPGRADE)).run()
    found = kinds(world)
    again = [i for i, kind in enumerate(found) if kind == "unit_dispatched"][-1]
    assert "call_preempted" in parents_of(world, again)
    assert "unit_dispatched" in parents_of(world, found.index("call_preempted"))


def test_without_an_upgrade_in_the_table_the_order_fails(tmp_path):
    world = two_calls(plan_file(tmp_path, "units: [{kind: ambulance, station: west}]\nupgrades: [[2, 1]]\n")).run()
    assert (272.0, NOT_FREE) in failures(world)
    assert seconds(world, "on_scene", 0) == 552


def test_a_shift_that_ends_during_a_call_becomes_overtime(tmp_path):
    text = HALVES + (
        "units:\n- {kind: ambulance, station: west, roster: day}\n- {kind: ambulance, station: east, roster: late}\n"
    )
    world = service([one_call(), one_call(700)], plan=plan_file(tmp_path, text)).run()
    # The first unit would be free at 2152 s and is home at 2552 s; its shift ended at 600 s.
    assert seconds(world, "on_scene", 0) == 552
    assert world.state["unit.overtime"].tolist() == [1952 * SECOND, 0]
    assert world.state["unit.stage"].tolist() == [OFF_DUTY, 0]
    # The second came on duty at 600 s: triaged 760, ordered 762, 90 s to leave, one link.
    assert seconds(world, "on_scene", 1) == 952
    assert world.check() == []


def test_an_idle_unit_goes_off_when_its_shift_ends(tmp_path):
    text = HALVES + (
        "units:\n- {kind: ambulance, station: west, roster: day}\n- {kind: ambulance, station: east, roster: late}\n"
    )
    world = service(plan=plan_file(tmp_path, text), duration=1200)
    assert world.run(599 * SECOND).state["unit.free"].tolist() == [True, False]
    assert world.run(601 * SECOND).state["unit.free"].tolist() == [False, True]
    assert world.state["unit.overtime"].sum() == 0
    assert world.check() == []


def test_a_neighbour_comes_when_asked(tmp_path):
    text = "units:\n- {kind: ambulance, station: west}\n- {kind: ambulance, station: east, aid: 10 min}\n"
    world = service(orders=[(50, "request_aid", -1, 1)], plan=plan_file(tmp_path, text), aid_hours=600.0)
    assert world.run(651 * SECOND).state["unit.free"].tolist() == [True, False]
    assert world.run(653 * SECOND).state["unit.free"].tolist() == [True, True]
    assert world.run(1253 * SECOND).state["unit.free"].tolist() == [True, False]
    assert world.check() == []


def test_a_fire_takes_an_engine_and_an_ambulance(tmp_path):
    orders = [(170, "dispatch", 0, 0), (172, "dispatch", 1, 1)]
    world = service([one_call()], orders, plan_file(tmp_path, FIRE), dispatch=False).run()
    # Engine: order 172, dispatcher 202, turnout 80 s, three links. Ambulance: 174, 204, 60 s, one link.
    assert seconds(world, "on_scene", 0) == 582
    assert seconds(world, "on_scene", 1) == 364
    assert seconds(world, "closed", 0) == 1182
    assert seconds(world, "closed", 1) == 364 + 600 + 100 + 900
    assert kinds(world).count("incident_declared") == kinds(world).count("incident_closed") == 1
    assert world.state["call.incident"].tolist() == [0, 0]
    assert world.check() == []


def test_a_unit_that_cannot_do_what_is_needed_is_not_sent(tmp_path):
    world = service([one_call()], [(170, "dispatch", 0, 1)], plan_file(tmp_path, FIRE), dispatch=False).run()
    assert failures(world) == [(172, NOT_ABLE)]
    assert world.state["call.stage"].tolist() == [3, 3]


class Blaze(Model):
    """A fire that needs 200 s more once somebody is there."""

    name = "blaze"
    adds = ("call.work",)
    lags = ("call.stage",)

    def step(self, view):
        view.add("call.work", (view["call.stage"] == 5), 200 * SECOND)


def test_work_that_others_add_keeps_a_unit_on_the_scene(tmp_path):
    orders = [(170, "dispatch", 0, 0)]
    world = service([one_call()], orders, plan_file(tmp_path, FIRE), dispatch=False, parts=[Blaze()]).run()
    assert seconds(world, "closed", 0) == 1382


def mass(at=100, **given):
    return Planned("mass_casualty", at * SECOND, (3,), {"casualties": 2, **given})


def test_the_first_unit_on_scene_finds_the_casualties_one_by_one():
    world = service([mass()]).run()
    # Alarm: triaged 160, ordered 162, 90 s, one link: 352. Patients after 30 s each; the other unit comes from node 0.
    assert seconds(world, "on_scene", 0) == 352
    assert sorted(world.state["call.triaged"][1:] // SECOND) == [382, 412]
    assert world.state["call.rung"].tolist() == [100 * SECOND] * 3
    assert min(seconds(world, "on_scene", 1), seconds(world, "on_scene", 2)) == 384 + 90 + 300
    assert world.check() == []


def test_bystanders_are_answered_and_handed_on():
    world = service([mass(callers=5, calling=60)]).run()
    assert world.kpis()["calls_transferred"] == 5
    assert world.state["call.stage"].tolist().count(10) == 5
    assert world.check() == []


@pytest.mark.parametrize("at", [175, 190, 280, 320, 605, 1000, 2160, 2300])
def test_shifts_and_upgrades_keep_the_law(tmp_path, at):
    text = UPGRADE.replace("west}]", "west, roster: day}, {kind: ambulance, station: east, roster: late}]") + HALVES
    plan = plan_file(tmp_path, text)
    whole = two_calls(plan).run()
    world = two_calls(plan)
    again = World.load(world.run(at * SECOND + 3).save(tmp_path / "kept"), world.assembly).run()
    assert again.digest() == whole.digest() == world.branch().run().digest()
    assert again.events.rows() == whole.events.rows()


def test_work_into_the_next_shift_is_overtime_until_that_begins(tmp_path):
    text = (
        "rosters: {split: ['07:00-17:10', '17:30-07:00'], gap: ['17:10-17:30']}\n"
        "units:\n- {kind: ambulance, station: west, roster: split}\n- {kind: ambulance, station: east, roster: gap}\n"
    )
    world = service([one_call()], plan=plan_file(tmp_path, text)).run()
    # Its shift ends at 600 s, the next begins at 1800 s, and it is on this call until 2152 s.
    assert world.state["unit.overtime"].tolist() == [1200 * SECOND, 0]
    assert world.state["unit.ended"].tolist() == [-1, -1]
    assert world.check() == []


def test_a_neighbour_who_went_home_can_be_asked_again(tmp_path):
    text = "units:\n- {kind: ambulance, station: west}\n- {kind: ambulance, station: east, aid: 10 min}\n"
    orders = [(at, "request_aid", -1, 1) for at in (50, 700, 1300)]
    world = service(orders=orders, plan=plan_file(tmp_path, text), aid_hours=600.0)
    promised = [row[3] for row in world.run(1303 * SECOND).events.rows() if row[1] == "aid_promised"]
    # The second order comes while the unit is here.
    assert promised == [1.0, 0.0, 1.0]
    assert world.run(1901 * SECOND).state["unit.free"].tolist() == [True, False]
    assert world.run(1903 * SECOND).state["unit.free"].tolist() == [True, True]
    assert world.run(2503 * SECOND).state["unit.free"].tolist() == [True, False]


@pytest.mark.parametrize("count", [-3, 0, 0.5])
def test_asking_neighbours_for_no_whole_number_of_units_fails(tmp_path, count):
    text = "units:\n- {kind: ambulance, station: west}\n" + "- {kind: ambulance, station: east, aid: 10 min}\n" * 5
    world = service(orders=[(50, "request_aid", -1, count)], plan=plan_file(tmp_path, text), duration=1200).run()
    assert "aid_failed" in kinds(world)
    assert not world.state["unit.asked"].any()
    assert world.state["desk.failed_orders"].tolist() == [1]


@pytest.mark.parametrize("unit", [-1, 2, 9999, 0.6, 1e300])
def test_an_order_for_a_unit_that_does_not_exist_fails(unit):
    world = service([one_call(at=10)], orders=[(200, "dispatch", 0, unit)], parts=[Deaf()], dispatch=False).run()
    assert failures(world) == [(202.0, NOT_FREE)]
    assert world.check() == []
