"""Make a city of an ambulance model of JEMSS: its roads, stations, units, hospitals and people.

The level of calls, durations and targets are those of JEMSS; the pattern over the day and the shares
of priorities come from the ambulance calls of Friuli. Ways off the road, which JEMSS walks at a
speed of its own, are left out: places are moved to the nearest node where ways part.

Source: see `twin.models.emergency.jemss` and `twin.models.emergency.call_tables`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twin import data
from twin.city.core import City
from twin.city.draws import stream
from twin.city.places import lloyd
from twin.city.settings import read_city_file
from twin.city.streets import identifiers, lonlat, node_table
from twin.errors import CityError

if TYPE_CHECKING:
    from twin.models.emergency.jemss import Generator

Array = np.ndarray[Any, Any]
Table = dict[str, Any]

SETS = ("manhattan_ems", "easynet_fvg")
_HOURS = 24
_NO_RIVER = 1.0e6


def inputs() -> list[Path]:
    """Return the files such a city is made of; CityError when they are not there."""
    files = []
    for name in SETS:
        found = sorted(path for path in (data.root() / name).glob("*") if path.is_file())
        if not found:
            raise CityError(
                f"city manhattan is made of the data set {name}, which is not in {data.root()}; "
                f"set {data.VARIABLE} to the folder that holds {name}/, or fetch it: twin data get {name}"
            )
        files += found
    return files


def generate(path: Path, scale: float = 1, seed: int | None = None) -> City:
    """Return the city that a file describes; it has one size only.

    Raises CityError for another scale and where a data set is missing.
    """
    from twin.models.emergency.jemss import read_jemss

    if scale != 1:
        raise CityError(f"scale ({scale:g}) must be 1: the city is made of real roads")
    inputs()
    values, provenance = read_city_file(path)
    model = read_jemss(data.root() / SETS[0])
    roads = _roads(model, values["streets"])
    tables = _tables(model, roads, values, int(values["seed"] if seed is None else seed))
    return City(
        name=str(values["name"]),
        title=str(values["title"]),
        driving_side=values["place"]["driving_side"],
        timezone=values["place"]["timezone"],
        crs=int(values["place"]["crs"]),
        tables=tables,
        parameters={"demand": values["demand"], "emergency": _emergency(model, values["emergency"])},
        provenance=tuple(provenance),
        report={"generated": {name: len(next(iter(table.values()))) for name, table in tables.items()}},
    )


@dataclass(frozen=True)
class _Roads:
    """Nodes where ways part, of the largest part in which each reaches each; and the ways between them.

    node         (n_node,)  row in the network of JEMSS
    first, last  (n_link,)  rows of `node`
    time         (n_link,)  s
    shape        nodes of each link in the network of JEMSS
    """

    node: Array
    first: Array
    last: Array
    time: Array
    shape: list[Array]


def _roads(model: Generator, settings: Table) -> _Roads:
    """Take the contracted roads of the model, without what cannot be reached or left."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    roads = model.region.network.roads
    row = np.asarray(roads.out_row)[:, 0]
    inside = np.flatnonzero((row >= 0) & (np.asarray(roads.chain_of)[:, 0] < 0))
    node = np.empty(len(roads.out_start) - 1, np.int64)
    node[row[inside]] = inside
    first, last = np.asarray(roads.chain_from, np.int64), np.asarray(roads.chain_to, np.int64)
    graph = coo_matrix((np.ones(len(first)), (first, last)), shape=(len(node),) * 2)
    part = connected_components(graph, directed=True, connection="strong")[1]
    main = part == np.bincount(part).argmax()
    kept = np.flatnonzero(main[first] & main[last] & (first != last))
    new = np.cumsum(main) - 1
    start = np.asarray(roads.chain_start, np.int64)
    time = np.asarray(roads.chain_total, float)[int(settings["mode"])] * 1e-4
    shape = [np.asarray(roads.chain_node[start[k] : start[k + 1]], np.int64) for k in kept.tolist()]
    return _Roads(node[main], new[first[kept]], new[last[kept]], time[kept], shape)


