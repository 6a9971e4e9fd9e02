"""Hold streets between junctions and turn them into node, link and point tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int32]


@dataclass
class Streets:
    """List junctions and the streets between them; a street is one or two links.

    node_xy                (n, 2)  m       junctions on the projected grid
    start, end             (e,)            rows of the junctions at both ends
    shape_first, shape_count (e,)          rows of a street's polyline in `shape`
    shape                  (k, 2)  m       polylines from start to end, both ends included
    road_class, name       (e,)            OpenStreetMap highway value; street name or ""
    lanes                  (e,)            lanes in each driving direction
    speed                  (e,)    m/s     free-flow speed
    capacity               (e,)    PCU/s   saturation flow of one driving direction
    oneway                 (e,)            True where the street runs from start to end only
    """

    node_xy: Floats
    start: Integers
    end: Integers
    shape_first: Integers
    shape_count: Integers
    shape: Floats
    road_class: NDArray[np.str_]
    name: NDArray[np.str_]
    lanes: Integers
    speed: Floats
    capacity: Floats
    oneway: NDArray[np.bool_]


def link_tables(streets: Streets, jam_density: float) -> dict[str, dict[str, Any]]:
    """Return the tables `links` and `points`: one link per driving direction of a street.

    jam_density  PCU/m per lane. Links keep the order of streets: the forward link of a street
    comes right before its backward link, and `links.reverse` names the row of the other one.
    """
    both = ~streets.oneway
    forward = np.arange(len(streets.start)) + np.concatenate([[0], np.cumsum(both)[:-1]])
    count = len(streets.start) + int(both.sum())
    street = np.empty(count, dtype=np.int64)
    backward = np.ones(count, dtype=bool)
    street[forward], backward[forward] = np.arange(len(streets.start)), False
    street[forward[both] + 1] = np.flatnonzero(both)
    reverse = np.full(count, -1, dtype=np.int32)
    reverse[forward[both]], reverse[forward[both] + 1] = forward[both] + 1, forward[both]

    rows, first, counts = _point_rows(streets, street, backward)
    points = streets.shape[rows]
    start, end = streets.start[street], streets.end[street]
    lanes = streets.lanes[street].astype(np.int32)
    links = {
        "id": identifiers("l", count),
        "from_node": np.where(backward, end, start).astype(np.int32),
        "to_node": np.where(backward, start, end).astype(np.int32),
        "length": np.maximum(polyline_lengths(points, first, counts), 1.0),
        "speed": streets.speed[street],
        "lanes": lanes,
        "capacity": streets.capacity[street],
        "jam_density": np.full(count, jam_density),
        "road_class": streets.road_class[street],
        "name": streets.name[street],
        "reverse": reverse,
        "point_first": first,
        "point_count": counts,
    }
    table_of_points = {"x": np.round(points[:, 0], 2), "y": np.round(points[:, 1], 2)}
    return {"links": links, "points": table_of_points}


def _point_rows(
    streets: Streets, street: NDArray[np.int64], backward: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], Integers, Integers]:
    """Return the rows of `streets.shape` in driving direction, and each link's first and count."""
    counts = streets.shape_count[street].astype(np.int64)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    within = np.arange(counts.sum()) - np.repeat(first, counts)
    last = np.repeat(counts - 1, counts)
    within = np.where(np.repeat(backward, counts), last - within, within)
    rows = np.repeat(streets.shape_first[street].astype(np.int64), counts) + within
    return rows, first.astype(np.int32), counts.astype(np.int32)


def polyline_lengths(points: Floats, first: Integers, counts: Integers) -> Floats:
    """Return the length (m) of each polyline of a flat array of points (k, 2)."""
    travelled = np.zeros(len(points))
    travelled[1:] = np.cumsum(np.hypot(*(points[1:] - points[:-1]).T))
    return np.asarray(np.round(travelled[first + counts - 1] - travelled[first], 2))


def identifiers(prefix: str, count: int) -> NDArray[np.str_]:
    """Return ids such as l0, l1, l2: short, unique within the table."""
    return np.char.add(prefix, np.arange(count).astype(str)) if count else np.zeros(0, dtype="<U1")


def node_table(xy: Floats, crs: int, elevation: Floats, above_river: Floats) -> dict[str, Any]:
    """Return the table `nodes` without signals; x, y in metres, lon, lat in degrees."""
    lon, lat = lonlat(xy, crs)
    return {
        "id": identifiers("n", len(xy)),
        "x": np.round(xy[:, 0], 2),
        "y": np.round(xy[:, 1], 2),
        "lon": lon,
        "lat": lat,
        "elevation": np.round(elevation, 2),
        "above_river": np.round(above_river, 2),
        "signal": np.zeros(len(xy), dtype=bool),
    }


def lonlat(xy: Floats, crs: int) -> tuple[Floats, Floats]:
    """Return longitude and latitude (degrees, 7 decimals) of points on the grid `crs`."""
    from pyproj import Transformer

    convert = Transformer.from_crs(crs, 4326, always_xy=True)
    lon, lat = convert.transform(xy[:, 0], xy[:, 1])
    return np.round(lon, 7), np.round(lat, 7)
