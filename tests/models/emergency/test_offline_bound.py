"""The offline bound against every order in which units could serve a few calls on a line."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.models.emergency.offline_bound import CallTrace, offline_bound

PLACES = np.array([0.0, 4.0, 9.0, 15.0, 22.0])
TRAVEL = np.abs(PLACES[:, None] - PLACES)
CALL = st.tuples(st.integers(0, 40), st.integers(0, 4), st.integers(0, 4), st.integers(0, 20), st.integers(0, 3))


def trace_of(rows, unit):
    time, scene, end, busy, mobilise = (np.array(column) for column in zip(*sorted(rows), strict=True))
    return CallTrace(time, scene, end, busy, mobilise, np.array(unit))


def chain_responses(trace, chain, home):
    """Return the responses of calls served by one unit that returns home whenever idle."""
    place, free = PLACES[home], 0.0
    for call in chain:
        order = max(trace.time[call], free)
        moved = np.clip(PLACES[home] - place, -(order - free), order - free)
        there = PLACES[trace.scene[call]]
        arrival = order + trace.mobilise[call] + abs(place + moved - there)
        yield arrival - trace.time[call]
        place, free = PLACES[trace.end[call]], arrival + trace.busy[call]


def every_schedule(trace):
    calls, units = len(trace.time), len(trace.unit)
    for order in itertools.permutations(range(calls)):
        for cuts in itertools.combinations_with_replacement(range(calls + 1), units - 1):
            ends = (0, *cuts, calls)
            yield np.concatenate(
                [
                    list(chain_responses(trace, order[ends[u] : ends[u + 1]], trace.unit[u])) or np.zeros(0)
                    for u in range(units)
                ]
            )


@settings(deadline=None, max_examples=80)
@given(st.lists(CALL, min_size=1, max_size=4), st.lists(st.integers(0, 4), min_size=1, max_size=2))
def test_no_schedule_beats_the_bound(rows, unit):
    trace = trace_of(rows, unit)
    schedules = list(every_schedule(trace))
    bound = offline_bound(trace, TRAVEL, target=8.0, stations=unit)
    sharp = offline_bound(trace, TRAVEL, target=8.0, stations=unit, both_ways=True)
    loose = offline_bound(trace, TRAVEL, target=8.0)
    assert sharp.mean_response <= min(found.mean() for found in schedules) + 1e-9
    assert sharp.late_share <= min((found > 8.0).mean() for found in schedules) + 1e-9
    assert bound.mean_response <= sharp.mean_response + 1e-9
    assert loose.mean_response <= bound.mean_response + 1e-9
    assert loose.late_share <= bound.late_share + 1e-9


def test_the_bound_is_reached_when_units_are_plenty_and_at_home():
    trace = CallTrace([0, 100, 200], [1, 3, 4], [0, 0, 0], [10, 10, 10], 1.0, [0, 3])
    bound = offline_bound(trace, TRAVEL, stations=[0, 3], both_ways=True)
    assert bound.response.tolist() == [5.0, 1.0, 8.0]
    one = CallTrace([0, 0], [0, 0], [0, 0], [10, 10], 0.0, [0])
    assert offline_bound(one, TRAVEL).mean_response == 5.0


def test_a_clairvoyant_unit_waits_where_the_next_call_will_be():
    trace = CallTrace([100], [4], [4], [5], 1.0, [0])
    assert offline_bound(trace, TRAVEL).mean_response == 1.0
    assert offline_bound(trace, TRAVEL, stations=[0]).mean_response == 23.0
    on_its_way = CallTrace([100], [4], [4], [5], 1.0, [3], [96])
    assert offline_bound(on_its_way, TRAVEL, stations=[0]).mean_response == 4.0
    assert offline_bound(on_its_way, TRAVEL, stations=[0], both_ways=True).mean_response == 8.0


@pytest.mark.parametrize("both_ways", [False, True])
def test_a_unit_that_is_free_late_may_still_be_near(both_ways):
    """Serving call 0 first leaves the unit at place 4 when call 2 rings: 0 + 42 + 2 s in all."""
    trace = CallTrace([0, 0, 44], [0, 4, 4], [0, 4, 4], [20, 0, 0], 0.0, [0])
    schedule = np.array(
        list(chain_responses(trace_of([(0, 0, 0, 20, 0), (0, 4, 4, 0, 0), (44, 4, 4, 0, 0)], [0]), [0, 1, 2], 0))
    )
    assert schedule.tolist() == [0.0, 42.0, 2.0]
    assert offline_bound(trace, TRAVEL, stations=[0], both_ways=both_ways).mean_response <= schedule.mean()


def test_each_unit_and_call_comes_before_one_call_at_most():
    draw = np.random.Generator(np.random.Philox(8))
    trace = CallTrace(
        np.sort(draw.random(60) * 300), *draw.integers(0, 5, (2, 60)), draw.random(60) * 20, 0.5, [0, 2, 4]
    )
    bound = offline_bound(trace, TRAVEL, stations=[0, 2, 4])
    assert len(set(bound.before)) == 60
    assert bound.before.min() >= -3
    assert bound.mean_response == pytest.approx(bound.response.mean())


@pytest.mark.parametrize(
    ("trace", "words"),
    [
        (CallTrace([0], [5], [0], [1], 0, [0]), r"scene\[0\] \(5\) must be a place, a row from 0 to 4"),
        (CallTrace([-1], [0], [0], [1], 0, [0]), r"time\[0\] \(-1\)"),
        (CallTrace([0], [0], [0], [1], 0, []), "unit, which is empty"),
        (CallTrace([], [], [], [], 0, [0]), "the trace has 0 calls"),
    ],
)
def test_bad_rows_are_named(trace, words):
    with pytest.raises(ValueError, match=words):
        offline_bound(trace, TRAVEL)


def test_a_scene_that_nobody_can_reach_is_named():
    cut = TRAVEL.copy()
    cut[:, 2] = np.inf
    with pytest.raises(ValueError, match=r"time\[1\]: no unit can reach the call"):
        offline_bound(CallTrace([0, 1], [0, 2], [0, 0], [1, 1], 0, [0]), cut)
