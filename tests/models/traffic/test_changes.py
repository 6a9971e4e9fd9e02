"""Roads that change while `simulate` runs, by hand; and two threads, to the same rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.models.traffic.test_guidance import random_grid
from twin.models.traffic import Rules, simulate
from twin.models.traffic.standing import HeldUpWarning

# a - b, then to d by c or by e, 100 m longer
LINKS = pd.DataFrame(
    {"from": list("abcbe"), "to": list("bcded"), "length": [1000.0, 500, 500, 550, 550], "speed": 20.0},
    index=["ab", "bc", "cd", "be", "ed"],
)


def drive(departs, changes, **rules):
    trips = pd.DataFrame({"from": "a", "to": "d", "depart": departs})
    return simulate(LINKS, trips, rules=Rules(**rules), changes=pd.DataFrame(changes))


def test_a_slower_road_slows_what_is_left_of_a_link():
    # 25 s of 50 s driven; the other half takes twice as long
    result = drive([0.0, 100.0], {"time": [25.0], "link": "ab", "speed": 10.0})
    assert result.trips["arrive"].tolist() == [25 + 50 + 50, 100 + 100 + 50]


def test_speeds_come_back():
    result = drive([0.0, 50.0], {"time": [0.0, 25.0], "link": "ab", "speed": [10.0, 20.0]})
    # 250 m in 25 s, 750 m in 37.5 s
    assert result.trips["arrive"].tolist() == [25 + 37.5 + 50, 50 + 50 + 50]


def test_a_capacity_holds_from_its_time_on():
    result = drive(np.arange(10) * 2.0, {"time": [11.0], "link": "ab", "capacity": 0.1})
    # 1 s after the vehicle of 10 s a fifth of its gap of 1.25 s is left: of the new one of 10 s that is 2 s
    entered = [0, 2, 4, 6, 8, 10, 13, 23, 33, 43]
    assert result.events.query("link == 'ab'")["entered"].tolist() == pytest.approx(entered, abs=2e-6)


@pytest.mark.parametrize(
    ("change", "back"),
    [
        ({"capacity": 1e-3}, {"capacity": np.inf}),
        ({"capacity": 1e-9}, {"capacity": np.inf}),
        ({"speed": 1e-3}, {"speed": 20.0}),
        ({"lanes": 1e-3}, {"lanes": 1.0}),
    ],
)
def test_a_cut_to_next_to_nothing_costs_what_a_closure_does(change, back):
    links = LINKS.loc[["ab", "bc", "cd"]]
    trips = pd.DataFrame({"from": "a", "to": "d", "depart": np.arange(100) * 2.0})
    ends = []
    for what, after in ((change, back), ({"open": 0}, {"open": 1})):
        rows = {name: [what[name], after[name]] for name in what}
        changes = pd.DataFrame({"time": [60.0, 120.0], "link": "bc"} | rows)
        ends.append(simulate(links, trips, changes=changes).trips["arrive"].max())
    # who is on a closed link may leave it; who is on one without capacity waits for the 60 s as well
    assert ends[0] == pytest.approx(ends[1], abs=62.0)


def test_a_gap_is_over_when_the_capacity_since_has_let_one_pass():
    # of the gap of 10 s are left: 5 s at 5 s, which become 0.5 s, and 0.3 s at 5.2 s, which become 0.03 s
    changes = {"time": [5.0, 5.2], "link": "ab", "capacity": [1.0, 10.0]}
    links = LINKS.assign(capacity=0.1, lanes=20)
    trips = pd.DataFrame({"from": "a", "to": "b", "depart": [0.0, 0.0, 0.0]})
    result = simulate(links, trips, changes=pd.DataFrame(changes))
    assert result.events["entered"].tolist() == pytest.approx([0.0, 5.23, 5.33], abs=1e-5)


def test_who_waits_at_the_exit_leaves_sooner_when_the_capacity_comes_back():
    # two enter ab at 0 and 1 s when its exit lets one pass in 100 s; at 60 s a tenth of that gap is over
    links = LINKS.assign(lanes=20)
    trips = pd.DataFrame({"from": "a", "to": "b", "depart": [0.0, 1.0]})
    changes = pd.DataFrame({"time": [20.0, 60.0], "link": "ab", "capacity": [0.01, 1.0]})
    assert simulate(links, trips, changes=changes).trips["arrive"].tolist() == pytest.approx([50.0, 60.9], abs=1e-5)


def test_fewer_lanes_pass_and_hold_fewer_vehicles():
    links = pd.DataFrame({"from": ["a"], "to": ["b"], "length": 1000.0, "speed": 20.0, "lanes": 2.0}, index=["ab"])
    trips = pd.DataFrame({"from": "a", "to": "b", "depart": np.zeros(200)})
    narrow = pd.DataFrame({"time": [50.0], "link": ["ab"], "lanes": [1.0]})
    entered = simulate(links, trips, changes=narrow).events["entered"].to_numpy()
    assert np.diff(np.sort(entered))[:70] == pytest.approx(1 / 1.6)
    assert np.diff(np.sort(entered))[90:] == pytest.approx(1 / 0.8)


def test_one_lane_of_two_holds_half_the_vehicles():
    links = pd.DataFrame({"from": ["a", "b"], "to": ["b", "c"], "length": 100.0, "speed": 20.0, "lanes": 2.0})
    trips = pd.DataFrame({"from": "a", "to": "c", "depart": np.zeros(60)})
    changes = pd.DataFrame({"time": 0.0, "link": [0, 1], "lanes": [1.0, np.nan], "open": [np.nan, 0]})
    with pytest.warns(HeldUpWarning, match="60 vehicles stand"):
        result = simulate(links, trips, 1000.0, changes=changes)
    assert result.trips["outcome"].value_counts().to_dict() == {"driving": 20, "waiting": 40}


def test_a_closed_road_is_driven_around_and_used_again():
    changes = {"time": [100.0, 300.0], "link": "bc", "open": [False, True]}
    result = drive([0.0, 120.0, 400.0], changes)
    assert result.trips["time"].tolist() == [100, 105, 100]
    assert result.events.query("link == 'be'")["trip"].tolist() == [1]


def test_drivers_already_under_way_turn_off_before_a_closed_road():
    result = drive([0.0], {"time": [49.0], "link": ["bc"], "open": [False]})
    assert result.trips["time"].tolist() == [105]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_who_has_no_way_waits_until_it_opens(share):
    changes = {"time": [10.0, 10.0, 900.0], "link": ["bc", "be", "be"], "open": [0, 0, 1]}
    result = drive([0.0, 100.0], changes, informed_share=share, refresh=60.0)
    assert set(result.trips["outcome"]) == {"arrived"}
    # both stand at b when be opens: headway 1.25 s
    assert result.trips["arrive"].tolist() == [955.0, 956.25]


def test_informed_drivers_do_not_return_to_a_closed_road():
    changes = {"time": [10.0], "link": ["bc"], "open": [False]}
    result = drive(np.arange(40) * 10.0, changes, informed_share=1.0, refresh=30.0)
    assert result.links["vehicles"].tolist() == [40, 0, 0, 40, 40]


# o - d by x, which is narrow, or by y; nobody gets to the island
FORK = pd.DataFrame({"from": list("ooxyp"), "to": list("xyddq"), "length": 1000.0, "speed": 20.0})
FORK.index = ["ox", "oy", "xd", "yd", "island"]
FORK.loc[["oy", "yd"], "length"] = 1200.0


def by_y(changes, share):
    links = FORK.assign(capacity=[1, 1, 0.05, 1, 1.0])
    trips = pd.DataFrame({"from": "o", "to": "d", "depart": np.arange(0, 1200, 5.0)})
    rules = Rules(informed_share=share)
    return simulate(links, trips, rules=rules, changes=pd.DataFrame(changes)).links.loc["yd", "vehicles"]


@pytest.mark.parametrize(("share", "speed"), [(0.0, 10.0), (1.0, 15.0)])
def test_a_road_that_closes_elsewhere_tells_nobody_anything_and_makes_nobody_forget(share, speed):
    slow = {"time": [10.0], "link": ["xd"], "speed": [speed], "open": [np.nan]}
    times = [20.0, *np.arange(301.0, 1200, 100)]
    shut = {"time": times, "link": "island", "speed": np.nan, "open": (np.arange(len(times)) + 1) % 2}
    with_island = {name: slow[name] + list(np.broadcast_to(shut[name], len(times))) for name in slow}
    assert by_y(slow, share) == by_y(with_island, share)
    assert (by_y(slow, share) > 100) == bool(share)


def test_informed_drivers_take_an_opened_road_at_what_they_last_heard_of_it():
    # xd jams from the start, closes at 350 s and opens at 400 s: what is known of it is its queue at 300 s
    changes = {"time": [350.0, 400.0], "link": "xd", "open": [0, 1]}
    assert by_y(changes, 1.0) >= by_y({"time": [9e9], "link": "xd", "open": [1]}, 1.0)


def test_changes_after_the_end_and_none_change_nothing():
    late = drive([0.0, 10.0], {"time": [1e6], "link": ["ab"], "speed": [1.0]})
    assert late.events.equals(simulate(LINKS, late.trips[["from", "to", "depart"]]).events)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"time": [0.0], "speed": [1.0]}, "changes: column link is missing"),
        ({"time": [0.0], "link": ["ab"]}, "none of the columns capacity, speed, lanes, open is there"),
        ({"time": [-1.0], "link": ["ab"], "speed": 1.0}, "changes row 0: time is -1.0, must not be negative"),
        ({"time": [0.0], "link": ["zoo"], "speed": 1.0}, "changes row 0: link is zoo, is no link"),
        ({"time": [0.0], "link": ["ab"], "capacity": 0.0}, "changes row 0: capacity is 0.0, must be greater than 0"),
        ({"time": [0.0], "link": ["ab"], "lanes": 2.0}, "changes row 0: lanes is 2.0, is more than the link has"),
        ({"time": [0.0], "link": ["ab"], "open": 2}, "changes row 0: open is 2, must be True or False"),
    ],
)
def test_wrong_changes_are_named(changes, said):
    with pytest.raises(ValueError, match=said):
        drive([0.0], changes)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_two_threads_give_the_same_frames(share):
    links, trips = random_grid(np.random.default_rng(3))
    changes = pd.DataFrame({"time": [200.0, 400.0], "link": [3, 3], "open": [False, True]})
    rules = Rules(informed_share=share, refresh=100.0, relax_after=60.0)
    one, two = (simulate(links, trips, 3000.0, rules, changes, threads) for threads in (1, 2))
    for name in ("trips", "links", "events"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(two, name), check_exact=True)
    assert one.gridlocks == two.gridlocks
    assert len(one.events) > 500


def test_three_threads_are_refused():
    with pytest.raises(ValueError, match=r"threads \(3\) must be 1 or 2"):
        simulate(LINKS, pd.DataFrame({"from": ["a"], "to": "d", "depart": 0.0}), threads=3)
