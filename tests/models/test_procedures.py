"""Standard operating procedures told by hand: timers, acknowledgement, escalation, waits, orders."""

from __future__ import annotations

import numpy as np
import pytest

import twin
from tests.cities import line_city
from tests.models import utility_city
from tests.models.roads import Planned, assemble
from tests.models.utility_city import ancestors, order, planned, times
from twin.contract import SECOND, Command, EventKind, Model
from twin.errors import DataError
from twin.fields import Field
from twin.models.policies.procedures import WatchOfficer
from twin.models.power import Power
from twin.models.procedures.model import Procedures
from twin.models.telecom import Telecom
from twin.world import World

ROLES = """
roles:
  officer: {people: 1, reaction: 30 s, above: leader}
  leader: {people: 1, reaction: 10 s}
"""
PLAIN = (
    ROLES
    + """
procedures:
  alarm:
    starts_on: alarm
    stages:
      - {name: confirm, role: officer, acknowledge_within: 60 s, work: 100 s}
      - {name: report, role: officer, acknowledge_within: 60 s, work: 50 s}
"""
)


class Bells(Model):
    """Rings an alarm, and hears what procedures order."""

    name = "bells"
    events = (
        EventKind("alarm", "something is wrong", target="zones", scenario=True),
        EventKind("clear", "it is over", target="zones", scenario=True),
        EventKind("siren", "a stage orders this"),
        EventKind("pump_siren", "a stage orders this of a pump", target="pumps"),
        EventKind("all_clear", "it is over, at a pump or in a zone", target="pumps|zones"),
    )


class Masts(Model):
    """A telecom site that goes silent and comes back by events."""

    name = "masts"
    owns = (Field("site.alive", "bool", "1", "it works", 1, traced=True),)
    events = (
        EventKind("mast_falls", "the site is silent", scenario=True),
        EventKind("mast_stands", "the site is back", scenario=True),
    )

    def on_event(self, view, event):
        view.put("site.alive", 0, event.kind == "mast_stands")


SITES = {"id": np.array(["hill"]), "name": np.array(["Hill"])}
FAR_OFF = PLAIN.replace("reaction: 30 s, ", "reaction: 30 s, site: hill, messenger: 4 min, ").replace("60 s", "9 min")


def far_off(tmp_path, *events, text=FAR_OFF, duration=3600):
    """Return a world whose officer is reached over a telecom site."""
    path = tmp_path / "manual.yaml"
    path.write_text(text, encoding="utf-8")
    alarm = Planned("alarm", 100 * SECOND, (0,))
    options = {"procedures": {"manual": str(path), "spread": 0.0}}
    parts = [Procedures(), Bells(), Masts()]
    return World(assemble(line_city(sites=SITES), parts, (), [alarm, *events], duration, 1, options))


def world_of(tmp_path, text, *alarms, policies=(), seed=1, duration=3600, extra=()):
    path = tmp_path / "manual.yaml"
    path.write_text(text, encoding="utf-8")
    events = [Planned("alarm", at * SECOND, (0,)) for at in alarms] + list(extra)
    options = {"procedures": {"manual": str(path), "spread": 0.0}}
    return World(assemble(line_city(), [Procedures(), Bells()], policies, events, duration, seed, options))


