"""Assets that crews can repair, of all networks, under one numbering.

First come the substations, then the lines. Pipes, pumps and road links follow in a city that has
crews for them: depots of the kinds `water` and `road`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.city.dependencies import supplier_of

if TYPE_CHECKING:
    from twin.city import City
    from twin.contract import Setup

Array = np.ndarray[Any, Any]

KINDS = ("substation", "line", "pipe", "pump", "link")
SUBSTATION, LINE, PIPE, PUMP, LINK = range(len(KINDS))
SKILLS = ("power", "water", "road")
SKILL_OF_KIND = (0, 0, 1, 1, 2)
TABLES = ("substations", "lines", "pipes", "pumps", "links")
_NOWHERE = -1
_BREAKS = {"pipe_burst": "water", "pump_failure": "water"}
"""Planned kinds of event that break assets, and the skill it takes to repair them."""


@dataclass(frozen=True)
class Assets:
    """Where assets are and whom they feed; one row an asset.

    kind       place in KINDS
    row        row in the city table of its kind
    node       road node a crew drives to
    other      road node at its other end, where a crew may work as well; `node` where it may not
    customers  customers fed through it in normal switching; persons at its ends for a pipe
    hospitals  hospitals fed through it in normal switching
    first      (5,) first row of each kind, the number of assets where there is none
    """

    kind: Array
    row: Array
    node: Array
    other: Array
    customers: Array
    hospitals: Array
    first: Array

    @property
    def count(self) -> int:
        """Number of assets."""
        return int(self.node.shape[0])

    @property
    def substations(self) -> int:
        """How many of the first rows are substations."""
        return int((self.kind == SUBSTATION).sum())

    @property
    def skill(self) -> Array:
        """Place in SKILLS of the crews that can repair each asset, (n,)."""
        return np.asarray(SKILL_OF_KIND)[self.kind]

    def table_of(self, asset: int) -> tuple[str, int]:
        """Return the kind and row of an asset."""
        return KINDS[self.kind[asset]], int(self.row[asset])

    def has(self, kind: int) -> bool:
        """Tell whether assets of a kind are repaired in this city."""
        return bool((self.kind == kind).any())


def build_assets(city: City) -> Assets:
    """Return the repairable assets of a city.

    A crew reaches a line at the end of the street it follows, or at the street node of its first
    bus. A line that no street is known for, a pipe, a pump or a road it reaches at the nearer end.
    """
    skills = skills_of(city)
    kinds = [kind for kind in range(len(KINDS)) if SKILLS[SKILL_OF_KIND[kind]] in skills]
    parts = [_part(city, kind) for kind in kinds]
    sizes = np.array([len(node) for node, _, _ in parts], dtype=np.int64)
    starts = dict(zip(kinds, np.cumsum(sizes) - sizes, strict=True))
    node, customers, hospitals = (np.concatenate([part[i] for part in parts]) for i in range(3))
    far = np.concatenate([nodes_of(city, kind, "to") for kind in kinds])
    return Assets(
        kind=np.repeat(np.asarray(kinds, dtype=np.int64), sizes),
        row=np.concatenate([np.arange(size) for size in sizes]),
        node=node,
        other=far,
        customers=customers,
        hospitals=hospitals,
        first=np.array([starts.get(kind, sizes.sum()) for kind in range(len(KINDS))], dtype=np.int64),
    )


def household_of(city: City) -> float:
    """Return the persons behind one electricity customer; 3.6 where a city says nothing (assumption)."""
    return float(city.settings("place", {"household": 3.6})["household"])


def skills_of(city: City) -> tuple[str, ...]:
    """Return the skills of crews in a city: always `power`, others where a depot has them."""
    kinds = set(np.asarray(city["depots"]["kind"]).tolist()) if "depots" in city else set()
    return tuple(skill for skill in SKILLS if skill == "power" or skill in kinds)


def unrepaired(setup: Setup) -> list[str]:
    """Return a sentence for each planned kind of event that breaks what no crew of the city has the skill for."""
    skills = skills_of(setup.city)
    planned = dict.fromkeys(event.kind for event in setup.events if event.kind in _BREAKS)
    return [
        f"{kind}: nobody repairs it, for no depot of city {setup.city.name} is of the kind {_BREAKS[kind]!r}"
        for kind in planned
        if _BREAKS[kind] not in skills
    ]


def _part(city: City, kind: int) -> tuple[Array, Array, Array]:
    """Return node, customers and hospitals of all assets of one kind."""
    if kind in (SUBSTATION, LINE):
        below = feeds(city)[kind == LINE]
        customers = np.asarray(city["buses"]["customers"], dtype=np.int64)
        fed = supplier_of(city, "buses", "hospitals", "bus")
        hospitals = np.bincount(fed[fed >= 0], minlength=customers.shape[0])
        sums = [np.array([values[buses].sum() for buses in below], dtype=np.int64) for values in (customers, hospitals)]
        return nodes_of(city, kind), sums[0], sums[1]
    rows = city.rows(TABLES[kind])
    none = np.zeros(rows, dtype=np.int64)
    if kind == LINK or not rows:
        return nodes_of(city, kind), none, none
    ends = np.stack([np.asarray(city[TABLES[kind]][f"{end}_node"], np.int64) for end in ("from", "to")])
    return nodes_of(city, kind), _persons_at(city, ends), none


def nodes_of(city: City, kind: int, end: str = "from") -> Array:
    """Return the street node of every asset of a kind at one end, empty in a city without them.

    A substation, or a line that follows a street, is reached at one place only.
    """
    table = TABLES[kind]
    if not city.rows(table):
        return np.zeros(0, dtype=np.int64)
    if kind == SUBSTATION:
        return np.asarray(city["substations"]["node"], dtype=np.int64)
    if kind == LINE:
        return _line_nodes(city, end)
    ends = np.asarray(city[table][f"{end}_node"], dtype=np.int64)
    return ends if kind == LINK else _street_of(city, ends)


def _line_nodes(city: City, end: str) -> Array:
    """Return the node a crew reaches each line at."""
    lines = city["lines"]
    if "link" not in lines:
        return np.asarray(city["buses"]["node"], dtype=np.int64)[lines[f"{end}_bus"]]
    bus_node = np.asarray(city["buses"]["node"], dtype=np.int64)
    along = np.asarray(lines["link"], dtype=np.int64)
    street_end = np.asarray(city["links"]["to_node"], dtype=np.int64)[np.maximum(along, 0)]
    return np.where(along >= 0, street_end, bus_node[lines["from_bus"]])


def water_places(city: City) -> tuple[Array, Array]:
    """Return x and y (m) of water nodes: junctions, reservoirs, tanks."""
    tables = [city[name] for name in ("junctions", "reservoirs", "tanks") if name in city]
    x, y = (np.concatenate([table[axis] for table in tables]) for axis in "xy")
    return x, y


def _street_of(city: City, water_nodes: Array) -> Array:
    from scipy.spatial import cKDTree

    x, y = water_places(city)
    tree = cKDTree(np.column_stack([city["nodes"]["x"], city["nodes"]["y"]]))
    return np.asarray(tree.query(np.column_stack([x, y])[water_nodes])[1], dtype=np.int64)


def _persons_at(city: City, ends: Array) -> Array:
    """Return the persons at both ends of pipes or pumps, where the city counts them."""
    junctions = city["junctions"]
    count = city.rows("junctions")
    persons = np.asarray(junctions["population"], np.int64) if "population" in junctions else np.zeros(count, np.int64)
    return np.asarray(np.where(ends < count, persons[np.minimum(ends, count - 1)], 0).sum(axis=0))


def feeds(city: City) -> tuple[list[Array], list[Array]]:
    """Return the buses fed through each substation and each line while every normally closed switch is closed."""
    lines, buses = city["lines"], city["buses"]
    owner = np.asarray(buses["substation"]) if "substation" in buses else np.full(city.rows("buses"), _NOWHERE)
    stations = [np.flatnonzero(owner == row) for row in range(city.rows("substations"))]
    parent, order = _feeding_tree(city)
    below: dict[int, list[int]] = {}
    for bus in reversed(order):
        below.setdefault(bus, []).append(bus)
        if parent[bus] >= 0:
            below.setdefault(int(parent[bus]), []).extend(below[bus])
    found = []
    for begin, end, closed in zip(lines["from_bus"], lines["to_bus"], lines["closed"], strict=True):
        fed = end if parent[end] == begin else begin if parent[begin] == end else _NOWHERE
        found.append(np.array(below[int(fed)] if closed and fed >= 0 else [], dtype=np.int64))
    return stations, found


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
    parent = np.full(len(near), _NOWHERE)
    seen = set(order)
    for bus in order:
        for other in near[bus]:
            if other not in seen:
                seen.add(other)
                parent[other] = bus
                order.append(other)
    return parent, order
