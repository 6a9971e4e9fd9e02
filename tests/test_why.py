"""Chains of causes, and their test by a branch without the root."""

from __future__ import annotations

import numpy as np
import pytest

import twin
from tests.contracts.parts import HORIZON, demo
from tests.engine.toys import toy_city
from tests.models.utility_city import planned
from tests.models.water_city import small_city, water_world
from twin.chain import Words, describe, explain, kinds_of
from twin.city import City
from twin.contract import EventKind
from twin.errors import DataError
from twin.execution.output import kind_columns
from twin.execution.run import assemble
from twin.why import Causes, explained, verify, verify_each
from twin.world import World


def causes(kinds: list[str], parents: list[tuple[int, int]]) -> Causes:
    count = len(kinds)
    events = {
        "time": np.arange(count),
        "kind": np.array(kinds),
        "target": np.zeros(count, int),
        "value": np.zeros(count),
        "data": np.zeros(count, int),
    }
    pairs = np.array(parents).reshape(-1, 2)
    return Causes(events, {"event": pairs[:, 0], "parent": pairs[:, 1]})


WORDS = Words(toy_city(), lambda time: f"{time} us", {})
RAIN = causes(["rain", "flood", "crash", "jam", "late"], [(1, 0), (3, 1), (3, 2), (4, 3), (4, 0)])


def test_a_chain_lists_every_cause_once_nearest_first():
    assert [number for _, number in RAIN.chain(4)] == [4, 0, 3, 1, 2]


def test_roots_are_the_events_nothing_lies_behind():
    assert RAIN.roots(4) == [0, 2]
    assert RAIN.roots(0) == [0]


def test_the_richest_event_has_the_longest_line_of_causes_from_what_was_planned():
    two = causes(["rain", "late", "crash", "jam", "late"], [(1, 0), (3, 2), (4, 3)])
    assert two.richest("late") == 4
    assert two.ranked("late", planned={"rain"}) == [1, 4]


def test_more_roots_and_steps_of_one_kind_make_no_event_richer():
    kinds = ["rain", "flood", "jam", "late", "storm", "fire", "jam", "jam", "late"]
    two = causes(kinds, [(1, 0), (2, 1), (3, 2), (6, 4), (7, 6), (8, 7), (8, 5), (8, 0)])
    assert two.ranked("late") == [3, 8]
    assert (two.line(3), two.line(8)) == ([0, 1, 2, 3], [4, 6, 7, 8])


def test_an_unknown_event_names_what_there_is():
    with pytest.raises(DataError, match="events 0 to 4"):
        RAIN.chain(5)
    with pytest.raises(DataError, match="'fire' happened in this run; it has crash, flood, jam, late, rain"):
        RAIN.richest("fire")
    with pytest.raises(DataError, match="nearest: link_slow; it has flood, link_slow"):
        causes(["flood", "link_slow"], []).richest("slow_link")


def test_an_explanation_is_indented_and_ends_with_its_roots():
    text = explain(RAIN, 4, WORDS)
    assert "because [3] 3 us  jam" in text
    assert text.endswith("roots: [0] rain, [2] crash")


def test_branches_of_one_shape_are_told_once_with_their_number():
    slow = causes(
        ["rain", "crash", *["jam"] * 4, "late"], [(2, 0), (3, 0), (4, 0), (5, 1), *((6, n) for n in range(2, 6))]
    )
    assert [line.split("  ")[-1] for line in explain(slow, 6, WORDS).splitlines()[:-1]] == [
        "late #0",
        "jam #0 (and 2 more like it)",
        "rain #0",
        "jam #0",
        "crash #0",
    ]
    assert explain(slow, 6, WORDS, whole=True).count("jam") == 4


def test_a_long_chain_is_cut_and_says_how_much_is_left():
    count = 100
    long = causes([f"kind{n}" for n in range(count)], [(n, n - 1) for n in range(1, count)])
    lines = explain(long, count - 1, WORDS).splitlines()
    assert lines[60:] == ["... and 40 more; all of them with: --all", "roots: [0] kind0"]
    assert len(explain(long, count - 1, WORDS, whole=True).splitlines()) == count + 1


def test_many_roots_are_counted():
    many = causes([*["rain"] * 9, "late"], [(9, n) for n in range(9)])
    assert explain(many, 9, WORDS).endswith("[5] rain and 3 more")
    assert explain(many, 9, WORDS, whole=True).endswith("[8] rain")


