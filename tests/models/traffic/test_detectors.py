"""Virtual detectors on traffic that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from twin.models.traffic import Rules, floating_cars, loops, simulate, travel_times

LINKS = pd.DataFrame(
    {"from": ["a", "b"], "to": ["b", "c"], "length": [200.0, 400.0], "speed": [20.0, 10.0], "lanes": [1, 2]},
    index=["ab", "bc"],
)
# leave ab at 10, 15 .. 55 s, bc 40 s later
RESULT = simulate(
    LINKS, pd.DataFrame({"from": "a", "to": "c", "depart": np.arange(10) * 5.0}, index=list("ABCDEFGHIJ"))
)


def test_a_loop_counts_the_vehicles_that_leave_its_link():
    seen = loops(RESULT, ["ab", "bc"], every=30.0).set_index(["link", "begin"])
    assert seen.loc["ab", "count"].tolist() == [4, 6, 0, 0]
    assert seen.loc["bc", "count"].tolist() == [0, 2, 6, 2]
    assert seen.loc[("ab", 30.0), "flow"] == 720
    assert seen.loc[("ab", 30.0), "speed"] == pytest.approx(20)
    assert np.isnan(seen.loc[("bc", 0.0), "speed"])
    # six times 7 m at 20 m/s in 30 s; two lanes of 10 m/s share theirs
    assert seen.loc[("ab", 30.0), "occupancy"] == pytest.approx(6 * 7 / 20 / 30)
    assert seen.loc[("bc", 60.0), "occupancy"] == pytest.approx(6 * 7 / 10 / 30 / 2)


def test_loops_lose_nobody_and_stop_where_told():
    assert loops(RESULT, ["ab", "bc"], every=7.0)["count"].sum() == 20
    assert loops(RESULT, ["bc"], every=30.0, until=60.0)["count"].tolist() == [0, 2]
    with pytest.raises(ValueError, match="no link zoo in the result"):
        loops(RESULT, ["zoo"])


def test_a_pair_times_the_way_between_two_links():
    times = travel_times(RESULT, "ab", "bc")
    assert times["trip"].tolist() == list("ABCDEFGHIJ")
    assert times["time"].tolist() == pytest.approx([50.0] * 10)
    assert travel_times(RESULT, "bc", "ab").empty


def test_a_pair_feels_a_red_light():
    plan = pd.DataFrame({"link": ["ab"], "cycle": [1000.0], "start": [100.0], "green": [500.0]})
    late = simulate(LINKS, pd.DataFrame({"from": "a", "to": "c", "depart": [0.0]}), rules=Rules(signals=plan))
    assert travel_times(late, "ab", "bc")["time"].tolist() == [140.0]


def test_floating_cars_report_where_they_are():
    seen = floating_cars(RESULT, 1.0, every=10.0)
    first = seen[seen["trip"] == "A"]
    assert first["time"].tolist() == [0, 10, 20, 30, 40]
    assert first["link"].tolist() == ["ab", "bc", "bc", "bc", "bc"]
    assert first["offset"].tolist() == pytest.approx([0, 0, 100, 200, 300])
    assert first["speed"].tolist() == pytest.approx([20, 10, 10, 10, 10])


def test_the_share_of_floating_cars_is_keyed_and_grows():
    few, more = (set(floating_cars(RESULT, share, seed=3)["trip"]) for share in (0.3, 0.8))
    assert few < more
    assert floating_cars(RESULT, 0.0).empty
    with pytest.raises(ValueError, match=r"share \(2\) must be between 0 and 1"):
        floating_cars(RESULT, 2)
