"""Trees and tables against scipy and networkx."""

from typing import Any

import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from tests.kernels.examples import examples
from twin.kernels.routing import Graph, graph, next_hop_table, tree
from twin.kernels.waves import choose, fan_out


def _random(seed: int, n_node: int = 40, n_link: int = 130) -> tuple[Graph, Any]:
    rng = np.random.default_rng(seed)
    streets = graph(n_node, rng.integers(0, n_node, n_link), rng.integers(0, n_node, n_link))
    weight = rng.integers(1, 6, n_link).astype(float)
    weight[rng.random(n_link) < 0.1] = np.inf
    return streets, weight


def _least(streets: Graph, weight: Any, n_node: int) -> Any:
    """All times by scipy, of the quickest of parallel links."""
    dense = np.full((n_node, n_node), np.inf)
    np.minimum.at(dense, (streets.from_node, streets.to_node), weight)
    dense[np.isinf(dense)] = 0
    return dijkstra(csr_matrix(dense))


@examples(30)
@given(st.integers(0, 10_000), st.integers(0, 39))
def test_times_from_and_to_a_node_match_scipy(seed: int, root: int) -> None:
    streets, weight = _random(seed)
    least = _least(streets, weight, 40)
    time, via = np.empty(40), np.empty(40, np.int32)
    tree(streets.out_start, streets.out_link, streets.to_node, weight, root, time, via)
    assert np.array_equal(time, least[root])
    for node in np.flatnonzero(via >= 0):
        link = via[node]
        assert streets.to_node[link] == node
        assert time[streets.from_node[link]] + weight[link] == time[node]
    tree(streets.in_start, streets.in_link, streets.from_node, weight, root, time, via)
    assert np.array_equal(time, least[:, root])
    assert np.array_equal(via >= 0, np.isfinite(time) & (np.arange(40) != root))


@examples(10)
@given(st.integers(0, 10_000))
def test_following_the_table_takes_the_time_networkx_finds(seed: int) -> None:
    streets, weight = _random(seed)
    net = networkx.MultiDiGraph()
    net.add_nodes_from(range(40))
    for link in np.flatnonzero(np.isfinite(weight)):
        net.add_edge(int(streets.from_node[link]), int(streets.to_node[link]), time=weight[link])
    destinations = np.array([3, 17], np.int32)
    table, times = np.empty((2, 40), np.int32), np.empty((2, 40))
    next_hop_table(streets.in_start, streets.in_link, streets.from_node, weight, destinations, table, times)
    for row, destination in enumerate(destinations.tolist()):
        expected = networkx.single_source_dijkstra_path_length(net.reverse(), destination, weight="time")
        for node in range(40):
            spent, place = 0.0, node
            while table[row, place] >= 0:
                spent += weight[table[row, place]]
                place = streets.to_node[table[row, place]]
            if node in expected:
                assert place == destination
                assert spent == expected[node] == times[row, node]
            else:
                assert place == node
                assert np.isinf(times[row, node])


def test_ties_go_to_the_lowest_link() -> None:
    streets = graph(4, [0, 0, 1, 2, 0, 0], [1, 2, 3, 3, 3, 3])
    weight = np.array([1.0, 1.0, 1.0, 1.0, 2.0, 2.0])
    time, via = np.empty(4), np.empty(4, np.int32)
    tree(streets.out_start, streets.out_link, streets.to_node, weight, 0, time, via)
    assert via.tolist() == [-1, 0, 1, 2]
    tree(streets.in_start, streets.in_link, streets.from_node, weight, 3, time, via)
    assert via.tolist() == [0, 2, 3, -1]


def test_links_without_length_make_no_circle() -> None:
    streets = graph(3, [0, 1, 2, 1], [1, 2, 1, 0])
    time, via = np.empty(3), np.empty(3, np.int32)
    tree(streets.in_start, streets.in_link, streets.from_node, np.zeros(4), 0, time, via)
    assert time.tolist() == [0, 0, 0]
    assert via.tolist() == [-1, 3, 2]


def test_an_unknown_node_is_named() -> None:
    with pytest.raises(ValueError, match="to_node of link 1 is 5"):
        graph(3, [0, 1], [1, 5])


def _both(streets: Graph, weight: Any, destinations: Any) -> tuple[Any, Any]:
    """Return a table with times made at once, and one made of single trees."""
    ends = np.asarray(destinations, np.int32)
    nodes = streets.in_start.size - 1
    made = np.empty((ends.size, nodes), np.int32), np.empty((ends.size, nodes))
    next_hop_table(streets.in_start, streets.in_link, streets.from_node, weight, ends, *made)
    single = np.empty_like(made[0]), np.empty_like(made[1])
    for row, end in enumerate(ends.tolist()):
        ways = streets.in_start, streets.in_link, streets.from_node
        tree(*ways, weight, end, single[1][row], single[0][row])
    return made, single


@examples(25)
@given(st.integers(0, 10_000), st.booleans())
def test_a_table_is_its_trees_to_the_last_bit(seed: int, whole: bool) -> None:
    streets, weight = _random(seed, 90, 260)
    rng = np.random.default_rng(seed)
    if not whole:
        weight *= rng.lognormal(0, 1, weight.size)
    weight[rng.integers(0, weight.size, 5)] = np.nan
    made, single = _both(streets, weight, rng.integers(0, 90, 75))
    assert np.array_equal(made[0], single[0])
    assert np.array_equal(made[1], single[1])


@examples(15)
@given(st.integers(0, 10_000))
def test_links_without_length_close_no_ring(seed: int) -> None:
    streets, weight = _random(seed, 40, 160)
    weight[np.random.default_rng(seed).random(weight.size) < 0.4] = 0.0
    (table, times), single = _both(streets, weight, np.arange(40))
    assert np.array_equal(times, single[1])
    for row in range(40):
        for node in np.flatnonzero(np.isfinite(times[row])):
            place, steps = node, 0
            while place != row and steps <= 40:
                place, steps = streets.to_node[table[row, place]], steps + 1
            assert place == row


def test_a_tree_may_stop_at_its_goal() -> None:
    streets, weight = _random(3)
    full, part = np.empty(40, np.int32), np.empty(40, np.int32)
    time, early = np.empty(40), np.empty(40)
    ways = streets.out_start, streets.out_link, streets.to_node
    tree(*ways, weight, 0, time, full)
    goals = np.flatnonzero(np.isfinite(time) & (full >= 0))
    assert goals.size > 20
    for goal in goals:
        tree(*ways, weight, 0, early, part, int(goal))
        nearer = time < time[goal]
        assert np.array_equal(part[nearer], full[nearer])
        assert (part[goal], early[goal]) == (full[goal], time[goal])


def test_a_link_of_no_length_into_the_destination_leaves_no_choice_open() -> None:
    streets = graph(3, [0, 1, 1], [1, 2, 0])
    fans = fan_out(streets.in_start, streets.in_link, streets.from_node, np.array([1.0, 0.0, 1.0]))
    table, spare = np.empty((1, 3), np.int32), np.empty(1)
    times, none = np.array([[1.0], [0.0], [0.0]]), np.empty((0, 3))
    without = choose(fans.start, fans.link, fans.far, fans.weight, times, np.zeros(1, np.int32), 1, table, none, spare)
    assert (without, table.tolist()) == (1, [[0, 1, -1]])
