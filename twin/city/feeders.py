"""Lay medium-voltage feeders along streets: trees from substations, joined by open ties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.city.places import Floats, Integers, Places

SHORTEST = 20.0


@dataclass
class Feeders:
    """List cables between load buses; a substation's busbar is written as -1 - substation.

    substation  (b,)       substation that normally supplies each load bus
    ends        (k, 2)     towards the substation first
    length      (k,)   m   along streets; ties: straight distance times the detour factor
    closed      (k,)       False for normally-open ties
    link        (k,)       row of a street link that the cable follows, -1 for none
    """

    substation: Integers
    ends: NDArray[np.int64]
    length: Floats
    closed: NDArray[np.bool_]
    link: Integers


@dataclass
class _Cable:
    """Describe one cable of a tree: its ends, length (m) and street link."""

    start: int
    end: int
    length: float
    link: int


def lay_feeders(
    places: Places, station: Integers, load_node: Integers, power: Floats, settings: Mapping[str, Any]
) -> Feeders:
    """Return the feeders of all substations and the ties between neighbouring feeders.

    station    (s,)     road node of each substation
    load_node  (b,)     road node of each load bus
    power      (b,)  W  load of each bus
    settings   feeder_load (W): load at which one more feeder starts; detour: street length over
               straight distance
    """
    from scipy.sparse.csgraph import dijkstra

    _, _, origin = dijkstra(
        places.street_matrix, directed=False, indices=station, min_only=True, return_predecessors=True
    )
    row_of_station = {int(node): row for row, node in enumerate(station)}
    area = np.array([row_of_station.get(int(node), -1) for node in origin], dtype=np.int32)
    cables: list[_Cable] = []
    depth = np.zeros(len(load_node))
    feeder = np.full(len(load_node), -1, dtype=np.int64)
    for row in range(len(station)):
        members = np.flatnonzero(area[load_node] == row)
        if not len(members):
            continue
        streets = _Streets(places, np.flatnonzero(area == row), int(station[row]), load_node[members])
        for group in _sectors(places, int(station[row]), load_node[members], power[members], settings):
            tree = _tree(streets, group, members, row)
            feeder[members[group]] = feeder.max() + 1
            for cable in tree:
                depth[cable.end] = cable.length + (depth[cable.start] if cable.start >= 0 else 0.0)
            cables += tree
    ties = _ties(places, load_node, feeder, depth, float(settings["detour"]))
    every = cables + ties
    return Feeders(
        substation=area[load_node],
        ends=np.array([(cable.start, cable.end) for cable in every], dtype=np.int64),
        length=np.array([cable.length for cable in every]),
        closed=np.arange(len(every)) < len(cables),
        link=np.array([cable.link for cable in every], dtype=np.int32),
    )


class _Streets:
    """Measure street distances inside one supply area, between its substation and load buses."""

    def __init__(self, places: Places, nodes: NDArray[np.intp], station: int, load: Integers) -> None:
        """Run one Dijkstra from the substation (stop 0) and from every load bus (stop 1, 2, ...)."""
        from scipy.sparse.csgraph import dijkstra

        self._places, self._nodes = places, nodes
        self._stops = np.searchsorted(nodes, np.concatenate([[station], load]))
        matrix = places.street_matrix[nodes][:, nodes]
        found, self._before = dijkstra(matrix, directed=False, indices=self._stops, return_predecessors=True)
        self.distance = found[:, self._stops]

    def link(self, start: int, end: int) -> int:
        """Return the street link with which the way from stop to stop begins, -1 at one place."""
        at = int(self._stops[end])
        before = int(self._before[start, at])
        while before >= 0 and before != self._stops[start]:
            at, before = before, int(self._before[start, before])
        if before < 0:
            return -1
        return self._places.link_between[(int(self._nodes[before]), int(self._nodes[at]))]


def _sectors(
    places: Places, station: int, load: Integers, power: Floats, settings: Mapping[str, Any]
) -> list[NDArray[np.intp]]:
    """Split the buses around a substation into sectors of about equal load, one per feeder."""
    away = places.xy[load] - places.xy[station]
    order = np.argsort(np.arctan2(away[:, 1], away[:, 0]), kind="stable")
    count = max(1, int(np.ceil(power.sum() / float(settings["feeder_load"]))))
    filled = np.cumsum(power[order]) - 0.5 * power[order]
    part = np.minimum((filled / max(power.sum(), 1.0) * count).astype(int), count - 1)
    groups = (order[part == k] for k in range(count))
    return [group for group in groups if len(group)]


def _tree(streets: _Streets, group: NDArray[np.intp], members: NDArray[np.intp], row: int) -> list[_Cable]:
    """Grow a tree from the substation over the group's buses by Prim's rule, part of depth kept.

    One cable leaves the busbar: all further buses hang below the first.
    The next cable minimises its own length plus a fifth of the way to the substation, which
    keeps feeders from winding. Source: R. Prim, Shortest connection networks (1957); the mixed
    cost follows Alpert et al., Prim-Dijkstra tradeoffs (1995).
    """
    stops = np.concatenate([[0], group + 1])
    distance = streets.distance[np.ix_(stops, stops)]
    depth = np.zeros(len(stops))
    cost, parent = distance[0].copy(), np.zeros(len(stops), dtype=int)
    waiting = np.ones(len(stops), dtype=bool)
    waiting[0] = False
    cables = []
    for _ in range(len(stops) - 1):
        new = int(np.where(waiting, cost, np.inf).argmin())
        waiting[new] = False
        old = parent[new]
        length = max(float(distance[old, new]), SHORTEST)
        depth[new] = depth[old] + length
        start = -1 - row if old == 0 else int(members[stops[old] - 1])
        link = streets.link(int(stops[old]), int(stops[new]))
        cables.append(_Cable(start, int(members[stops[new] - 1]), length, link))
        offer = distance[new] + 0.2 * depth[new]
        better = waiting & ((offer < cost) | (parent == 0))
        cost[better], parent[better] = offer[better], new
    return cables


def _ties(places: Places, load_node: Integers, feeder: NDArray[np.int64], depth: Floats, detour: float) -> list[_Cable]:
    """Join the far end of every feeder to the nearest bus of another feeder, normally open."""
    from scipy.spatial import cKDTree

    xy = places.xy[load_node]
    if feeder.max(initial=-1) < 1:
        return []
    order = np.lexsort((-depth, feeder))
    ends = order[np.unique(feeder[order], return_index=True)[1]]
    away, near = cKDTree(xy).query(xy[ends], k=min(60, len(xy)))
    ties: dict[tuple[int, int], _Cable] = {}
    for end, gaps, others in zip(ends.tolist(), away, near, strict=True):
        foreign = np.flatnonzero(feeder[others] != feeder[end])
        if len(foreign):
            other = int(others[foreign[0]])
            length = max(detour * float(gaps[foreign[0]]), SHORTEST)
            ties.setdefault((min(end, other), max(end, other)), _Cable(end, other, length, -1))
    return list(ties.values())
