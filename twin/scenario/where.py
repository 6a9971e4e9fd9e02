"""Find the rows of a city table that an event acts on."""

from __future__ import annotations

import json
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twin import data
from twin.errors import DataError
from twin.scenario import keys
from twin.scenario.problems import Problems
from twin.scenario.tree import Node
from twin.scenario.values import read_names, read_value

if TYPE_CHECKING:
    from twin.city import City

Rows = np.ndarray[Any, np.dtype[np.bool_]]
Array = np.ndarray[Any, Any]

WAYS = ("id", "name", "street", "polygon", "lon, lat, radius")
_LISTED = 6
_MOST_LONGITUDE, _MOST_LATITUDE = 360.0, 90.0
_CIRCLE = ("lon", "lat", "radius")


def find_targets(node: Node, table: str, city: City, problems: Problems) -> tuple[int, ...]:
    """Return the rows an event's `where` selects, sorted; empty after noting a problem."""
    if node.value == "all":
        return tuple(range(city.rows(table)))
    if not node.is_mapping:
        problems.add(node.mark, "E140", f"where takes 'all' or one way to select {table}", ("all", *WAYS))
        return ()
    before = problems.noted
    keys.check_keys(node, keys.WHERE, "where", problems)
    ways = [name for name, _ in node.items() if name not in _CIRCLE]
    if set(_CIRCLE) & {name for name, _ in node.items()}:
        ways.append("circle")
    if len(ways) != 1:
        problems.add(node.mark, "E140", "where takes exactly one way to select", WAYS)
    if problems.noted > before:
        return ()
    chosen = _SELECTORS[ways[0]](node.value.get(ways[0], node), table, city, problems)
    rows = tuple(int(row) for row in np.flatnonzero(chosen))
    if not rows and problems.noted == before:
        problems.add(node.mark, "E140", f"where selects none of the {city.rows(table)} {table} of {city.name}")
    return rows


def _none(table: str, city: City) -> Rows:
    return np.zeros(city.rows(table), dtype=np.bool_)


def _by_id(node: Node, table: str, city: City, problems: Problems) -> Rows:
    return _by_column(node, "id", table, city, problems)


def _by_name(node: Node, table: str, city: City, problems: Problems) -> Rows:
    return _by_column(node, "name", table, city, problems)


def _by_column(node: Node, column: str, table: str, city: City, problems: Problems) -> Rows:
    chosen = _none(table, city)
    if column not in city[table]:
        problems.add(node.mark, "E140", f"{table} have no {column}", WAYS)
        return chosen
    values = city[table][column].astype(str)
    for entry in read_names(node, column, problems):
        hit = values == str(entry.value)
        chosen |= hit
        if not hit.any():
            _no_match(entry, column, table, values, problems)
    return chosen


def _by_street(node: Node, table: str, city: City, problems: Problems) -> Rows:
    """Select links by street name, and rows at a node of such a link."""
    links = city["links"]
    names = np.char.lower(links["name"].astype(str))
    on_street = np.zeros(city.rows("links"), dtype=np.bool_)
    for entry in read_names(node, "street", problems):
        hit = names == str(entry.value).lower()
        on_street |= hit
        if not hit.any():
            _no_match(entry, "street", "links", links["name"].astype(str), problems)
    if table == "links":
        return on_street
    touched = np.zeros(city.rows("nodes"), dtype=np.bool_)
    touched[links["from_node"][on_street].astype(np.int64)] = True
    touched[links["to_node"][on_street].astype(np.int64)] = True
    if table == "nodes":
        return touched
    if "node" not in city[table]:
        problems.add(node.mark, "E140", f"{table} do not lie on streets", WAYS)
        return _none(table, city)
    at = city[table]["node"].astype(np.int64)
    chosen: Rows = (at >= 0) & touched[at]
    return chosen


def _by_polygon(node: Node, table: str, city: City, problems: Problems) -> Rows:
    """Select links that meet a polygon and points that lie in it; WGS84 as in RFC 7946."""
    polygon = _inline(node, problems) if node.is_list else _from_file(node, problems)
    if polygon is None:
        return _none(table, city)
    if table in {"links", "lines"}:
        meets: Rows = city.frame(table).geometry.intersects(polygon).to_numpy(dtype=np.bool_)
        return meets
    if not {"lon", "lat"} <= set(city[table]):
        problems.add(node.mark, "E140", f"{table} have no place on the map", WAYS)
        return _none(table, city)
    import shapely

    inside: Rows = shapely.intersects_xy(polygon, city[table]["lon"], city[table]["lat"])
    return inside


def _inline(node: Node, problems: Problems) -> Any:
    from shapely.geometry import Polygon

    try:
        corners = [(float(lon), float(lat)) for lon, lat in node.plain()]
        if all(map(_on_earth, corners)):
            polygon = Polygon(corners)
            if polygon.is_valid and polygon.area > 0:
                return polygon
    except (TypeError, ValueError):
        pass
    problems.add(node.mark, "E140", "polygon takes at least three [lon, lat] pairs (degrees) whose edges do not cross")
    return None


