"""Add to an imported map what it lacks: zones, power, facilities, telecom; all labelled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from twin.city.dependencies import read_dependencies
from twin.city.facilities import (
    dependency_table,
    depot_table,
    fire_station_at,
    hospital_table,
    nearest_load_bus,
    site_table,
    station_table,
)
from twin.city.places import Integers, Places
from twin.city.power import power_tables
from twin.city.water import water_tables
from twin.city.zones import zone_tables

Tables = dict[str, dict[str, Any]]
MAJOR = ("motorway", "motorway_link", "trunk", "trunk_link")
FARTHEST = 1500.0


def synthesise(
    places: Places,
    streets: Mapping[str, Mapping[str, Any]],
    found: list[dict[str, Any]],
    values: Mapping[str, Any],
    report: dict[str, Any],
    given: str | None = None,
) -> Tables:
    """Return zones, power, water, facilities, telecom and dependencies; count what was made up.

    found   emergency places of the map
    values  the import settings
    report  counts of the import, extended in place
    given   a dependencies.csv that takes the place of synthetic ones
    """
    persons = float(places.population.sum())
    tables = _zones(places, values["people"], persons, report)
    zone_of_node = tables.pop("zone_of_node")["zone"]
    tables.update(power_tables(places, zone_of_node, values["power"], _sizes(persons, values)))
    bus_of_node = nearest_load_bus(places, tables["buses"])
    tables["hospitals"] = _hospitals(places, found, values["facilities"], persons, bus_of_node, report)
    tables["stations"] = _stations(places, found, values["facilities"], persons, report)
    taken = np.concatenate([tables["substations"]["node"], tables["hospitals"]["node"]])
    tables["depots"] = _depots(places, values["facilities"], persons, taken)
    sites = max(round(persons / values["telecom"]["persons_per_site"]), 3)
    tables["sites"] = site_table(places, sites, values["telecom"], bus_of_node)
    tables["fire_stations"] = _fire_stations(places, found, values["facilities"], persons, report)
    water = values["water"]
    junctions = round(
        np.clip(persons / water["persons_per_junction"], water["least_junctions"], water["most_junctions"])
    )
    tables.update(water_tables(places, zone_of_node, bus_of_node, water, junctions))
    whole = {**streets, **tables}
    if given is None:
        tables["dependencies"] = dependency_table(whole, bus_of_node, values["dependencies"], places.seed)
    else:
        tables["dependencies"] = read_dependencies(given, whole)
    report["synthetic"] = {
        name: len(tables[name]["id"])
        for name in ("zones", "buses", "lines", "substations", "depots", "sites", "junctions", "pumps")
    }
    return tables


def _sizes(persons: float, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return how many buses, substations and households the persons of a city make, and their load (W)."""
    power = values["power"]
    return {
        "buses": max(round(persons / power["persons_per_bus"]), 20),
        "substations": max(round(persons * power["load_per_person"] / power["load_per_substation"]), 1),
        "load": persons * power["load_per_person"],
        "households": max(round(persons / values["people"]["household"]), 1),
    }


def _zones(places: Places, settings: Mapping[str, Any], persons: float, report: dict[str, Any]) -> Tables:
    """Return synthetic zones; motorways and trunk roads hold no trip ends."""
    wanted = int(np.clip(round(persons / settings["persons_per_zone"]), 12, 400))
    inner = ~np.isin(places.links["road_class"], MAJOR)
    allowed = np.zeros(len(places.xy), dtype=bool)
    allowed[places.links["to_node"][inner]] = True
    allowed &= places.population + places.jobs > 0.0
    if not allowed.any():
        allowed[:] = True
    tables, zone_of_node = zone_tables(places, wanted, allowed, np.full(len(allowed), "Zone"))
    report["zones"] = "synthetic: road nodes grouped by Lloyd's iteration, population from street lengths"
    tables["zone_of_node"] = {"zone": zone_of_node}
    return tables


