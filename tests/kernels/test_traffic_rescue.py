"""Emergency vehicles: how they pass a queue and get green, followed by hand."""

from typing import Any

import numpy as np
import pytest

from tests.kernels.traffic_cases import SECOND, run
from twin.kernels.traffic import advance, set_free_flow, touch
from twin.kernels.traffic_arrays import ACTUATED, FIXED, new_log
from twin.kernels.traffic_layout import Classes, Roads, Signals, Traffic, Trips, build


def _left(traffic: Traffic, links: list[int]) -> list[float]:
    """When each vehicle left any of some links, in s, by vehicle."""
    rows: list[tuple[int, ...]] = []
    run(traffic, 1000 * SECOND, rows)
    return [left / SECOND for _, link, _, left in sorted(rows) if link in links]


@pytest.mark.parametrize(
    ("emergency", "left"),
    [(False, [10.0, 20.0, 30.0, 40.0]), (True, [10.0, 30.0, 40.0, 20.0])],
    ids=["a car", "an ambulance"],
)
def test_an_ambulance_passes_the_queue_and_goes_first(emergency: bool, left: list[float]) -> None:
    # the next link takes one vehicle every 10 s. The ambulance enters at 5 s and would be due at 15 s;
    # at 5 + 1.5 * 10 s it passes the two cars still ahead, which keep their order
    roads = Roads(3, [0, 1], [1, 2], 200.0, 20.0, capacity=[np.inf, 0.1])
    departs = (np.array([0, 1.25, 2.5, 5]) * SECOND).astype(int)
    trips = Trips(departs, [0] * 4, vehicle_class=[0, 0, 0, 1], route_start=[0] * 4, routes=[0, 1, -1])
    traffic = build(roads, trips, classes=Classes((1.0, 1.0), (1.0, 1.0), emergency=[False, emergency]))
    assert _left(traffic, [0]) == left


def test_an_ambulance_takes_the_space_of_its_class() -> None:
    # link 1 holds 2 PCU and takes no more from the ambulance on until it has left (10.5 s) and its space is back (2 s)
    roads = Roads(3, [0, 1], [1, 2], [200.0, 10.0], 20.0)
    trips = Trips([0, 0], [0, 0], vehicle_class=[1, 0], route_start=[0, 0], routes=[0, 1, -1])
    traffic = build(roads, trips, classes=Classes((1.0, 2.0), (1.0, 1.0), emergency=[False, True]))
    assert _left(traffic, [0]) == [10.0, 12.5]


def _crossing(control: int, closed: bool = False, yields: Any = (), **rescue: float) -> Traffic:
    """Let an ambulance come to a red signal at 20 s, and two cars to the green across at 14 and 16 s."""
    roads = Roads(5, [0, 1, 2, 2], [2, 2, 3, 4], 200.0, 20.0, yields=yields)
    trips = Trips(
        np.array([10, 4, 6]) * SECOND, [0, 1, 1], vehicle_class=[1, 0, 0], route_start=[0, 3, 3],
        routes=[0, 2, -1, 1, 3, -1],
    )  # fmt: skip
    plan = Signals(
        control=control, cycle=60.0, start=[40.0, 0.0, 0.0, 0.0], length=[20.0, 40.0, 60.0, 60.0], phase=[1, 0, -1, -1]
    )
    classes = Classes((1.0, 1.0), (1.0, 1.0), emergency=[False, True], **rescue)
    traffic = build(roads, trips, classes=classes, signals=plan)
    traffic.settings.closed[2] = closed
    touch(*traffic)
    return traffic


def test_without_calls_an_ambulance_waits_for_green() -> None:
    assert _left(_crossing(FIXED, green_ahead=0.0), [0, 1]) == [40.0, 14.0, 16.0]


@pytest.mark.parametrize("control", [FIXED, ACTUATED])
@pytest.mark.parametrize("yields", [(), [(1, 2, 0)]], ids=["nobody gives way", "a turn gives way"])
def test_an_ambulance_calls_for_green_and_the_plan_goes_on_behind_it(control: int, yields: Any) -> None:
    # it calls at half of its way, at 15 s: the second car has red from then until the ambulance leaves at 20 s
    assert _left(_crossing(control, yields=yields), [0, 1]) == [20.0, 14.0, 20.0]
    # 8 s until the others have cleared
    assert _left(_crossing(control, yields=yields, green_clear=8.0), [0, 1]) == [23.0, 14.0, 23.0]


