"""Draw what lies under every map: ground, water and streets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from twin.plot.style import (
    DRY_LOWLAND,
    DRY_WATER,
    FAINT,
    LOWLAND,
    WATER,
    Floats,
)

if TYPE_CHECKING:
    from twin.city import City

Rows = NDArray[np.int64]

ROAD_RANK = {
    "motorway": 3, "motorway_link": 2, "trunk": 3, "trunk_link": 2, "primary": 3, "primary_link": 2,
    "secondary": 2, "secondary_link": 1, "tertiary": 1, "tertiary_link": 1,
}  # fmt: skip
"""Rank of OpenStreetMap highway values for drawing; every other street has rank 0."""

RANK_NAME = ("Local street", "Collector", "Secondary road", "Arterial road")
RANK_WIDTH = np.array([0.7, 1.2, 1.9, 2.8])
RANK_COLOUR = ("#b9bdc4", "#9aa0a8", "#7c828b", "#555b65")

LOW_GROUND = 8.0
"""Height above the river (m) under which ground is tinted as lowland: drawing only."""

WATER_NODES = ("junctions", "reservoirs", "tanks")
"""Tables of the nodes of a water network, in the order in which pipes number them."""

_MOST_GROUND_POINTS = 4000
_SCHEME = 0.2
"""Share of its length under which a typical line is drawn in a scheme."""
_SHORT = 1.0
"""Lines up to this length (m) are switches and the like: they say nothing of the scale."""


def segments(city: City) -> list[Floats]:
    """Return the polyline (k, 2) in metres of every link, in driving direction."""
    links = city["links"]
    if "point_first" not in links or "points" not in city:
        return list(_straight(city))
    points = places(city, "points")
    first = links["point_first"].astype(np.int64)
    last = first + links["point_count"].astype(np.int64)
    return [points[a:b] for a, b in zip(first.tolist(), last.tolist(), strict=True)]


def _straight(city: City) -> Floats:
    """Return straight lines (n, 2, 2) between the ends of every link."""
    xy = places(city, "nodes")
    return np.stack([xy[city["links"]["from_node"]], xy[city["links"]["to_node"]]], axis=1)


def places(city: City, *tables: str) -> Floats:
    """Return positions (n, 2) in metres of the rows of tables, one table after the other."""
    parts = [np.stack([city[name]["x"], city[name]["y"]], axis=1) for name in tables if city.rows(name)]
    return np.concatenate(parts or [np.empty((0, 2))]).astype(np.float64)


def extent(city: City) -> Floats:
    """Return the positions (n, 2) that frame a map: nodes, and where there are no streets, all of the networks."""
    if city.rows("nodes"):
        return places(city, "nodes")
    return places(city, "buses", *WATER_NODES)


def has_places(city: City) -> bool:
    """Say whether there is something to draw on a map: places that do not all lie on one spot."""
    xy = extent(city)
    return bool(len(xy)) and bool(np.isfinite(xy).all() and np.ptp(xy, axis=0).max() > 0)


def is_to_scale(city: City) -> bool:
    """Say whether the places of a city are metres; of imported networks many are schemes.

    A scheme is known by lines and pipes whose drawn lengths are not of the size of their lengths.
    """
    ratios = [drawn / np.maximum(length, 1e-9) for drawn, length in _drawn_lengths(city)]
    found = np.concatenate(ratios) if ratios else np.empty(0)
    return bool(city.rows("nodes")) or not len(found) or bool(_SCHEME < np.median(found) < 1.0 / _SCHEME)


def _drawn_lengths(city: City) -> list[tuple[Floats, Floats]]:
    """Return straight and given lengths (m) of lines and pipes."""
    found = []
    for name, end, points in (("lines", "bus", ("buses",)), ("pipes", "node", WATER_NODES)):
        if city.rows(name) and "length" in city[name]:
            xy = places(city, *points)
            rows = np.asarray(city[name]["length"]) > _SHORT
            first, last = (np.asarray(city[name][f"{side}_{end}"], dtype=np.int64)[rows] for side in ("from", "to"))
            length = np.asarray(city[name]["length"], dtype=np.float64)[rows]
            found.append((np.linalg.norm(xy[first] - xy[last], axis=1), length))
    return found


def ranks(city: City) -> Rows:
    """Return the drawing rank of every link, 0 local to 3 arterial."""
    if "road_class" not in city["links"]:
        return np.zeros(city.rows("links"), dtype=np.int64)
    kinds, position = np.unique(city["links"]["road_class"], return_inverse=True)
    return np.array([ROAD_RANK.get(str(kind), 0) for kind in kinds], dtype=np.int64)[position]


def beside(lines: Sequence[Floats], distance: Floats) -> list[Floats]:
    """Shift polylines (k, 2) sideways, so that the directions of a street lie beside each other.

    distance  (n,)  m to the right of each line's direction; to the left where negative
    """
    if not len(lines):
        return []
    count = np.array([len(line) for line in lines])
    points = np.concatenate(lines)
    first = np.cumsum(count) - count
    step = np.diff(points, axis=0)
    step[first[1:] - 1] = 0.0
    step /= np.maximum(np.hypot(*step.T), 1e-9)[:, None]
    along = np.zeros_like(points)
    along[:-1] += step
    along[1:] += step
    along /= np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    right = np.stack([along[:, 1], -along[:, 0]], axis=1)
    return np.split(points + np.repeat(distance, count)[:, None] * right, first[1:])


def one_per_street(city: City) -> Rows:
    """Return one link row per street, so that two directions are not drawn twice."""
    a, b = city["links"]["from_node"].astype(np.int64), city["links"]["to_node"].astype(np.int64)
    key = np.minimum(a, b) * city.rows("nodes") + np.maximum(a, b)
    length = np.round(city["links"]["length"]).astype(np.int64)
    _, rows = np.unique(np.stack([key, length]), axis=1, return_index=True)
    return np.sort(rows)


def draw_lines(ax: Axes, lines: list[Floats], widths: Any, colours: Any, zorder: float) -> LineCollection:
    """Add polylines to a map, as pixels also in vector formats, and return them."""
    made = LineCollection(lines, linewidths=widths, colors=colours, zorder=zorder, capstyle="round", rasterized=True)
    ax.add_collection(made, autolim=False)
    return made


def draw_streets(ax: Axes, city: City, faint: bool = True) -> None:
    """Draw every street once: light grey as a background, or darker by class."""
    lines, rank = segments(city), ranks(city)
    rows = one_per_street(city)
    rows = rows[np.argsort(rank[rows], kind="stable")]
    widths = RANK_WIDTH[rank[rows]] * (0.9 if faint else 1.0)
    colours = FAINT if faint else [RANK_COLOUR[k] for k in rank[rows]]
    draw_lines(ax, [lines[k] for k in rows], widths, colours, 3.0)


def draw_ground(ax: Axes, city: City, grey: bool = False) -> None:
    """Tint ground near the river's level, and draw the river: in blue, or grey where blue means more."""
    step = max(1, -(-city.rows("nodes") // _MOST_GROUND_POINTS))
    xy = places(city, "nodes")[::step]
    if has_lowland(city) and len(xy) >= 3:
        height = np.asarray(city["nodes"]["above_river"], dtype=np.float64)[::step]
        ax.tricontourf(
            xy[:, 0], xy[:, 1], height, levels=[-1e6, LOW_GROUND], colors=[ground_colours(grey)[1]], zorder=0.6
        )
    draw_river(ax, city, ground_colours(grey)[0])


def ground_colours(grey: bool) -> tuple[str, str]:
    """Return the colours of river and low ground."""
    return (DRY_WATER, DRY_LOWLAND) if grey else (WATER, LOWLAND)


def has_lowland(city: City) -> bool:
    """Say whether some junction lies close to the level of the river."""
    if not city.rows("nodes"):
        return False
    nodes = city["nodes"]
    return "above_river" in nodes and bool(np.any(nodes["above_river"] < LOW_GROUND))


def draw_river(ax: Axes, city: City, colour: str = WATER) -> None:
    """Draw the axis of the river where the city has a table `river` (x, y in metres)."""
    if city.rows("river"):
        river = city["river"]
        ax.plot(river["x"], river["y"], color=colour, linewidth=6.5, solid_capstyle="round", zorder=1.0)


def zone_cells(city: City) -> Any:
    """Return the built-up cell of every zone as a GeoDataFrame: zone, persons per km2, geometry.

    A cell holds the points nearer to its zone than to any other, within 350 m of a junction.
    """
    import geopandas as gpd
    import shapely

    zones = city["zones"]
    centres = shapely.points(zones["x"], zones["y"])
    near = shapely.union_all(shapely.buffer(shapely.points(places(city, "nodes")[:: _thin(city)]), 350.0, quad_segs=4))
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(centres), extend_to=near))
    tree = shapely.STRtree(cells)
    found = tree.nearest(centres)
    shapes = shapely.intersection(cells[found], near)
    area = np.maximum(shapely.area(shapes) / 1e6, 1e-3)
    density = np.asarray(zones["population"], dtype=np.float64) / area
    rows = np.arange(city.rows("zones"))
    return gpd.GeoDataFrame({"zone": rows, "density": density}, geometry=shapes, crs=city.crs)


def _thin(city: City) -> int:
    return max(1, -(-city.rows("nodes") // 20_000))
