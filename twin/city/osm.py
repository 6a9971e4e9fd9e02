"""Build a city from an OpenStreetMap extract; what the map lacks is imputed and counted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from twin.city.core import City
from twin.city.counts import describe_counts
from twin.city.osm_read import RawMap, read_map
from twin.city.osm_streets import make_streets
from twin.city.osm_utilities import synthesise
from twin.city.places import Floats, Places, share_out
from twin.city.regions import Region, find_region, utm_grid
from twin.city.settings import Provenance, import_file, read_city_file
from twin.city.signals import signal_tables
from twin.city.streets import Streets, link_tables, node_table
from twin.errors import CityError

NO_RIVER = 1.0e6
FAST = ("motorway", "motorway_link", "trunk", "trunk_link")
MINOR = ("residential", "living_street", "unclassified", "tertiary", "road")


@dataclass(frozen=True)
class OsmOptions:
    """Choose what the map does not say.

    name, title    of the city; None takes the file's name
    driving_side   "left" or "right"; None looks the region up
    timezone       IANA name; None looks the region up
    population     residents of the extract; None takes persons per metre of minor street
    seed           seed of all that is synthesised
    dependencies   path of a dependencies.csv that takes the place of synthetic ones
    """

    name: str | None = None
    title: str | None = None
    driving_side: str | None = None
    timezone: str | None = None
    population: int | None = None
    seed: int = 1
    dependencies: str | None = None


def build_osm(path: str | Path, counts: str | Path | None = None, **options: Any) -> City:
    """Return the city of an extract (.osm.pbf, .osm, .osm.gz); see OsmOptions for the options.

    counts  CSV of traffic counts of this city: file name and columns go to `report["counts"]`
    Streets, signals, hospitals, fire and ambulance stations come from the map; population,
    zones, power, telecom and depots are synthetic and labelled so.
    Raises CityError for a damaged or empty file and where an option is needed.
    """
    path, chosen = Path(path), OsmOptions(**options)
    values, provenance = read_city_file(import_file("osm"))
    raw = read_map(path)
    region, crs = _region(raw, chosen)
    streets, signalled, report = make_streets(raw, crs, values["roads"])
    tables = _street_tables(streets, crs, values)
    tables.update(signal_tables(tables, signalled, values["signals"], region.driving_side == "left"))
    tables["nodes"]["signal"][tables["signals"]["node"]] = True
    report["signals"]["with_phases"] = len(tables["signals"]["id"])
    population, jobs = _people(tables, values["people"], chosen.population)
    places = Places(tables["nodes"], tables["links"], population, jobs, crs, chosen.seed)
    tables.update(synthesise(places, tables, raw.places, values, report, chosen.dependencies))
    report["defaulted"]["elevation"] = {"defaulted": len(population), "of": len(population)}
    report["source"] = path.name
    if counts is not None:
        report["counts"] = describe_counts(Path(counts))
    name = chosen.name or path.name.split(".")[0]
    return City(
        name=name,
        title=chosen.title or f"{name} (OpenStreetMap)",
        driving_side=region.driving_side,
        timezone=region.timezone,
        crs=crs,
        tables=tables,
        parameters=_parameters(values, population, region, chosen.seed),
        provenance=tuple(provenance + _facts(path, region, crs, population, chosen)),
        report=report,
    )


def _region(raw: RawMap, chosen: OsmOptions) -> tuple[Region, int]:
    """Return the region and the metre grid of the middle of the map."""
    used = np.unique(raw.segments[:, :2])
    lon, lat = float(np.median(raw.lon[used])), float(np.median(raw.lat[used]))
    if not (-180.0 <= lon <= 180.0 and -80.0 <= lat <= 84.0):
        raise CityError(f"the map lies at longitude {lon:.4f}, latitude {lat:.4f}: outside the UTM grid")
    region = find_region(lon, lat, import_file("regions"), chosen.driving_side, chosen.timezone)
    return region, utm_grid(lon, lat)


def _street_tables(streets: Streets, crs: int, values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return nodes, links and points; the map has no heights and no river levels."""
    tables = link_tables(streets, float(values["roads"]["jam_density"]))
    flat = np.zeros(len(streets.node_xy))
    tables["nodes"] = node_table(streets.node_xy, crs, flat, np.full(len(flat), NO_RIVER))
    return tables


