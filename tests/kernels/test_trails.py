"""Drivers who remember where they have been: stories by hand, and random tables on random cities."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import twin.kernels.trails as trails_module
from tests.kernels.examples import examples
from tests.kernels.traffic_cases import SECOND, random_case
from twin.kernels.routing import graph, next_hop_table
from twin.kernels.traffic import advance, touch
from twin.kernels.traffic_arrays import ARRIVED, STRANDED, Log, new_log
from twin.kernels.traffic_layout import Roads, Traffic, Trips, build
from twin.kernels.trails import Memory, keep_ways, new_memory

A, B, C, D, E = range(5)
AB, BC, CD, CB, BE, ED, CE = range(7)
TOWN = Roads(5, [A, B, C, C, B, E, C], [B, C, D, B, E, D, E], 100.0, 10.0)
"""From a by b and c to d; from c back to b and on by e, or straight to e. Every link takes 10 s."""


class Told:
    """A simulation whose tables change, and the log of it."""

    def __init__(self, traffic: Traffic, remember: bool = True, log_rows: int = 1 << 13) -> None:
        self.memory: Memory = new_memory(traffic.network, traffic.demand)
        self.traffic = traffic
        self.remember = remember
        self.log: Log = new_log(log_rows)

    def run(self, until: int) -> None:
        advance(*self.traffic, self.log, until * SECOND)

    def tell(self, **tables: Any) -> None:
        settings = self.traffic.settings
        after = settings._replace(**{name: np.ascontiguousarray(table, np.int32) for name, table in tables.items()})
        if self.remember:
            steps = keep_ways(self.traffic, after.habitual, after.informed, after.closed.astype(np.int8), self.memory)
            demand = self.traffic.demand
            routes = np.append(demand.routes[: self.memory.given], steps)
            self.traffic = self.traffic._replace(demand=demand._replace(routes=routes))
        for name in tables:
            getattr(settings, name)[...] = getattr(after, name)
        touch(*self.traffic)

    def ways(self) -> list[list[int]]:
        n_row = int(self.log.written[0])
        ways: list[list[int]] = [[] for _ in range(len(self.traffic.state.outcome))]
        for row in np.argsort(self.log.left[:n_row], kind="stable").tolist():
            ways[self.log.vehicle[row]].append(int(self.log.link[row]))
        return ways


def _town(remember: bool = True, informed: bool = True) -> Told:
    """One driver from a to d, at first by b and c."""
    told = Told(build(TOWN, Trips([0], A, 0, informed=informed), [D]), remember)
    told.tell(informed=[[AB, BC, CD, -1, ED]], habitual=[[AB, BC, CD, -1, ED]])
    return told


BACK = [[AB, BE, CB, -1, ED]]
"""Next links towards d when c - d is slow: who is on b - c is sent back."""


@pytest.mark.parametrize("informed", [True, False])
def test_who_would_be_sent_back_keeps_his_way(informed: bool) -> None:
    ways = []
    for remember in (False, True):
        told = _town(remember, informed)
        told.run(15)
        told.tell(**{"informed" if informed else "habitual": BACK})
        told.run(100)
        ways.append(told.ways()[0])
    assert ways == [[AB, BC, CB, BE, ED], [AB, BC, CD]]


def test_news_about_the_other_table_change_nothing() -> None:
    told = _town()
    told.run(15)
    told.tell(habitual=BACK)
    assert told.memory.start[0] == -1
    told.run(100)
    assert told.ways()[0] == [AB, BC, CD]


def test_who_has_not_met_a_node_may_go_there() -> None:
    told = _town()
    told.run(5)
    told.tell(informed=BACK)
    told.run(100)
    assert told.ways()[0] == [AB, BE, ED]


def test_who_keeps_his_way_follows_the_tables_again_as_soon_as_he_can() -> None:
    told = _town()
    told.run(15)
    told.tell(informed=BACK)
    told.tell(informed=[[AB, BE, CE, -1, ED]])
    told.run(100)
    assert told.ways()[0] == [AB, BC, CE, ED]


def test_who_keeps_his_way_turns_back_when_it_closes_and_not_a_second_time() -> None:
    told = _town()
    told.run(15)
    told.tell(informed=BACK)
    told.traffic.settings.closed[CD] = 1
    told.tell()
    told.run(25)
    # on c - b; a table that leads from b to c and e again would be a second circle
    told.tell(informed=[[AB, BC, CE, -1, ED]])
    told.run(100)
    assert told.ways()[0] == [AB, BC, CB, BE, ED]


def test_who_has_no_way_by_the_new_table_keeps_his_own() -> None:
    told = _town()
    told.run(15)
    told.tell(informed=[[-1] * 5])
    told.run(100)
    assert told.ways()[0] == [AB, BC, CD]
    told = _town()
    told.run(15)
    told.traffic.settings.closed[CD] = 1
    told.tell(informed=[[-1] * 5])
    told.run(100)
    assert told.traffic.state.outcome.tolist() == [STRANDED]


def test_tables_changed_behind_its_back_only_cost_the_trail() -> None:
    told = _town()
    told.run(5)
    told.traffic.settings.informed[0, B] = BE
    touch(*told.traffic)
    told.run(15)
    told.traffic.settings.informed[0, B] = BC
    touch(*told.traffic)
    # the table leads from b to c and never to the link he is on
    told.tell(informed=BACK)
    told.run(100)
    assert told.ways()[0] == [AB, BE, ED]


def test_links_left_are_counted_where_a_table_has_changed_and_leads_on() -> None:
    # 0 - 1 - 2 - 3 with a side road 4 - 1; 5 and 6 lead to each other, 7 nowhere; 1 has a column of its own for 0 - 1
    tails, heads = [0, 1, 2, 4, 5, 6], np.array([1, 2, 3, 1, 6, 5], np.int32)
    column = heads.copy()
    column[0] = 8
    table = np.full((2, 9), -1, np.int32)
    table[0, tails] = np.arange(6)
    table[0, 8] = 1
    left, changed = np.zeros((2, 9), np.int32), np.ones(2, np.bool_)
    goals, parted = np.array([3, 3], np.int32), np.array([1])
    trails_module._count_links(np.full_like(table, -1), table, heads, column, goals, parted, left, changed)
    assert changed.tolist() == [True, False]
    assert left.tolist() == [[3, -1, 1, 0, 3, -1, -1, -1, 2], [0] * 9]


def _drive(seed: int, remember: bool = True, closing: bool = False) -> Told:
    """Renew both tables of a random city from random times, now and then; with `closing` some links close."""
    case = random_case(seed, n_node=12, n_link=44, n_vehicle=60)
    rng = np.random.default_rng(seed)
    traffic = case.build()
    n_link, streets = len(case.links["length"]), graph(12, case.links["from_node"], case.links["to_node"])
    ends = np.asarray(case.destinations, np.int32)
    told = Told(traffic, remember)
    for now in range(0, 400, 8):
        told.run(now)
        tables = {name: np.array(getattr(told.traffic.settings, name)) for name in ("informed", "habitual", "closed")}
        if closing and rng.random() < 0.1:
            tables["closed"][rng.integers(0, n_link)] ^= 1
        for name in ("informed", "habitual") if now == 0 or rng.random() < 0.5 else ("informed",):
            times = rng.uniform(1.0, 9.0, n_link) ** 3
            times[tables["closed"][:n_link] > 0] = np.inf
            made = np.empty((len(ends), 12), np.int32)
            next_hop_table(streets.in_start, streets.in_link, streets.from_node, times, ends, made, np.empty((0, 12)))
            tables[name][:] = made
        told.tell(**tables)
    told.tell(closed=np.zeros_like(told.traffic.settings.closed))
    told.run(10_000)
    return told


def _circles(told: Told) -> list[int]:
    """Name the drivers by the tables who have met a node twice, their origins included."""
    network, memory = told.traffic.network, told.memory
    found = []
    for vehicle, way in enumerate(told.ways()):
        real = [link for link in way if network.pocket_target[link] < 0]
        nodes = [int(network.queue_node[queue]) for queue in [int(memory.home[vehicle]), *real]]
        if memory.own[vehicle] < 0 and len(set(nodes)) < len(nodes):
            found.append(vehicle)
    return found


@examples(30)
@given(st.integers(0, 10_000))
def test_nobody_meets_a_node_twice_however_the_tables_change(seed: int) -> None:
    told = _drive(seed)
    assert _circles(told) == []


def test_without_remembering_many_do() -> None:
    assert sum(len(_circles(_drive(seed, remember=False))) for seed in range(6)) > 10


@examples(20)
@given(st.integers(0, 10_000))
def test_given_routes_are_driven_as_given_and_nobody_is_lost(seed: int) -> None:
    told = _drive(seed, closing=True)
    demand, state = told.traffic.demand, told.traffic.state
    assert state.tally.sum() == len(state.outcome)
    for vehicle in np.flatnonzero((told.memory.own >= 0) & (state.outcome == ARRIVED)).tolist():
        start = int(told.memory.own[vehicle])
        end = start + int(np.argmax(demand.routes[start:] < 0))
        assert told.ways()[vehicle] == demand.routes[start:end].tolist()


@pytest.mark.parametrize("seed", [3, 4])
def test_a_short_list_is_gone_on_with_as_with_a_long_one(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    told = _drive(seed)
    answers = []
    whole = trails_module._keep_ways

    def short(*args: Any) -> bool:
        answers.append(whole(*args))
        return answers[-1]

    monkeypatch.setattr(trails_module, "_FIRST_ROOM", 1)
    monkeypatch.setattr(trails_module, "_keep_ways", short)
    again = _drive(seed)
    assert answers.count(False) > 3
    assert again.ways() == told.ways()
    assert np.array_equal(again.traffic.demand.routes, told.traffic.demand.routes)
