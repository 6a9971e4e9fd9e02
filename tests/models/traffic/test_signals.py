"""Signals of data frames and cities: lost times, offsets, greens that must not overlap."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models.traffic.small_city import small_city, traffic_world
from twin.city.junctions import Junctions, arms_of_nodes, phases_in_conflict
from twin.city.signals import phase_groups
from twin.errors import CityError
from twin.models.traffic import Rules, simulate
from twin.models.traffic.streets import signals

# a crossing: arms east, north, west, south, one link in and one out on each
ARMS = ("east", "north", "west", "south")
NODES = pd.DataFrame({"x": [0.0, 200, 0, -200, 0], "y": [0.0, 0, 200, 0, -200]}, index=["mid", *ARMS])
LINKS = pd.DataFrame(
    {"from": [*ARMS, *["mid"] * 4], "to": [*["mid"] * 4, *ARMS], "length": 200.0, "speed": 20.0},
    index=[*(f"{arm}_in" for arm in ARMS), *(f"{arm}_out" for arm in ARMS)],
)
TRIP = pd.DataFrame({"from": ["east"], "to": ["west"], "depart": [0.0]})


def plan(links, **columns):
    return pd.DataFrame({"link": links, "cycle": 60.0, "start": 0.0, "green": 25.0} | columns)


def run(signals, **rules):
    return simulate(LINKS, TRIP, rules=Rules(signals=signals, nodes=NODES, **rules))


def test_approaches_that_cross_must_not_be_green_together():
    said = (
        "signals row 1: its green overlaps that of row 0, though their movements conflict: "
        "north_in (20 to 45 s of 60 s, 0 s to clear) and east_in (0 to 25 s of 60 s, 0 s to clear)"
    )
    with pytest.raises(ValueError, match=re.escape(said)):
        run(plan(["east_in", "north_in"], start=[0.0, 20.0]))
    assert run(plan(["east_in", "north_in"], start=[0.0, 25.0])).trips["outcome"].tolist() == ["arrived"]


def test_approaches_that_face_each_other_may_be_green_together():
    assert run(plan(["east_in", "west_in"])).trips["arrive"].tolist() == [20.0]


def test_amber_and_all_red_belong_to_the_green_before_them():
    both = plan(["east_in", "north_in"], start=[0.0, 30.0], amber=3.0)
    run(both.assign(all_red=2.0))
    with pytest.raises(ValueError, match="signals row 1: its green overlaps that of row 0"):
        run(both.assign(all_red=3.0))
    # 28 s after the first, 32 s before it comes again: what the first needs to clear is cut
    with pytest.raises(ValueError, match="signals row 1: its green overlaps that of row 0"):
        run(both.assign(start=[0.0, 28.0], all_red=2.0))
    with pytest.raises(ValueError, match=r"row 0: green is 25\.0, is longer with amber and all_red than the cycle"):
        run(both.assign(all_red=40.0))


def test_nobody_enters_in_amber_and_the_offset_moves_the_green():
    # ready at 10 s; green from 40 to 65 s, moved by the offset
    for offset, arrive in ((0.0, 50.0), (5.0, 55.0), (-20.0, 30.0), (25.0, 20.0)):
        rows = plan(["east_in"], start=40.0, offset=offset, amber=10.0)
        assert run(rows).trips["arrive"].tolist() == [arrive]


def test_greens_of_other_cycles_drift_into_each_other():
    with pytest.raises(ValueError, match="its green overlaps"):
        run(plan(["east_in", "north_in"], cycle=[60.0, 90.0], start=[0.0, 30.0]))


def test_a_link_has_one_green_and_its_times_are_numbers():
    rows = plan(["east_in", "east_in", "west_in"], offset=[0.0, 0.0, np.inf])
    with pytest.raises(ValueError, match="signals row 1: link is east_in, has a green already") as caught:
        run(rows)
    assert "signals row 2: offset is inf, must be a time" in str(caught.value)


def test_without_positions_only_a_shared_exit_is_known_to_clash():
    merge = pd.DataFrame({"from": ["a", "b", "m"], "to": ["m", "m", "z"], "length": 200.0, "speed": 20.0})
    trip = pd.DataFrame({"from": ["a"], "to": ["z"], "depart": [0.0]})
    with pytest.raises(ValueError, match="signals row 1: its green overlaps that of row 0"):
        simulate(merge, trip, rules=Rules(signals=plan([0, 1])))
    simulate(LINKS, TRIP, rules=Rules(signals=plan(["east_in", "north_in"])))


def test_nodes_must_have_all_the_nodes_of_the_links():
    with pytest.raises(ValueError, match="nodes: north of the links are not there"):
        simulate(LINKS, TRIP, rules=Rules(nodes=NODES.drop("north")))
    with pytest.raises(ValueError, match="driving_side must be 'left' or 'right', not 'middle'"):
        run(plan(["east_in"]), driving_side="middle")


def crossing(left):
    ends = {label: row for row, label in enumerate(NODES.index)}
    columns = [LINKS[end].map(ends).to_numpy() for end in ("from", "to")]
    return Junctions(*columns, arms_of_nodes(*columns, NODES.to_numpy(float)), left)


def test_which_turn_crosses_oncoming_traffic_depends_on_the_driving_side():
    east, north, west, south = range(4)
    out = dict(zip(ARMS, range(4, 8), strict=True))
    # coming from the north, west is to the right hand
    assert crossing(left=True).cross((south, out["north"]), (north, out["west"]))
    assert not crossing(left=False).cross((south, out["north"]), (north, out["west"]))
    assert crossing(left=False).cross((south, out["north"]), (north, out["east"]))
    assert not crossing(left=True).cross((south, out["north"]), (north, out["east"]))
    for left in (False, True):
        assert not crossing(left).cross((south, out["north"]), (north, out["south"]))
        assert crossing(left).cross((south, out["north"]), (east, out["west"]))
        assert crossing(left).cross((west, out["east"]), (south, out["north"]))


def test_bans_may_part_two_approaches():
    # left-hand traffic: from east only the near turn to the south, and from north only through
    east, north = 0, 1
    streets = crossing(left=True)
    assert streets.clash(east, north)
    bans = frozenset({(0, 5), (0, 6), (1, 7), (1, 4)})
    near = Junctions(streets.from_node, streets.to_node, streets.arms, True, frozenset({(0, 5), (0, 6)}))
    assert near.clash(east, north)
    assert not Junctions(streets.from_node, streets.to_node, streets.arms, True, bans | {(0, 7)}).clash(east, north)


@given(st.floats(0, 6.28), st.booleans())
def test_conflicts_do_not_depend_on_where_north_is(turn, left):
    streets = crossing(left)
    turned = Junctions(streets.from_node, streets.to_node, streets.arms + turn, left)
    for one in range(4):
        for two in range(4):
            if one != two:
                assert streets.clash(one, two) == streets.clash(two, one) == turned.clash(one, two)


def signal_city(green, served=(0, 1, 0, 1), **lost):
    """Return a crossing of two streets whose signal has two phases."""
    pairs = [(1, 0), (2, 0), (3, 0), (4, 0), (0, 1), (0, 2), (0, 3), (0, 4)]
    place = {"x": np.array([0.0, 100, 0, -100, 0]), "y": np.array([0.0, 0, 100, 0, -100])}
    city = small_city(pairs)
    nodes = {name: np.asarray(column) for name, column in city["nodes"].items()} | place
    return small_city(
        pairs,
        nodes=nodes,
        signals={"id": np.array(["s0"]), "node": np.array([0]), "cycle": np.array([60.0]), "offset": np.array([7.0])},
        phases={"signal": np.array([0, 0]), "order": np.array([0, 1]), "green": np.asarray(green)} | lost,
        phase_links={"phase": np.array(served), "link": np.arange(4)},
    )


def test_phases_of_a_city_keep_their_amber_and_all_red():
    plain = signals(signal_city([20.0, 30.0]), 3.0)
    assert np.asarray(plain.start)[:2].tolist() == [7.0, 32.0]
    lost = {"amber": np.array([3.0, 3.0]), "all_red": np.array([4.0, 0.0])}
    assert np.asarray(signals(signal_city([20.0, 30.0], **lost), 3.0).start)[:2].tolist() == [7.0, 34.0]
    assert np.asarray(signals(signal_city([20.0, 30.0], **lost), 3.0).length)[:2].tolist() == [20.0, 30.0]


def test_phases_that_do_not_fit_the_cycle_are_refused():
    with pytest.raises(CityError, match=r"greens overlap, .* exceed the cycle: signals s0"):
        traffic_world(signal_city([25.0, 30.0], amber=np.array([3.0, 3.0])))


def mixed_city():
    """Return the crossing with phases that give green to approaches that cross."""
    return signal_city([20.0, 30.0], served=[0, 0, 1, 1])


def test_conflicts_within_a_phase_are_listed():
    assert phases_in_conflict(signal_city([20.0, 30.0]).tables, left=True) == []
    assert phases_in_conflict(mixed_city().tables, left=True) == ["signal s0: l0 and l1", "signal s0: l2 and l3"]


def test_a_world_refuses_conflicting_greens_and_names_them():
    said = "conflicting movements have green at once: signal s0: l0 and l1; signal s0: l2 and l3"
    with pytest.raises(CityError, match=said):
        traffic_world(mixed_city())


@pytest.mark.parametrize(("degrees", "facing"), [(134.0, False), (136.0, True)])
def test_frames_and_cities_face_each_other_by_one_rule(degrees, facing):
    place = np.deg2rad([0.0, degrees])
    nodes = pd.DataFrame({"x": [0.0, *np.cos(place), 0.0], "y": [0.0, *np.sin(place), -1.0]}, index=list("mabc"))
    links = pd.DataFrame({"from": list("abmmm"), "to": list("mmabc"), "length": 50.0, "speed": 10.0})
    ends = [links[end].map({"m": 0, "a": 1, "b": 2, "c": 3}).to_numpy() for end in ("from", "to")]
    streets = Junctions(*ends, arms_of_nodes(*ends, nodes.to_numpy()), left=False)
    assert len(phase_groups(streets, [0, 1])) == (1 if facing else 2)
    trip = pd.DataFrame({"from": ["a"], "to": ["c"], "depart": [0.0]})
    rules = Rules(signals=plan([0, 1]), nodes=nodes)
    if facing:
        simulate(links, trip, rules=rules)
    else:
        with pytest.raises(ValueError, match="its green overlaps that of row 0"):
            simulate(links, trip, rules=rules)


@given(st.lists(st.floats(0, 6.28), min_size=2, max_size=7), st.booleans())
def test_phases_that_are_made_never_conflict_and_serve_everybody_once(angles, left):
    count = len(angles)
    node, middle = np.arange(1, count + 1), np.zeros(count, int)
    ends = np.append(node, middle), np.append(middle, node)
    position = np.append([[0.0, 0.0]], 100 * np.column_stack([np.cos(angles), np.sin(angles)]), axis=0)
    streets = Junctions(*ends, arms_of_nodes(*ends, position), left)
    groups = phase_groups(streets, list(range(count)))
    assert sorted(row for group in groups for row in group) == list(range(count))
    assert not any(streets.clash(a, b) for group in groups for a in group for b in group if a != b)
