"""Values that nobody meant, in every table and option: each is named, none is driven with."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from twin.models.traffic import Rules, floating_cars, loops, simulate

INF, NAN = float("inf"), float("nan")
LINKS = pd.DataFrame({"from": ["a", "b"], "to": ["b", "c"], "length": 1000.0, "speed": 20.0}, index=["ab", "bc"])
TRIPS = pd.DataFrame({"from": "a", "to": "c", "depart": [0.0, 2.0]})


def plan(**other):
    return pd.DataFrame({"link": ["ab"], "cycle": 60.0, "start": 0.0, "green": 30.0} | other)


def test_no_trips_are_no_error():
    result = simulate(LINKS, TRIPS.iloc[:0])
    assert (len(result.trips), len(result.events), result.links["vehicles"].tolist()) == (0, 0, [0, 0])


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("length", INF, "links row bc: length is inf, must be greater than 0 and finite"),
        ("length", "far", "links row bc: length is far, must be a number, in m"),
        ("length", 1e12, "links row bc: length is 1000000000000.0, .* room for more than"),
        ("speed", INF, "links row bc: speed is inf"),
        ("lanes", 1e9, "links row bc: length is 1000.0, with its lanes and jam_density gives room for more than"),
        ("jam_density", 1e15, "links row bc: length is 1000.0, with its lanes and jam_density"),
        ("reaction_time", INF, "links row bc: reaction_time is inf"),
        ("weight", 0.0, "links row bc: weight is 0.0, must be a whole number from 1 to 16"),
        ("weight", 1.5, "links row bc: weight is 1.5, must be a whole number"),
        ("rank", NAN, "links row bc: rank is nan, must be a whole number from 0 to 15"),
    ],
)
def test_links_are_named_by_their_label(column, value, message):
    usual = {"lanes": 1.0, "jam_density": 0.2, "reaction_time": 1.0, "weight": 1.0, "rank": 0.0}
    first = usual[column] if column in usual else LINKS[column].iloc[0]
    with pytest.raises(ValueError, match=message):
        simulate(LINKS.assign(**{column: pd.Series([first, value], LINKS.index, dtype=object)}), TRIPS)


def test_room_for_too_many_counts_the_smallest_vehicles_that_drive():
    rules = Rules(pcu={"car": 1.0, "ant": 0.001})
    long = LINKS.assign(length=100_000.0)
    assert len(simulate(long, TRIPS, rules=rules).trips) == len(TRIPS)
    with pytest.raises(ValueError, match=r"links row ab: length is 100000.0, .* room for more than 1e.07 vehicles"):
        simulate(long, TRIPS.assign(**{"class": "ant"}), rules=rules)


def test_two_links_of_one_name_are_refused():
    with pytest.raises(ValueError, match="links: the index must be unique"):
        simulate(LINKS.set_axis(["x", "x"]), TRIPS)


@pytest.mark.parametrize(
    ("depart", "message"),
    [
        (1e15, "trips row 0: depart is 1000000000000000.0, must be seconds, at most"),
        (pd.Timestamp("2026-01-01"), "trips row 0: depart is 2026-01-01 00:00:00, must be seconds"),
        ("noon", "trips row 0: depart is noon"),
    ],
)
def test_departures_are_seconds(depart, message):
    with pytest.raises(ValueError, match=message):
        simulate(LINKS, TRIPS.assign(depart=[depart] * 2))


@pytest.mark.parametrize("until", [NAN, INF, -5.0, 1e18])
def test_a_run_ends_at_a_time(until):
    with pytest.raises(ValueError, match=r"until \(.*\) must be between 0 and"):
        simulate(LINKS, TRIPS, until=until)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("green", 1e-7, "signals row 0: green is 1e-07, must be greater than 0, at least"),
        ("green", 61.0, "signals row 0: green is 61.0, is longer with amber and all_red than the cycle"),
        ("cycle", INF, "signals row 0: cycle is inf, must be greater than 0, .* and finite"),
        ("start", 1e300, r"signals row 0: start is 1e\+300, must be a time"),
    ],
)
def test_greens_that_nobody_would_ever_see_are_named(column, value, message):
    with pytest.raises(ValueError, match=message):
        simulate(LINKS, TRIPS, rules=Rules(signals=plan(**{column: value})))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"time": 1e15, "speed": 5.0}, "changes row 0: time is 1000000000000000.0, must be seconds"),
        ({"time": 1.0, "speed": INF}, "changes row 0: speed is inf"),
        ({"time": 1.0, "speed": "slow"}, "changes row 0: speed is slow"),
        ({"time": 1.0, "open": "no"}, "changes row 0: open is no, must be True or False"),
    ],
)
def test_changes_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        simulate(LINKS, TRIPS, changes=pd.DataFrame({"link": ["ab"]} | change))


@pytest.mark.parametrize(
    ("pcu", "message"),
    [
        ({"car": 1.0, "ship": INF}, "pcu: ship is inf, must be at most"),
        ({"car": 1.0, "ship": 1e18}, r"pcu: ship is 1e\+18, must be at most"),
        ({"van": 1.0}, "trips: column class is missing, and pcu has no car"),
    ],
)
def test_classes_have_a_size(pcu, message):
    with pytest.raises(ValueError, match=message):
        simulate(LINKS, TRIPS, rules=Rules(pcu=pcu))


@pytest.mark.parametrize("option", ["refresh", "relax_after"])
@pytest.mark.parametrize("value", [INF, 1e-6])
def test_nobody_looks_never_or_a_million_times_a_second(option, value):
    with pytest.raises(ValueError, match=rf"{option} \(.*\) must be between"):
        simulate(LINKS, TRIPS, rules=Rules(**{option: value}))


@pytest.mark.parametrize(
    ("labels", "x", "message"),
    [("aabc", 0.0, "nodes: a is there twice"), ("abc", NAN, "nodes row a: x is nan, must be a position")],
)
def test_positions_are_one_each(labels, x, message):
    nodes = pd.DataFrame({"x": x, "y": np.arange(float(len(labels)))}, index=list(labels))
    with pytest.raises(ValueError, match=message):
        simulate(LINKS, TRIPS, rules=Rules(nodes=nodes))


def test_detectors_and_corridors_name_what_is_wrong():
    nodes = pd.DataFrame({"x": [0.0, 1e3, 2e3], "y": 0.0}, index=list("abc"))
    result = simulate(LINKS, TRIPS, rules=Rules(nodes=nodes))
    for every in (0.0, -5.0, INF, NAN):
        with pytest.raises(ValueError, match=r"every \(.*\) must be greater than 0 s"):
            loops(result, ["ab"], every=every)
        with pytest.raises(ValueError, match=r"every \(.*\) must be greater than 0 s"):
            floating_cars(result, 1.0, every=every)
    with pytest.raises(ValueError, match=r"until \(-1\) must be greater than 0 s"):
        loops(result, ["ab"], until=-1)
    with pytest.raises(ValueError, match="links must be different"):
        loops(result, ["ab", "ab"])
    with pytest.raises(ValueError, match="no link nix in the result"):
        result.plot.space_time(["ab", "nix"])
    with pytest.raises(ValueError, match="corridor has no link"):
        result.plot.space_time([])
