"""Informed drivers: who hears of the travel times, where, and never in circles."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.models.traffic import Rules, simulate

# a - b, then to d by c (short, but 0.1 veh/s) or by e (100 m longer)
LINKS = pd.DataFrame(
    {
        "from": ["a", "b", "c", "b", "e"],
        "to": ["b", "c", "d", "e", "d"],
        "length": [1000.0, 500, 500, 550, 550],
        "speed": 20.0,
        "capacity": [np.inf, np.inf, 0.1, np.inf, np.inf],
    },
    index=["ab", "bc", "cd", "be", "ed"],
)
TRIPS = pd.DataFrame({"from": "a", "to": "d", "depart": np.arange(600) * 2.5})


def share_by_e(**rules):
    result = simulate(LINKS, TRIPS, rules=Rules(refresh=60.0, **rules))
    assert set(result.trips["outcome"]) == {"arrived"}
    return result.links.loc["be", "vehicles"] / len(TRIPS), result.trips["time"].mean()


def test_nobody_leaves_the_shortest_way_uninformed():
    assert share_by_e()[0] == 0


def test_the_compliant_share_turns_off_at_the_guided_node():
    share, time = share_by_e(informed_share=0.4, guided_nodes=["b"])
    # all of them but those that come before the first news
    assert 0.3 < share <= 0.4
    assert time < share_by_e()[1] - 100
    assert share_by_e(informed_share=0.4)[0] == share


def test_guidance_elsewhere_changes_nothing():
    assert share_by_e(informed_share=0.4, guided_nodes=["c", "e"]) == share_by_e()


def test_news_that_never_come_change_nothing():
    assert simulate(LINKS, TRIPS, rules=Rules(informed_share=1.0, refresh=1e9)).links.loc["be", "vehicles"] == 0


def test_a_way_round_may_lead_away_from_the_destination():
    # from x it is farther to d than from b; b - x - d is a way past the queue on b - c all the same
    links = pd.DataFrame(
        {"from": list("abcbx"), "to": list("bcdxd"), "length": [1000.0, 500, 500, 100, 2000], "speed": 20.0},
        index=["ab", "bc", "cd", "bx", "xd"],
    ).assign(capacity=[np.inf, np.inf, 0.1, np.inf, np.inf])
    result = simulate(links, TRIPS, rules=Rules(informed_share=1.0, refresh=60.0))
    assert result.links.loc["bx", "vehicles"] > 300
    assert result.trips["time"].max() < 500


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"informed_share": 1.5}, r"informed_share \(1\.5\) must be between 0 and 1"),
        ({"refresh": 0.0}, r"refresh \(0\.0\) must be greater than 0 s"),
        ({"relax_after": -1.0}, r"relax_after \(-1\.0\) must be greater than 0 s"),
        ({"informed_share": 0.5, "guided_nodes": ["zoo"]}, "guided_nodes: zoo is no node of the links"),
    ],
)
def test_wrong_rules_are_named(rules, said):
    with pytest.raises(ValueError, match=said):
        simulate(LINKS, TRIPS, rules=Rules(**rules))


def random_grid(rng, side=4):
    """Return two-way links of a grid, some of them narrow, and trips across it."""
    nodes = np.arange(side**2).reshape(side, side)
    one = np.concatenate([nodes[:, :-1].ravel(), nodes[:-1].ravel()])
    two = np.concatenate([nodes[:, 1:].ravel(), nodes[1:].ravel()])
    links = pd.DataFrame({"from": np.append(one, two), "to": np.append(two, one)})
    links["length"] = rng.uniform(100, 400, len(links))
    links["speed"] = rng.choice([8.0, 14.0], len(links))
    links["capacity"] = rng.choice([0.1, 0.3, np.inf], len(links))
    trips = pd.DataFrame({"from": rng.integers(0, side**2, 400), "to": rng.integers(0, side**2, 400)})
    return links, trips.assign(depart=rng.uniform(0, 600, 400))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_nobody_drives_a_link_or_passes_a_node_twice(seed, bans):
    rng = np.random.default_rng(seed)
    links, trips = random_grid(rng)
    turns = None
    if bans:
        pairs = links.reset_index().merge(links.reset_index(), left_on="to", right_on="from")
        turns = pairs.sample(10, random_state=seed % 1000).rename(
            columns={"index_x": "from_link", "index_y": "to_link"}
        )
    told = rng.permutation(16)[: rng.integers(1, 16)].tolist() if rng.random() < 0.5 else None
    rules = Rules(informed_share=0.7, refresh=45.0, banned_turns=turns, relax_after=120.0, guided_nodes=told)
    result = simulate(links, trips, rules=rules)
    assert set(result.trips["outcome"]) <= {"arrived", "no way"}
    steps = result.events
    assert not steps.duplicated(["trip", "link"]).any()
    if not bans:
        assert not steps.assign(node=links["to"].loc[steps["link"]].to_numpy()).duplicated(["trip", "node"]).any()
    if turns is not None:
        following = steps.sort_values(["trip", "entered"])
        same = following["trip"] == following["trip"].shift(-1)
        driven = set(zip(following["link"][same], following["link"].shift(-1)[same], strict=True))
        assert not driven & set(zip(turns["from_link"], turns["to_link"], strict=True))


def test_drivers_hear_of_the_wait_in_a_pocket():
    # Turns from ab to bc have a pocket that is green for 5 of 100 s; round by e it takes 200 s.
    links = pd.DataFrame(
        {"from": list("abbae"), "to": list("bcxec"), "length": [1000.0, 100, 100, 2000, 2000], "speed": 20.0},
        index=["ab", "bc", "bx", "ae", "ec"],
    )
    trips = pd.DataFrame({"from": "a", "to": "c", "depart": np.arange(0, 3000, 20.0)})
    green = pd.DataFrame(
        {"link": ["ab"] * 2, "to_link": [None, "bc"], "cycle": 100.0, "start": 0.0, "green": [95.0, 5]}
    )
    pocket = pd.DataFrame({"from_link": ["ab"], "to_link": ["bc"], "storage": [300.0]})
    rules = Rules(signals=green, pockets=pocket, informed_share=1.0, refresh=100.0)
    around = simulate(links, trips, 5000.0, rules).links["vehicles"]["ec"]
    assert 20 < around < 130
