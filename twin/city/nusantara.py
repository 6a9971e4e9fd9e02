"""Generate the embedded city from its file: published facts, the rest labelled assumption."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.city.core import City
from twin.city.draws import stream
from twin.city.facilities import (
    dependency_table,
    depot_table,
    fire_station_at,
    hospital_table,
    nearest_load_bus,
    site_table,
    station_table,
)
from twin.city.joining import Joined, join, prune
from twin.city.lattice import ARTERIAL, LOCAL, Districts, make_districts, make_lattice, thin
from twin.city.names import street_names
from twin.city.places import Floats, Integers, Places, share_out
from twin.city.power import power_tables
from twin.city.settings import read_city_file
from twin.city.signals import signal_tables
from twin.city.streets import Streets, link_tables, node_table
from twin.city.terrain import Terrain, make_terrain
from twin.city.water import water_tables
from twin.city.zones import zone_tables
from twin.errors import CityError

Tables = dict[str, dict[str, Any]]
CLASSES = np.array(["residential", "secondary", "primary"])
SMALLEST, LARGEST = 0.2, 400.0


def generate(path: Path, scale: float = 1, seed: int | None = None) -> City:
    """Return the city that the file describes, at `scale` times its counts and area.

    Raises CityError for a scale outside 0.2 to 400.
    """
    if not SMALLEST <= scale <= LARGEST:
        raise CityError(f"scale ({scale:g}) must lie between {SMALLEST:g} and {LARGEST:g}")
    values, provenance = read_city_file(path)
    values["seed"] = int(values["seed"]) if seed is None else int(seed)
    seed = int(values["seed"])
    tables = _tables(values, float(scale), seed)
    parameters = _parameters(values, float(scale), seed)
    suffix = "" if scale == 1 else f" x {scale:g}"
    return City(
        name=str(values["name"]),
        title=f"{values['title']}{suffix}",
        driving_side=values["place"]["driving_side"],
        timezone=values["place"]["timezone"],
        crs=int(values["place"]["crs"]),
        tables=tables,
        parameters=parameters,
        provenance=tuple(provenance),
        report={"generated": {name: len(next(iter(table.values()))) for name, table in tables.items()}},
    )


def _parameters(values: dict[str, Any], scale: float, seed: int) -> dict[str, Any]:
    """Return the settings that models read; counts are those of the scale."""
    demand = {**values["demand"], "trips_morning": round(values["demand"]["trips_morning"] * scale)}
    emergency = {**values["emergency"], "calls_per_day": values["emergency"]["calls_per_day"] * scale}
    wanted = ("intergreen", "green_least", "green_most", "unit_extension")
    return {
        "scale": scale,
        "seed": seed,
        "demand": demand,
        "emergency": emergency,
        "signals": {key: values["signals"][key] for key in wanted},
        "restoration": values["restoration"],
        "hazard": values["hazard"],
    }


def _tables(values: dict[str, Any], scale: float, seed: int) -> Tables:
    """Make all tables, in the order in which they build on each other."""
    half = 0.5 * float(np.sqrt(values["place"]["area"] * scale))
    terrain = make_terrain(values["terrain"], seed)
    districts = make_districts(values["districts"], scale, half, seed)
    lattice = make_lattice(values["streets"], districts, half, seed)
    lattice = thin(lattice, values["streets"], districts, terrain, seed)
    joined = join(prune(lattice, values["streets"]["stub_share"], seed))
    tables = _street_tables(values, joined, districts, terrain)
    wanted = _signalled(joined)
    tables.update(signal_tables(tables, wanted, values["signals"], values["place"]["driving_side"] == "left"))
    tables["nodes"]["signal"][tables["signals"]["node"]] = True
    population, jobs = _activity(values, joined, districts, scale)
    places = Places(tables["nodes"], tables["links"], population, jobs, int(values["place"]["crs"]), seed)
    return _utilities(values, places, joined, districts, tables, scale)


def _street_tables(values: dict[str, Any], joined: Joined, districts: Districts, terrain: Terrain) -> Tables:
    """Return nodes, links, points and the river."""
    from pyproj import Transformer

    place, settings = values["place"], values["streets"]
    to_grid = Transformer.from_crs(4326, place["crs"], always_xy=True)
    origin = np.round(np.array(to_grid.transform(place["longitude"], place["latitude"])), 0)
    road_class = CLASSES[joined.rank]
    counts = np.array([len(shape) for shape in joined.shapes], dtype=np.int32)
    middle = np.array([shape[len(shape) // 2] for shape in joined.shapes])
    streets = Streets(
        node_xy=joined.node_xy + origin,
        start=joined.ends[:, 0].astype(np.int32),
        end=joined.ends[:, 1].astype(np.int32),
        shape_first=np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int32),
        shape_count=counts,
        shape=np.concatenate(joined.shapes) + origin,
        road_class=road_class,
        name=street_names(joined.line, joined.rank, districts.nearest(middle)),
        lanes=_by_class(settings["lanes"], road_class).astype(np.int32),
        speed=np.round(_by_class(settings["speed"], road_class) / 3.6, 4),
        capacity=_by_class(settings["lane_capacity"], road_class) * _by_class(settings["lanes"], road_class) / 3600.0,
        oneway=np.zeros(len(road_class), dtype=bool),
    )
    tables = link_tables(streets, float(settings["jam_density"]))
    x, y = joined.node_xy.T
    ground = terrain.elevation(x, y)
    tables["nodes"] = node_table(streets.node_xy, int(place["crs"]), ground, ground - terrain.level(x))
    tables["river"] = _river(terrain, x, origin)
    return tables


def _river(terrain: Terrain, x: Floats, origin: Floats) -> dict[str, Any]:
    """Return the axis of the river from west to east, with its normal water level."""
    east = np.arange(x.min() - 500.0, x.max() + 500.0, 50.0)
    return {
        "x": np.round(east + origin[0], 1),
        "y": np.round(terrain.river(east) + origin[1], 1),
        "level": np.round(terrain.level(east), 2),
        "width": np.full(len(east), terrain.river_width),
    }


def _by_class(value: dict[str, float], road_class: NDArray[np.str_]) -> Floats:
    """Look up one value per street by its road class."""
    names, inverse = np.unique(road_class, return_inverse=True)
    return np.array([float(value[name]) for name in names])[inverse]


def _signalled(joined: Joined) -> NDArray[np.bool_]:
    """Return which junctions have signals: boulevards that meet each other or a collector."""
    count = len(joined.node_xy)
    arms = np.zeros((count, 3), dtype=np.int64)
    np.add.at(arms, (joined.ends.ravel(), np.repeat(joined.rank, 2)), 1)
    through = arms[:, ARTERIAL] + arms[:, 1]
    return np.asarray((through >= 3) & (arms[:, ARTERIAL] >= 1))


def _activity(values: dict[str, Any], joined: Joined, districts: Districts, scale: float) -> tuple[Floats, Floats]:
    """Return persons and jobs around each junction; the totals are exact."""
    urban = districts.density(joined.node_xy)
    kind = districts.kind[districts.nearest(joined.node_xy)]
    draw = stream(int(values["seed"]), "activity")
    uneven = draw.lognormal(0.0, 0.35, (2, len(kind)))
    people = round(values["place"]["population"] * scale)
    jobs = round(people * values["place"]["jobs_per_person"])
    table = values["districts"]["activity"]
    rates = np.array([table[name] for name in kind.tolist()])
    return (
        share_out(people, urban * rates[:, 0] * uneven[0]).astype(np.float64),
        share_out(jobs, urban**1.5 * rates[:, 1] * uneven[1]).astype(np.float64),
    )


def _utilities(
    values: dict[str, Any],
    places: Places,
    joined: Joined,
    districts: Districts,
    tables: Tables,
    scale: float,
) -> Tables:
    """Add zones, power, facilities, telecom and dependencies to the tables."""
    facilities, power = values["facilities"], values["power"]
    lower = np.zeros(len(joined.node_xy), dtype=bool)
    lower[joined.ends[joined.rank == LOCAL].ravel()] = True
    nearest = districts.nearest(joined.node_xy)
    labels = np.array(_district_labels(values, districts))[nearest]
    zones, zone_of_node = zone_tables(places, max(round(facilities["zones"] * scale), 4), lower, labels)
    tables.update(zones)
    sizes = {
        "buses": max(round(power["buses"] * scale), 20),
        "substations": max(round(power["substations"] * scale), 1),
        "load": power["load"] * scale,
        "households": round(places.population.sum() / values["place"]["household"]),
    }
    tables.update(power_tables(places, zone_of_node, power, sizes))
    bus_of_node = nearest_load_bus(places, tables["buses"])
    around = (districts.kind[nearest], tables["substations"]["node"], bus_of_node)
    tables.update(_facilities(values, places, around, scale))
    water = values["water"]
    junctions = min(round(water["junctions"] * scale), int(water["most_junctions"]))
    tables.update(water_tables(places, zone_of_node, bus_of_node, water, junctions))
    tables["dependencies"] = dependency_table(tables, bus_of_node, values["dependencies"], places.seed)
    return tables


def _district_labels(values: dict[str, Any], districts: Districts) -> list[str]:
    """Return the names of the districts; the towns of larger scales are numbered."""
    named = [str(entry["label"]) for entry in values["districts"]["named"]]
    return named + [f"Kota {k + 1}" for k in range(len(districts.kind) - len(named))]


def _facilities(
    values: dict[str, Any],
    places: Places,
    around: tuple[NDArray[np.str_], Integers, Integers],
    scale: float,
) -> Tables:
    """Return hospitals, stations, depots and sites on dry ground, not beside substations.

    around  kind of district of each node, nodes of substations, load bus of each node
    """
    settings, (kind, taken, bus_of_node) = values["facilities"], around
    dry = np.asarray(places.nodes["above_river"]) > 6.0
    weight = np.where(dry, places.population, 0.0)
    busy = np.where(dry, places.population + places.jobs, 0.0)
    node, names, bays = _hospitals(values, places, np.where(dry, kind, ""), taken, scale)
    taken = np.concatenate([taken, node])
    stations = max(round(settings["stations"] * scale), 1)
    station = places.spread(stations, "stations", weight)
    depot = places.spread(max(round(settings["depots"] * scale), 1), "depots", busy, taken)
    station_names = [f"Pos Ambulans {k + 1}" for k in range(len(station))]
    depot_names = [f"Posko PLN {k + 1}" for k in range(len(depot))]
    units, crews = round(settings["ambulances"] * scale), round(settings["crews"] * scale)
    sites = max(round(values["telecom"]["sites"] * scale), 1)
    fire_stations, engines = (max(round(settings[name] * scale), 1) for name in ("fire_stations", "fire_engines"))
    fire = places.spread(fire_stations, "fire stations", busy, np.concatenate([taken, depot]))
    return {
        "hospitals": hospital_table(places, node, names, bays, bus_of_node[node]),
        "stations": station_table(places, station, station_names, max(units, len(station))),
        "depots": depot_table(places, depot, depot_names, max(crews, len(depot))),
        "fire_stations": fire_station_at(places, fire, engines),
        "sites": site_table(places, sites, values["telecom"], bus_of_node),
    }


def _hospitals(
    values: dict[str, Any], places: Places, dry_kind: NDArray[np.str_], taken: Integers, scale: float
) -> tuple[Integers, list[str], list[int]]:
    """Return nodes, names and bays: the named hospitals in their districts, more at larger scale.

    At scales so small that a district is left out, its hospital stands in another one.
    """
    named = values["facilities"]["hospitals"]
    busy = places.population + places.jobs
    chosen = taken
    for entry in named:
        here = np.where(dry_kind == entry["kind"], busy, 0.0)
        here = here if here.any() else np.where(dry_kind != "", busy, 0.0)
        chosen = np.concatenate([chosen, places.spread(1, f"hospital {entry['name']}", here, chosen)])
    further = max(round(len(named) * scale) - len(named), 0)
    extra = places.spread(further, "hospitals", np.where(dry_kind != "", places.population, 0.0), chosen)
    node = np.concatenate([chosen[len(taken) :], extra]).astype(np.int32)
    names = [entry["name"] for entry in named] + [f"RSUD Nusantara {k + 1}" for k in range(len(extra))]
    bays = [int(entry["bays"]) for entry in named]
    typical = round(sum(bays) / len(bays))
    return node, names, bays + [typical] * len(extra)
