"""Laws that hold in any city: order, headways, mass, names, bad tables."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.examples import examples
from tests.kernels.traffic_cases import FACTOR, HORIZON, PCU, SECOND, Case, change, random_case, run
from twin.kernels.traffic import advance
from twin.kernels.traffic_arrays import DONE, ENTRIES, EXITS, TRAVEL, new_log
from twin.kernels.traffic_fetch import LARGE
from twin.kernels.traffic_layout import Roads, Trips, build
from twin.kernels.traffic_probe import lost_vehicles, occupancy

seeds = st.integers(0, 2**32 - 1)


def _by_link(rows: list[tuple[int, ...]], n_link: int) -> list[Any]:
    """Rows (vehicle, entered, left) of each link in the order of entry."""
    table = np.array(rows, np.int64).reshape(-1, 4)
    parts = [table[table[:, 1] == link][:, [0, 2, 3]] for link in range(n_link)]
    return [part[np.argsort(part[:, 1])] for part in parts]


@examples(40)
@given(seeds)
def test_links_are_first_in_first_out_and_keep_their_headways(seed: int) -> None:
    case = replace(random_case(seed), rescue={})
    traffic, rows = case.build(), []
    run(traffic, HORIZON, rows)
    factor = np.array(FACTOR)[case.trips["vehicle_class"]]
    for link, part in enumerate(_by_link(rows, len(case.links["length"]))):
        gap = (traffic.settings.headway[link] * factor[part[:-1, 0]]).astype(int)
        assert (np.diff(part[:, 1]) >= gap).all()
        assert (np.diff(part[:, 2]) >= gap).all()
        assert (part[:, 2] - part[:, 1] >= traffic.settings.free_flow[link]).all()


@examples(40)
@given(seeds)
def test_no_link_takes_more_than_it_can_store(seed: int) -> None:
    case = random_case(seed)
    traffic, rows = case.build(), []
    run(traffic, HORIZON, rows)
    pcu = (np.array(PCU) * 1000).astype(int)[case.trips["vehicle_class"]]
    for link, part in enumerate(_by_link(rows, len(case.links["length"]))):
        wave = traffic.settings.wave[link]
        for i in range(len(part)):
            before = part[:i]
            held = before[before[:, 2] + wave > part[i, 1]]
            assert pcu[held[:, 0]].sum() < traffic.settings.storage[link]


@examples(40)
@given(seeds)
def test_no_vehicle_is_lost_and_the_counters_equal_the_log(seed: int) -> None:
    rng = np.random.default_rng(seed)
    traffic, rows = random_case(seed).build(), []
    for stop in range(50 * SECOND, 500 * SECOND, 50 * SECOND):
        run(traffic, stop, rows)
        assert lost_vehicles(traffic.state) == 0
        change(rng, traffic)
    link, left = traffic.state.link, _by_link(rows, len(traffic.network.from_node))
    assert link[:, EXITS].tolist() == [len(part) for part in left]
    assert link[:, TRAVEL].tolist() == [int((part[:, 2] - part[:, 1]).sum()) for part in left]
    assert (occupancy(traffic.state) == link[:, ENTRIES] - link[:, EXITS]).all()
    assert max(row[3] for row in rows) < 500 * SECOND


def _renumber(case: Case, rng: Any) -> tuple[Case, Any, Any]:
    """Give nodes, links and vehicles other numbers; return new of old ones."""
    n_link, n_vehicle = len(case.links["length"]), len(case.trips["depart"])
    node, link = rng.permutation(case.n_node), rng.permutation(n_link)
    vehicle = rng.permutation(n_vehicle)
    old_node, old_link, old_vehicle = np.argsort(node), np.argsort(link), np.argsort(vehicle)
    new_link = np.append(link, -1)
    columns = {name: np.broadcast_to(c, (n_link,))[old_link] for name, c in case.links.items()}
    columns |= {end: node[columns[end]] for end in ("from_node", "to_node")}
    trips = {name: c[old_vehicle] for name, c in case.trips.items() if name != "routes"}
    trips["routes"] = new_link[case.trips["routes"]].astype(np.int32)
    trips["origin"] = node[trips["origin"]]
    trips["first_link"] = new_link[trips["first_link"]]
    signals = {}
    for name, column in case.signals.items():
        order = old_node if name == "control" else old_link
        signals[name] = column if np.ndim(column) == 0 else np.asarray(column)[order]
    tables = [new_link[table[:, old_node]] for table in case.tables]
    other = replace(
        case, links=columns, trips=trips, signals=signals, tables=tables, destinations=node[case.destinations]
    )
    turns = dict(case.turns)
    for name, width in (("pockets", 2), ("yields", 3)):
        if name in turns:
            turns[name] = link[np.asarray(turns[name], np.int64).reshape(-1, width)]
    other = replace(other, node_capacity=case.node_capacity[old_node], turns=turns)
    n_pocket = len(turns.get("pockets", ()))
    return other, np.append(link, n_link + np.arange(n_pocket)), vehicle


@examples(40)
@given(seeds)
def test_other_numbers_give_the_same_city(seed: int) -> None:
    case = random_case(seed)
    other, link, vehicle = _renumber(case, np.random.default_rng(seed))
    rows: list[tuple[int, ...]] = []
    rows_other: list[tuple[int, ...]] = []
    run(case.build(), HORIZON, rows)
    run(other.build(), HORIZON, rows_other)
    renamed = [(vehicle[v], link[i], entered, left) for v, i, entered, left in rows]
    assert sorted(renamed) == sorted(rows_other)


def test_every_wrong_row_is_named() -> None:
    roads = Roads(3, [0, 1, 7], [1, 2, 0], [10.0, 0.0, -5.0], 10.0, [1.0, 1.0, np.nan])
    trips = Trips([0, -1], [0, 9], destination=[0, 4], key=[3, 3])
    with pytest.raises(ValueError, match="link 1, 2: length must be greater than 0") as caught:
        build(roads, trips, [2])
    for part in (
        "link 2: lanes must be greater than 0",
        "link 2: from_node is an unknown node",
        "trip 1: depart must not be negative",
        "trip 1: origin is an unknown node",
        "trip 1: destination is an unknown row",
        "trip 1: key must be unique",
    ):
        assert part in str(caught.value)


def test_wrong_ranks_capacities_and_bans_are_named() -> None:
    roads = Roads(
        3, [0, 1, 2], [1, 2, 0], 100.0, 10.0, rank=[0, -1, 16], node_capacity=[1, 0, 1], banned_turns=[(0, 9), (0, 2)]
    )
    with pytest.raises(ValueError, match=r"link 1, 2: rank must be in 0 .. 15") as caught:
        build(roads, Trips([0], [0], route_start=[0], routes=[0, -1]))
    assert "node 1: node_capacity must be greater than 0" in str(caught.value)
    assert "banned turn 0: unknown link; banned turn 1: the links do not meet" in str(caught.value)
    banned = Roads(3, [0, 1, 2], [1, 2, 0], 100.0, 10.0, banned_turns=[(0, 1)])
    with pytest.raises(ValueError, match="route step 0: the turn to the next link is banned"):
        build(banned, Trips([0], [0], route_start=[0], routes=[0, 1, -1]))


def test_a_broken_route_is_named() -> None:
    roads = Roads(3, [0, 1, 2], [1, 2, 0], 100.0, 10.0)
    broken = Trips([0], [1], route_start=[0], routes=[0, 2, -1])
    with pytest.raises(ValueError, match="trip 0: route does not start at the origin") as caught:
        build(roads, broken)
    assert "route step 0: does not lead to the next link" in str(caught.value)


def test_a_city_whose_visits_are_fetched_ahead_moves_as_a_small_one() -> None:
    n, each = 1200, np.arange(1200)
    roads = Roads(3 * n, np.ravel([3 * each, 3 * each + 1], "F"), np.ravel([3 * each + 1, 3 * each + 2], "F"), 5000, 10)
    routes = np.ravel([2 * each, 2 * each + 1, np.full(n, -1)], "F").astype(np.int32)
    vehicle = np.arange(2 * n)
    trips = Trips(np.zeros(2 * n, np.int64), 3 * (vehicle % n), route_start=3 * (vehicle % n), routes=routes)
    traffic = build(roads, trips, group_limit=1)
    assert len(traffic.state.ring) >= LARGE
    assert advance(*traffic, new_log(0), 1_100_000_000) == DONE
    headway = int(traffic.settings.headway[0])
    assert np.array_equal(traffic.state.arrival, 1_000_000_000 + headway * (vehicle >= n))
