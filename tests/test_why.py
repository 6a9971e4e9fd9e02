"""Chains of causes, and their test by a branch without the root."""

from __future__ import annotations

import numpy as np
import pytest

import twin
from tests.contracts.parts import HORIZON, demo
from tests.engine.toys import toy_city
from twin.errors import DataError
from twin.execution.run import assemble
from twin.why import Causes, explain, explained, verify
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


RAIN = causes(["rain", "flood", "crash", "jam", "late"], [(1, 0), (3, 1), (3, 2), (4, 3), (4, 0)])


def test_a_chain_lists_every_cause_once_nearest_first():
    assert [number for _, number in RAIN.chain(4)] == [4, 0, 3, 1, 2]


def test_roots_are_the_events_nothing_lies_behind():
    assert RAIN.roots(4) == [0, 2]
    assert RAIN.roots(0) == [0]


def test_the_richest_event_goes_through_the_kinds_asked_for():
    two = causes(["rain", "late", "crash", "jam", "late"], [(1, 0), (3, 2), (4, 3)])
    assert two.richest("late") == 4
    assert two.richest("late", through=("rain",)) == 1


def test_an_unknown_event_names_what_there_is():
    with pytest.raises(DataError, match="events 0 to 4"):
        RAIN.chain(5)
    with pytest.raises(DataError, match="it has crash, flood, jam, late, rain"):
        RAIN.richest("fire")


def test_an_explanation_is_indented_and_ends_with_its_roots():
    text = explain(RAIN, 4, toy_city(), lambda time: f"{time} us")
    assert "because [3] 3 us  jam" in text
    assert text.endswith("roots: [0] rain, [2] crash")


def test_late_ambulances_go_back_to_the_flood_and_some_are_in_time_without_it():
    chain = {"flood", "substation_trip", "signal_dark", "link_slow"}
    late, gone = 0, False
    for case in twin.load("nusantara").cases():
        assembly = assemble(case)
        world = World(assembly).run()
        found = Causes(world.events.arrays(), world.parents.arrays())
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
    assert 1 <= len(tried) <= 4
    assert [verdict.gone for _, verdict in tried[:-1]] == [False] * (len(tried) - 1)
    assert tried[-1][1].gone or len(tried) == 4


def test_only_events_of_the_scenario_can_be_taken_out():
    assembly = demo("A")
    world = World(assembly).run("90 min")
    found = Causes(world.events.arrays(), world.parents.arrays())
    late = found.find("unit_on_scene")[0]
    with pytest.raises(DataError, match="not an event of the scenario"):
        verify(found, late, assembly, root=late)
