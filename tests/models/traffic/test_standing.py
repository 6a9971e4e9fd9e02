"""Vehicles that stand when a run ends are in every table and picture, and who holds them up is named."""

from __future__ import annotations

import warnings

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection

from twin.models.traffic import Rules, floating_cars, loops, simulate, travel_times
from twin.models.traffic.standing import HeldUpWarning
from twin.plot.traffic import fundamental_values, link_values

LINKS = pd.DataFrame(
    {"from": ["a", "b", "b"], "to": ["b", "c", "d"], "length": 1000.0, "speed": 20.0}, index=["ab", "bc", "bd"]
)
NODES = pd.DataFrame({"x": [0.0, 1000, 2000, 2000], "y": [0.0, 0, 0, 500]}, index=list("abcd"))
CLOSED = pd.DataFrame({"time": [1.0], "link": ["bc"], "open": [False]})


def trips(count, goal="c", every=1.0):
    return pd.DataFrame({"from": "a", "to": goal, "depart": np.arange(count) * every})


def jam(until=3600.0):
    with pytest.warns(HeldUpWarning):
        return simulate(LINKS, trips(200), until, Rules(nodes=NODES), CLOSED)


def test_a_standing_jam_is_in_the_tables():
    result = jam()
    # they enter every 1.25 s and stand until 3,600 s
    assert result.events["entered"].tolist() == pytest.approx(np.arange(200) * 1.25)
    assert result.events["left"].isna().all()
    assert result.end == 3600.0
    spent = 3600 - np.arange(200) * 1.25
    assert result.links.loc["ab", ["vehicles", "mean_time"]].tolist() == pytest.approx([200, spent.mean()])
    assert result.links.loc["ab", "delay"] == pytest.approx((spent - 50).sum())
    assert result.links.loc["bc", ["vehicles", "mean_time", "delay"]].tolist() == [0, 50, 0]


def test_a_standing_jam_is_in_the_values_of_pictures():
    result = jam()
    late = link_values(result, 1800.0, 3600.0)
    assert [late[name][0] for name in ("density", "flow", "speed", "delay")] == pytest.approx([200, 0, 0, 1800])
    density, flow, _ = fundamental_values(result, 600.0)
    assert density[1:] == pytest.approx([200 / 3] * 5)
    assert flow[1:] == pytest.approx([0] * 5)
    # each drives to the end of the queue: cars of 5 m
    assert flow[0] / 3600 * 600 * 3000 == pytest.approx((1000 - np.arange(200) * 5).sum())


def test_a_standing_vehicle_is_drawn_to_its_place_and_on():
    ax = jam().plot.space_time(["ab", "bc"])
    (ways,) = [c for c in ax.collections if isinstance(c, LineCollection)]
    segments = ways.get_segments()
    assert len(segments) == 200
    # the third stands 10 m before the end
    assert segments[2].ravel() == pytest.approx([2.5 / 60, 0, (2.5 + 49.5) / 60, 0.99, 60, 0.99])


def test_who_is_still_driving_counts_no_time_won():
    result = simulate(LINKS, trips(1), until=10.0)
    assert result.links.loc["ab", ["vehicles", "mean_time", "delay"]].tolist() == [1, 50, 0]
    assert link_values(result, 0.0, 10.0)["flow"][0] == pytest.approx(200 / 1000 / 10 * 3600)
    assert result.trips["outcome"].tolist() == ["driving"]


def test_detectors_know_who_stands():
    result = jam()
    assert loops(result, ["ab"], 600.0)["count"].sum() == 0
    assert travel_times(result, "ab", "ab").empty
    seen = floating_cars(result, 1.0, 600.0)
    last = seen[seen["time"] == 3000.0]
    assert last["offset"].tolist() == pytest.approx(1000 - np.arange(200) * 5.0)
    assert not last["speed"].any()


def test_who_is_in_a_pocket_is_on_its_link():
    pocket = pd.DataFrame({"from_link": ["ab"], "to_link": ["bc"], "storage": [2.0]})
    rules = Rules(pockets=pocket)
    with pytest.warns(HeldUpWarning, match="on link ab trip 0 to c waits before the closed link bc, 1 more behind it"):
        result = simulate(LINKS, trips(2), 600.0, rules, CLOSED)
    assert result.events[["trip", "link", "entered"]].to_numpy().tolist() == [[0, "ab", 0.0], [1, "ab", 1.25]]
    assert result.links["vehicles"].tolist() == [2, 0, 0]
    assert result.links.loc["ab", "delay"] == pytest.approx(550 + 548.75)


