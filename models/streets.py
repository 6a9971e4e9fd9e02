"""Streets of a city as arrays for shortest paths, and points along them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from twin.city import City

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Streets:
    """Links and nodes of a city, constants only.

    from_node, to_node  (n_link,)
    length, free_time   (n_link,)   m, s
    node_xy             (n_node, 2) m
    pair_first          (n_pair,)   first of the links of each pair of nodes, in pair_link
    pair_link           (n_link,)   links sorted by (from, to), so parallel links are together
    pair_key            (n_pair,)   from * n_node + to, ascending
    point_xy            (n_point, 2) m; empty without street geometry
    point_first, point_count  (n_link,)
    """

    from_node: Array
    to_node: Array
    length: Array
    free_time: Array
    node_xy: Array
    pair_first: Array
    pair_link: Array
    pair_key: Array
    point_xy: Array
    point_first: Array
    point_count: Array

    @property
    def nodes(self) -> int:
        """Number of nodes."""
        return int(self.node_xy.shape[0])

    def point_on(self, link: int, fraction: float) -> tuple[float, float]:
        """Return x and y at a fraction of a link, along its drawn line where it has one."""
        line = self._line(link)
        steps = np.hypot(*np.diff(line, axis=0).T)
        along = np.concatenate([[0.0], np.cumsum(steps)])
        wanted = fraction * along[-1]
        return float(np.interp(wanted, along, line[:, 0])), float(np.interp(wanted, along, line[:, 1]))

    def _line(self, link: int) -> Array:
        first, count = int(self.point_first[link]), int(self.point_count[link])
        if count >= 2:
            return self.point_xy[first : first + count]
        return self.node_xy[[self.from_node[link], self.to_node[link]]]


@dataclass(frozen=True)
class Tree:
    """Shortest times (s) between a root and every node, and the neighbour on the way (-1 none); (n_node,)."""

    time: Array
    neighbour: Array


def build_streets(city: City) -> Streets:
    """Return the streets of a city as arrays."""
    links, nodes = city["links"], city["nodes"]
    begin, end = (np.asarray(links[c], dtype=np.int64) for c in ("from_node", "to_node"))
    node_xy = np.column_stack([nodes["x"], nodes["y"]]).astype(np.float64)
    key = begin * node_xy.shape[0] + end
    order = np.argsort(key, kind="stable")
    pair_key, first = np.unique(key[order], return_index=True)
    drawn = "points" in city and "point_first" in links
    empty = np.zeros(begin.shape[0], dtype=np.int64)
    return Streets(
        from_node=begin,
        to_node=end,
        length=np.asarray(links["length"], dtype=np.float64),
        free_time=np.asarray(links["length"] / links["speed"], dtype=np.float64),
        node_xy=node_xy,
        pair_first=first,
        pair_link=order,
        pair_key=pair_key,
        point_xy=np.column_stack([city["points"]["x"], city["points"]["y"]]) if drawn else np.empty((0, 2)),
        point_first=np.asarray(links["point_first"], dtype=np.int64) if drawn else empty,
        point_count=np.asarray(links["point_count"], dtype=np.int64) if drawn else empty,
    )


def shortest_tree(streets: Streets, times: Array, root: int, *, reverse: bool = False) -> Tree:
    """Return shortest times from a node to all, or with `reverse` from all to it.

    times  (n_link,)  s, inf for closed links
    """
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import dijkstra

    best = np.minimum.reduceat(times[streets.pair_link], streets.pair_first)
    usable = np.isfinite(best)
    rows, columns = np.divmod(streets.pair_key[usable], streets.nodes)
    if reverse:
        rows, columns = columns, rows
    graph = csr_matrix((best[usable], (rows, columns)), shape=(streets.nodes, streets.nodes))
    time, before = dijkstra(graph, indices=int(root), return_predecessors=True)
    return Tree(time, np.maximum(before, -1))


def path_between(streets: Streets, times: Array, start: int, goal: int) -> Array | None:
    """Return the links of a shortest path, empty when already there, None when there is none."""
    if start == goal:
        return np.empty(0, dtype=np.int32)
    tree = shortest_tree(streets, times, start)
    if not np.isfinite(tree.time[goal]):
        return None
    path = []
    node = goal
    while node != start:
        before = int(tree.neighbour[node])
        path.append(_best_link(streets, times, before, node))
        node = before
    return np.array(path[::-1], dtype=np.int32)


def _best_link(streets: Streets, times: Array, begin: int, end: int) -> int:
    pair = int(np.searchsorted(streets.pair_key, begin * streets.nodes + end))
    last = streets.pair_first[pair + 1] if pair + 1 < streets.pair_first.shape[0] else streets.pair_link.shape[0]
    links = streets.pair_link[streets.pair_first[pair] : last]
    return int(links[np.argmin(times[links])])
