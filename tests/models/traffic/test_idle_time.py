"""Hours in which nothing happens cost nothing, and leave no trace in the result."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.models.traffic.test_guidance import random_grid
from twin.models.traffic import Rules, alone, floating_cars, guidance, loops, simulate
from twin.models.traffic.standing import HeldUpWarning

LINKS = pd.DataFrame(
    {"from": list("abb"), "to": list("bcc"), "length": [1000.0, 1000, 1100], "speed": 20.0}, index=["ab", "bc", "long"]
)
UNIX = 1.7e9


SIX = pd.DataFrame({"from": "a", "to": "d", "depart": np.zeros(6)})


def standing(length):
    """Return links of which bc holds five; the sixth waits at b until the wait there is longer than the way by e."""
    lengths = [1000.0, 25, 1000, length, length]
    ends = {"from": list("abcbe"), "to": list("bcded")}
    return pd.DataFrame(ends, index=["ab", "bc", "cd", "be", "ed"]).assign(length=lengths, speed=20.0)


def red(cycle):
    """Return a signal that is red for the first half of its cycle."""
    return pd.DataFrame({"link": ["bc"], "cycle": [cycle], "start": [cycle / 2], "green": [100.0]})


def counted(monkeypatch, owner, name):
    calls, before = [], getattr(owner, name)
    monkeypatch.setattr(owner, name, lambda *given: calls.append(given) or before(*given))
    return calls


@pytest.mark.parametrize("departs", [[0.0, 1e7], [UNIX, UNIX + 1e6]])
def test_idle_time_is_not_walked_through(monkeypatch, departs):
    renewed = counted(monkeypatch, guidance.Guide, "renew")
    looked = counted(monkeypatch, alone, "find")
    trips = pd.DataFrame({"from": "a", "to": "c", "depart": departs})
    result = simulate(LINKS, trips, rules=Rules(informed_share=0.5, refresh=50.0, relax_after=10.0))
    assert result.trips["time"].tolist() == [100.0, 100.0]
    # each drives for 100 s: rounds while somebody drives, and a few around
    assert 4 <= len(renewed) <= 16
    assert 4 <= len(looked) <= 40


def test_who_waits_before_a_closed_road_costs_nothing(monkeypatch):
    renewed = counted(monkeypatch, guidance.Guide, "renew")
    trips = pd.DataFrame({"from": "a", "to": "c", "depart": [0.0]})
    closed = pd.DataFrame({"time": [0.0, 1e8], "link": "ab", "open": [0, 1]})
    result = simulate(LINKS, trips, rules=Rules(informed_share=1.0), changes=closed)
    assert result.trips["arrive"].tolist() == [1e8 + 100]
    assert len(renewed) <= 6


def test_who_stands_before_a_closed_road_costs_nothing(monkeypatch):
    renewed = counted(monkeypatch, guidance.Guide, "renew")
    trips = pd.DataFrame({"from": "a", "to": "c", "depart": [0.0, 2.0, 4.0]})
    closed = pd.DataFrame({"time": [1.0], "link": ["bc"], "open": [False]})
    with pytest.warns(HeldUpWarning):
        simulate(LINKS.loc[["ab", "bc"]], trips, rules=Rules(informed_share=1.0, refresh=10.0), changes=closed)
    assert len(renewed) < 20


def test_news_of_a_queue_that_stands_for_months_are_told_when_they_change(monkeypatch):
    # as in the story below, but red lasts for 58 days, and the other way takes 100,000 s
    renewed = counted(monkeypatch, guidance.Guide, "renew")
    told = counted(monkeypatch, guidance, "guided_hops")
    result = simulate(standing(1e6), SIX, 6e6, Rules(signals=red(1e7), informed_share=1.0, refresh=60.0))
    assert result.trips["arrive"].iloc[5] == pytest.approx(100_020 + 100_000, abs=2e-6)
    assert len(renewed) < 60
    assert len(told) < 600


@pytest.mark.parametrize("seed", range(4))
def test_what_is_left_out_would_have_changed_nothing(monkeypatch, seed):
    links, trips = random_grid(np.random.default_rng(seed))
    trips["depart"] += 3000.0 * (np.arange(len(trips)) % 3)
    time = [200.0, 2500.0, 3100.0, 5000.0]
    changes = pd.DataFrame({"time": time, "link": [3, 3, 7, 7], "open": [0, 1, 0, 1]})
    rules = Rules(informed_share=0.7, refresh=45.0, relax_after=30.0)
    skipping = counted(monkeypatch, guidance.Guide, "renew")
    short = simulate(links, trips, 9000.0, rules, changes)
    few = len(skipping)
    every_round = alone._Rounds.put_off
    monkeypatch.setattr(alone._Rounds, "put_off", lambda self, now, _: every_round(self, now, now))
    whole = simulate(links, trips, 9000.0, rules, changes)
    assert few < len(skipping) - few
    pd.testing.assert_frame_equal(short.events, whole.events, check_exact=True)
    assert short.relaxed == whole.relaxed


@pytest.mark.parametrize("wait", [1.1, 1.2, 1.25])
def test_a_gridlock_is_seen_once_its_last_vehicle_is_ready(wait):
    # at the round of 2.4 s the first vehicle of one link of the ring is not: it came late
    links = pd.DataFrame({"from": list("abc"), "to": list("bca"), "length": 5.0, "speed": 20.0})
    trips = pd.DataFrame({"from": np.repeat(list("abc"), 5), "to": np.repeat(list("cab"), 5)})
    result = simulate(links, trips.assign(depart=np.tile(np.arange(5) * 0.5, 3)), rules=Rules(relax_after=wait))
    assert set(result.trips["outcome"]) == {"arrived"}
    assert result.relaxed > 0


def test_absurdly_many_intervals_are_refused():
    trips = pd.DataFrame({"from": "a", "to": "c", "depart": UNIX + np.arange(3) * 10.0})
    result = simulate(LINKS, trips)
    with pytest.raises(ValueError, match=r"loops would have 28,333,335 rows, more than 10,000,000; give a longer"):
        loops(result, ["ab"], 60.0)
    with pytest.raises(ValueError, match=r"floating_cars would have 3\.*"):
        floating_cars(result, 1.0, 1e-5)
    seen = loops(result, ["ab"], 60.0, begin=UNIX)
    assert seen["begin"].tolist() == [UNIX, UNIX + 60]
    assert seen["count"].tolist() == [1, 2]
    assert loops(result, ["ab"], 60.0, UNIX + 55, UNIX)["count"].tolist() == [1]
    with pytest.raises(ValueError, match=r"until \(60\) must be greater than 1.7e\+09 s"):
        loops(result, ["ab"], 60.0, 60, UNIX)


def test_the_news_of_a_standing_queue_grows_though_nothing_moves():
    rules = Rules(signals=red(1e5), informed_share=1.0, refresh=60.0, relax_after=20.0)
    result = simulate(standing(10_000.0), SIX, rules=rules)
    assert (result.trips["arrive"].iloc[:5] > 5e4).all()
    # the first came to bc at 50 s; with the 50 s on cd 950 s are as long as by e, which is known at 1,020 s
    assert result.trips["arrive"].iloc[5] == pytest.approx(1020 + 1000, abs=2e-6)