def _tables(model: Generator, roads: _Roads, values: dict[str, Any], seed: int) -> dict[str, Table]:
    """Return all tables of the city."""
    place, crs = values["place"], int(values["place"]["crs"])
    xy = _on_grid(model, crs)
    nodes = node_table(xy[roads.node], crs, np.zeros(len(roads.node)), np.full(len(roads.node), _NO_RIVER))
    links, points = _links(roads, xy, values["streets"])
    people = _people(model, roads, xy, int(place["population"]), crs)
    zones, zone_nodes = _zones(nodes, people, int(place["zones"]), crs, seed)
    stations, hospitals = (_sites(getattr(model.region, name), name[0], roads, xy, crs) for name in _SITES)
    owned = np.bincount(model.region.units["station"], minlength=len(model.region.stations))
    stations |= {"kind": np.full(len(owned), "ambulance"), "units": owned.astype(np.int32)}
    many = len(model.region.hospitals)
    bays = np.full(many, values["emergency"]["bays"], np.int32)
    hospitals |= {"bays": bays, "bus": np.full(many, -1, np.int32)}
    return {
        "nodes": nodes, "links": links, "points": points, "zones": zones, "zone_nodes": zone_nodes,
        "stations": stations, "hospitals": hospitals, **_no_signals(),
    }  # fmt: skip


def _no_signals() -> dict[str, Table]:
    """Return the tables of signals of a city without any."""
    whole, real = np.zeros(0, np.int32), np.zeros(0)
    return {
        "signals": {"id": identifiers("s", 0), "node": whole, "cycle": real, "offset": real},
        "phases": {"signal": whole, "order": whole, "green": real},
        "phase_links": {"phase": whole, "link": whole},
    }


_SITES = ("stations", "hospitals")


def _on_grid(model: Generator, crs: int) -> Array:
    """Return every node of the model in metres on a grid; (n, 2)."""
    lon, lat = _degrees(model, model.region.network.x, model.region.network.y)
    return _projected(lon, lat, crs)


def _degrees(model: Generator, x: Array, y: Array) -> tuple[Array, Array]:
    """Undo how the model lays longitude and latitude flat."""
    from twin.models.emergency.jemss import flat

    unit = flat(model.middle[0] + 1.0, model.middle[1] + 1.0, model.middle)
    return model.middle[0] + x / float(unit[0]), model.middle[1] + y / float(unit[1])


def _projected(lon: Array, lat: Array, crs: int) -> Array:
    from pyproj import Transformer

    return np.stack(Transformer.from_crs(4326, crs, always_xy=True).transform(lon, lat), axis=1)


def _links(roads: _Roads, xy: Array, settings: Table) -> tuple[Table, Table]:
    """Return the tables `links` and `points`; speed is the length over the model's time."""
    count = len(roads.time)
    sizes = np.array([len(shape) for shape in roads.shape])
    points = xy[np.concatenate(roads.shape)]
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    step = np.r_[0.0, np.hypot(*np.diff(points, axis=0).T)]
    step[first] = 0.0
    length = np.maximum(np.add.reduceat(step, first), 1.0)
    links = {
        "id": identifiers("l", count),
        "from_node": roads.first.astype(np.int32),
        "to_node": roads.last.astype(np.int32),
        "length": length,
        "speed": length / roads.time,
        "lanes": np.ones(count, np.int32),
        "capacity": np.full(count, settings["lane_capacity"] / 3600.0),
        "jam_density": np.full(count, float(settings["jam_density"])),
        "road_class": np.full(count, "road"),
        "name": np.full(count, ""),
        "reverse": _reverse(roads),
        "point_first": first.astype(np.int32),
        "point_count": sizes.astype(np.int32),
    }
    return links, {"x": np.round(points[:, 0], 2), "y": np.round(points[:, 1], 2)}


