"""The island search against networkx, and the events it names."""

from __future__ import annotations

import networkx as nx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.kernels.examples import examples
from twin.kernels.islands import build_adjacency, first_break_on_path, latest_on_path, spread


def adjacency(begin, end, n_node):
    first = np.zeros(n_node + 1, np.int64)
    neighbour, edge = np.zeros(2 * len(begin), np.int64), np.zeros(2 * len(begin), np.int64)
    build_adjacency(np.asarray(begin, np.int64), np.asarray(end, np.int64), first, neighbour, edge)
    return first, neighbour, edge


def search(begin, end, node_works, edge_works, roots):
    n_node = len(node_works)
    fed = np.zeros(n_node, bool)
    parent, parent_edge, order = (np.zeros(n_node, np.int64) for _ in range(3))
    works = np.asarray(node_works, bool), np.asarray(edge_works, bool)
    graph = adjacency(begin, end, n_node)
    count = spread(*graph, *works, np.asarray(roots, np.int64), fed, parent, parent_edge, order)
    return count, fed, order, parent, parent_edge


@st.composite
def grids(draw):
    n_node = draw(st.integers(1, 12))
    node = st.integers(0, n_node - 1)
    edges = draw(st.lists(st.tuples(node, node), max_size=25))
    begin, end = np.array([a for a, _ in edges], np.int64), np.array([b for _, b in edges], np.int64)
    edge_works = draw(st.lists(st.booleans(), min_size=len(edges), max_size=len(edges)))
    node_works = draw(st.lists(st.booleans(), min_size=n_node, max_size=n_node))
    return begin, end, node_works, edge_works, draw(st.lists(node, max_size=3))


@examples(100)
@given(grids())
def test_fed_is_what_networkx_finds(grid):
    begin, end, node_works, edge_works, roots = grid
    graph = nx.MultiGraph()
    graph.add_nodes_from(n for n, works in enumerate(node_works) if works)
    graph.add_edges_from(
        (a, b) for a, b, works in zip(begin, end, edge_works, strict=True) if works and node_works[a] and node_works[b]
    )
    wanted = set().union(*(nx.node_connected_component(graph, r) for r in roots if node_works[r]), set())
    count, fed, order, parent, parent_edge = search(*grid)
    assert set(np.flatnonzero(fed).tolist()) == wanted
    assert count == len(wanted)
    assert set(order[:count].tolist()) == wanted
    assert (order[count:] == -1).all()
    assert ((parent >= 0) == (parent_edge >= 0)).all()


@examples(100)
@given(grids())
def test_parents_come_first_over_working_edges(grid):
    begin, end, _, edge_works, roots = grid
    count, _, order, parent, parent_edge = search(*grid)
    place = {int(node): i for i, node in enumerate(order[:count])}
    for node in order[:count].tolist():
        if parent[node] < 0:
            assert node in roots
        else:
            k = parent_edge[node]
            assert place[int(parent[node])] < place[node]
            assert edge_works[k]
            assert {int(begin[k]), int(end[k])} == {node, int(parent[node])}


def test_the_break_nearest_the_source_is_blamed():
    begin, end = [0, 1, 2, 1], [1, 2, 3, 4]
    _, _, order, parent, parent_edge = search(begin, end, [True] * 5, [True] * 4, [0])
    broken, blame = np.zeros(5, bool), np.zeros(5, np.int64)
    node_event, edge_event = np.array([-1, -1, -1, 70, -1]), np.array([-1, 50, 60, 40])
    nodes, edges = np.array([True, True, True, False, True]), np.array([True, False, True, True])
    first_break_on_path(order, parent, parent_edge, nodes, edges, node_event, edge_event, broken, blame)
    assert broken.tolist() == [False, False, True, True, False]
    assert blame.tolist() == [-1, -1, 50, 50, -1]


def test_the_newest_event_on_the_path_is_found():
    begin, end = [0, 1, 2, 1], [1, 2, 3, 4]
    _, _, order, parent, parent_edge = search(begin, end, [True] * 5, [True, True, False, True], [0])
    latest = np.zeros(5, np.int64)
    node_event, edge_event = np.array([-1, 3, -1, 70, -1]), np.array([-1, 50, 60, 2])
    latest_on_path(order, parent, parent_edge, node_event, edge_event, latest)
    assert latest.tolist() == [-1, 3, 50, -1, 3]
