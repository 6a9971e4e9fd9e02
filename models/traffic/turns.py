"""Next-hop tables that keep to banned turns.

A link from which a turn is banned ends in a place of its own, left only by the
links that may follow it; the shortest ways on these places are the shortest
ways of vehicles. Source: Caldwell, On finding minimum routes in a network with
turn penalties, Comm. ACM 4 (1961), which gives every link such a place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Ways:
    """Streets as next-hop tables see them.

    n_node              number of nodes
    from_node, to_node  (n_link,)
    column              (n_link,)  column each link reads, see `hop_columns`
    banned              (n_banned, 2)  pairs (link, next link)
    """

    n_node: int
    from_node: Array
    to_node: Array
    column: Array
    banned: Array

    @property
    def n_column(self) -> int:
        """Number of columns of a table."""
        return int(max(self.n_node, self.column.max(initial=-1) + 1))


def next_hops(ways: Ways, times: Array, destinations: Array) -> Array:
    """Return the next link (n_destination, n_column) on the way to each destination, -1 for none.

    times         (n_link,)  s, inf for closed links
    destinations  (n_destination,)  nodes
    """
    from twin.kernels.routing import next_hop_table

    net, link, roots = steps_to(ways, destinations)
    table = np.empty((destinations.size, len(net.in_start) - 1), np.int32)
    weight = np.append(times, 0.0)[link]
    next_hop_table(net.in_start, net.in_link, net.from_node, weight, roots, table, np.empty((0, table.shape[1])))
    return links_of(ways, link, table)


def links_of(ways: Ways, link: Array, table: Array) -> Array:
    """Return links (n_destination, n_column) in place of the steps of a table, -1 where there is none."""
    hops: Array = np.append(np.where(link < ways.from_node.size, link, -1), -1)[table[:, : ways.n_column]]
    return hops.astype(np.int32)


def steps_to(ways: Ways, destinations: Array) -> tuple[Any, Array, Array]:
    """Return the graph of steps between places, the link of each step, and the roots.

    A destination is its own root, unless links with places of their own end
    there: then the root is a place behind all of these, which steps of no length
    lead to; in place of a link such a step has n_link.
    """
    from twin.kernels.routing import graph

    tail, head, link = _steps(ways)
    several = np.isin(destinations, ways.to_node[ways.column >= ways.n_node])
    roots = destinations.astype(np.int32)
    roots[several] = ways.n_column + np.arange(several.sum())
    ends_tail, ends_root = _ends(ways, destinations[several], roots[several])
    net = graph(ways.n_column + int(several.sum()), np.append(tail, ends_tail), np.append(head, ends_root))
    return net, np.append(link, np.full(ends_tail.size, ways.from_node.size)), roots


def _steps(ways: Ways) -> tuple[Array, Array, Array]:
    """List the steps between places: where from, where to, along which link."""
    links = np.arange(ways.from_node.size)
    tails, along = [ways.from_node], [links]
    for before in np.flatnonzero(ways.column >= ways.n_node):
        out = np.flatnonzero(ways.from_node == ways.to_node[before])
        out = np.setdiff1d(out, ways.banned[ways.banned[:, 0] == before, 1])
        tails.append(np.full(out.size, ways.column[before]))
        along.append(out)
    link = np.concatenate(along).astype(np.int64)
    return np.concatenate(tails), ways.column[link], link


def _ends(ways: Ways, destinations: Array, roots: Array) -> tuple[Array, Array]:
    """List the steps of no length from every place at a destination to its root."""
    own = np.flatnonzero(ways.column >= ways.n_node)
    places = np.append(np.arange(ways.n_node), ways.column[own])
    node = np.append(np.arange(ways.n_node), ways.to_node[own])
    at, place = np.nonzero(destinations[:, None] == node[None, :])
    return places[place], roots[at]
