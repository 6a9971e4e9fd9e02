"""Numbers near the end of what a count of microseconds holds."""

from __future__ import annotations

import numpy as np
import pytest

from twin.kernels.traffic import advance, touch
from twin.kernels.traffic_arrays import DONE, NEVER, new_log
from twin.kernels.traffic_layout import Classes, Roads, Signals, Traffic, Trips, build

HOUR = 3600_000_000


def city(depart: int = 0, classes: Classes | None = None) -> Traffic:
    """One vehicle over two links of 50 s."""
    roads = Roads(3, [0, 1], [1, 2], [1000.0, 1000.0], [20.0, 20.0])
    trips = Trips([depart], [0], route_start=[0], routes=np.array([0, 1, -1], np.int32))
    return build(roads, trips, (), classes)


@pytest.mark.parametrize("until", [NEVER, (1 << 63) - 1])
def test_advancing_to_the_end_of_time_ends(until):
    traffic = city()
    assert advance(*traffic, new_log(10), until) == DONE
    assert traffic.state.arrival.tolist() == [100_000_000]


@pytest.mark.parametrize("depart", [NEVER >> 1, NEVER + 5])
def test_a_departure_that_never_comes_is_refused(depart):
    with pytest.raises(ValueError, match="trip 0: depart must be before"):
        city(depart)


@pytest.mark.parametrize("size", [1e18, float("inf")])
def test_classes_of_endless_size_are_refused(size):
    with pytest.raises(ValueError, match="class 0: pcu must be at most"):
        city(classes=Classes((size,), (1.0,)))
    with pytest.raises(ValueError, match="class 0: headway_factor must be at most"):
        city(classes=Classes((1.0,), (size,)))


@pytest.mark.parametrize("row", [1 << 32, (1 << 40) + 1])
def test_rows_beyond_32_bits_are_no_other_rows(row):
    with pytest.raises(ValueError, match="link 0: from_node is an unknown node"):
        build(Roads(3, [row, 1], [1, 2], [1000.0, 1000.0], [20.0, 20.0]), Trips([0], [0]), [2])
    with pytest.raises(ValueError, match="trip 0: origin is an unknown node"):
        build(Roads(3, [0, 1], [1, 2], [1000.0, 1000.0], [20.0, 20.0]), Trips([0], [row]), [2])


def test_a_class_beyond_8_bits_is_no_other_class():
    with pytest.raises(ValueError, match="trip 0: vehicle_class is unknown"):
        build(Roads(3, [0, 1], [1, 2], [1000.0, 1000.0], [20.0, 20.0]), Trips([0], [0], vehicle_class=[256]), [2])


@pytest.mark.parametrize(("hours", "sooner"), [(1.0, 0.2), (38.2, 8.0)])
def test_who_is_ready_first_goes_first_however_long_others_wait(hours: float, sooner: float) -> None:
    # Links: two approaches of node 2, its exit, and a third approach whose exit stays closed.
    roads = Roads(6, [0, 1, 2, 4, 2], [2, 2, 3, 2, 5], 100.0, 10.0)
    late, early = round(hours * HOUR), round((hours - sooner) * HOUR)
    depart = [0, early, late]
    routes = np.array([3, 4, -1, 0, 2, -1, 1, 2, -1], np.int32)
    key_order = Trips(depart, [4, 0, 1], route_start=[0, 3, 6], routes=routes, key=[0, 2, 1])
    plain_order = Trips(depart[::-1], [1, 0, 4], route_start=[6, 3, 0], routes=routes)
    for trips, one, other in ((key_order, 1, 2), (plain_order, 1, 0)):
        traffic = build(roads, trips)
        traffic.settings.closed[[2, 4]] = 1
        touch(*traffic)
        assert advance(*traffic, new_log(0), late + HOUR) == DONE
        traffic.settings.closed[2] = 0
        touch(*traffic)
        assert advance(*traffic, new_log(0), late + 2 * HOUR) == DONE
        assert 0 < traffic.state.arrival[one] < traffic.state.arrival[other]


def test_a_headway_without_end_stays_one_for_a_large_class():
    roads = Roads(3, [0, 1], [1, 2], 1000.0, 20.0, capacity=[np.inf, 1e-12])
    trips = Trips([0, 1], [0, 0], route_start=[0, 0], routes=[0, 1, -1])
    traffic = build(roads, trips, (), Classes((40.0,), (40.0,)))
    advance(*traffic, new_log(10), 10**15)
    assert (traffic.state.arrival >= 0).tolist() == [True, False]


PLAIN_ROADS = {"n_node": 3, "from_node": [0, 1], "to_node": [1, 2], "length": 1000.0, "speed": 20.0}
PLAIN_TRIPS = {"depart": [0, 0], "origin": [0, 0]}


