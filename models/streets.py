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

    graph               links sorted by either end, see `twin.kernels.routing.Graph`
    length, free_time   (n_link,)   m, s
    node_xy             (n_node, 2) m
    point_xy            (n_point, 2) m; empty without street geometry
    point_first, point_count  (n_link,)
    """

    graph: Any
    length: Array
    free_time: Array
    node_xy: Array
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
        return self.node_xy[[self.graph.from_node[link], self.graph.to_node[link]]]


@dataclass(frozen=True)
class Tree:
    """Shortest times (s) between a root and every node, and the links of the way (-1 none).

    time  (n_node,)  inf where no way leads
    link  (n_node,)  last link of the way from the root, or first of the way to it
    """

    time: Array
    link: Array


def build_streets(city: City) -> Streets:
    """Return the streets of a city as arrays."""
    from twin.kernels.routing import graph

    links, nodes = city["links"], city["nodes"]
    node_xy = np.column_stack([nodes["x"], nodes["y"]]).astype(np.float64)
    count = city.rows("links")
    drawn = "points" in city and "point_first" in links
    empty = np.zeros(count, dtype=np.int64)
    return Streets(
        graph=graph(node_xy.shape[0], links["from_node"], links["to_node"]),
        length=np.asarray(links["length"], dtype=np.float64),
        free_time=np.asarray(links["length"] / links["speed"], dtype=np.float64),
        node_xy=node_xy,
        point_xy=np.column_stack([city["points"]["x"], city["points"]["y"]]) if drawn else np.empty((0, 2)),
        point_first=np.asarray(links["point_first"], dtype=np.int64) if drawn else empty,
        point_count=np.asarray(links["point_count"], dtype=np.int64) if drawn else empty,
    )


def shortest_tree(streets: Streets, times: Array, root: int, *, reverse: bool = False, goal: int = -1) -> Tree:
    """Return shortest times from a node to all, or with `reverse` from all to it.

    times  (n_link,)  s, inf for closed links
    goal   node whose way alone is wanted: what lies beyond it is left unfinished; -1 for all
    """
    from twin.kernels.routing import tree

    time = np.empty(streets.nodes)
    link = np.empty(streets.nodes, dtype=np.int32)
    net = streets.graph
    ends = (net.in_start, net.in_link, net.from_node) if reverse else (net.out_start, net.out_link, net.to_node)
    # A copy: an array nobody may write would have the kernel compiled once more.
    tree(*ends, np.array(times, np.float64), int(root), time, link, int(goal))
    return Tree(time, link)


def path_between(streets: Streets, times: Array, start: int, goal: int) -> Array | None:
    """Return the links of a shortest path, empty when already there, None when there is none."""
    tree = shortest_tree(streets, times, start, goal=goal)
    if not np.isfinite(tree.time[goal]):
        return None
    path = []
    node = goal
    while node != start:
        link = int(tree.link[node])
        path.append(link)
        node = int(streets.graph.from_node[link])
    return np.array(path[::-1], dtype=np.int32)