def _turning(ambulance: float, oncoming: list[float], ahead: float) -> Traffic:
    """Let a car turn across oncoming ones from 10 s on, with an ambulance behind it."""
    roads = Roads(5, [0, 1, 2, 2], [2, 2, 3, 4], 200.0, 20.0, yields=[(0, 2, 1)])
    times = (np.array([0.0, ambulance, *oncoming]) * SECOND).astype(int)
    others = len(oncoming)
    trips = Trips(
        times, [0, 0] + [1] * others, vehicle_class=[0, 1] + [0] * others, route_start=[0, 0] + [3] * others,
        routes=[0, 2, -1, 1, 3, -1],
    )  # fmt: skip
    classes = Classes((1.0, 1.0), (1.0, 1.0), emergency=[False, True], green_ahead=ahead)
    return build(roads, trips, classes=classes, signals=Signals(control=[0, 0, FIXED, 0, 0]))


def test_who_turns_ahead_of_an_ambulance_that_calls_has_the_way_free() -> None:
    # oncoming cars are ready at 11, 12.25 and 13.5 s; the ambulance calls from 7 s on, and they have red until it
    # has left. Without a call the turn waits for the last of them
    assert _left(_turning(2.0, [1.0, 2.0, 3.0], 0.0), [0, 1]) == [13.5, 14.75, 11.0, 12.25, 13.5]
    assert _left(_turning(2.0, [1.0, 2.0, 3.0], 15.0), [0, 1]) == [10.0, 12.0, 12.0, 13.25, 14.5]


def test_a_turn_is_made_at_the_instant_a_call_stops_those_who_come() -> None:
    # the call begins at 12 s, when one car has come through and four are to come
    oncoming = [1.0, 2.0, 3.0, 4.0, 5.0]
    assert _left(_turning(7.0, oncoming, 0.0), [0, 1]) == [16.0, 17.25, 11.0, 12.25, 13.5, 14.75, 16.0]
    assert _left(_turning(7.0, oncoming, 15.0), [0, 1]) == [12.0, 17.0, 11.0, 17.0, 18.25, 19.5, 20.75]


def test_the_plan_goes_on_when_an_ambulance_has_had_green_for_long() -> None:
    assert _left(_crossing(FIXED, closed=True, green_most=10.0), [0, 1]) == [14.0, 25.0]


def _alone(changes: list[tuple[float, float]], **turns: Any) -> float:
    """Tell when an ambulance that enters at 0 s, due at 50 s, leaves a link that is red up to 1,000 s.

    changes  s: from when on, and how long the whole link takes from then on
    """
    roads = Roads(3, [0, 1], [1, 2], 1000.0, 20.0, **turns)
    plan = Signals(control=[0, FIXED, 0], cycle=2000.0, start=[1000.0, 0.0], length=[900.0, 2000.0])
    trips = Trips([0], [0], vehicle_class=[1], route_start=[0], routes=[0, 1, -1])
    traffic = build(roads, trips, classes=Classes((1.0, 1.0), (1.0, 1.0), emergency=[False, True]), signals=plan)
    for when, free in changes:
        advance(*traffic, new_log(9), int(when * SECOND))
        set_free_flow(traffic.network, traffic.settings, traffic.state, 0, int(free * SECOND))
        touch(*traffic)
    return max(_left(traffic, [0, 2]))


@pytest.mark.parametrize(
    ("changes", "left"),
    [([], 50.0), ([(49.0, 500.0)], 59.0), ([(20.0, 500.0)], 320.0), ([(0.0, 500.0), (250.0, 50.0)], 275.0)],
    ids=["as it was", "slower at the end", "slower early", "slow, then fast"],
)
def test_an_ambulance_calls_before_it_is_due_however_the_speed_has_changed(changes: Any, left: float) -> None:
    # it calls 15 s before it is due, and has green from 4 s later on: whenever it comes
    assert _alone(changes) == left


def test_an_ambulance_that_goes_into_a_pocket_asks_on() -> None:
    # due at 50 s; others have red from 35 s on. The pocket takes a microsecond
    assert _alone([], pockets=[(0, 1)], pocket_room=[3.0]) == 50.000001


def test_an_ambulance_that_passes_others_keeps_its_call() -> None:
    # it enters at 5 s, is due at 15 s, calls from 10 s on and has green from 22 s on. At 20 s it passes the cars
    # before it, who have no green once it has left; they go every 10 s
    roads = Roads(3, [0, 1], [1, 2], 200.0, 20.0, capacity=[np.inf, 0.1])
    departs = (np.array([0, 1.25, 5]) * SECOND).astype(int)
    trips = Trips(departs, [0] * 3, vehicle_class=[0, 0, 1], route_start=[0] * 3, routes=[0, 1, -1])
    plan = Signals(control=[0, FIXED, 0], cycle=600.0, start=[500.0, 0.0], length=[50.0, 600.0])
    classes = Classes((1.0, 1.0), (1.0, 1.0), emergency=[False, True], green_clear=12.0)
    assert _left(build(roads, trips, classes=classes, signals=plan), [0]) == [500.0, 510.0, 22.0]
