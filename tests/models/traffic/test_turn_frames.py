"""Pockets, gaps and emergency classes that make no sense are named; roads with pockets change and inform as others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from twin.models.traffic import Rules, simulate
from twin.models.traffic.gridlock import GridlockWarning

INF, NAN = float("inf"), float("nan")
LINKS = pd.DataFrame(
    {"from": ["a", "b", "b"], "to": ["b", "c", "d"], "length": 200.0, "speed": 20.0}, index=["ab", "bc", "bd"]
)
TRIPS = pd.DataFrame({"from": "a", "to": "d", "depart": [0.0, 2.0]})
POCKET = pd.DataFrame({"from_link": ["ab"], "to_link": ["bd"], "storage": [2.0]})


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (POCKET.assign(to_link="de"), "pockets row 0: to_link is de, is no link"),
        (POCKET.assign(from_link="xy"), "pockets row 0: from_link is xy, is no link"),
        (POCKET.assign(from_link="bc"), "pockets row 0: to_link is bd, does not begin where from_link ends"),
        (POCKET.assign(storage=0.0), "pockets row 0: storage is 0.0, must be greater than 0"),
        (POCKET.assign(storage=NAN), "pockets row 0: storage is nan, must be greater than 0"),
        (POCKET.assign(storage=INF), "pockets row 0: storage is inf, .* at most 10000 PCU"),
        (POCKET.assign(storage="two"), "pockets row 0: storage is two, must be greater than 0"),
        (pd.concat([POCKET, POCKET.set_axis([7])]), "pockets row 7: to_link is bd, has a pocket from this link"),
        (POCKET.drop(columns="storage"), "pockets: column storage is missing"),
    ],
)
def test_wrong_pockets_are_named(rows, message):
    with pytest.raises(ValueError, match=message):
        simulate(LINKS, TRIPS, rules=Rules(pockets=rows))


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"passing": 0.9}, r"passing \(0.9\) must be between 1 and 1000"),
        ({"passing": NAN}, r"passing \(nan\) must be"),
        ({"gap": -1.0}, r"gap \(-1.0\) must be between 0 and"),
        ({"gap": NAN}, r"gap \(nan\) must be between 0 and"),
        ({"late_turn": -0.1}, r"late_turn \(-0.1\) must be between 0"),
        ({"green_ahead": -1.0}, r"green_ahead \(-1.0\) must be between 0"),
        ({"green_clear": INF}, r"green_clear \(inf\) must be between 0"),
        ({"green_most": -1.0}, r"green_most \(-1.0\) must be between 0"),
        ({"emergency": ["ambulance"]}, "emergency: ambulance must be one of car, "),
    ],
)
def test_wrong_rules_are_named(rules, message):
    with pytest.raises(ValueError, match=message):
        simulate(LINKS, TRIPS, rules=Rules(**rules))


def test_a_pocket_has_the_capacity_that_its_link_gets():
    # both wait in the pocket for green at 30 s; from 20 s on one passes every 10 s
    slow = pd.DataFrame({"time": [20.0], "link": "ab", "capacity": 0.1})
    plan = pd.DataFrame({"link": ["ab"], "cycle": 60.0, "start": 30.0, "green": 30.0})
    for changes, second in ((None, 41.25), (slow, 50.0)):
        trips = simulate(LINKS, TRIPS, rules=Rules(pockets=POCKET, signals=plan), changes=changes).trips
        assert trips["arrive"].tolist() == pytest.approx([40.0, second], abs=1e-5)


def test_drivers_are_informed_where_there_are_pockets():
    rules = Rules(pockets=POCKET, informed_share=1.0, refresh=3.0)
    assert simulate(LINKS, TRIPS, rules=rules).trips["arrive"].tolist() == pytest.approx([20.0, 22.0], abs=1e-5)


def test_a_gridlock_through_pockets_names_links_alone():
    # a ring of six links of 2 PCU, all with pockets of 1 PCU, fills with vehicles bound five links on
    ring = "abcdef"
    ends = [(node, ring[(place + 1) % 6]) for place, node in enumerate(ring)]
    links = pd.DataFrame(ends, columns=["from", "to"], index=[a + b for a, b in ends]).assign(length=10.0, speed=20.0)
    rows = [(node, ring[place - 1], 0.0) for place, node in enumerate(ring)] * 6
    trips = pd.DataFrame(rows, columns=["from", "to", "depart"])
    turns = {"from_link": links.index, "to_link": [*links.index[1:], links.index[0]]}
    pockets = pd.DataFrame(turns).assign(storage=1.0)
    with pytest.warns(GridlockWarning, match="ab"):
        result = simulate(links, trips, 1000.0, Rules(pockets=pockets))
    assert result.gridlocks == [list(links.index)]
    relaxed = simulate(links, trips, rules=Rules(pockets=pockets, relax_after=60.0))
    assert relaxed.relaxed > 0
    assert (relaxed.trips["outcome"] == "arrived").all()


def test_who_is_in_a_pocket_when_its_road_closes_takes_another_way_from_there():
    # from a to e by c, or slower by d; three have stepped into the pocket to c and wait for the green of 80 s
    links = pd.DataFrame(
        {"from": list("abbcd"), "to": list("bcdee"), "length": 1000.0, "speed": [20.0, 20, 10, 20, 20]}
    )
    links.index = ["ab", "bc", "bd", "ce", "de"]
    trips = pd.DataFrame({"from": "a", "to": "e", "depart": np.arange(0, 20, 2.0)})
    red = pd.DataFrame({"link": ["ab"], "cycle": [100.0], "start": [80.0], "green": [20.0]})
    pocket = pd.DataFrame({"from_link": ["ab"], "to_link": ["bc"], "storage": [3.0]})
    shut = pd.DataFrame({"time": [60.0], "link": ["bc"], "open": [False]})
    result = simulate(links, trips, rules=Rules(signals=red, pockets=pocket), changes=shut)
    assert set(result.trips["outcome"]) == {"arrived"}
    assert result.trips["arrive"].min() == 230.0
    assert result.links["vehicles"].tolist() == [10, 0, 10, 0, 10]
    # a road that opens again before the green is taken as if it had never been closed
    opened = pd.concat([shut, pd.DataFrame({"time": [70.0], "link": ["bc"], "open": [True]})])
    again = simulate(links, trips, rules=Rules(signals=red, pockets=pocket), changes=opened)
    assert again.links["vehicles"].tolist() == [10, 10, 0, 10, 0]
