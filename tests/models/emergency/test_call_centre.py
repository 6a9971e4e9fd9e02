"""The call centre by hand: shifts, breaks, desks, calls handed on; and its law."""

import numpy as np
import pytest

from tests.models.emergency.service_world import kinds, plan_file, seconds, service
from tests.models.roads import Planned
from twin.contract import SECOND
from twin.errors import DataError
from twin.models.emergency.tables import ABANDONED, SERVED, TRANSFERRED
from twin.world import World

UNITS = "units: [{kind: ambulance, station: west}, {kind: ambulance, station: east}]\n"
DESKS = UNITS + (
    "desks:\n  '112': {takers: ['00:00-24:00 x2']}\n  medical: {takers: ['00:00-24:00 x1']}\n"
    "incidents: {medical: {desk: medical}}\ntransfer: {time: 10 s}\n"
)


def calls(count=1, at=100):
    return Planned("surge", at * SECOND, (1,), {"calls": count, "duration": 0})


def test_a_shift_change_takes_a_call_taker_away(tmp_path):
    text = UNITS + "desks: {'112': {takers: ['07:00-17:02 x2', '17:02-07:00 x1']}}\n"
    world = service([calls(2, 130)], plan=plan_file(tmp_path, text)).run()
    # One of two leaves at 120 s: the second caller waits for the first talk to end.
    assert sorted(world.state["call.answered"] // SECOND) == [130, 190]
    assert world.run(7200 * SECOND).state["taker.away"].tolist() == [False, True]


def test_a_call_taker_finishes_the_talk_before_leaving(tmp_path):
    text = UNITS + "desks: {'112': {takers: ['07:00-17:02 x2', '17:02-07:00 x1']}}\n"
    world = service([calls(2, 100), calls(1, 130)], plan=plan_file(tmp_path, text))
    assert not world.run(159 * SECOND).state["taker.away"].any()
    assert world.run(161 * SECOND).state["taker.away"].sum() == 1
    assert sorted(world.run(400 * SECOND).state["call.answered"] // SECOND) == [100, 100, 160]


def test_a_call_taker_leaves_before_taking_another_call(tmp_path):
    text = UNITS + "desks: {'112': {takers: ['07:00-17:02 x2', '17:02-07:00 x1']}}\n"
    world = service([calls(4, 115)], plan=plan_file(tmp_path, text)).run()
    # Two talk until 175 s; then one leaves, though two callers wait.
    assert sorted(world.state["call.answered"] // SECOND) == [115, 115, 175, 235]


def test_a_call_that_is_put_through_frees_the_first_desk(tmp_path):
    text = DESKS.replace("'112': {takers: ['00:00-24:00 x2']}", "'112': {takers: ['00:00-24:00 x1']}")
    world = service([calls(2)], plan=plan_file(tmp_path, text)).run()
    assert sorted(world.state["call.answered"] // SECOND) == [100, 160]


def test_breaks_are_staggered(tmp_path):
    text = UNITS + "desks: {'112': {takers: ['00:00-24:00 x2'], break_every: 1 h, break: 10 min}}\n"
    world = service(plan=plan_file(tmp_path, text), duration=7200)
    spans = world.assembly.by_name["emergency"].absences.spans
    assert all(b - a == 600 * SECOND for taker in spans for a, b in taker)
    assert set(spans[0]).isdisjoint(spans[1])
    away = [world.run(a + SECOND).state["taker.away"].sum() for a, _ in sorted({*spans[0], *spans[1]})[:2]]
    assert away == [1, 1]


def test_a_call_is_put_through_to_the_desk_of_its_agency(tmp_path):
    world = service([calls()], plan=plan_file(tmp_path, DESKS)).run()
    # 60 s at the first desk, 10 s to put it through, half the talk at the second.
    assert seconds(world, "answered") == 100
    assert seconds(world, "triaged") == 100 + 60 + 10 + 30
    assert kinds(world).count("call_put_through") == 1
    assert world.state["call.stage"][0] == SERVED


def test_a_call_on_a_wrong_desk_is_put_through_twice(tmp_path):
    text = DESKS.replace("  medical: {takers", "  fire: {takers: ['00:00-24:00 x1']}\n  medical: {takers")
    world = service([calls()], plan=plan_file(tmp_path, text.replace("{time", "{misrouted: 100 %, time"))).run()
    assert seconds(world, "triaged") == 100 + 60 + 2 * (10 + 30)
    assert kinds(world).count("call_put_through") == 2


def test_a_caller_can_lose_patience_at_the_second_desk(tmp_path):
    world = service([calls(2)], plan=plan_file(tmp_path, DESKS), patience=20.0).run()
    assert sorted(world.state["call.stage"]) == [SERVED, ABANDONED]
    assert world.kpis()["calls_abandoned"] == 1
    assert world.check() == []


def test_what_is_no_emergency_is_handed_on(tmp_path):
    plan = plan_file(tmp_path, UNITS + "transfer: {referred: 100 %}\n")
    world = service(plan=plan, calls_factor=2.0, duration=7200).run()
    rang = world.state["call.rung"] >= 0
    ended = world.state["call.closed"] >= 0
    assert (world.state["call.stage"][ended] == TRANSFERRED).all()
    assert ended.sum() >= rang.sum() - 1 > 0
    assert world.kpis()["calls_transferred"] == ended.sum()


def test_the_service_level_counts_who_was_answered_in_time():
    world = service([calls(4)], call_takers=1, patience=130.0).run()
    # Answered after 0, 60 and 120 s; the fourth hangs up after 130 s.
    assert world.kpis()["answered_in_time"] == 1 / 4
    assert (
        service([calls(4)], call_takers=1, patience=130.0, answer_target=60.0).run().kpis()["answered_in_time"] == 0.5
    )


def test_every_call_ends_in_one_of_four_ways(tmp_path):
    text = UNITS + "desks: {'112': {takers: ['00:00-24:00 x1']}}\ntransfer: {referred: 30 %}\n"
    world = service([calls(5)], plan=plan_file(tmp_path, text), calls_factor=20.0, patience=30.0, duration=7200).run()
    table = world.assembly.by_name["emergency"].tables(world.view("emergency"))["incidents/calls"]
    assert set(np.unique(table["end"])) == {"served", "transferred", "abandoned", "open"}
    assert world.check() == []


@pytest.mark.parametrize("spoil", [("call.closed", -1), ("call.stage", 10), ("call.unit", -1)])
def test_a_call_that_ends_otherwise_than_it_says_is_found(spoil):
    world = service([calls()]).run()
    name, value = spoil
    world.state[name][0] = value
    assert any("call 0" in text for text in world.check())


@pytest.mark.parametrize("at", [105, 125, 150, 165, 185, 230, 4000])
def test_desks_and_absences_keep_the_law(tmp_path, at):
    staff = "'112': {takers: ['07:00-17:02 x2', '17:02-07:00 x1'], break_every: 1 h, break: 10 min}"
    plan = plan_file(tmp_path, DESKS.replace("'112': {takers: ['00:00-24:00 x2']}", staff))

    def make():
        return service([calls(4)], plan=plan, patience_law="exponential", talk_law="exponential", calls_factor=5.0)

    whole, world = make().run(), make()
    again = World.load(world.run(at * SECOND + 3).save(tmp_path / "kept"), world.assembly).run()
    assert again.digest() == whole.digest() == world.branch().run().digest()
    assert again.events.rows() == whole.events.rows()


def test_breaks_that_never_end_are_refused(tmp_path):
    text = UNITS + "desks: {'112': {takers: ['00:00-24:00 x1'], break_every: 10 ms, break: 1 ms}}\n"
    with pytest.raises(DataError, match=r"break_every \(0.01 s\) must be 60 s or more"):
        service(plan=plan_file(tmp_path, text), duration=0)
