"""Tables that lead nearer: quickest of all such ways, never in a circle, the same alone and together."""

from typing import Any

import networkx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.examples import examples
from twin.kernels.nearer import nearer_hop_table
from twin.kernels.routing import Graph, graph, next_hop_table


def _table(streets: Graph, lasting: Any, present: Any, destinations: Any) -> Any:
    table = np.empty((len(destinations), len(streets.in_start) - 1), np.int32)
    ends = np.asarray(destinations, np.int32)
    nearer_hop_table(streets.in_start, streets.in_link, streets.from_node, lasting, present, ends, table)
    return table


def _random(seed: int, n_node: int = 24, n_link: int = 80) -> tuple[Graph, Any, Any]:
    rng = np.random.default_rng(seed)
    streets = graph(n_node, rng.integers(0, n_node, n_link), rng.integers(0, n_node, n_link))
    lasting, present = rng.integers(1, 6, (2, n_link)).astype(float)
    closed = rng.random(n_link) < 0.1
    lasting[closed] = present[closed] = np.inf
    return streets, lasting, present


@examples(10)
@given(st.integers(0, 10_000))
def test_the_way_is_the_quickest_of_those_that_lead_nearer(seed: int) -> None:
    streets, lasting, present = _random(seed)
    every = np.arange(24)
    _, left = np.empty((24, 24), np.int32), np.empty((24, 24))
    next_hop_table(streets.in_start, streets.in_link, streets.from_node, lasting, every.astype(np.int32), _, left)
    table = _table(streets, lasting, present, every)
    for goal in every.tolist():
        net = networkx.MultiDiGraph()
        net.add_nodes_from(every.tolist())
        for link in np.flatnonzero(np.isfinite(present)):
            tail, head = int(streets.from_node[link]), int(streets.to_node[link])
            if left[goal, head] < left[goal, tail]:
                net.add_edge(head, tail, time=present[link])
        expected = networkx.single_source_dijkstra_path_length(net, goal, weight="time")
        for node in every.tolist():
            spent, place, steps = 0.0, node, 0
            while table[goal, place] >= 0:
                spent += present[table[goal, place]]
                place = int(streets.to_node[table[goal, place]])
                steps += 1
                assert steps < 24
            assert (place == goal and spent == expected[node]) if node in expected else place == node
    # one row alone is made in another way than many together
    assert np.array_equal(table[3:5], _table(streets, lasting, present, every[3:5]))


@examples(10)
@given(st.integers(0, 10_000))
def test_who_is_told_anew_at_every_node_still_meets_none_twice(seed: int) -> None:
    streets, lasting, present = _random(seed)
    rng = np.random.default_rng(seed)
    place, been = np.arange(24), np.zeros((24, 24), bool)
    for _ in range(25):
        driver = np.arange(len(place))
        assert not been[driver, place].any()
        been[driver, place] = True
        news = np.where(np.isfinite(lasting), rng.integers(1, 60, len(present)), np.inf)
        link = _table(streets, lasting, news, [7])[0][place]
        place, been = streets.to_node[link[link >= 0]], been[link >= 0]
    assert len(place) == 0


def test_equal_times_give_the_ways_of_the_other_table() -> None:
    streets, lasting, _ = _random(5)
    ends = np.arange(24, dtype=np.int32)
    table = np.empty((24, 24), np.int32)
    next_hop_table(streets.in_start, streets.in_link, streets.from_node, lasting, ends, table, np.empty((0, 24)))
    assert np.array_equal(_table(streets, lasting, lasting, ends), table)


def test_a_step_without_length_may_end_the_way() -> None:
    # place 3 is a destination behind node 2, as where turns are banned
    streets = graph(4, [0, 1, 0, 2], [1, 2, 2, 3])
    lasting = np.array([1.0, 1.0, 3.0, 0.0])
    for count in (1, 12):
        assert _table(streets, lasting, np.array([1.0, 9.0, 2.0, 0.0]), [3] * count)[0].tolist() == [2, 1, 3, -1]
