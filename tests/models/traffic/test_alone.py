"""Traffic by itself: data frames in, data frames out, wrong rows named."""

from __future__ import annotations

import doctest

import pandas as pd
import pytest

from twin.models.traffic import Rules, alone, simulate
from twin.models.traffic.gridlock import GridlockWarning

LINKS = pd.DataFrame(
    {"from": ["a", "b", "b", "d", "x"], "to": ["b", "c", "d", "b", "b"], "length": 200.0, "speed": 20.0},
    index=["ab", "bc", "bd", "db", "xb"],
)


def trips(origins, destinations, departs, **other):
    return pd.DataFrame({"from": origins, "to": destinations, "depart": departs, **other})


def test_the_example_of_the_docstring():
    assert doctest.testmod(alone).failed == 0
    assert doctest.testmod(alone).attempted > 0


def test_tables_of_trips_links_and_events_by_hand():
    result = simulate(LINKS, trips(["a", "x"], "c", [0.0, 0.0]))
    assert result.trips["arrive"].tolist() == [20, 21.25]
    assert result.trips["outcome"].tolist() == ["arrived", "arrived"]
    assert result.links.loc[["bc", "xb", "bd"], "vehicles"].tolist() == [2, 1, 0]
    assert result.links.loc["xb", ["mean_time", "delay"]].tolist() == [11.25, 1.25]
    assert result.events.values.tolist() == [
        [0, "ab", 0, 10], [1, "xb", 0, 11.25], [0, "bc", 10, 20], [1, "bc", 11.25, 21.25],
    ]  # fmt: skip


def test_a_banned_turn_sends_its_drivers_round_and_no_others():
    # from ab the turn into bc is banned: a to c goes by d and back through b
    ban = pd.DataFrame({"from_link": ["ab"], "to_link": ["bc"]})
    result = simulate(
        LINKS, trips(["a", "x", "a"], ["c", "c", "b"], [0.0, 100.0, 200.0]), rules=Rules(banned_turns=ban)
    )
    assert result.events.query("trip == 0")["link"].tolist() == ["ab", "bd", "db", "bc"]
    assert result.trips["time"].tolist() == [40, 20, 10]


def test_a_trip_that_bans_leave_no_way_is_reported_and_the_others_drive():
    ban = pd.DataFrame({"from_link": ["ab", "ab"], "to_link": ["bc", "bd"]})
    result = simulate(LINKS, trips(["a", "x", "c"], ["c", "c", "a"], [0.0, 0.0, 0.0]), rules=Rules(banned_turns=ban))
    assert result.trips["outcome"].tolist() == ["no way", "arrived", "no way"]


def test_a_red_signal_holds_its_link_only():
    plan = pd.DataFrame({"link": ["ab", "xb"], "cycle": 60.0, "start": [30.0, 0.0], "green": 20.0})
    assert simulate(LINKS, trips(["a", "x"], "c", [0.0, 0.0]), rules=Rules(signals=plan)).trips["arrive"].tolist() == [
        40,
        20,
    ]


def test_classes_take_their_space_and_until_ends_the_run():
    result = simulate(LINKS, trips("a", "c", [0.0, 0.0, 0.0], **{"class": ["truck", "car", "car"]}), until=3.0)
    assert result.trips["outcome"].tolist() == ["driving", "driving", "waiting"]


def test_a_gridlock_is_named():
    # everybody wants to drive five of six links, so each link fills with those who go on
    nodes = list(range(6))
    ring = pd.DataFrame({"from": nodes, "to": nodes[1:] + nodes[:1], "length": 50.0, "speed": 10.0})
    crowd = trips(nodes * 30, (nodes[5:] + nodes[:5]) * 30, 0.0)
    with pytest.warns(
        GridlockWarning,
        match=r"gridlock from \d+ s to the end at \d+ s with \d+ vehicles: 0 -> 1 -> 2 -> 3 -> 4 -> 5 -> 0",
    ):
        result = simulate(ring, crowd)
    assert result.gridlocks == [nodes]
    assert set(result.trips["outcome"]) == {"driving", "waiting"}
    assert result.relaxed == 0
    freed = simulate(ring, crowd, rules=Rules(relax_after=60.0))
    assert freed.gridlocks == []
    assert set(freed.trips["outcome"]) == {"arrived"}
    assert freed.relaxed > 0
    assert freed.events.groupby("trip").size().tolist() == [5] * len(crowd)


def test_every_wrong_row_is_named_by_its_label():
    links = LINKS.assign(length=[200.0, 0.0, 200.0, -3.0, 200.0])
    wrong = trips(["a", "zoo"], ["c", "c"], [0.0, -1.0], **{"class": ["car", "tank"]})
    with pytest.raises(ValueError, match=r"links row bc: length is 0\.0, must be greater than 0") as caught:
        simulate(links, wrong, rules=Rules(banned_turns=pd.DataFrame({"from_link": ["ab"], "to_link": ["nix"]})))
    for part in (
        "links row db: length is -3.0",
        "trips row 1: from is zoo, is no node of the links",
        "trips row 1: depart is -1.0",
        "trips row 1: class is tank, must be one of car",
        "banned_turns row 0: to_link is nix, is no link",
    ):
        assert part in str(caught.value)


def test_bad_streets_bans_and_classes_are_named():
    unnamed = LINKS.assign(to=["b", "c", "d", None, "b"])
    with pytest.raises(ValueError, match="links row db: to is None, must name a node"):
        simulate(unnamed, trips("a", "c", [0.0]))
    apart = pd.DataFrame({"from_link": ["ab"], "to_link": ["xb"]})
    with pytest.raises(ValueError, match="banned_turns row 0: to_link is xb, does not begin where from_link ends"):
        simulate(LINKS, trips("a", "c", [0.0]), rules=Rules(banned_turns=apart))
    with pytest.raises(ValueError, match=r"pcu: truck is 0, must be greater than 0; pcu: bus is nan"):
        simulate(LINKS, trips("a", "c", [0.0]), rules=Rules(pcu={"car": 1.0, "truck": 0, "bus": float("nan")}))


def test_bans_that_leave_a_circle_only_are_no_way_and_no_hang():
    # every turn out of the circle b - d - b is banned: whoever is led there would drive round for ever
    bans = pd.DataFrame({"from_link": ["ab", "db"], "to_link": ["bc", "bc"]})
    result = simulate(LINKS, trips(["a", "a", "x"], ["c", "d", "c"], 0.0), rules=Rules(banned_turns=bans))
    assert result.trips["outcome"].tolist() == ["no way", "arrived", "arrived"]
    assert len(result.events) == 4


def test_pairs_without_a_way_are_counted_and_nobody_is_lost():
    crowd = trips(["a", "c", "c", "d", "x"] * 20, ["c", "a", "x", "c", "a"] * 20, 0.0)
    outcome = simulate(LINKS, crowd).trips["outcome"].value_counts()
    assert outcome.to_dict() == {"no way": 60, "arrived": 40}


def test_many_lanes_count_as_sixteen_at_a_merge():
    wide = LINKS.assign(lanes=[40, 1, 1, 1, 1])
    assert simulate(wide, trips(["a", "x"], "c", 0.0)).trips["outcome"].tolist() == ["arrived", "arrived"]


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match="links: column speed is missing"):
        simulate(LINKS.drop(columns="speed"), trips("a", "c", [0.0]))