def timeline(world):
    table = world.assembly.by_name["procedures"].tables(world.view("procedures"))["procedures/timeline"]
    times = (table["told_time"], table["acknowledged_time"], table["done_time"])
    return [tuple(int(t // SECOND) if t >= 0 else -1 for t in row) for row in zip(*times, strict=True)]


def rows_of(world, kind):
    return [(row[0] / SECOND, row[2], row[3]) for row in world.events.rows() if row[1] == kind]


def test_stages_follow_each_other_with_reaction_and_work(tmp_path):
    world = world_of(tmp_path, PLAIN, 100).run()
    assert timeline(world) == [(100, 130, 230), (230, 260, 310)]
    assert world.kpis() == {
        "time_to_acknowledge": 30.0,
        "time_to_close": 210.0,
        "escalations": 0.0,
        "procedures_open": 0.0,
    }
    assert world.check() == []


def test_a_task_nobody_acknowledges_in_time_goes_up(tmp_path):
    world = world_of(tmp_path, PLAIN.replace("reaction: 30 s", "reaction: 90 s"), 100).run()
    # The officer would need 90 s; after 60 s the leader is told, who takes 10 s.
    assert timeline(world) == [(100, 170, 270), (270, 340, 390)]
    assert rows_of(world, "task_escalated") == [(160.0, 0, 1.0), (330.0, 1, 1.0)]
    assert world.kpis()["escalations"] == 2


def test_a_busy_officer_is_a_reason_to_go_up(tmp_path):
    world = world_of(tmp_path, PLAIN, 100, 150).run()
    # The officer works on the first alarm until 230 s; the second waits from 150 s to 210 s, then the leader takes it.
    assert timeline(world)[2] == (150, 220, 320)
    assert world.check() == []


def test_the_highest_role_has_no_deadline(tmp_path):
    text = PLAIN.replace("role: officer", "role: leader").replace("reaction: 10 s", "reaction: 300 s")
    world = world_of(tmp_path, text, 100).run()
    assert timeline(world)[0] == (100, 400, 500)
    assert world.kpis()["escalations"] == 0


def test_stages_after_the_same_one_go_side_by_side(tmp_path):
    text = PLAIN + "      - {name: inform, role: leader, work: 20 s, after: [confirm]}\n"
    world = world_of(tmp_path, text, 100).run()
    assert timeline(world) == [(100, 130, 230), (230, 260, 310), (230, 240, 260)]


def test_a_stage_orders_an_event_and_names_its_cause(tmp_path):
    text = PLAIN.replace("work: 100 s}", "work: 100 s, does: {kind: siren, value: 3}}")
    world = world_of(tmp_path, text, 100).run()
    assert rows_of(world, "siren") == [(232.0, 0, 3.0)]
    assert ancestors(world, world.events.arrays()["kind"].tolist().index("siren"))[:3] == [
        "siren",
        "order.siren",
        "task_acknowledged",
    ]


def test_what_a_stage_orders_of_a_silent_place_goes_by_hand(tmp_path):
    stage = "stages: [{name: cut, role: leader, work: 60 s, does: {kind: switch, target: 1}}]"
    (tmp_path / "manual.yaml").write_text(
        f"{ROLES}procedures: {{fault: {{starts_on: line_failure, {stage}}}}}", encoding="utf-8"
    )
    options = {"procedures": {"manual": str(tmp_path / "manual.yaml"), "spread": 0.0}}
    fault, dead = planned("line_failure", 500, [3]), planned("site_failure", 100, [0], duration=1000.0)
    for events, opened in (([fault], 572), ([fault, dead], 572 + 900)):
        parts = [Power(), Telecom(), Procedures()]
        world = World(utility_city.assemble(*events, parts=parts, options=options)).run(2000 * SECOND)
        assert times(world, "switch") == [opened]
    late = world.events.arrays()["kind"].tolist().index("switch")
    assert {"order_held", "site_dead", "task_acknowledged", "line_failure"} <= set(ancestors(world, late))


@pytest.mark.parametrize(("at", "done"), [(1000, 1000), (150, 310)])
def test_a_stage_waits_for_an_event_or_has_heard_it_already(tmp_path, at, done):
    text = PLAIN.replace("work: 50 s}", "work: 50 s, until: clear}")
    world = world_of(tmp_path, text, 100, extra=[Planned("clear", at * SECOND, (0,))]).run()
    assert timeline(world)[1] == (230, 260, done)
    assert world.check() == []


def test_an_event_about_something_else_ends_no_wait(tmp_path):
    text = PLAIN.replace("work: 50 s}", "work: 50 s, until: clear}")
    world = world_of(tmp_path, text, 100, extra=[Planned("clear", 1000 * SECOND, (1,))]).run()
    assert timeline(world)[1] == (230, 260, -1)
    assert world.kpis()["procedures_open"] == 1


@pytest.mark.parametrize(("data", "done"), [(1, 1000), (0, -1)])
def test_an_event_about_the_same_row_of_another_table_ends_no_wait(tmp_path, data, done):
    world = world_of(tmp_path, PLAIN.replace("work: 50 s}", "work: 50 s, until: all_clear}"), 100)
    order(world, "all_clear", 1000, 0, data=data)
    assert timeline(world.run())[1] == (230, 260, done)


def test_the_watch_officer_hands_up_what_nobody_is_free_for(tmp_path):
    text = PLAIN.replace("acknowledge_within: 60 s", "acknowledge_within: 10 min")
    patient = world_of(tmp_path, text, 100, 110).run()
    quick = world_of(tmp_path, text, 100, 110, policies=[WatchOfficer()]).run()
    # By itself the second task waits for the officer; the watch officer, who looks at 150 s (120 s is too soon
    # after 110 s), gives it to the leader by 152 s.
    assert timeline(patient)[2][1] == 230 + 30
    assert timeline(quick)[2][1] == 152 + 10
    assert quick.kpis()["escalations"] >= 1
    assert quick.check() == []


def test_many_procedures_at_once_keep_all_their_rows(tmp_path):
    world = world_of(tmp_path, PLAIN, *range(100, 130), duration=7200)
    world.run()
    assert len(timeline(world)) == 60
    assert world.kpis()["procedures_open"] == 0
    assert world.check() == []


@pytest.mark.parametrize("at", [105, 155, 165, 215, 225, 300, 320])
def test_procedures_keep_the_law(tmp_path, at):
    text = PLAIN.replace("work: 50 s}", "work: 50 s, until: clear}").replace("reaction: 30 s", "reaction: 90 s")

    def make():
        clear = [Planned("clear", 1000 * SECOND, (0,))]
        return world_of(tmp_path, text, 100, 150, 160, policies=[WatchOfficer()], extra=clear)

    whole, world = make().run(), make()
    again = World.load(world.run(at * SECOND + 3).save(tmp_path / "kept"), world.assembly).run()
    assert again.digest() == whole.digest() == world.branch().run().digest()
    assert again.events.rows() == whole.events.rows()


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        (PLAIN.replace("above: leader", "above: boss"), "3:47", "'boss' is not a role"),
        (PLAIN.replace("work: 100 s", "work: 100"), "10:72", "unit"),
        (PLAIN.replace("work: 100 s", "work: -1 s"), "10:72", "-1 s must be between 0"),
        (PLAIN.replace("role: officer, ack", "rôle: officer, ack"), "10:9", "key 'role' is missing"),
        (PLAIN.replace("name: report", "name: confirm"), "11:16", "two stages are called 'confirm'"),
        (PLAIN.replace("work: 50 s}", "after: [later]}"), "11:73", "'later' is not a stage further up"),
        (PLAIN.replace("{people: 1, reaction: 10 s}", "{above: officer}"), "4:11", "role 'leader' is above itself"),
        (ROLES + "procedures: {alarm: {starts_on: alarm, stages: []}}\n", "5:21", "has no stage"),
        (PLAIN.replace("starts_on: alarm", "starts_on: fire"), "8:5", "nothing in this run handles event 'fire'"),
        (PLAIN.replace("work: 50 s}", "until: peace}"), "11:9", "nothing in this run handles event 'peace'"),
        (PLAIN.replace("work: 50 s}", "does: {kind: horn}}"), "11:71", "nothing in this run handles event 'horn'"),
        (
            PLAIN.replace("work: 50 s}", "until: pump_siren}"),
            "11:9",
            "until 'pump_siren' is about 'pumps', the procedure about 'zones' of 'alarm'; nearest that is: 'clear'",
        ),
        (PLAIN.replace("work: 50 s}", "does: {kind: pump_siren}}"), "11:71", "does 'pump_siren' is about 'pumps'"),
        (PLAIN.replace("work: 50 s}", "does: {kind: all_clear}}"), "11:71", "does 'all_clear' is about 'pumps|zones'"),
    ],
)
def test_a_problem_of_a_manual_is_named_with_its_place(tmp_path, text, place, said):
    with pytest.raises(DataError) as caught:
        world_of(tmp_path, text, 100).run()
    assert f"manual.yaml:{place} " in str(caught.value)
    assert said in str(caught.value)


def test_an_order_about_another_table_may_name_its_row(tmp_path):
    world = world_of(tmp_path, PLAIN.replace("work: 50 s}", "does: {kind: pump_siren, target: 3}}"), 100).run()
    events = world.events.arrays()
    assert events["target"][events["kind"] == "pump_siren"].tolist() == [3]


def test_what_a_manual_asks_of_events_is_told_at_check(tmp_path):
    (tmp_path / "manual.yaml").write_text(PLAIN.replace("starts_on: alarm", "starts_on: blackaut"), encoding="utf-8")
    text = "scenario: town\ncity: nusantara\nstart: 2026-01-15 17:00\nduration: 2 h\nmodels: [power, procedures]\n"
    (tmp_path / "town.yaml").write_text(f"{text}options: {{procedures: {{manual: manual.yaml}}}}\n", encoding="utf-8")
    (error,) = [problem for problem in twin.load(tmp_path / "town.yaml").check() if problem.is_error]
    assert error.code == "E137"
    assert error.message.endswith(
        "manual.yaml:8:5 nothing in this run handles event 'blackaut'; did you mean 'blackout'?"
    )


def test_who_is_reached_over_a_dead_site_hears_by_messenger(tmp_path):
    falls, stands = Planned("mast_falls", 90 * SECOND), Planned("mast_stands", 420 * SECOND)
    world = far_off(tmp_path, falls, stands).run()
    # 4 min by messenger and 30 s; by the second task the site is back.
    assert timeline(world) == [(100, 370, 470), (470, 500, 550)]
    assert timeline(far_off(tmp_path).run()) == [(100, 130, 230), (230, 260, 310)]
    kinds, table = world.events.arrays()["kind"].tolist(), world.parents.arrays()
    late = table["parent"][table["event"] == kinds.index("task_by_messenger")]
    assert "mast_falls" in [kinds[p] for p in late]


def test_a_messenger_who_takes_too_long_sends_the_task_up(tmp_path):
    text = FAR_OFF.replace("9 min", "2 min")
    world = far_off(tmp_path, Planned("mast_falls", 90 * SECOND), text=text).run()
    assert timeline(world)[0] == (100, 100 + 120 + 10, 330)
    assert world.kpis()["escalations"] >= 1


@pytest.mark.parametrize("at", [95, 150, 369, 430])
def test_messengers_keep_the_law(tmp_path, at):
    events = (Planned("mast_falls", 90 * SECOND), Planned("mast_stands", 420 * SECOND))
    whole, world = far_off(tmp_path, *events).run(), far_off(tmp_path, *events)
    again = World.load(world.run(at * SECOND + 3).save(tmp_path / "kept"), world.assembly).run()
    assert again.digest() == whole.digest() == world.branch().run().digest()


def test_a_site_the_city_does_not_have_is_named(tmp_path):
    with pytest.raises(DataError, match=r"manual.yaml:3:12 'hull' is not a telecom site .*did you mean 'hill'"):
        far_off(tmp_path, text=FAR_OFF.replace("site: hill", "site: hull"))


def test_without_a_manual_nothing_happens():
    world = World(assemble(line_city(), [Procedures(), Bells()], (), [Planned("alarm", SECOND, (0,))], 600, 1, {}))
    assert world.run().kpis()["procedures_open"] == 0


def test_the_watch_officer_leaves_alone_what_stands_with_the_highest_role(tmp_path):
    text = PLAIN.replace("role: officer", "role: leader").replace("work: 100 s", "work: 20 min")
    world = world_of(tmp_path, text, 100, 110, policies=[WatchOfficer()]).run()
    # The second task waits 20 minutes for the only leader, and there is nobody above.
    assert rows_of(world, "escalate") == rows_of(world, "order.escalate") == []
    assert timeline(world)[2][:2] == (110, 1320)


class Pushes(WatchOfficer):
    """Orders the first task up at 210 s, whoever has it."""

    name = "pushes"

    def decide(self, observation):
        return [Command("escalate", 0)] if observation.now == 210 * SECOND else []


def test_an_order_to_go_above_the_highest_role_leaves_its_officer_at_it(tmp_path):
    text = PLAIN.replace("role: officer", "role: leader").replace("reaction: 10 s", "reaction: 300 s")
    world = world_of(tmp_path, text, 100, policies=[Pushes()]).run()
    assert [at for at, *_ in rows_of(world, "escalate")] == [212.0]
    assert timeline(world)[0] == (100, 400, 500)


def test_a_task_that_nobody_takes_counts_with_its_wait_so_far(tmp_path):
    text = PLAIN.replace("acknowledge_within: 60 s, work: 100 s", "work: 100 min")
    world = world_of(tmp_path, text, 100, 200, duration=1200).run()
    # The officer takes the first after 30 s and is at it to the end, 1000 s after the second was told.
    assert timeline(world)[2][1] == -1
    assert world.kpis()["time_to_acknowledge"] == (30 + 1000) / 2