def test_one_driver_who_cannot_go_on_is_named_with_all_behind_him():
    mixed = pd.concat([trips(1), trips(20, "d")], ignore_index=True)
    said = "21 vehicles stand at the end where nothing lets them go: on link ab trip 0 to c waits before the closed"
    with pytest.warns(HeldUpWarning, match=f"{said} link bc, 20 more behind it"):
        simulate(LINKS, mixed, changes=CLOSED.assign(time=0.0))


def test_queues_of_queues_and_of_origins_are_counted():
    # of 24 that have come 20 fit on ab, and four wait at a; with ab closed all wait at a
    short = LINKS.assign(length=[100.0, 1000, 1000])
    with pytest.warns(HeldUpWarning, match=r"24 vehicles stand .* on link ab trip 0 to c .*, 23 more behind it"):
        simulate(short, trips(30, every=2.0), 47.0, changes=CLOSED.assign(time=0.0))
    tiny = pd.DataFrame({"from": list("oab"), "to": list("abc"), "length": [20.0, 20, 1000], "speed": 20.0})
    with pytest.warns(HeldUpWarning, match=r"^10 vehicles stand .* on link 1 trip 0 to c .*, 9 more behind it$"):
        simulate(tiny, trips(10).assign(**{"from": "o"}), changes=CLOSED.assign(time=0.0, link=2))
    with pytest.warns(HeldUpWarning, match="at node a trip 0 to c waits before the closed link ab, 2 more behind it"):
        simulate(LINKS, trips(9), 2.5, changes=CLOSED.assign(time=0.0, link="ab"))


def test_an_approach_without_a_green_is_named():
    links = pd.concat([LINKS, pd.DataFrame({"from": "e", "to": "b", "length": 1000.0, "speed": 20.0}, index=["eb"])])
    plan = pd.DataFrame({"link": ["ab"], "cycle": 60.0, "start": 0.0, "green": 30.0})
    rows = pd.DataFrame({"from": ["a", "e", "e", "e"], "to": ["c", "b", "c", "d"], "depart": 0.0})
    with pytest.warns(HeldUpWarning, match="on link eb trip 2 to c waits at a signal without green, 1 more behind it"):
        result = simulate(links, rows, rules=Rules(signals=plan))
    assert result.trips["outcome"].tolist() == ["arrived", "arrived", "driving", "driving"]


def test_many_queues_are_counted_not_listed():
    links = pd.DataFrame({"from": [f"o{i}" for i in range(7)], "to": "b", "length": 100.0, "speed": 20.0})
    links.loc[7] = ["b", "c", 100.0, 20.0]
    rows = pd.DataFrame({"from": [f"o{i}" for i in range(7)], "to": "c", "depart": 0.0})
    with pytest.warns(HeldUpWarning, match=r"^7 vehicles stand (.*waits){5}[^;]*; 2 more such queues$"):
        simulate(links, rows, changes=CLOSED.assign(time=0.0, link=7))


def test_nobody_is_named_who_only_needs_time():
    red = pd.DataFrame({"link": ["ab"], "cycle": 1000.0, "start": 500.0, "green": 30.0})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cut = simulate(LINKS, trips(50), 60.0, Rules(signals=red))
        simulate(LINKS, trips(50), changes=pd.concat([CLOSED, CLOSED.assign(time=900.0, open=True)]))
    assert set(cut.trips["outcome"]) == {"driving", "waiting"}


def test_the_wait_to_enter_and_the_delays_of_links_are_the_delay_of_the_trips():
    narrow = LINKS.assign(capacity=[0.5, 0.2, 0.2])
    result = simulate(narrow, trips(100))
    assert result.trips["wait"].tolist() == pytest.approx(np.arange(100) * 1.0)
    free = 100 * 100.0
    assert result.trips["wait"].sum() + result.links["delay"].sum() + free == pytest.approx(result.trips["time"].sum())


def test_who_still_waits_to_enter_has_waited_until_the_end():
    result = simulate(LINKS.assign(capacity=0.01), trips(4, every=2.0), 5.0)
    assert result.trips["wait"].tolist() == pytest.approx([0, 3, 1, np.nan], nan_ok=True)
    assert simulate(LINKS, trips(1, "a")).trips[["wait", "time"]].to_numpy().tolist() == [[0, 0]]
    lost = simulate(LINKS, pd.DataFrame({"from": ["c"], "to": ["a"], "depart": [0.0]}))
    assert lost.trips["wait"].isna().all()


