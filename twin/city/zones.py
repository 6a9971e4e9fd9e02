"""Group road nodes into zones: the ends of trips, with population and jobs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.city.draws import stream
from twin.city.places import Floats, Places, lloyd
from twin.city.streets import identifiers, lonlat

Tables = dict[str, dict[str, Any]]
MOST_NODES = 4


def zone_tables(
    places: Places, count: int, allowed: NDArray[np.bool_], labels: NDArray[np.str_]
) -> tuple[Tables, NDArray[np.int32]]:
    """Return `zones` and `zone_nodes`, and the zone of every node.

    count    zones wanted
    allowed  (n,)  True where trips may start and end
    labels   (n,)  name of the district around each node
    """
    from scipy.spatial import cKDTree

    weight = np.where(allowed, places.population + places.jobs, 0.0)
    centre = lloyd(places.xy, weight, count, stream(places.seed, "zones"))
    _, nearest = cKDTree(centre).query(places.xy)
    used, ends = np.unique(nearest[allowed], return_inverse=True)
    _, zone_of_node = cKDTree(centre[used]).query(places.xy)
    zone_of_node = zone_of_node.astype(np.int32)
    middle = _middles(places, np.flatnonzero(allowed), ends, centre[used])
    xy = np.round(centre[used], 2)
    lon, lat = lonlat(xy, places.crs)
    zones = {
        "id": identifiers("z", len(used)),
        "name": _names(labels[middle]),
        "x": xy[:, 0],
        "y": xy[:, 1],
        "lon": lon,
        "lat": lat,
        "population": np.bincount(zone_of_node, places.population, len(used)).round().astype(np.int32),
        "jobs": np.bincount(zone_of_node, places.jobs, len(used)).round().astype(np.int32),
        "node": middle.astype(np.int32),
    }
    return {"zones": zones, "zone_nodes": _zone_nodes(places, allowed, zone_of_node, middle)}, zone_of_node


def _middles(places: Places, rows: NDArray[np.intp], group: NDArray[np.intp], centre: Floats) -> Any:
    """Return per group the row that is nearest to the group's centre."""
    away = np.hypot(*(places.xy[rows] - centre[group]).T)
    order = np.lexsort((away, group))
    return rows[order[np.unique(group[order], return_index=True)[1]]]


def _names(labels: NDArray[np.str_]) -> NDArray[np.str_]:
    """Count the zones within each district: Sepaku 1, Sepaku 2."""
    seen: dict[str, int] = {}
    names = []
    for label in labels.tolist():
        seen[label] = seen.get(label, 0) + 1
        names.append(f"{label} {seen[label]}")
    return np.array(names)


def _zone_nodes(
    places: Places, allowed: NDArray[np.bool_], zone_of_node: NDArray[np.int32], middle: NDArray[np.int64]
) -> dict[str, Any]:
    """Choose up to four trip ends per zone, far apart; weight them by the activity around."""
    activity = places.population + places.jobs
    order = np.argsort(zone_of_node, kind="stable")
    first = np.searchsorted(zone_of_node[order], np.arange(len(middle) + 1))
    zone, node, weight = [], [], []
    for row, start in enumerate(middle):
        members = order[first[row] : first[row + 1]]
        usable = members[allowed[members]]
        chosen = _far_apart(places.xy[usable], places.xy[start]) if len(usable) else np.zeros(0, int)
        ends = usable[chosen] if len(usable) else np.array([start])
        gaps = np.linalg.norm(places.xy[members, None] - places.xy[None, ends], axis=2)
        shares = np.bincount(gaps.argmin(axis=1), activity[members] + 1e-9, minlength=len(ends))
        zone += [row] * len(ends)
        node += ends.tolist()
        weight += (shares / shares.sum()).tolist()
    return {
        "zone": np.array(zone, dtype=np.int32),
        "node": np.array(node, dtype=np.int32),
        "weight": np.array(weight),
    }


def _far_apart(xy: Floats, start: Floats) -> NDArray[np.intp]:
    """Return up to four rows: the one nearest to the start, then always the farthest."""
    away = np.hypot(*(xy - start).T)
    chosen = [int(away.argmin())]
    gap = np.hypot(*(xy - xy[chosen[0]]).T)
    while len(chosen) < min(MOST_NODES, len(xy)) and gap.max() > 0.0:
        chosen.append(int(gap.argmax()))
        gap = np.minimum(gap, np.hypot(*(xy - xy[chosen[-1]]).T))
    return np.array(chosen)
