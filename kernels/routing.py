"""Shortest times on the street graph: trees and next-hop tables.

Dijkstra with a binary heap. Nodes of equal time are settled by rising number,
and of several links that reach a node at the same time the lowest is kept, so
results depend on nothing but the graph and the weights.

Source: Dijkstra, A note on two problems in connexion with graphs, Numer. Math.
1 (1959); heap with decrease-key: Cormen et al., Introduction to Algorithms.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.kernels._jit import jit

Int32 = NDArray[np.int32]
Float = NDArray[np.float64]


class Graph(NamedTuple):
    """Hold a directed graph with its links sorted by either end.

    from_node, to_node  (n_link,)
    out_start, in_start (n_node + 1,)  bounds in out_link and in_link
    out_link            (n_link,)  links by from_node, then by number
    in_link             (n_link,)  links by to_node, then by number
    """

    from_node: Int32
    to_node: Int32
    out_start: Int32
    out_link: Int32
    in_start: Int32
    in_link: Int32


def graph(n_node: int, from_node: ArrayLike, to_node: ArrayLike) -> Graph:
    """Sort the links of a graph by both ends.

    from_node, to_node  (n_link,)  0 .. n_node - 1; loops and parallel links
                        are allowed. Raises ValueError on an unknown node.
    """
    tails = np.ascontiguousarray(from_node, np.int32)
    heads = np.ascontiguousarray(to_node, np.int32)
    for name, ends in (("from_node", tails), ("to_node", heads)):
        wrong = np.flatnonzero((ends < 0) | (ends >= n_node))
        if len(wrong):
            raise ValueError(f"{name} of link {wrong[0]} is {ends[wrong[0]]}, must be in 0 .. {n_node - 1}")
    columns = []
    for ends in (tails, heads):
        bounds = np.concatenate([[0], np.cumsum(np.bincount(ends, minlength=n_node))])
        columns += [bounds.astype(np.int32), np.argsort(ends, kind="stable").astype(np.int32)]
    return Graph(tails, heads, *columns)


@jit
def _rise(heap: Int32, place: Int32, time: Float, i: int) -> None:
    """Move an entry of the heap up to where it belongs."""
    node = heap[i]
    while i > 0:
        parent = (i - 1) >> 1
        other = heap[parent]
        if time[other] < time[node] or (time[other] == time[node] and other < node):
            break
        heap[i] = other
        place[other] = i
        i = parent
    heap[i] = node
    place[node] = i


@jit
def _sink(heap: Int32, place: Int32, time: Float, size: int) -> None:
    """Move the first entry of the heap down to where it belongs."""
    node = heap[0]
    i = 0
    child = 1
    while child < size:
        if child + 1 < size:
            one = heap[child]
            two = heap[child + 1]
            if time[two] < time[one] or (time[two] == time[one] and two < one):
                child += 1
        other = heap[child]
        if time[node] < time[other] or (time[node] == time[other] and node < other):
            break
        heap[i] = other
        place[other] = i
        i = child
        child = 2 * i + 1
    heap[i] = node
    place[node] = i


@jit
def _tree(
    start: Int32,
    links: Int32,
    far_end: Int32,
    weight: Float,
    root: int,
    time: Float,
    via: Int32,
    heap: Int32,
    place: Int32,
) -> None:
    """Grow a tree with given work arrays (n_node,): see `tree`."""
    time[:] = np.inf
    via[:] = -1
    place[:] = -1
    time[root] = 0.0
    heap[0] = root
    place[root] = 0
    size = 1
    while size > 0:
        near = heap[0]
        size -= 1
        place[near] = -2
        if size > 0:
            heap[0] = heap[size]
            _sink(heap, place, time, size)
        for i in range(start[near], start[near + 1]):
            link = links[i]
            reached = time[near] + weight[link]
            far = far_end[link]
            if place[far] == -2 or not reached < np.inf:
                continue
            if reached < time[far]:
                time[far] = reached
                via[far] = link
                if place[far] == -1:
                    place[far] = size
                    heap[size] = far
                    size += 1
                _rise(heap, place, time, place[far])
            elif reached == time[far] and link < via[far]:
                via[far] = link


@jit
def tree(
    start: Int32,
    links: Int32,
    far_end: Int32,
    weight: Float,
    root: int,
    time: Float,
    via: Int32,
) -> None:
    """Find the least times between a root and all nodes.

    From the root: start, links, far_end = out_start, out_link, to_node.
    To the root:   start, links, far_end = in_start, in_link, from_node.

    weight  (n_link,) s, >= 0; inf or nan: closed
    time    (n_node,) s, written; inf where no way leads
    via     (n_node,) written: the last link of the way from the root, or the
            first link of the way to it; -1 at the root and where no way leads
    """
    heap = np.empty(time.shape[0], np.int32)
    place = np.empty(time.shape[0], np.int32)
    _tree(start, links, far_end, weight, root, time, via, heap, place)


@jit
def next_hop_table(
    in_start: Int32,
    in_link: Int32,
    from_node: Int32,
    weight: Float,
    destinations: Int32,
    table: Int32,
    times: Float,
) -> None:
    """Find the first link of the quickest way to each destination.

    weight        (n_link,) s, >= 0; inf: closed
    destinations  (n_destination,)  nodes
    table         (n_destination, n_node)  written; -1 at the destination and
                  where no way leads
    times         (n_destination, n_node)  s, written; of no rows: not kept
    """
    n_node = table.shape[1]
    heap = np.empty(n_node, np.int32)
    place = np.empty(n_node, np.int32)
    time = np.empty(n_node, np.float64)
    for row in range(destinations.shape[0]):
        if times.shape[0] > 0:
            time = times[row]
        _tree(in_start, in_link, from_node, weight, destinations[row], time, table[row], heap, place)