@pytest.mark.parametrize(
    ("time", "speed", "mean"),
    [([800.0], [5.0], 83.0), ([0.0, 400.0], [5.0, 40.0], None)],
)
def test_delay_is_against_the_speed_of_the_table(time, speed, mean):
    changes = pd.DataFrame({"time": time, "link": "ab", "speed": speed})
    result = simulate(LINKS, trips(100, every=10.0), changes=changes)
    ab = result.links.loc["ab"]
    spent = result.events.query("link == 'ab'").eval("left - entered")
    assert ab["free_time"] == 50
    assert ab["mean_time"] == pytest.approx(mean or spent.mean())
    assert ab["delay"] == pytest.approx((spent - 50).sum())


def test_a_run_lasts_a_day_beyond_the_last_change():
    changes = pd.DataFrame({"time": [0.0, 200_000.0], "link": "ab", "open": [False, True]})
    result = simulate(LINKS, trips(3), changes=changes)
    assert result.trips["arrive"].tolist() == [200_100.0, 200_101.25, 200_102.5]


def test_the_last_interval_ends_with_the_run():
    # one vehicle every 2 s on 1 km; the run ends at 148 s, 48 s into the second interval
    result = simulate(LINKS.loc[["ab"]], trips(50, "b", 2.0))
    density, flow, middle = fundamental_values(result, 100.0)
    assert middle.tolist() == [50, 124]
    assert density[1] == pytest.approx(sum(2.0 * n for n in range(25)) / 48)
    assert flow[1] == pytest.approx(density[1] * 72)
    with pytest.raises(ValueError, match=r"every \(0.001\) cuts 148 s into more than 100000 intervals"):
        fundamental_values(result, 1e-3)


def test_who_departs_after_the_end_of_the_run_does_not_wait():
    result = simulate(LINKS, trips(2, every=9000.0), 100.0)
    assert result.trips["outcome"].tolist() == ["driving", "not departed"]
    assert result.trips["wait"].isna().tolist() == [False, True]
    assert repr(result) == "Result(2 trips: 1 driving, 1 not departed; 3 links; ended at 100 s)"


def test_no_wait_and_no_time_is_below_zero():
    # departures between two microseconds
    rows = pd.DataFrame({"from": "a", "to": list("abcd") * 3, "depart": np.arange(12) * 10 + 0.1234567})
    result = simulate(LINKS, rows)
    assert result.trips["wait"].tolist() == [0] * 12
    assert result.trips["time"].tolist() == [0, 50, 100, 100] * 3


def test_motorcycles_stand_closer_and_nobody_is_ahead_of_where_he_can_be():
    mixed = trips(8).assign(**{"class": ["truck", "motorcycle"] * 4})
    with pytest.warns(HeldUpWarning):
        result = simulate(LINKS, mixed, 600.0, changes=CLOSED)
    # trucks are 10 m long, motorcycles 1.25 m
    assert (1000 - result.drives().place).tolist() == pytest.approx([0, 10, 11.25, 21.25, 22.5, 32.5, 33.75, 43.75])
    # 200 m at 20 m/s, then 20 s at 5 m/s; the second entered at 10 s and never drove faster
    slowed = pd.DataFrame({"time": [10.0], "link": ["ab"], "speed": [5.0]})
    drives = simulate(LINKS, trips(2, every=10.0), 30.0, changes=slowed).drives()
    assert drives.place.tolist() == pytest.approx([300, 100])
    assert drives.reached.tolist() == [30, 30]


def test_who_enters_after_a_change_of_speed_drives_at_the_new_one():
    links = pd.DataFrame({"from": ["a"], "to": ["b"], "length": 1000.0, "speed": 20.0}, index=["ab"])
    driven = pd.DataFrame({"from": "a", "to": "b", "depart": np.arange(0.0, 400.0, 10.0)})
    slower = pd.DataFrame({"time": [100.0], "link": ["ab"], "speed": [10.0]})
    result = simulate(links, driven, changes=slower, until=395.0)
    place, since = result.standing
    there = result.events.loc[result.events["left"].isna(), "entered"].to_numpy()
    assert place == pytest.approx((395 - there) / 100, abs=1e-6)
    assert (since == 395).all()
