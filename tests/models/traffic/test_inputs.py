"""Tables and options that are nearly right: text is read, slips are asked about, nothing is dropped in silence."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pandas as pd
import pytest

from twin.models.traffic import Rules, loops, simulate, travel_times

LINKS = pd.DataFrame({"from": ["a", "b"], "to": ["b", "c"], "length": 1000.0, "speed": 20.0}, index=["ab", "bc"])
TRIPS = pd.DataFrame({"from": "a", "to": "c", "depart": [9.0, 100000.0, 5.0]})


def test_numbers_may_come_as_text():
    plain = simulate(LINKS.assign(lanes=2.0, weight=2, rank=0), TRIPS)
    text = {"length": "1000", "speed": "20", "lanes": "2", "weight": "2", "rank": "0"}
    spoken = simulate(LINKS.assign(**text), TRIPS.assign(depart=["9", "100000", "5"]))
    assert spoken.trips["arrive"].tolist() == plain.trips["arrive"].tolist() == [109, 100100, 105]
    assert spoken.links["delay"].tolist() == plain.links["delay"].tolist()


def test_changes_and_signals_may_come_as_text():
    plan = pd.DataFrame({"link": ["ab"], "cycle": ["60"], "start": ["0"], "green": ["30"], "offset": ["10"]})
    change = pd.DataFrame({"time": ["1", "50000"], "link": "bc", "speed": ["10", None], "open": [None, False]})
    result = simulate(LINKS, TRIPS, rules=Rules(signals=plan), changes=change)
    assert result.trips["arrive"].tolist()[::2] == [171.5, 170]
    assert result.trips["outcome"].tolist() == ["arrived", "driving", "arrived"]


@pytest.mark.parametrize("unit", [pd.Timedelta("5s"), pd.Timestamp("2026-01-01")])
@pytest.mark.parametrize("kind", [None, object])
def test_dates_and_spans_are_no_seconds(unit, kind):
    with pytest.raises(ValueError, match=r"trips row 0: depart is .*, must be seconds"):
        simulate(LINKS, TRIPS.assign(depart=pd.Series([unit] * 3, dtype=kind)))


def test_two_trips_of_one_name_are_refused():
    with pytest.raises(ValueError, match=r"trips: the index must be unique; .* ignore_index=True"):
        simulate(LINKS, pd.concat([TRIPS, TRIPS]))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"links": LINKS.assign(lane=2)}, "links: column lane is unknown; is it lanes?"),
        ({"trips": TRIPS.assign(Class="car")}, "trips: column Class is unknown; is it class?"),
        ({"changes": pd.DataFrame({"time": [1.0], "link": "ab", "sped": 1.0})}, "column sped is unknown; is it speed?"),
        ({"links": pd.concat([LINKS, LINKS[["length"]]], axis=1)}, "links: column length is there 2 times"),
        (
            {"changes": pd.DataFrame({"time": [1.0], "link": "ab", "speed": 1.0, "closed": True})},
            "changes: column closed is unknown; is it open? False closes a link",
        ),
        ({"trips": TRIPS.assign(vehicle="truck")}, "trips: column vehicle is unknown; is it class?"),
        (
            {"links": LINKS.rename(columns={"from": "from_node", "length": "Length", "speed": "speed_kmh"})},
            "links: column from is missing; is it from_node?; links: column length is missing, in m; is it Length?; "
            "links: column speed is missing, in m/s; is it speed_kmh?",
        ),
        (
            {"trips": TRIPS.rename(columns={"from": "origin", "to": "z", "depart": "departure"})},
            "trips: column from is missing; is it origin?; "
            "trips: column to is missing; there are origin, z, departure; "
            "trips: column depart is missing, in s; is it departure?",
        ),
        ({"links": LINKS.iloc[:0]}, "links: the table is empty"),
    ],
)
def test_columns_that_look_like_a_slip_are_asked_about(given, message):
    with pytest.raises(ValueError, match=re.escape(message) + "$"):
        simulate(**{"links": LINKS, "trips": TRIPS, **given})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"links": LINKS.assign(length="300 m")}, "links row ab: length is 300 m, must be a number, in m"),
        ({"links": LINKS.assign(length=300 + 1j)}, "links row ab: length is (300+1j), must be a number, in m"),
        ({"links": LINKS.assign(lanes=[1.0, np.nan])}, "links row bc: lanes is nan, must be a number"),
        (
            {"trips": TRIPS.assign(depart="07:00")},
            "trips row 0: depart is 07:00, must be seconds, at most 1e+12; "
            "of times: (depart - start).dt.total_seconds()",
        ),
        (
            {"links": LINKS.assign(**{"from": [1, 2], "to": [2, 3]}), "trips": TRIPS.assign(**{"from": "1", "to": 3})},
            "trips row 0: from is 1, is no node of the links (there it is int64, here str)",
        ),
        (
            {"trips": TRIPS.assign(**{"class": "bus"}), "rules": Rules(pcu={"car": 1.0})},
            "trips row 0: class is bus, must be one of car: "
            "the pcu given stand in place of car 1, motorcycle 0.25, truck 2, bus 2",
        ),
        ({"rules": Rules(seed=1.5)}, "seed (1.5) must be a whole number of 64 bits"),
        ({"rules": Rules(seed=2**70)}, f"seed ({2**70}) must be a whole number of 64 bits"),
        ({"rules": Rules(seed=float("nan"))}, "seed (nan) must be a whole number of 64 bits"),
    ],
)
def test_values_of_no_use_are_named_with_what_they_should_be(given, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        simulate(**{"links": LINKS, "trips": TRIPS, **given})


def test_classes_may_be_numbers():
    kinds = TRIPS.assign(**{"class": [1, 2, 1]})
    assert simulate(LINKS, kinds, rules=Rules(pcu={1: 1.0, 2: 2.0}, emergency=[2])).trips["arrive"].notna().all()


def test_columns_that_are_the_user_s_own_stay():
    own = LINKS.assign(osmid=[7, 8], highway="residential", speed_kph=72.0, lanes=1, oneway=True, width=3.5)
    result = simulate(own, TRIPS.assign(purpose="work"))
    assert result.links["osmid"].tolist() == [7, 8]
    assert result.trips["purpose"].tolist() == ["work"] * 3


def test_a_column_that_the_result_replaces_is_told():
    with pytest.warns(UserWarning, match="trips: the result replaces your column time"):
        first = simulate(LINKS, TRIPS.assign(time="noon"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        simulate(first.links, first.trips)


def test_nodes_of_large_numbers_stay_apart():
    near = 2**60
    links = pd.DataFrame({"from": [near, near + 1], "to": [float(near) * 2, 7.0], "length": 100.0, "speed": 10.0})
    trips = pd.DataFrame({"from": [near, near + 1], "to": 7, "depart": 0.0})
    assert simulate(links, trips).trips["outcome"].tolist() == ["no way", "arrived"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"links": LINKS.to_dict()}, "links must be a pandas DataFrame, not dict"),
        ({"links": None}, "links must be a pandas DataFrame, not NoneType"),
        ({"trips": None}, "trips must be a pandas DataFrame, not NoneType"),
        ({"rules": Rules(emergency="car")}, "emergency ('car') must be a list of classes"),
        ({"rules": Rules(emergency=None)}, "emergency (None) must be a list of classes"),
        ({"rules": Rules(guided_nodes="ab", informed_share=1.0)}, "guided_nodes ('ab') must be a list of nodes"),
        ({"rules": Rules(guided_nodes=5)}, "guided_nodes (5) must be a list of nodes"),
        ({"until": True}, "until (True) must be a number"),
        ({"rules": {"seed": 1}}, "rules must be Rules(...), not dict"),
        ({"rules": Rules(signals={"link": ["ab"]})}, "signals must be a pandas DataFrame, not dict"),
        ({"rules": Rules(pcu={"car": "1"})}, "pcu of car ('1') must be a number"),
        ({"rules": Rules(pcu=["car"])}, "pcu must be a mapping of classes to numbers, not list"),
        ({"rules": Rules(informed_share=".5")}, "informed_share ('.5') must be a number"),
        ({"rules": Rules(seed="x")}, "seed ('x') must be a number"),
        ({"rules": Rules(seed=None)}, "seed (None) must be a number"),
        ({"until": "5"}, "until ('5') must be a number"),
    ],
)
def test_what_is_of_no_use_as_it_is_is_named(given, message):
    with pytest.raises(TypeError) as caught:
        simulate(**{"links": LINKS, "trips": TRIPS, **given})
    assert str(caught.value) == message


def test_options_may_be_numbers_of_numpy():
    rules = Rules(seed=np.int64(3), informed_share=np.float32(0.5), gap=None)
    assert simulate(LINKS, TRIPS, until=np.float64(1e6), rules=rules).trips["arrive"].notna().all()


def test_detectors_and_corridors_say_what_they_want():
    nodes = pd.DataFrame({"x": [0.0, 1e3, 2e3], "y": 0.0}, index=list("abc"))
    back = LINKS.assign(**{"from": ["a", "b"], "to": ["b", "a"]})
    result = simulate(back, TRIPS.assign(to="b"), rules=Rules(nodes=nodes))
    with pytest.raises(TypeError, match=r"links \('ab'\) must be a list of links"):
        loops(result, "ab")
    with pytest.raises(TypeError, match=r"links \(0\) must be a list of links"):
        loops(result, 0)
    for wrong in ({"every": "5 min"}, {"begin": "10:00"}, {"until": "11:00"}):
        with pytest.raises(TypeError, match=r"(every|begin|until) \('.*'\) must be a number"):
            loops(result, ["ab"], **wrong)
    with pytest.raises(ValueError, match="link ab is in the corridor twice"):
        result.plot.space_time(["ab", "bc", "ab"])
    assert len(travel_times(result, "ab", "ab")) == 3