def _near_streets(places: Places, found: list[dict[str, Any]], kinds: tuple[str, ...]) -> tuple[Integers, list[str]]:
    """Return road nodes and names of the places of a kind, one per road node, near the streets."""
    from pyproj import Transformer

    chosen = [place for place in found if place["kind"] in kinds]
    if not chosen:
        return np.zeros(0, dtype=np.int32), []
    convert = Transformer.from_crs(4326, places.crs, always_xy=True)
    xy = np.stack(convert.transform([p["lon"] for p in chosen], [p["lat"] for p in chosen]), axis=1)
    node = places.nearest(xy)
    near = np.hypot(*(places.xy[node] - xy).T) < FARTHEST
    names: dict[int, str] = {}
    for row, place, usable in zip(node.tolist(), chosen, near.tolist(), strict=True):
        if usable and not names.get(row):
            names[row] = str(place["name"])
    return np.array(list(names), dtype=np.int32), list(names.values())


def _hospitals(
    places: Places,
    found: list[dict[str, Any]],
    settings: Mapping[str, Any],
    persons: float,
    bus_of_node: Integers,
    report: dict[str, Any],
) -> dict[str, Any]:
    """Return the hospitals of the map, or synthetic ones where it has none."""
    node, names = _near_streets(places, found, ("hospital",))
    report["hospitals"] = {"from_map": len(node), "synthetic": 0}
    if not len(node):
        node = places.spread(
            max(round(persons / settings["persons_per_hospital"]), int(settings["least_hospitals"])),
            "hospitals",
            places.population,
        )
        names = [""] * len(node)
        report["hospitals"]["synthetic"] = len(node)
    named = [name or f"Hospital {row + 1}" for row, name in enumerate(names)]
    report["defaulted"]["bays"] = {"defaulted": len(node), "of": len(node)}
    report["defaulted"]["name of hospital"] = {"defaulted": names.count(""), "of": len(node)}
    return hospital_table(places, node, named, [int(settings["bays"])] * len(node), bus_of_node[node])


def _stations(
    places: Places, found: list[dict[str, Any]], settings: Mapping[str, Any], persons: float, report: dict[str, Any]
) -> dict[str, Any]:
    """Return ambulance stations: of the map, else fire stations, filled up with synthetic ones."""
    node, names = _near_streets(places, found, ("ambulance_station",))
    kind = "ambulance stations of the map"
    if not len(node):
        node, names = _near_streets(places, found, ("fire_station",))
        kind = "fire stations of the map, used as ambulance stations" if len(node) else "none in the map"
    wanted = max(round(persons / settings["persons_per_station"]), int(settings["least_stations"]))
    extra = places.spread(max(wanted - len(node), 0), "stations", places.population)
    extra = extra[~np.isin(extra, node)]
    report["stations"] = {"from_map": len(node), "kind": kind, "synthetic": len(extra)}
    every = np.concatenate([node, extra]).astype(np.int32)
    named = [name or f"Station {row + 1}" for row, name in enumerate(names + [""] * len(extra))]
    units = max(round(persons / settings["persons_per_ambulance"]), 2 * len(every))
    report["defaulted"]["units"] = {"defaulted": len(every), "of": len(every)}
    report["defaulted"]["name of station"] = {"defaulted": names.count("") + len(extra), "of": len(every)}
    return station_table(places, every, named, units)


def _fire_stations(
    places: Places, found: list[dict[str, Any]], settings: Mapping[str, Any], persons: float, report: dict[str, Any]
) -> dict[str, Any]:
    """Return fire stations: of the map, or synthetic ones where it has none; two engines each."""
    node, names = _near_streets(places, found, ("fire_station",))
    report["fire_stations"] = {"from_map": len(node), "synthetic": 0}
    if len(node):
        table = fire_station_at(places, node, 2 * len(node))
        return {**table, "name": np.array([n or k for n, k in zip(names, table["name"].tolist(), strict=True)])}
    count = max(round(persons / settings["persons_per_fire_station"]), 1)
    report["fire_stations"]["synthetic"] = count
    node = places.spread(count, "fire stations", places.population + places.jobs)
    return fire_station_at(places, node, 2 * len(node))


def _depots(places: Places, settings: Mapping[str, Any], persons: float, taken: Integers) -> dict[str, Any]:
    """Return synthetic depots."""
    count = max(round(persons / settings["persons_per_depot"]), 1)
    node = places.spread(count, "depots", places.population + places.jobs, taken)
    crews = max(round(persons / settings["persons_per_crew"]), 2 * len(node))
    return depot_table(places, node, [f"Depot {k + 1}" for k in range(len(node))], crews)
