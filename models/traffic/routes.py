"""Next links to many destinations, and times between zones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from twin.city import City
    from twin.models.streets import Streets

Array = np.ndarray[Any, Any]


def trees_to(streets: Streets, times: Array, roots: Array) -> tuple[Array, Array]:
    """Return time (n_root, n_node) to each root, s, and the link to take from each node.

    times  (n_link,)  s, inf for closed links
    roots  (n_root,)  nodes
    """
    from twin.kernels.routing import next_hop_table

    ends = np.ascontiguousarray(roots, np.int32)
    time = np.empty((ends.size, streets.nodes))
    via = np.empty((ends.size, streets.nodes), np.int32)
    net = streets.graph
    next_hop_table(net.in_start, net.in_link, net.from_node, np.ascontiguousarray(times, np.float64), ends, via, time)
    return time, via


def next_hops(streets: Streets, times: Array, destinations: Array) -> Array:
    """Return the next link (n_destination, n_node) on the way to each destination, -1 for none."""
    return trees_to(streets, times, destinations)[1]


def zone_costs(city: City, streets: Streets) -> Array:
    """Return free-flow time (n_zone, n_zone) from zone to zone, s.

    Within a zone: half the least time to another zone (Ortuzar and Willumsen, section 5.6.4,
    intrazonal cost as a share of the cost to the nearest zone).
    """
    nodes = city["zones"]["node"]
    cost: Array = trees_to(streets, streets.free_time, nodes)[0][:, nodes].T.copy()
    apart = cost + np.where(np.eye(nodes.size, dtype=bool), np.inf, 0.0)
    np.fill_diagonal(cost, apart.min(axis=1) / 2 if nodes.size > 1 else 0.0)
    return cost
