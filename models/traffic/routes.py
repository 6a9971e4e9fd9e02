"""Routes on the city's streets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from twin.city import City

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Streets:
    """The streets sorted by both ends, and their free-flow times.

    graph      links sorted by either end, see `twin.kernels.routing.Graph`
    free_flow  (n_link,)  s
    """

    n_node: int
    graph: Any
    free_flow: Array

    @classmethod
    def of(cls, city: City) -> Streets:
        """Index the links of a city."""
        from twin.kernels.routing import graph

        links = city["links"]
        n_node = city.rows("nodes")
        free = (links["length"] / links["speed"]).astype(np.float64)
        return cls(n_node, graph(n_node, links["from_node"], links["to_node"]), free)

    def trees_to(self, weight: Array, roots: Array) -> tuple[Array, Array]:
        """Return time (n_root, n_node) to each root, and the link to take from each node."""
        from twin.kernels.routing import next_hop_table

        ends = np.ascontiguousarray(roots, np.int32)
        time = np.empty((ends.size, self.n_node))
        via = np.empty((ends.size, self.n_node), np.int32)
        cost = np.ascontiguousarray(weight, np.float64)
        next_hop_table(self.graph.in_start, self.graph.in_link, self.graph.from_node, cost, ends, via, time)
        return time, via

    def next_hops(self, weight: Array, destinations: Array) -> Array:
        """Return the next link (n_destination, n_node) on the way to each destination."""
        return self.trees_to(weight, destinations)[1]


def zone_costs(city: City, streets: Streets) -> Array:
    """Return free-flow time (n_zone, n_zone) from zone to zone, s.

    Within a zone: half the least time to another zone (Ortuzar and Willumsen, section 5.6.4,
    intrazonal cost as a share of the cost to the nearest zone).
    """
    nodes = city["zones"]["node"]
    cost: Array = streets.trees_to(streets.free_flow, nodes)[0][:, nodes].T.copy()
    apart = cost + np.where(np.eye(nodes.size, dtype=bool), np.inf, 0.0)
    np.fill_diagonal(cost, apart.min(axis=1) / 2 if nodes.size > 1 else 0.0)
    return cost