def _reverse(roads: _Roads) -> Array:
    """Return the link of the same street in the other direction, -1 where there is none."""
    row_of = {tuple(shape.tolist()): row for row, shape in enumerate(roads.shape)}
    return np.array([row_of.get(tuple(shape[::-1].tolist()), -1) for shape in roads.shape], np.int32)


def _people(model: Generator, roads: _Roads, xy: Array, total: int, crs: int) -> Array:
    """Return the persons nearest to each node, by the raster's shares; (n_node,)."""
    from scipy.spatial import cKDTree

    cells = _projected(*model.raster.centres(), crs)
    nearest = cKDTree(xy[roads.node]).query(cells)[1]
    weight = np.bincount(nearest, model.raster.weights(), len(roads.node))
    return np.asarray(weight * total / weight.sum())


def _zones(nodes: Table, people: Array, count: int, crs: int, seed: int) -> tuple[Table, Table]:
    """Group nodes into zones by distance; every node with people is a place of calls, by its share."""
    from scipy.spatial import cKDTree

    xy = np.stack([nodes["x"], nodes["y"]], axis=1)
    settled = np.flatnonzero(people > 0)
    centre = lloyd(xy, people, count, stream(seed, "zones"))
    used, zone = np.unique(cKDTree(centre).query(xy[settled])[1], return_inverse=True)
    centre = np.round(centre[used], 2)
    middle = settled[cKDTree(xy[settled]).query(centre)[1]]
    persons = np.bincount(zone, people[settled])
    lon, lat = lonlat(centre, crs)
    zones = {
        "id": identifiers("z", len(used)),
        "name": np.char.add("Zone ", (np.arange(len(used)) + 1).astype(str)),
        "x": centre[:, 0], "y": centre[:, 1], "lon": lon, "lat": lat,
        "population": persons.round().astype(np.int32),
        "jobs": np.zeros(len(used), np.int32),
        "node": middle.astype(np.int32),
    }  # fmt: skip
    shares = people[settled] / persons[zone]
    return zones, {"zone": zone.astype(np.int32), "node": settled.astype(np.int32), "weight": shares}


def _sites(table: Any, prefix: str, roads: _Roads, xy: Array, crs: int) -> Table:
    """Return stations or hospitals at the nodes nearest to them."""
    from scipy.spatial import cKDTree

    here = xy[table["node"].to_numpy(np.int64)]
    node = cKDTree(xy[roads.node]).query(here)[1]
    lon, lat = lonlat(here, crs)
    return {
        "id": identifiers(prefix, len(table)),
        "name": table["name"].to_numpy(str),
        "x": here[:, 0], "y": here[:, 1], "lon": lon, "lat": lat,
        "elevation": np.zeros(len(table)), "above_river": np.full(len(table), _NO_RIVER),
        "node": node.astype(np.int32),
    }  # fmt: skip


def _emergency(model: Generator, settings: Table) -> Table:
    """Return level, durations and targets of the model, and pattern and priorities of Friuli's calls."""
    from twin.models.emergency.call_tables import DAY, read_easynet

    calls = read_easynet(data.root() / SETS[1])
    level = [list(settings["urgency"]).index(kind) if kind in settings["urgency"] else 2 for kind in calls.kinds]
    counted = calls.within(calls.span)
    hour = (calls.time[counted] % DAY // 3600).astype(np.int64)
    profile = np.bincount(hour, minlength=_HOURS)
    priority = np.bincount(np.array(level)[calls.kind[counted]], minlength=3)
    same = [model.answer - settings["dispatch"]] * 3
    return {
        "calls_per_day": DAY / model.gap,
        "profile": (profile / profile.sum()).round(5).tolist(),
        "priority_shares": (priority / priority.sum()).round(5).tolist(),
        "transport_share": [model.transport] * 3,
        "call_taking": same,
        "mobilisation": model.mobilise,
        "scene": [model.scene] * 3,
        "handover": model.handover,
        "target_response": model.region.priorities["target"].round(1).tolist(),
    }