def _people(
    tables: dict[str, dict[str, Any]], settings: dict[str, Any], population: int | None
) -> tuple[Floats, Floats]:
    """Return synthetic residents and jobs per node: minor streets carry homes, all carry jobs."""
    links = tables["links"]
    length = np.where(links["reverse"] >= 0, 0.5, 1.0) * links["length"]
    minor = np.isin(links["road_class"], MINOR)
    inner = ~np.isin(links["road_class"], FAST)
    housing = minor if minor.any() else np.ones(len(minor), dtype=bool)
    homes = _at_ends(tables, length * housing)
    work = _at_ends(tables, length * inner * np.sqrt(links["lanes"]))
    persons = (
        population if population is not None else round(float(np.sum(length * housing)) * settings["persons_per_metre"])
    )
    if persons < 1:
        raise CityError(f"population ({persons}) must be at least 1; pass population=...")
    return (
        share_out(persons, homes).astype(np.float64),
        share_out(round(persons * settings["jobs_per_person"]), work).astype(np.float64),
    )


def _at_ends(tables: dict[str, dict[str, Any]], value: Floats) -> Floats:
    """Share a value per link equally between its end nodes; all ones where the sum is nothing."""
    links, count = tables["links"], len(tables["nodes"]["id"])
    total = np.zeros(count)
    for end in ("from_node", "to_node"):
        total += np.bincount(links[end], 0.5 * value, count)
    return total if total.sum() > 0.0 else np.ones(count)


def _parameters(values: dict[str, Any], population: Floats, region: Region, seed: int) -> dict[str, Any]:
    """Return the settings that models read, sized by the population."""
    persons = float(population.sum())
    rates = ("classes_motorcycle", "trips_per_person", "calls_per_person_day")
    demand = {key: value for key, value in values["demand"].items() if key not in rates}
    demand["classes"] = values["demand"]["classes_motorcycle" if region.motorcycles else "classes"]
    demand["trips_morning"] = round(values["demand"]["trips_per_person"] * persons)
    emergency = {key: value for key, value in values["emergency"].items() if key not in rates}
    emergency["calls_per_day"] = round(values["emergency"]["calls_per_person_day"] * persons, 2)
    wanted = ("intergreen", "green_least", "green_most", "unit_extension")
    return {
        "scale": 1.0,
        "seed": seed,
        "demand": demand,
        "emergency": emergency,
        "signals": {key: values["signals"][key] for key in wanted},
        "restoration": values["restoration"],
        "hazard": values["hazard"],
    }


def _facts(path: Path, region: Region, crs: int, population: Floats, chosen: OsmOptions) -> Provenance:
    """Return provenance of what this import itself found or assumed."""
    people = "given by option" if chosen.population is not None else "assumption: synthetic, from street lengths"
    rows = (
        ("streets", path.name, "", "OpenStreetMap contributors, ODbL 1.0"),
        ("driving_side", region.driving_side, "", region.source),
        ("timezone", region.timezone, "", region.source),
        ("crs", crs, "EPSG", "UTM zone of the middle of the map"),
        ("population", int(population.sum()), "persons", people),
        ("elevation", 0.0, "m", "assumption: the map has no heights; ground is flat at 0"),
        ("power", "synthetic", "", "assumption: laid along streets, not surveyed"),
        ("water", "synthetic", "", "assumption: laid along streets, not surveyed"),
    )
    return [dict(zip(("item", "value", "unit", "source"), row, strict=True)) for row in rows]
