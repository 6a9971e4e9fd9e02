"""A pocket with a green of its own in data frames."""

from __future__ import annotations

import pandas as pd
import pytest

from twin.models.traffic import Rules, simulate

NODES = pd.DataFrame({"x": [0, -200, 200, 0], "y": [0, 0, 0, 200]}, index=["mid", "west", "east", "north"])
LINKS = pd.DataFrame(
    {"from": ["west", "east", "mid", "mid", "mid"], "to": ["mid", "mid", "west", "east", "north"]},
    index=["w", "e", "to_w", "to_e", "to_n"],
).assign(length=200.0, speed=20.0)
# left-hand traffic: the first turns right across the third, who comes 4 s later
TRIPS = pd.DataFrame({"from": ["east", "east", "west"], "to": ["north", "west", "east"], "depart": [0.0, 2.0, 4.0]})
POCKET = pd.DataFrame({"from_link": ["e"], "to_link": ["to_n"], "storage": [2.0]})
PLAN = pd.DataFrame({"link": ["w", "e", "e"], "to_link": [None, None, "to_n"], "cycle": 60.0, "start": [0.0, 0, 30]})


def arrive(signals, **rules):
    given = {"nodes": NODES, "pockets": POCKET, "driving_side": "left"} | rules
    return simulate(LINKS, TRIPS, rules=Rules(signals=signals, **given)).trips["arrive"].tolist()


def test_a_protected_turn_waits_for_its_own_green_and_for_nobody():
    assert arrive(PLAN.assign(green=25.0)) == pytest.approx([40.0, 22.0, 24.0], abs=1e-5)
    # without it the turn is made at 14 s, behind the one that comes
    assert arrive(PLAN[:2].drop(columns="to_link").assign(green=25.0)) == pytest.approx([24.0, 22.0, 24.0], abs=1e-5)


def test_a_protected_turn_that_is_green_with_the_other_side_gives_way_as_any():
    assert arrive(PLAN.assign(green=25.0, start=0.0)) == pytest.approx([24.0, 22.0, 24.0], abs=1e-5)


@pytest.mark.parametrize(
    ("rows", "rules", "said"),
    [
        (PLAN, {"pockets": None}, "signals row 2: to_link is to_n, has no pocket from this link"),
        (PLAN.assign(to_link=[None, None, "zoo"]), {}, "signals row 2: to_link is zoo, has no pocket"),
        (PLAN.assign(to_link=[None, "to_n", "to_n"]), {}, "signals row 2: link is e, has a green already"),
    ],
)
def test_greens_of_turns_that_have_no_pocket_are_named(rows, rules, said):
    with pytest.raises(ValueError, match=said):
        arrive(rows.assign(green=25.0), **rules)


def test_a_protected_turn_must_not_be_green_with_what_crosses_it():
    side = pd.DataFrame({"from": ["north"], "to": ["mid"], "length": 200.0, "speed": 20.0}, index=["n"])
    rows = pd.concat([PLAN, pd.DataFrame({"link": ["n"], "to_link": [None], "cycle": 60.0, "start": 30.0})])
    rows = rows.reset_index(drop=True).assign(green=25.0)
    rules = Rules(signals=rows, nodes=NODES, pockets=POCKET, driving_side="left")
    with pytest.raises(ValueError, match="signals row 3: its green overlaps that of row 2"):
        simulate(pd.concat([LINKS, side]), TRIPS, rules=rules)
