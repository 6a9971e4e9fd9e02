"""Add gateways to a city: zones at the ends of major roads, for trips from and to elsewhere.

An extract is cut out of a larger city, and much of what its counters see only
passes through. A gateway stands where a major road ends within 1 km of the edge
(the convex hull of the junctions). It has no residents and no jobs; its share of
the trips is estimated from counts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from twin.city import City

Array = np.ndarray[Any, Any]

_CLASSES = ("motorway", "trunk", "primary", "secondary")
_EDGE = 1000.0
_PREFIX = "gateway_"


def with_gateways(city: City) -> City:
    """Return the city with its gateways as further zones; unchanged when it has them or none is found."""
    if is_gateway(city).any():
        return city
    nodes, _ = find_gateways(city)
    if not nodes.size:
        return city
    zones, ends = city["zones"], city["zone_nodes"]
    first = city.rows("zones")
    place = {name: city["nodes"][name][nodes] for name in ("x", "y", "lon", "lat")}
    added: dict[str, Any] = {
        "id": np.array([f"{_PREFIX}{city['nodes']['id'][node]}" for node in nodes.tolist()]),
        "name": _names(city, nodes),
        **place,
        "population": np.zeros(nodes.size, np.int32),
        "jobs": np.zeros(nodes.size, np.int32),
        "node": nodes,
    }
    own = {"zone": np.arange(first, first + nodes.size), "node": nodes, "weight": np.ones(nodes.size)}
    tables = {name: dict(table) for name, table in city.tables.items()}
    tables["zones"] = {name: _joined(zones[name], added[name]) for name in zones}
    tables["zone_nodes"] = {name: _joined(ends[name], own[name]) for name in ends}
    return replace(city, tables=tables)


def is_gateway(city: City) -> Array:
    """Return which zones are gateways, (n_zone,) bool."""
    return np.array([str(name).startswith(_PREFIX) for name in city["zones"]["id"]], dtype=bool)


def gateway_capacity(city: City) -> Array:
    """Return the capacity of the roads at each gateway, PCU/s, 0 for other zones, (n_zone,)."""
    capacity = np.zeros(city.rows("zones"))
    gateways = is_gateway(city)
    capacity[gateways] = _capacity(city, _is_major(city))[city["zones"]["node"][gateways]]
    return capacity


def find_gateways(city: City) -> tuple[Array, Array]:
    """Return the nodes where a major road ends near the edge of the city, and their capacity (PCU/s)."""
    from scipy.spatial import ConvexHull

    major = _is_major(city)
    begin, end = (city["links"][name][major].astype(np.int64) for name in ("from_node", "to_node"))
    pairs = np.unique(np.sort(np.column_stack([begin, end]), axis=1), axis=0)
    degree = np.bincount(pairs.ravel(), minlength=city.rows("nodes"))
    ends = np.flatnonzero(degree == 1)
    xy = np.column_stack([city["nodes"]["x"], city["nodes"]["y"]])
    if xy.shape[0] < 4 or not ends.size:
        return np.empty(0, np.int64), np.empty(0)
    edges = ConvexHull(xy).equations
    inside = -(xy[ends] @ edges[:, :2].T + edges[:, 2]).max(axis=1)
    capacity = _capacity(city, major)[ends]
    chosen = (inside < _EDGE) & (capacity > 0)
    return ends[chosen], capacity[chosen]


def _is_major(city: City) -> Array:
    kinds = [str(name).removesuffix("_link") for name in city["links"]["road_class"]]
    return np.isin(kinds, _CLASSES)


def _capacity(city: City, major: Array) -> Array:
    """Return half the capacity of the major links at each node: one direction of a street."""
    links, n_node = city["links"], city.rows("nodes")
    weight = np.where(major, links["capacity"], 0.0)
    return np.asarray(sum(np.bincount(links[side], weight, n_node) for side in ("from_node", "to_node"))) / 2


def _names(city: City, nodes: Array) -> Array:
    """Name each gateway after its road."""
    links, major = city["links"], _is_major(city)
    names = []
    for node in nodes.tolist():
        rows = np.flatnonzero(major & ((links["from_node"] == node) | (links["to_node"] == node)))
        street = sorted({str(name) for name in links["name"][rows]} - {""})
        names.append(f"Gateway {street[0] if street else city['nodes']['id'][node]}")
    return np.array(names)


def _joined(old: Array, new: Array) -> Array:
    """Append rows, keeping the type of numbers and the longest text."""
    joined = np.concatenate([old, new])
    return joined if old.dtype.kind == "U" else joined.astype(old.dtype)
