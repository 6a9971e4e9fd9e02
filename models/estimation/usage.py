"""Find which counters the trips between zones pass, on shortest routes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.models.streets import build_streets
from twin.models.traffic.routes import trees_to

if TYPE_CHECKING:
    from twin.city import City

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Usage:
    """How often a trip passes a counter.

    share  (n_counter, n_zone * n_zone)  mean passages of a trip, by origin and destination zone
    cost   (n_zone, n_zone)              mean travel time, s; within a zone half the least to another
    """

    share: Array
    cost: Array


def usage(city: City, links: Array, time: Array) -> Usage:
    """Send one trip between all trip ends of different zones, on routes shortest in `time`.

    links  (n_counter,)  link of each counter
    time   (n_link,)     s
    """
    streets = build_streets(city)
    ends, n_zone = city["zone_nodes"], city.rows("zones")
    zone, node, weight = (np.asarray(ends[name]) for name in ("zone", "node", "weight"))
    roots, place = np.unique(node, return_inverse=True)
    to_root, via = trees_to(streets, np.asarray(time, np.float64), roots)
    origin, destination = (side.ravel() for side in np.indices((zone.size, zone.size)))
    apart = zone[origin] != zone[destination]
    origin, destination = origin[apart], destination[apart]
    pair = zone[origin].astype(np.int64) * n_zone + zone[destination]
    share = weight[origin] * weight[destination]
    counter = np.full(city.rows("links"), -1)
    counter[links] = np.arange(links.size)
    walk = _Walk(node[origin].astype(np.int64), place[destination], node[destination])
    passages = _passages(walk, via, counter, city["links"]["to_node"], (pair, share, n_zone * n_zone, links.size))
    cost = np.bincount(pair, to_root[place[destination], node[origin]] * share, n_zone * n_zone)
    return Usage(passages, _with_inner(cost.reshape(n_zone, n_zone)))


@dataclass
class _Walk:
    """Where each trip is, and where it goes: row of its root, and node."""

    here: Array
    root: Array
    goal: Array


def _passages(walk: _Walk, via: Array, counter: Array, to_node: Array, sizes: tuple[Array, Array, int, int]) -> Array:
    """Walk all trips link by link and add up where they pass a counter."""
    pair, share, n_pair, n_counter = sizes
    total = np.zeros(n_counter * n_pair)
    going = np.flatnonzero(walk.here != walk.goal)
    while going.size:
        link = via[walk.root[going], walk.here[going]]
        going, link = going[link >= 0], link[link >= 0]
        seen = counter[link]
        hit = seen >= 0
        np.add.at(total, seen[hit] * n_pair + pair[going[hit]], share[going[hit]])
        walk.here[going] = to_node[link]
        going = going[walk.here[going] != walk.goal[going]]
    return total.reshape(n_counter, n_pair)


def _with_inner(cost: Array) -> Array:
    """Fill in the cost within each zone: half the least to another (Ortuzar and Willumsen 2011, 5.6.4)."""
    n_zone = cost.shape[0]
    others = np.where(np.eye(n_zone, dtype=bool) | (cost <= 0), np.inf, cost)
    cost = np.where(np.isfinite(others), cost, np.inf)
    np.fill_diagonal(cost, np.minimum(others.min(axis=1), 1e9) / 2)
    return np.asarray(cost)
