"""Rules of the traffic kernel on streets small enough to follow by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.kernels.traffic_cases import SECOND, run
from twin.kernels.traffic import advance, set_control, set_free_flow, touch
from twin.kernels.traffic_arrays import (
    ACTUATED,
    ARRIVED,
    CANCELLED,
    DARK,
    DONE,
    DRIVING,
    FIXED,
    LOG_FULL,
    STRANDED,
    UNCONTROLLED,
    WAITING,
    new_log,
)
from twin.kernels.traffic_layout import Classes, Roads, Signals, Traffic, Trips, build
from twin.kernels.traffic_probe import block_chain, blockers, gridlocks, head

CROSSING = Roads(4, [0, 1, 2], [2, 2, 3], 200.0, 20.0)
"""Two approaches of 10 s (links 0 and 1) and a common exit (link 2)."""


def _crossing(departs: Any, origins: Any, **signals: Any) -> Traffic:
    origins = np.array(origins)
    routes = [0, 2, -1, 1, 2, -1]
    trips = Trips(np.array(departs) * SECOND, origins, route_start=3 * origins, routes=routes)
    return build(CROSSING, trips, signals=Signals(**signals))


def _passed(traffic: Traffic, until: int = 10_000) -> list[float]:
    """When each vehicle left its approach, in seconds, by vehicle."""
    rows: list[tuple[int, ...]] = []
    run(traffic, until * SECOND, rows)
    return [left / SECOND for _, link, _, left in sorted(rows) if link < 2]


def test_without_control_only_the_headway_keeps_vehicles_apart() -> None:
    assert _passed(_crossing([0, 0, 20], [0, 1, 1])) == [10, 11.25, 30]


def test_a_tie_goes_to_the_lower_key() -> None:
    traffic = _crossing([0, 0], [0, 1])
    traffic = traffic._replace(demand=traffic.demand._replace(key=np.array([8, 3])))
    assert _passed(traffic) == [11.25, 10]


def test_fixed_green_holds_vehicles_until_it_starts() -> None:
    plan = {"cycle": 60.0, "start": [40.0, 5.0, 0.0], "length": [20.0, 30.0, 60.0]}
    traffic = _crossing([0, 1, 55, 0], [0, 0, 0, 1], control=FIXED, **plan)
    assert _passed(traffic) == [40, 41.25, 100, 10]


def test_a_green_of_no_length_never_comes() -> None:
    traffic = _crossing([0], [0], control=FIXED, length=0.0)
    assert _passed(traffic) == []
    assert blockers(traffic.network, traffic.state).tolist() == [-1, -1, -1]
    assert head(traffic.state, 0) == (0, 0, 10 * SECOND, 2)


def test_at_a_yield_sign_the_major_road_goes_first() -> None:
    # link 0 yields: a vehicle of each link is ready at 11.25 s, when the exit can take its next
    departs, origins = [0, 1.25, 1.25], [1, 0, 1]
    roads = replace(CROSSING, rank=[1, 0, 0])
    trips = Trips((np.array(departs) * SECOND).astype(int), origins, route_start=[3, 0, 3], routes=[0, 2, -1, 1, 2, -1])
    assert _passed(build(roads, trips)) == [10, 12.5, 11.25]
    assert _passed(build(CROSSING, trips)) == [10, 11.25, 12.5]


def test_a_node_with_a_capacity_lets_vehicles_through_one_by_one() -> None:
    roads = Roads(4, [0, 1, 2, 2], [2, 2, 3, 3], 200.0, 20.0, node_capacity=[np.inf, np.inf, 0.25, 0.25])
    trips = Trips([0, 0, 2 * SECOND], [0, 1, 1], route_start=[0, 3, 3], routes=[0, 2, -1, 1, 3, -1])
    traffic = build(roads, trips)
    assert _passed(traffic) == [10, 14, 18]
    # the end of a trip is no way through
    assert traffic.state.arrival.tolist() == [20 * SECOND, 24 * SECOND, 28 * SECOND]


ACTUATED_PLAN: dict[str, Any] = {
    "control": ACTUATED, "phase": [0, 1, -1], "minimum_green": 5.0,
    "maximum_green": 20.0, "extension": 3.0, "intergreen": 4.0,
}  # fmt: skip


def test_an_actuated_green_rests_until_somebody_waits_elsewhere() -> None:
    # green of phase 0 from 0; a vehicle at 90 at phase 1 switches at once
    assert _passed(_crossing([0, 80], [0, 1], **ACTUATED_PLAN)) == [10, 94]


def test_an_actuated_green_ends_at_the_first_gap() -> None:
    # phase 0 passes at 10, 12, 14, then nobody until 17: gap of 3 s, 4 s intergreen
    assert _passed(_crossing([0, 2, 4, 8, 1], [0, 0, 0, 0, 1], **ACTUATED_PLAN)) == [
        10, 12, 14, 30, 21,
    ]  # fmt: skip


def test_an_actuated_green_ends_at_its_maximum() -> None:
    departs = [*range(0, 40, 2), 1]
    passed = _passed(_crossing(departs, [0] * 20 + [1], **ACTUATED_PLAN))
    assert passed[:5] == [10, 12, 14, 16, 18]
    # maximum at 20 s, intergreen 4 s; then 5 s of minimum green, intergreen
    assert passed[-1] == 24
    assert passed[5] == 33


def test_a_dark_node_is_an_all_way_stop_in_order_of_arrival() -> None:
    traffic = _crossing([0, 1, 2, 3], [0, 1, 0, 1], control=DARK, stop_headway=3.0)
    assert _passed(traffic) == [10, 13, 16, 19]


def test_a_signal_that_goes_dark_lets_the_first_pass_at_once() -> None:
    traffic = _crossing([0, 5], [0, 1], control=FIXED, length=0.0, stop_headway=3.0)
    rows: list[tuple[int, ...]] = []
    run(traffic, 100 * SECOND, rows)
    set_control(traffic.settings, traffic.state, 2, DARK)
    touch(*traffic)
    assert _passed(traffic) == [100, 103]


def test_a_closed_link_admits_nobody_and_lets_those_on_it_leave() -> None:
    traffic = _crossing([0, 0], [0, 1])
    rows: list[tuple[int, ...]] = []
    run(traffic, 11 * SECOND, rows)
    traffic.settings.closed[2] = 1
    touch(*traffic)
    run(traffic, 100 * SECOND, rows)
    assert traffic.state.arrival.tolist() == [20 * SECOND, -1]
    assert block_chain(traffic.network, traffic.state, 1) == [1, 2]
    assert gridlocks(traffic.network, traffic.settings, traffic.state) == []
    traffic.settings.closed[2] = 0
    touch(*traffic)
    run(traffic, 200 * SECOND, rows)
    assert traffic.state.arrival.tolist() == [20 * SECOND, 110 * SECOND]


def test_a_new_speed_holds_for_the_rest_of_the_way() -> None:
    traffic = _crossing([0], [0])
    rows: list[tuple[int, ...]] = []
    run(traffic, 4 * SECOND, rows)
    set_free_flow(traffic.network, traffic.settings, traffic.state, 0, 20 * SECOND)
    touch(*traffic)
    # 6 s of 10 s were left, at half the speed they take 12 s
    assert _passed(traffic) == [16]


def test_a_truck_keeps_twice_the_headway_and_the_space_of_two() -> None:
    roads = Roads(3, [0, 1], [1, 2], [200.0, 10.0], 20.0)
    trips = Trips([0, 0, 0], [0] * 3, vehicle_class=[1, 0, 0], route_start=[0] * 3, routes=[0, 1, -1])
    traffic = build(roads, trips, classes=Classes((1.0, 2.0), (1.0, 2.0)))
    rows: list[tuple[int, ...]] = []
    run(traffic, 1000 * SECOND, rows)
    entered = {(v, link): t / SECOND for v, link, t, _ in rows}
    assert [entered[v, 0] for v in range(3)] == [0, 2.5, 3.75]
    # link 1 holds 2 PCU: the truck fills it, leaves at 10.5 s, and its space is
    # back after the wave of 2 s, when its headway is over as well
    assert [entered[v, 1] for v in range(3)] == [10, 12.5, 13.75]


ROUND = Roads(3, [0, 1, 0], [1, 2, 2], [200.0, 200.0, 1000.0], 20.0)


def _by_table(n_vehicle: int, informed: bool = True) -> Traffic:
    departs = np.arange(n_vehicle) * 10 * SECOND
    traffic = build(ROUND, Trips(departs, np.zeros(n_vehicle, int), informed=informed), [2])
    traffic.settings.informed[0] = [0, 1, -1]
    traffic.settings.habitual[0] = [2, 1, -1]
    touch(*traffic)
    return traffic


@pytest.mark.parametrize(("informed", "seconds"), [(True, 20), (False, 50)])
def test_drivers_follow_their_own_table(informed: bool, seconds: int) -> None:
    traffic = _by_table(1, informed)
    run(traffic, 100 * SECOND, [])
    assert traffic.state.arrival.tolist() == [seconds * SECOND]


def test_a_table_that_changes_turns_drivers_on_their_way() -> None:
    traffic = _by_table(3)
    run(traffic, 15 * SECOND, [])
    traffic.settings.informed[0] = [2, -1, -1]
    touch(*traffic)
    run(traffic, 200 * SECOND, [])
    # the first was past node 1, the second is stranded there, the third goes round
    assert traffic.state.outcome.tolist() == [ARRIVED, STRANDED, ARRIVED]
    assert traffic.state.arrival.tolist() == [20 * SECOND, -1, 70 * SECOND]


def test_a_trip_without_a_way_is_cancelled_at_its_departure() -> None:
    traffic = _by_table(2)
    run(traffic, 5 * SECOND, [])
    traffic.settings.informed[:] = -1
    touch(*traffic)
    run(traffic, 10 * SECOND, [])
    assert traffic.state.outcome.tolist() == [DRIVING, WAITING]
    run(traffic, 10 * SECOND + 1, [])
    assert traffic.state.outcome.tolist() == [STRANDED, CANCELLED]


def test_drivers_from_a_link_with_a_banned_turn_read_a_column_of_their_own() -> None:
    # 0 -> 2 and 1 -> 2, then 2 -> 3 or round by 2 -> 4 -> 3; from link 0 the turn into 2 is banned
    roads = Roads(5, [0, 1, 2, 2, 4], [2, 2, 3, 4, 3], 200.0, 20.0, banned_turns=[(0, 2)])
    traffic = build(roads, Trips([0, 5 * SECOND], [0, 1]), [3])
    assert traffic.network.hop_column.tolist()[:5] == [5, 2, 3, 4, 3]
    traffic.settings.informed[0] = [0, 1, 2, -1, 4, 3]
    touch(*traffic)
    run(traffic, 100 * SECOND, [])
    assert traffic.state.arrival.tolist() == [30 * SECOND, 25 * SECOND]


def test_a_full_log_stops_the_kernel_and_nothing_is_lost() -> None:
    traffic, log = _crossing([0, 0], [0, 1]), new_log(1)
    seen = []
    while advance(*traffic, log, 100 * SECOND) == LOG_FULL:
        seen.append((int(log.vehicle[0]), int(log.link[0])))
        log.written[0] = 0
    seen.append((int(log.vehicle[0]), int(log.link[0])))
    assert sorted(seen) == [(0, 0), (0, 2), (1, 1), (1, 2)]
    assert advance(*traffic, log, 100 * SECOND) == DONE


def test_nothing_happens_at_or_after_the_time_given() -> None:
    traffic = _crossing([10], [0], control=UNCONTROLLED)
    run(traffic, 10 * SECOND, [])
    assert traffic.state.outcome.tolist() == [WAITING]
    run(traffic, 10 * SECOND + 1, [])
    assert traffic.state.outcome.tolist() == [DRIVING]
