"""Closest unit with upgrades: idle units first, then those on their way to less urgent calls."""

from tests.cities import line_city
from tests.models.emergency.service_world import PLAIN, Watch, kinds, plan_file, seconds, two_stations
from tests.models.emergency.test_service_units import UPGRADE, one_call
from tests.models.roads import assemble
from twin.models.emergency.model import Emergency
from twin.models.policies.upgrades import ClosestUpgrade
from twin.world import World


def world_of(plan, units, seed=2, **given):
    city = line_city(stations=two_stations())
    calls = [] if given else [one_call(100, 1), one_call(200, 0)]
    options = {"emergency": {**PLAIN, **given, "service": plan}}
    parts = [Emergency(), Watch(units)]
    return World(assemble(city, parts, [ClosestUpgrade()], calls, 7200, seed, options)).run()


def test_the_only_unit_turns_to_the_more_urgent_call(tmp_path):
    world = world_of(plan_file(tmp_path, UPGRADE), 1)
    # Triaged 260, ordered 262, dispatcher ready 292: on the first link since 252, at node 1 by 352.
    assert world.state["call.priority"].tolist() == [3, 1]
    assert seconds(world, "on_scene", 1) == 352
    assert world.kpis()["units_preempted"] == 1
    assert world.check() == []


def test_an_idle_unit_is_taken_first(tmp_path):
    both = UPGRADE.replace("west}]", "west}, {kind: ambulance, station: east}]")
    world = world_of(plan_file(tmp_path, both), 2)
    assert world.kpis()["units_preempted"] == 0
    assert "call_preempted" not in kinds(world)


def test_a_unit_that_cannot_help_goes_on(tmp_path):
    plan = plan_file(
        tmp_path,
        "units: [{kind: fire_engine, station: west}]\nupgrades: [[3, 1]]\n"
        "incidents: {medical: {share: 0}, fire: {share: 1, needs: [pump]}}\n",
    )
    table = tmp_path / "calls.csv"
    rows = ("2026-01-15 17:02:00,0.0270,0,3,fire", "2026-01-15 17:03:20,0.0090,0,1,medical")
    table.write_text("time,lon,lat,priority,kind\n" + "\n".join(rows) + "\n", encoding="utf-8")
    world = world_of(plan, 1, calls=str(table))
    assert world.kpis()["units_preempted"] == 0
    assert world.state["desk.failed_orders"][0] == 0
    assert world.state["call.stage"].tolist()[:2] == [8, 3]


def test_a_call_that_is_less_urgent_waits(tmp_path):
    plan = plan_file(tmp_path, UPGRADE.replace("[[3, 1]]", "[[2, 1]]"))
    world = world_of(plan, 1)
    assert world.kpis()["units_preempted"] == 0
    assert world.state["desk.failed_orders"][0] == 0
