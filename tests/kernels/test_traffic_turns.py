"""Turn pockets and turns that give way, on streets small enough to follow by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.kernels.traffic_cases import SECOND, run
from twin.kernels.traffic import touch
from twin.kernels.traffic_arrays import FIXED
from twin.kernels.traffic_layout import Roads, Signals, Traffic, Trips, build


def _left(traffic: Traffic, links: list[int], until: int = 1000) -> list[float]:
    """When each vehicle left any of some links, in s, by vehicle."""
    rows: list[tuple[int, ...]] = []
    run(traffic, until * SECOND, rows)
    return [left / SECOND for _, link, _, left in sorted(rows) if link in links]


def _fork(**turns: Any) -> Traffic:
    """Send three vehicles to a slow exit (link 2, one every 10 s) and a fourth to a free one (link 1)."""
    roads = Roads(4, [0, 1, 1], [1, 2, 3], 200.0, 20.0, capacity=[np.inf, np.inf, 0.1], **turns)
    departs = np.array([0, 2, 4, 6]) * SECOND
    return build(roads, Trips(departs, [0] * 4, route_start=[0, 0, 0, 3], routes=[0, 2, -1, 0, 1, -1]))


@pytest.mark.parametrize(
    ("turns", "fourth"),
    [
        ({}, 31.25),
        ({"pockets": [(0, 2)], "pocket_room": 1.0}, 21.250002),
        ({"pockets": [(0, 2)], "pocket_room": 2.0}, 16.0),
    ],
    ids=["no pocket", "pocket of one", "pocket of two"],
)
def test_a_pocket_lets_others_pass_until_it_is_full(turns: dict[str, Any], fourth: float) -> None:
    # the exit takes vehicles at 10, 20 and 30 s. A pocket of one holds the second from 12 to 20 s,
    # so the third blocks the fourth until then; a pocket of two also holds the third, from 14 s
    assert _left(_fork(**turns), [0])[3] == fourth


def test_vehicles_by_table_use_a_pocket_as_those_by_route_do() -> None:
    roads = Roads(4, [0, 1, 1], [1, 2, 3], 200.0, 20.0, pockets=[(0, 2)])
    traffic = build(roads, Trips([0, 0], [0, 0], destination=[0, 1]), [2, 3])
    traffic.settings.informed[:] = [[0, 1, -1, -1], [0, 2, -1, -1]]
    touch(*traffic)
    rows: list[tuple[int, ...]] = []
    run(traffic, 100 * SECOND, rows)
    assert sorted((vehicle, link) for vehicle, link, _, _ in rows) == [(0, 0), (0, 1), (1, 0), (1, 2), (1, 3)]


def test_a_pocket_can_have_a_green_of_its_own() -> None:
    roads = Roads(4, [0, 1, 1], [1, 2, 3], 200.0, 20.0, pockets=[(0, 2)])
    plan = Signals(control=[0, FIXED, 0, 0], cycle=60.0, start=[0.0, 0.0, 0.0, 40.0], length=[30.0, 60.0, 60.0, 10.0])
    trips = Trips([0, 0], [0, 0], route_start=[0, 3], routes=[0, 2, -1, 0, 1, -1])
    # both pass the end of link 0 at once, the turn then waits for its own green
    traffic = build(roads, trips, signals=plan)
    assert _left(traffic, [0, 3]) == [10.0, 40.0, 11.25]


def test_signals_that_make_no_sense_are_named() -> None:
    roads = Roads(4, [0, 1, 1], [1, 2, 3], 200.0, 20.0, pockets=[(0, 2)], yields=[(0, 2, 0)], gap=0.0, late_turn=-1.0)
    plan = Signals(
        control=[0, FIXED, 4, 1.5], cycle=[60.0, 0.0, np.nan, 60.0], length=[-1.0, 30.0, 30.0, 30.0],
        phase=[0, 0, 99, 0], start=[0.0, 0.0, 0.0], minimum_green=7.0, maximum_green=[40.0, 5.0, 40.0, 40.0],
        extension=np.inf,
    )  # fmt: skip
    trip = Trips([0], [0], route_start=[0], routes=[0, -1])
    with pytest.raises(ValueError, match="node 2, 3: control must be whole, at most 3") as caught:
        build(roads, trip, signals=plan)
    for part in (
        "link 1, 2: cycle must be finite, at least 1e-06",
        "link 0: length must be finite, at least 0",
        "link 2: phase must be whole, at most 63",
        "node 1: minimum_green must not be longer than maximum_green",
        "node 0, 1, 2, 3: extension must be finite",
        "gap (0.0) must be greater than 0 s where a movement gives way",
        "late_turn (-1.0) must be 0 s or more",
    ):
        assert part in str(caught.value)
    with pytest.raises(ValueError, match="signals: cycle has 5 rows, must have 4, 1 of them of pockets"):
        build(replace(roads, gap=4.5, late_turn=3.0), trip, signals=Signals(cycle=np.full(5, 60.0)))


def _opposed(departs: list[float], turners: int = 1, opposed_turns: bool = False, **signals: Any) -> Traffic:
    """Let link 0 turn into link 2 across what comes from link 1, bound for link 3 (or turning into 4 as well)."""
    yields = [(0, 2, 1), (1, 4, 0)]
    roads = Roads(6, [0, 1, 2, 2, 2], [2, 2, 3, 4, 5], 200.0, 20.0, yields=yields)
    times = np.array([0.0] * turners + departs) * SECOND
    way = [0] * turners + [6 if opposed_turns else 3] * len(departs)
    trips = Trips(
        times.astype(int), [0] * turners + [1] * len(departs), route_start=way, routes=[0, 2, -1, 1, 3, -1, 1, 4, -1]
    )
    return build(roads, trips, signals=Signals(**signals))


def test_a_turn_across_oncoming_traffic_waits_for_a_gap() -> None:
    # oncoming at 11, 15 and 22 s; ready at 10 s: 1 s and 4 s are less than the gap of 4.5 s, 7 s are not
    assert _left(_opposed([1.0, 5.0, 12.0]), [0]) == [15.0]


def test_two_turns_across_each_other_pass_side_by_side() -> None:
    assert _left(_opposed([0.0], opposed_turns=True), [0, 1]) == [10.0, 10.0]


def test_who_is_not_due_before_the_gap_is_over_holds_nobody_up() -> None:
    assert _left(_opposed([4.5]), [0]) == [10.0]
    assert _left(_opposed([4.499999]), [0]) == [14.499999]


def test_turns_are_made_when_the_oncoming_stream_gets_red_and_a_little_longer() -> None:
    # oncoming every 2 s from 11 s on; the one at 29 s is the last before red at 30 s, so the first goes
    # at 29 s, the next two by headways of 1.25 s in the 3 s after green, 32.75 s is within them as well,
    # 34 s is not: the fifth turns in the next cycle, behind the one that had got red at 31 s
    departs = np.arange(1.0, 22.0, 2.0).tolist()
    traffic = _opposed(departs, 5, control=FIXED, cycle=60.0, length=30.0)
    assert _left(traffic, [0]) == [29.0, 30.25, 31.5, 32.75, 60.0]
