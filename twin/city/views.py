"""Show a city as data frames and as a graph, for people and for checks; not for the run."""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.city.core import City


def frame(city: City, name: str) -> Any:
    """Return a table as a data frame.

    Links become lines, lines of the grid straight lines between their buses, tables with lon
    and lat points, all in EPSG:4326; other tables are plain pandas frames.
    """
    import pandas

    table = city[name]
    plain = pandas.DataFrame({key: table[key] for key in table})
    geometry = _geometry(city, name)
    if geometry is None:
        return plain
    import geopandas

    return geopandas.GeoDataFrame(plain, geometry=geometry, crs=4326)


def _geometry(city: City, name: str) -> Any:
    """Return the shapes of a table's rows in degrees, None for a table without place."""
    import shapely

    table = city[name]
    if name == "links":
        return _street_lines(city)
    if name == "lines":
        buses = city["buses"]
        pairs = np.stack([table["from_bus"], table["to_bus"]], axis=1)
        lon, lat = (buses["lon"], buses["lat"]) if "lon" in buses else _degrees(city, buses["x"], buses["y"])
        return shapely.linestrings(np.stack([lon[pairs], lat[pairs]], axis=2))
    if "lon" in table:
        return shapely.points(table["lon"], table["lat"])
    if "x" in table:
        lon, lat = _degrees(city, table["x"], table["y"])
        return shapely.points(lon, lat)
    return None


def _street_lines(city: City) -> Any:
    """Return one line string per link in driving direction."""
    import shapely

    links, points = city["links"], city["points"]
    counts = links["point_count"].astype(np.int64)
    starts = np.repeat(links["point_first"].astype(np.int64), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    lon, lat = _degrees(city, points["x"], points["y"])
    place = np.stack([lon, lat], axis=1)[starts + within]
    return shapely.linestrings(place, indices=np.repeat(np.arange(links.rows), counts))


def _degrees(city: City, x: Any, y: Any) -> tuple[Any, Any]:
    """Return longitude and latitude of points on the city's grid."""
    from pyproj import Transformer

    lon, lat = Transformer.from_crs(city.crs, 4326, always_xy=True).transform(x, y)
    return lon, lat


def graph(city: City) -> Any:
    """Return the streets as a MultiDiGraph: nodes by id, edges keyed by link row."""
    import networkx

    nodes, links = city["nodes"], city["links"]
    ids = nodes["id"].tolist()
    streets = networkx.MultiDiGraph(name=city.name, crs=f"EPSG:{city.crs}")
    for row, identifier in enumerate(ids):
        streets.add_node(identifier, row=row, x=float(nodes["x"][row]), y=float(nodes["y"][row]))
    columns = zip(
        links["from_node"].tolist(),
        links["to_node"].tolist(),
        links["id"].tolist(),
        links["name"].tolist(),
        links["length"].tolist(),
        (links["length"] / links["speed"]).tolist(),
        strict=True,
    )
    for row, (start, end, identifier, name, length, time) in enumerate(columns):
        streets.add_edge(ids[start], ids[end], key=row, id=identifier, name=name, length=length, time=time)
    return streets
