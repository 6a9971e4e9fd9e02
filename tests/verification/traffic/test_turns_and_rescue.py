"""Emergency vehicles, turns across oncoming traffic and turn pockets through `simulate`, followed by hand.

Every link is 200 m long and takes 10 s; a lane lets a vehicle go every 1.25 s.
"""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given

from tests.verification.traffic.test_laws import few, random_city, seeds
from twin.models.traffic import Rules, simulate

ARMS = ("east", "north", "west", "south")
NODES = pd.DataFrame({"x": [0.0, 200, 0, -200, 0], "y": [0.0, 0, 200, 0, -200]}, index=["mid", *ARMS])
CROSSING = pd.DataFrame(
    {"from": [*ARMS, *["mid"] * 4], "to": [*["mid"] * 4, *ARMS], "length": 200.0, "speed": 20.0},
    index=[*(f"{arm}_in" for arm in ARMS), *(f"{arm}_out" for arm in ARMS)],
)
FACING = pd.DataFrame({"link": ["east_in", "west_in"], "cycle": 60.0, "start": 0.0, "green": 30.0})
FORK = pd.DataFrame(
    {"from": ["a", "b", "b"], "to": ["b", "c", "d"], "length": 200.0, "speed": 20.0, "capacity": [9.0, 9.0, 0.1]},
    index=["ab", "bc", "bd"],
)


def trips(*rows, **columns):
    return pd.DataFrame(rows, columns=["from", "to", "depart"]).assign(**columns)


def meet(turn, departs=(1.0, 5.0, 12.0), turners=1, links=CROSSING, more=(), **rules):
    """Let vehicles turn from the east while others come from the west; return the arrivals."""
    rows = [("east", turn, 0.0)] * turners + [("west", "east", depart) for depart in departs] + list(more)
    rules = {"signals": FACING, "nodes": NODES} | rules
    return simulate(links, trips(*rows), rules=Rules(**rules)).trips["arrive"]


@pytest.mark.parametrize(
    ("rules", "arrive"),
    [
        ({}, [20.0, 40.0, 50.0, 30.0]),
        ({"passing": 3.0}, [20.0, 30.0, 40.0, 50.0]),
        ({"emergency": ()}, [20.0, 30.0, 40.0, 50.0]),
    ],
    ids=["at 1.5 times the way", "at 3 times the way", "a car"],
)
def test_an_ambulance_goes_past_a_queue(rules, arrive):
    # bd takes a vehicle every 10 s, from 10 s on. The ambulance enters at 5 s and passes all ahead of it at
    # 5 + 1.5 * 10 = 20 s, when the second car goes or may go: the ambulance first; at 35 s nobody is ahead any more
    rows = trips(*(("a", "d", depart) for depart in (0.0, 1.25, 2.5, 5.0)), **{"class": ["car"] * 3 + ["ambulance"]})
    rules = {"pcu": {"car": 1.0, "ambulance": 1.0}, "emergency": ["ambulance"]} | rules
    assert simulate(FORK, rows, rules=Rules(**rules)).trips["arrive"].tolist() == arrive


@pytest.mark.parametrize(
    ("rules", "arrive"),
    [
        ({}, [30.0, 24.0, 30.0]),
        ({"green_clear": 8.0}, [33.0, 24.0, 33.0]),
        ({"green_ahead": 0.0}, [50.0, 24.0, 26.0]),
    ],
    ids=["it calls", "others clear for longer", "it does not call"],
)
def test_an_ambulance_calls_for_green(rules, arrive):
    # due at 20 s, red until 40 s; it calls at half of its way, 15 s: from then on the cars from the south have red
    # until it has left; it has green 4 s, or 8 s, later
    plan = pd.DataFrame({"link": ["east_in", "south_in"], "cycle": 60.0, "start": [40.0, 0.0], "green": [20.0, 40.0]})
    rows = trips(("east", "west", 10.0), ("south", "north", 4.0), ("south", "north", 6.0))
    rows["class"] = ["ambulance", "car", "car"]
    rules = {"pcu": {"car": 1.0, "ambulance": 1.0}, "emergency": ["ambulance"], "signals": plan} | rules
    assert simulate(CROSSING, rows, rules=Rules(**rules)).trips["arrive"].tolist() == arrive


@pytest.mark.parametrize(
    ("side", "turn", "waits"),
    [("left", "north", True), ("left", "south", False), ("right", "south", True), ("right", "north", False)],
    ids=["right turn, left-hand", "left turn, left-hand", "left turn, right-hand", "right turn, right-hand"],
)
def test_the_driving_side_tells_which_turn_waits_for_oncoming_traffic(side, turn, waits):
    # ready at 10 s, oncoming at 11, 15 and 22 s: the first gap of 4.5 s begins at 15 s
    arrive = meet(turn, driving_side=side).tolist()
    assert arrive == [25.0 if waits else 20.0, 21.0, 25.0, 32.0]


def test_a_turn_takes_the_gap_it_is_told():
    # 1 s, 4 s and 7 s to the next; no gap is longer than half of the 10 s in which somebody comes
    gaps = {60.0: 25.0, 4.5: 25.0, 3.9: 21.0, 0.9: 20.0, None: 20.0}
    assert [meet("south", gap=gap)[0] for gap in gaps] == list(gaps.values())


