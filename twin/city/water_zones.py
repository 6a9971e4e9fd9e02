"""Divide a city's streets into water mains and pressure zones, before anything is sized."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.city.places import Floats, Integers, Places

Pairs = NDArray[np.int64]
LEAST = 6


@dataclass(frozen=True)
class Mains:
    """Junctions on road nodes, mains between them along streets, and what feeds what.

    node      (j,)    road node of each junction
    cell      (n,)    junction that serves each road node
    ends      (m, 2)  junctions of each main, all within one pressure zone
    length    (m,)    m along streets
    zone      (j,)    pressure zone of each junction
    parent    (z,)    zone that feeds each zone, -1 for the one with the treatment works
    feed      (z, 2)  junction of the parent and own junction that the feeding main joins
    feed_length (z,)  m
    order     (z,)    zones, each behind its parent
    works     junction of the treatment works
    """

    node: Integers
    cell: Integers
    ends: Pairs
    length: Floats
    zone: Integers
    parent: Pairs
    feed: Pairs
    feed_length: Floats
    order: Pairs
    works: int


def lay_mains(places: Places, count: int, band: float) -> Mains:
    """Return mains for about `count` junctions.

    band  m of ground height in one pressure zone

    A main joins two junctions whose streets touch, unless both are nearer to a third one (the relative
    neighbourhood graph of Toussaint, Pattern Recognition 12 (1980) 261: connected, with few rings).
    """
    ground = np.asarray(places.nodes["elevation"], dtype=np.float64)
    node = places.spread(count, "water", places.population + 0.5 * places.jobs + 1e-6)
    _, ends, _ = _cells(places, node)
    zone = _zones(ground[node], ends, band)
    kept = np.bincount(zone)[zone] >= min(LEAST, np.bincount(zone).max())
    node = node[kept]
    cell, ends, length = _cells(places, node)
    zone = np.unique(zone[kept], return_inverse=True)[1].astype(np.int32)
    works = _works(places, node)
    parent, feed, feed_length, order = _feeds(zone, ends, length, int(zone[works]))
    inside = zone[ends[:, 0]] == zone[ends[:, 1]]
    lean = _lean(ends[inside], length[inside])
    return Mains(
        node, cell, ends[inside][lean], length[inside][lean], zone, parent, feed, feed_length, order, int(works)
    )


def _cells(places: Places, node: Integers) -> tuple[Integers, Pairs, Floats]:
    """Return the junction nearest to each road node by street, and pairs of neighbours with their distance."""
    from scipy.sparse.csgraph import dijkstra

    matrix = places.street_matrix
    far, _, source = dijkstra(matrix, indices=node, min_only=True, return_predecessors=True)
    number = np.full(len(places.xy), -1)
    number[node] = np.arange(len(node))
    cell = np.where(source >= 0, number[np.maximum(source, 0)], -1)
    lost = cell < 0
    cell[lost] = number[places.nearest(places.xy[lost], number >= 0)]
    edges = matrix.tocoo()
    pair = np.sort(np.stack([cell[edges.row], cell[edges.col]], axis=1), axis=1)
    between = far[edges.row] + edges.data + far[edges.col]
    real = (pair[:, 0] != pair[:, 1]) & np.isfinite(between)
    pair, between = pair[real], between[real]
    order = np.lexsort((between, pair[:, 1], pair[:, 0]))
    pair, between = pair[order], between[order]
    first = np.concatenate([[True], (np.diff(pair, axis=0) != 0).any(axis=1)]) if len(pair) else np.zeros(0, bool)
    return cell.astype(np.int32), pair[first].astype(np.int64), between[first]


def _zones(ground: Floats, ends: Pairs, band: float) -> Integers:
    """Return the connected parts of junctions in one band of height."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    level = np.floor((ground - ground.min()) / band).astype(np.int64)
    same = level[ends[:, 0]] == level[ends[:, 1]]
    pairs = (ends[same, 0], ends[same, 1])
    matrix = coo_matrix((np.ones(int(same.sum())), pairs), shape=(len(ground),) * 2)
    return np.asarray(connected_components(matrix, directed=False)[1], dtype=np.int32)


def _works(places: Places, node: Integers) -> int:
    """Return the junction nearest to river water in height; where no river is known, the one in the middle."""
    above = np.asarray(places.nodes["above_river"])[node]
    away = np.hypot(*(places.xy[node] - places.xy[node].mean(axis=0)).T)
    return int(np.lexsort((away, above))[0])


def _feeds(zone: Integers, ends: Pairs, length: Floats, root: int) -> tuple[Pairs, Pairs, Floats, Pairs]:
    """Join zones to a tree with the works at its root, over the shortest main between two zones."""
    pair, count = zone[ends], int(zone.max()) + 1
    beside: dict[int, set[int]] = defaultdict(set)
    shortest: dict[tuple[int, int], int] = {}
    for row in np.argsort(length, kind="stable").tolist():
        a, b = pair[row].tolist()
        if a != b:
            beside[a].add(b)
            beside[b].add(a)
            shortest.setdefault((min(a, b), max(a, b)), row)
    parent, feed, feed_length = np.full(count, -1), np.full((count, 2), -1), np.zeros(count)
    order, seen = [root], {root}
    for here in order:
        for other in sorted(beside[here] - seen):
            row = shortest[min(here, other), max(here, other)]
            swap = pair[row, 0] != here
            parent[other], feed_length[other] = here, length[row]
            feed[other] = ends[row][::-1] if swap else ends[row]
            seen.add(other)
            order.append(other)
    return parent, feed, feed_length, np.array(order)


def _lean(ends: Pairs, length: Floats) -> NDArray[np.bool_]:
    """Return which pairs no third junction is nearer to, on both sides."""
    near: dict[int, dict[int, float]] = defaultdict(dict)
    for (a, b), metres in zip(ends.tolist(), length.tolist(), strict=True):
        near[a][b] = near[b][a] = metres
    kept = [
        not any(max(near[a][k], near[b][k]) < metres for k in near[a].keys() & near[b].keys())
        for (a, b), metres in zip(ends.tolist(), length.tolist(), strict=True)
    ]
    return np.array(kept, dtype=bool)


def tree_from(mains: Mains, start: Any) -> tuple[Floats, Pairs]:
    """Return how far each junction is from the starts along mains (m), and the junction before it, -1 for none."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import dijkstra

    count = len(mains.node)
    a, b = mains.ends.T
    pairs = (np.concatenate([a, b]), np.concatenate([b, a]))
    matrix = coo_matrix((np.tile(mains.length, 2), pairs), shape=(count, count)).tocsr()
    far, before, _ = dijkstra(matrix, indices=np.asarray(start), min_only=True, return_predecessors=True)
    return np.asarray(far), np.where(before >= 0, before, -1).astype(np.int64)