@pytest.mark.parametrize(
    ("kind", "target", "value", "parents", "told"),
    [
        (EventKind("late", "", "call", unit="s"), 7, 619.5, [(1, 0)], "late call 7, 619.5 s"),
        (EventKind("sent", "", "call", row="unit"), 7, 0.0, [(1, 0)], "sent call 7, unit 0"),
        (EventKind("sent", "", "call", row="unit"), 7, -1.0, [(1, 0)], "sent call 7"),
        (EventKind("shaken", "", "nodes", scenario=True), 1, 3.0, [], "shaken n1 and 2 more nodes"),
        (EventKind("shaken", "", "nodes", scenario=True), 1, 1.0, [], "shaken n1"),
        (EventKind("switch", "", "nodes", scenario=True), 1, 1.0, [(1, 0)], "switch n1 1"),
        (EventKind("other", ""), 1, 0.25, [(1, 0)], "late #1 0.25"),
    ],
)
def test_an_event_is_told_by_what_its_kind_declares(kind, target, value, parents, told):
    name = kind.name if kind.name != "other" else "late"
    found = causes(["rain", name], parents)
    found.events["target"][1], found.events["value"] = target, np.array([0.0, value])
    assert describe(found, 1, Words(toy_city(), str, {kind.name: kind})) == f"[1] 1  {told}"


def test_an_order_is_told_by_the_kind_it_asks_for():
    found = causes(["rain", "order.sent"], [(1, 0)])
    kinds = {"sent": EventKind("sent", "", "call", row="unit")}
    assert describe(found, 1, Words(toy_city(), str, kinds)) == "[1] 1  order.sent call 0, unit 0"


def test_an_event_about_several_tables_names_the_one_that_its_data_numbers():
    city = City("d", "D", "left", "UTC", 32750, {name: {"id": np.array([f"{name}0"])} for name in ("signals", "sites")})
    found = causes(["outage", "battery_empty", "battery_empty"], [(1, 0), (2, 0)])
    found.events["data"][:] = [0, 1, 2]
    words = Words(city, str, {"battery_empty": EventKind("battery_empty", "", "signals|sites")})
    assert describe(found, 1, words) == "[1] 1  battery_empty site sites0"
    assert describe(found, 2, words) == "[2] 2  battery_empty #0"


def assert_kinds_are_declared(world: World) -> None:
    logged = world.events.arrays()["kind"]
    kinds = kinds_of(kind_columns(world, logged))
    assert {str(kind).removeprefix("order.") for kind in logged} == set(kinds)
    assert (kinds["call_late"].target, kinds["call_late"].unit, kinds["flood"].scenario) == ("call", "s", True)


def test_late_ambulances_go_back_to_the_flood_and_some_are_in_time_without_it():
    chain = {"flood", "substation_trip", "signal_dark", "link_slow"}
    late, gone = 0, False
    for case in twin.load("nusantara").cases():
        assembly = assemble(case)
        world = World(assembly).run()
        found = Causes(world.events.arrays(), world.parents.arrays())
        assert_kinds_are_declared(world)
        for event in (e for e in found.find("call_late") if chain <= found.kinds(e)):
            outcome = verify(found, event, assembly, found.find("flood")[0])
            assert outcome.with_root == found.events["value"][event]
            late += 1
            gone = gone or outcome.gone
        if gone:
            break
    assert late
    assert gone


def test_events_of_a_kind_are_tried_until_a_root_explains_one():
    assembly = demo("B")
    world = World(assembly).run(HORIZON)
    found = Causes(world.events.arrays(), world.parents.arrays())
    tried = list(explained(found, "call_late", assembly))
    events = list(dict.fromkeys(event for event, _ in tried))
    gone = [any(verdict.gone for number, verdict in tried if number == event) for event in events]
    assert 1 <= len(events) <= 4
    assert gone[:-1] == [False] * (len(events) - 1)
    assert gone[-1] or len(events) == 4


def test_each_of_two_needed_roots_is_tried_and_both_together():
    """The tank would run empty without the draw of a drop too: the pump's failure is needed, the draw is not."""
    events = planned("pump_failure", 0, [0]), planned("hydrant_draw", 3600, [1], flow=1e-6)
    world = water_world(small_city(), *events).run("8 h")
    found = Causes(world.events.arrays(), world.parents.arrays())
    (lost,) = found.find("pressure_lost")
    verdicts = verify_each(found, lost, world.assembly)
    assert [(verdict.root_kind, len(verdict.others), verdict.gone) for verdict in verdicts] == [
        ("pump_failure", 0, True),
        ("hydrant_draw", 0, False),
        ("pump_failure", 1, True),
    ]
    assert str(verdicts[2]).endswith("without: does not happen. Together the roots explain it.")


def test_only_events_of_the_scenario_can_be_taken_out():
    assembly = demo("A")
    world = World(assembly).run("90 min")
    found = Causes(world.events.arrays(), world.parents.arrays())
    late = found.find("unit_on_scene")[0]
    with pytest.raises(DataError, match="not an event of the scenario"):
        verify(found, late, assembly, root=late)