@pytest.mark.parametrize(
    ("roads", "trips", "message"),
    [
        ({}, {"depart": [0.5, 1.5]}, "trip 0, 1: depart must not be negative, and must be whole"),
        ({}, {"depart": [0.0, np.nan]}, "trip 1: depart must not be negative, and must be whole"),
        ({"from_node": [0.9, 1]}, {}, "link 0: from_node is an unknown node"),
        ({"from_node": np.array([1 << 32, 1], np.uint64)}, {}, "link 0: from_node is an unknown node"),
        ({"weight": [1.7, 1]}, {}, "link 0: weight must be in 1 .. 16, and whole"),
        ({"rank": 0.5}, {}, "link 0, 1: rank must be in 0 .. 15, and whole"),
        ({"banned_turns": [(0, 1.5)]}, {}, "banned turn 0: unknown link"),
        ({"pockets": [(0.5, 1)]}, {}, "pocket 0: unknown link"),
        ({}, {"route_start": [0.7, 0], "routes": [0, 1, -1]}, "trip 0: route_start is outside of routes"),
        ({}, {"route_start": 0, "routes": [0, -2]}, "route step 1: unknown link"),
        ({}, {"route_start": 0, "routes": np.array([0, 1 << 32, -1])}, "route step 1: unknown link"),
        ({}, {"first_link": [0.2, 0]}, "trip 0: first_link does not leave the origin"),
        ({}, {"destination": np.array([0, (1 << 64) - 1], np.uint64)}, "trip 1: destination is an unknown row"),
        ({}, {"key": [0.5, 1.0]}, "key must be whole numbers"),
        ({"speed": [1.0, 2.0, 3.0]}, {}, "speed has 3 rows, must have 2, or one value for all"),
        ({"to_node": [1, 2, 0]}, {}, "to_node has 3 rows, must have 2"),
        ({}, {"origin": [0, 0, 0]}, "origin has 3 rows, must have 2"),
        ({"n_node": 1, "from_node": [], "to_node": []}, {"first_link": 0}, "first_link does not leave the origin"),
    ],
)
def test_values_that_the_arrays_cannot_hold_are_no_others(roads, trips, message):
    with pytest.raises(ValueError, match=message):
        build(Roads(**(PLAIN_ROADS | roads)), Trips(**(PLAIN_TRIPS | trips)), [0])


def test_a_destination_beyond_32_bits_is_no_other_node():
    with pytest.raises(ValueError, match="destination 0: unknown node"):
        build(Roads(**PLAIN_ROADS), Trips(**PLAIN_TRIPS), np.array([(1 << 32) + 1]))


def test_whole_numbers_may_come_as_floats():
    roads = Roads(3, [0.0, 1.0], [1.0, 2.0], 1000.0, 20.0, weight=[2.0, 1.0])
    traffic = build(roads, Trips([0.0], [0.0], key=[5.0], route_start=[0.0], routes=[0.0, 1.0, -1.0]))
    assert advance(*traffic, new_log(10), NEVER) == DONE
    assert traffic.state.arrival.tolist() == [100_000_000]


def test_columns_are_copies_that_a_run_may_write():
    control = np.ones(3, np.int8)
    settings = build(Roads(**PLAIN_ROADS), Trips(**PLAIN_TRIPS), [0], signals=Signals(control=control)).settings
    settings.control[0] = 0
    assert control.tolist() == [1, 1, 1]


def test_no_links_are_no_error():
    traffic = build(Roads(1, [], [], [], []), Trips([0], [0]), [0])
    advance(*traffic, new_log(10), NEVER)
    assert traffic.state.outcome.tolist() == [2]


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ({"passing": np.nan}, r"passing \(nan\) must be at least 1, and finite"),
        ({"passing": np.inf}, r"passing \(inf\) must be"),
        ({"green_ahead": np.nan}, r"green_ahead \(nan\) must be 0 s or more"),
        ({"emergency": (True, False)}, "emergency has 2 rows, must have 1"),
    ],
)
def test_emergency_vehicles_can_do_only_what_can_be_done(classes, message):
    with pytest.raises(ValueError, match=message):
        city(classes=Classes(**classes))


def test_a_link_has_rows_for_the_smallest_vehicles_that_drive():
    # room for 200 cars of 1 km, and two rows besides
    def rows(kind: int) -> list[int]:
        roads = Roads(3, [0, 1], [1, 2], [1000.0, 1000.0], [20.0, 20.0])
        trips = Trips([0], [0], vehicle_class=[kind], route_start=[0], routes=np.array([0, 1, -1], np.int32))
        return np.diff(build(roads, trips, (), Classes((1.0, 0.25), (1.0, 1.0))).network.ring_start).tolist()

    assert (rows(0), rows(1)) == ([202, 202], [802, 802])