def test_without_positions_nobody_knows_who_turns_across():
    assert meet("south", nodes=None)[0] == 20.0


def test_a_turn_waits_for_nobody_who_has_red():
    apart = FACING.assign(start=[0.0, 30.0])
    assert meet("south", signals=apart).tolist() == [20.0, 40.0, 41.25, 42.5]
    # nor has a turn that gives way to nobody any time after its green: ready at 31 s, it goes at 60 s
    apart = FACING.assign(start=[0.0, 40.0], green=[30.0, 20.0])
    assert meet("south", (), 0, more=[("east", "south", 21.0)], signals=apart).tolist() == [70.0]


def test_turns_are_made_when_the_oncoming_stream_gets_red():
    # oncoming every 2 s until 29 s; then the first, two more by headways of 1.25 s within 3 s after green;
    # the fifth turns in the next cycle, behind the one from the west that got red at 31 s
    stream = np.arange(1.0, 22.0, 2.0)
    assert meet("south", stream, 5)[:5].tolist() == [39.0, 40.25, 41.5, 42.75, 70.0]
    assert meet("south", stream, 5, late_turn=0.0)[:3].tolist() == [39.0, 70.0, 71.25]


@pytest.mark.parametrize(("storage", "fourth"), [(None, 41.25), (1.0, 31.25), (2.0, 26.0)])
def test_a_pocket_lets_others_pass_until_it_is_full(storage, fourth):
    # bd takes a vehicle at 10, 20 and 30 s. With room for two the second and the third wait in the pocket,
    # and the fourth, bound for c, is not held up; with room for one the third blocks it until 20 s
    pockets = None if storage is None else pd.DataFrame({"from_link": ["ab"], "to_link": "bd", "storage": storage})
    rows = trips(("a", "d", 0.0), ("a", "d", 2.0), ("a", "d", 4.0), ("a", "c", 6.0))
    result = simulate(FORK, rows, rules=Rules(pockets=pockets))
    assert result.trips["arrive"].tolist() == pytest.approx([20.0, 30.0, 40.0, fourth], abs=1e-5)
    # time in the pocket is time on the link
    left = result.events[result.events["link"] == "ab"].set_index("trip")["left"]
    assert left.sort_index().tolist() == pytest.approx([10.0, 20.0, 30.0, fourth - 10], abs=1e-5)
    assert result.links.loc["ab", "mean_time"] == pytest.approx((10 + 18 + 26 + fourth - 16) / 4, abs=1e-5)


def test_who_is_in_a_pocket_has_not_left_its_link():
    pockets = pd.DataFrame({"from_link": ["ab"], "to_link": "bd", "storage": [2.0]})
    rows = trips(("a", "d", 0.0), ("a", "d", 2.0), ("a", "d", 4.0), ("a", "c", 6.0))
    result = simulate(FORK, rows, 17.0, Rules(pockets=pockets))
    assert result.trips["outcome"].tolist() == ["driving"] * 4
    left = result.events.dropna()
    assert left[["trip", "link"]].to_numpy().tolist() == [[0, "ab"], [3, "ab"]]
    under_way = result.events[result.events["left"].isna()]
    assert under_way[["trip", "link"]].to_numpy().tolist() == [[0, "bd"], [1, "ab"], [2, "ab"], [3, "bc"]]


def test_who_waits_for_a_gap_in_a_pocket_holds_nobody_up():
    behind = [("east", "west", 2.0)]
    assert meet("south", more=behind)[[0, 4]].tolist() == [25.0, 26.25]
    pockets = pd.DataFrame({"from_link": ["east_in"], "to_link": "south_out", "storage": [1.0]})
    with_pocket = meet("south", more=behind, pockets=pockets)[[0, 4]].tolist()
    assert with_pocket == pytest.approx([25.0, 22.0], abs=1e-5)


@few
@given(seeds)
def test_ways_through_pockets_are_whole(seed):
    """Every trip leaves each link when it enters the next, and no row names a pocket."""
    city = random_city(seed)
    begins = {node: rows.index for node, rows in city.links.groupby("from")}
    ends = [(link, after) for link, node in city.links["to"].items() for after in begins.get(node, ())]
    pockets = pd.DataFrame(ends[::2], columns=["from_link", "to_link"]).assign(storage=2.0)
    city = replace(city, rules=replace(city.rules, pockets=pockets, emergency=("motorcycle",)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = city.run()
    assert set(result.events["link"]) <= set(city.links.index)
    for trip, rows in result.events.sort_values("entered").groupby("trip"):
        assert (rows["entered"].to_numpy()[1:] == rows["left"].to_numpy()[:-1]).all()
        assert (rows["link"].map(city.links["from"]).to_numpy()[1:] == rows["link"].map(city.links["to"])[:-1]).all()
        if result.trips.loc[trip, "outcome"] == "arrived":
            assert rows["link"].map(city.links["to"]).iloc[-1] == result.trips.loc[trip, "to"]
            assert rows["left"].iloc[-1] == result.trips.loc[trip, "arrive"]
    assert all(link in city.links.index for cycle in result.gridlocks for link in cycle)
