"""Routes on the city's streets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from twin.city import City

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Graph:
    """The streets in compressed rows, in both directions.

    free_flow             (n_link,)  s
    leaving, entering     (start, links) at each node
    from_node, to_node    (n_link,)
    """

    n_node: int
    from_node: Array
    to_node: Array
    free_flow: Array
    leaving: tuple[Array, Array]
    entering: tuple[Array, Array]

    @classmethod
    def of(cls, city: City) -> Graph:
        """Index the links of a city."""
        from twin.kernels.routing import compressed

        links = city["links"]
        n_node = city.rows("nodes")
        tail, head = links["from_node"].astype(np.int32), links["to_node"].astype(np.int32)
        free = (links["length"] / links["speed"]).astype(np.float64)
        return cls(n_node, tail, head, free, compressed(n_node, tail), compressed(n_node, head))

    def trees_to(self, weight: Array, roots: Array) -> tuple[Array, Array]:
        """Return time (n_root, n_node) to each root, and the link to take from each node."""
        from twin.kernels.routing import fill_trees

        roots = np.asarray(roots, dtype=np.int64)
        time = np.empty((roots.size, self.n_node))
        via = np.empty((roots.size, self.n_node), np.int32)
        fill_trees(*self.entering, self.from_node, np.ascontiguousarray(weight, np.float64), roots, time, via)
        return time, via

    def next_hops(self, weight: Array, destinations: Array) -> Array:
        """Return the next link (n_destination, n_node) on the way to each destination."""
        return self.trees_to(weight, destinations)[1]


def zone_costs(city: City, graph: Graph) -> Array:
    """Return free-flow time (n_zone, n_zone) from zone to zone, s.

    Within a zone: half the least time to another zone (Ortuzar and Willumsen, section 5.6.4,
    intrazonal cost as a share of the cost to the nearest zone).
    """
    nodes = city["zones"]["node"]
    cost: Array = graph.trees_to(graph.free_flow, nodes)[0][:, nodes].T.copy()
    apart = cost + np.where(np.eye(nodes.size, dtype=bool), np.inf, 0.0)
    np.fill_diagonal(cost, apart.min(axis=1) / 2 if nodes.size > 1 else 0.0)
    return cost
