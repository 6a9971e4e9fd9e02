"""Next links to many destinations, and times between zones."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from twin.city import City
    from twin.models.streets import Streets
    from twin.models.traffic import turns

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Routing:
    """Find next-hop tables of a city, banned turns kept to.

    destinations  (n_destination,)  nodes, one a row of the tables
    banned        (n_banned, 2)  pairs (link, next link)
    """

    streets: Streets
    destinations: Array
    banned: Array

    def table(self, times: Array, rows: Any = slice(None)) -> Array:
        """Return the next link (n_row, n_column) on the way to some destinations, -1 for none.

        times  (n_link,)  s, inf for closed links
        rows   of the destinations
        """
        if not len(self.banned):
            return next_hops(self.streets, times, self.destinations[rows])
        from twin.models.traffic import turns

        return turns.next_hops(self._ways(), times, self.destinations[rows])

    def _ways(self) -> turns.Ways:
        from twin.kernels.traffic_layout import hop_columns
        from twin.models.traffic import turns

        net, n_node = self.streets.graph, self.streets.nodes
        column = hop_columns(n_node, net.to_node, self.banned)
        return turns.Ways(n_node, net.from_node, net.to_node, column, self.banned)

    def users(self, table: Array, links: Array) -> Array:
        """Return the rows of a table in which some driver takes one of the links."""
        if len(self.banned):
            return np.flatnonzero(np.isin(table, links).any(axis=1))
        return np.flatnonzero((table[:, self.streets.graph.from_node[links]] == links).any(axis=1))


class NoWayWarning(UserWarning):
    """Trips have no way to their destination; they never depart."""


def warn_of_no_way(table: Array, origin: Array, goal: Array, row: Array) -> None:
    """Warn of trips without a way, with their number and the first pair of nodes.

    table  (n_destination, n_column)  next link from each node
    row    (n_trip,)  row of the goal in the table
    """
    lost = np.flatnonzero((table[row, origin] < 0) & (origin != goal))
    if lost.size:
        first = f"the first from node {origin[lost[0]]} to node {goal[lost[0]]}"
        warnings.warn(f"{lost.size} of {origin.size} trips have no way, {first}", NoWayWarning, stacklevel=3)


def trees_to(streets: Streets, times: Array, roots: Array) -> tuple[Array, Array]:
    """Return time (n_root, n_node) to each root, s, and the link to take from each node.

    times  (n_link,)  s, inf for closed links
    roots  (n_root,)  nodes
    """
    from twin.kernels.routing import next_hop_table

    # A copy: arrays nobody may write would have the kernel compiled once more.
    ends = np.array(roots, np.int32)
    time = np.empty((ends.size, streets.nodes))
    via = np.empty((ends.size, streets.nodes), np.int32)
    net = streets.graph
    next_hop_table(net.in_start, net.in_link, net.from_node, np.array(times, np.float64), ends, via, time)
    return time, via


def next_hops(streets: Streets, times: Array, destinations: Array) -> Array:
    """Return the next link (n_destination, n_node) on the way to each destination, -1 for none."""
    from twin.kernels.routing import next_hop_table

    ends = np.array(destinations, np.int32)
    via = np.empty((ends.size, streets.nodes), np.int32)
    net = streets.graph
    weight, none = np.array(times, np.float64), np.empty((0, streets.nodes))
    next_hop_table(net.in_start, net.in_link, net.from_node, weight, ends, via, none)
    return via


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
