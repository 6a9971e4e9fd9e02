"""Assets of the grid that can be repaired, under one numbering.

An asset's code is the row of a substation, or the number of substations plus
the row of a line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from twin.city import City

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Assets:
    """Where assets are and whom they feed; one row an asset.

    substations  how many of the first rows are substations
    node         road node a crew drives to
    customers    customers fed through it in normal switching
    hospitals    hospitals fed through it in normal switching
    """

    substations: int
    node: Array
    customers: Array
    hospitals: Array

    @property
    def count(self) -> int:
        """Number of assets."""
        return int(self.node.shape[0])

    def table_of(self, asset: int) -> tuple[str, int]:
        """Return the state table and row of an asset."""
        if asset < self.substations:
            return "substation", asset
        return "line", asset - self.substations


def build_assets(city: City) -> Assets:
    """Return the repairable assets of a city.

    A crew reaches a line at the end of the street it follows, or at the street
    node of its first bus.
    """
    substations, lines = city["substations"], city["lines"]
    bus_node = np.asarray(city["buses"]["node"], dtype=np.int64)
    line_node = bus_node[lines["from_bus"]]
    along = np.asarray(lines["link"], dtype=np.int64)
    street_end = np.asarray(city["links"]["to_node"], dtype=np.int64)[np.maximum(along, 0)]
    line_node = np.where(along >= 0, street_end, line_node)
    below = _buses_below(city)
    customers = np.asarray(city["buses"]["customers"], dtype=np.int64)
    fed = city["hospitals"]["bus"] if "hospitals" in city else np.zeros(0, dtype=np.int64)
    hospitals = np.bincount(fed, minlength=customers.shape[0])
    return Assets(
        substations=city.rows("substations"),
        node=np.concatenate([np.asarray(substations["node"], dtype=np.int64), line_node]),
        customers=np.array([customers[buses].sum() for buses in below], dtype=np.int64),
        hospitals=np.array([hospitals[buses].sum() for buses in below], dtype=np.int64),
    )


def _buses_below(city: City) -> list[Array]:
    """Return for each asset the buses fed through it while every normally closed switch is closed."""
    lines, buses = city["lines"], city["buses"]
    owner = np.asarray(buses["substation"])
    found = [np.flatnonzero(owner == row) for row in range(city.rows("substations"))]
    parent, order = _feeding_tree(city)
    below: dict[int, list[int]] = {}
    for bus in reversed(order):
        below.setdefault(bus, []).append(bus)
        if parent[bus] >= 0:
            below.setdefault(int(parent[bus]), []).extend(below[bus])
    for begin, end, closed in zip(lines["from_bus"], lines["to_bus"], lines["closed"], strict=True):
        fed = end if parent[end] == begin else begin if parent[begin] == end else -1
        found.append(np.array(below[int(fed)] if closed and fed >= 0 else [], dtype=np.int64))
    return found


def _feeding_tree(city: City) -> tuple[Array, list[int]]:
    """Return the bus that feeds each bus (-1 for sources and dead ones), and buses from sources outward."""
    near: list[list[int]] = [[] for _ in range(city.rows("buses"))]
    lines = city["lines"]
    closed = np.asarray(lines["closed"], dtype=bool)
    pairs = [np.column_stack([lines["from_bus"], lines["to_bus"]])[closed]]
    if "transformers" in city:
        pairs.append(np.column_stack([city["transformers"]["from_bus"], city["transformers"]["to_bus"]]))
    for begin, end in np.concatenate(pairs).tolist():
        near[begin].append(end)
        near[end].append(begin)
    order = sorted(set(np.asarray(city["sources"]["bus"]).tolist()))
    parent = np.full(len(near), -1)
    seen = set(order)
    for bus in order:
        for other in near[bus]:
            if other not in seen:
                seen.add(other)
                parent[other] = bus
                order.append(other)
    return parent, order