def _on_earth(corner: tuple[float, float]) -> bool:
    """Tell a place by longitude and latitude from what is not a number, or beyond the poles."""
    return abs(corner[0]) <= _MOST_LONGITUDE and abs(corner[1]) <= _MOST_LATITUDE


def _from_file(node: Node, problems: Problems) -> Any:
    from shapely import union_all
    from shapely.geometry import shape

    text = str(node.value)
    try:
        found = data.find(text, Path(node.mark.file).parent)
        content = json.loads(found.read_text(encoding="utf-8"))
        features = content.get("features", [content])
        polygon = union_all([shape(feature.get("geometry", feature)) for feature in features])
    except (DataError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        problems.add(node.mark, "E140", f"polygon file {text} cannot be read: {reason}")
        return None
    except Exception as error:
        problems.add(node.mark, "E140", f"polygon file {text} is not GeoJSON: {error}")
        return None
    if polygon.area > 0:
        return polygon
    problems.add(node.mark, "E140", f"polygon file {text} holds no polygon")
    return None


def _by_circle(node: Node, table: str, city: City, problems: Problems) -> Rows:
    """Select what lies within a distance of a point, links by their nearest point."""
    options = (keys.LONGITUDE, keys.LATITUDE, keys.RADIUS)
    entries = [node.get(option.name) for option in options]
    if None in entries:
        problems.add(node.mark, "E140", "a circle needs lon, lat and radius", _CIRCLE)
        return _none(table, city)
    values = [read_value(entry, option, problems) for entry, option in zip(entries, options, strict=True) if entry]
    if None in values:
        return _none(table, city)
    distance = _distance(table, city, *_projected(city, values[0], values[1]))
    if distance is None:
        problems.add(node.mark, "E140", f"{table} have no place on the map", WAYS)
        return _none(table, city)
    inside: Rows = distance <= values[2]
    if not inside.any():
        problems.add(
            node.mark, "E140", f"no {table} within {values[2]:g} m; the nearest lies {distance.min():.0f} m away"
        )
    return inside


def _projected(city: City, lon: float, lat: float) -> tuple[float, float]:
    from pyproj import Transformer

    x, y = Transformer.from_crs(4326, city.crs, always_xy=True).transform(lon, lat)
    return float(x), float(y)


def _distance(table: str, city: City, x: float, y: float) -> Array | None:
    """Return the distance in m of each row of a table from a point, None when it has no place."""
    columns = city[table]
    if {"x", "y"} <= set(columns):
        flat: Array = np.hypot(columns["x"] - x, columns["y"] - y)
        return flat
    ends = next((pair for pair in (("from_node", "to_node", "nodes"), ("from_bus", "to_bus", "buses"))
                 if pair[0] in columns), None)  # fmt: skip
    if ends is None:
        return None
    if "point_first" in columns and "points" in city:
        return _distance_of_lines(columns, city["points"], x, y)
    places = np.stack([city[ends[2]]["x"], city[ends[2]]["y"]], axis=1) - (x, y)
    return _segment_distance(places[columns[ends[0]]], places[columns[ends[1]]])


def _distance_of_lines(columns: Any, points: Any, x: float, y: float) -> Array:
    """Return the distance of each polyline from a point, m."""
    places = np.stack([points["x"], points["y"]], axis=1) - (x, y)
    first, count = columns["point_first"].astype(np.int64), columns["point_count"].astype(np.int64)
    pieces = np.maximum(count - 1, 1)
    line = np.repeat(np.arange(len(first)), pieces)
    begin = first[line] + np.arange(len(line)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    end = np.minimum(begin + 1, first[line] + np.maximum(count[line], 1) - 1)
    distance = np.full(len(first), np.inf)
    np.minimum.at(distance, line, _segment_distance(places[begin], places[end]))
    return distance


def _segment_distance(begin: Array, end: Array) -> Array:
    """Return the distance of the origin from segments given by their ends, shape (n, 2)."""
    along = end - begin
    squared = np.maximum((along**2).sum(axis=1), 1e-12)
    share = np.clip(-(begin * along).sum(axis=1) / squared, 0, 1)
    distance: Array = np.linalg.norm(begin + share[:, None] * along, axis=1)
    return distance


def _no_match(entry: Node, column: str, table: str, values: Array, problems: Problems) -> None:
    """Note a name that no row has; of many names only the closest are listed."""
    names = sorted(set(values.tolist()) - {""})
    wanted = str(entry.value)
    if len(names) > _LISTED:
        names = get_close_matches(wanted, names, _LISTED, 0.6)
    problems.add(entry.mark, "E140", f"no row of {table} has the {column} {wanted!r}", names, wanted)


_SELECTORS: dict[str, Callable[[Node, str, City, Problems], Rows]] = {
    "id": _by_id,
    "name": _by_name,
    "street": _by_street,
    "polygon": _by_polygon,
    "circle": _by_circle,
}
