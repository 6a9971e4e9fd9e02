"""Shortest paths on the city graph: Dijkstra trees and next-hop tables.

A graph is in compressed rows: the links at node i are `links[start[i]:start[i+1]]`
and `ends[link]` is the node at the other end. Give links that leave and their
heads for a tree from a source; links that enter and their tails for a tree to a
destination. Source: Dijkstra, A note on two problems in connexion with graphs,
Numerische Mathematik 1 (1959), with a binary heap and lazy deletion.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.kernels._jit import jit

Array = NDArray[Any]


def compressed(n_node: int, at_node: Array) -> tuple[Array, Array]:
    """Return (start, links) that list the links at each node, in link order.

    at_node  (n_link,)  node each link is listed at
    """
    order = np.argsort(at_node, kind="stable").astype(np.int32)
    start = np.searchsorted(at_node[order], np.arange(n_node + 1)).astype(np.int32)
    return start, order


@jit
def _sift_up(times: Array, nodes: Array, place: int) -> None:
    """Move an entry of the heap up to where it belongs."""
    time, node = times[place], nodes[place]
    while place > 0:
        above = (place - 1) >> 1
        if times[above] < time or (times[above] == time and nodes[above] <= node):
            break
        times[place], nodes[place] = times[above], nodes[above]
        place = above
    times[place], nodes[place] = time, node


@jit
def _sift_down(times: Array, nodes: Array, size: int) -> None:
    """Move the first entry of the heap down to where it belongs."""
    time, node = times[0], nodes[0]
    place = 0
    while True:
        below = 2 * place + 1
        if below >= size:
            break
        right = below + 1
        if right < size and (
            times[right] < times[below] or (times[right] == times[below] and nodes[right] < nodes[below])
        ):
            below = right
        if times[below] > time or (times[below] == time and nodes[below] >= node):
            break
        times[place], nodes[place] = times[below], nodes[below]
        place = below
    times[place], nodes[place] = time, node


@jit
def grow_tree(
    start: Array,
    links: Array,
    ends: Array,
    weight: Array,
    root: int,
    time: Array,
    via: Array,
    heap_time: Array,
    heap_node: Array,
) -> None:
    """Find the least time between the root and every node.

    weight     (n_link,)  s, >= 0; inf for a closed link
    time       (n_node,)  s, written; inf where there is no path
    via        (n_node,)  link towards the root, -1 for none; the lowest of equals
    heap_time, heap_node  (n_link + 1,)  scratch
    """
    time[:] = np.inf
    via[:] = -1
    time[root] = 0.0
    heap_time[0], heap_node[0] = 0.0, root
    size = 1
    while size > 0:
        now, node = heap_time[0], heap_node[0]
        size -= 1
        heap_time[0], heap_node[0] = heap_time[size], heap_node[size]
        _sift_down(heap_time, heap_node, size)
        if now > time[node]:
            continue
        for place in range(start[node], start[node + 1]):
            link = links[place]
            other = ends[link]
            reach = now + weight[link]
            if reach < time[other]:
                time[other] = reach
                via[other] = link
                heap_time[size], heap_node[size] = reach, other
                _sift_up(heap_time, heap_node, size)
                size += 1
            elif reach == time[other] and reach < np.inf and other != root and link < via[other]:
                via[other] = link


@jit
def fill_trees(start: Array, links: Array, ends: Array, weight: Array, roots: Array, time: Array, via: Array) -> None:
    """Grow one tree per root.

    roots  (n_root,)  nodes
    time   (n_root, n_node)  s, written
    via    (n_root, n_node)  int32, written: the next-hop table when the graph lists entering links
    """
    heap_time = np.empty(links.shape[0] + 1, np.float64)
    heap_node = np.empty(links.shape[0] + 1, np.int64)
    for row in range(roots.shape[0]):
        grow_tree(start, links, ends, weight, roots[row], time[row], via[row], heap_time, heap_node)
