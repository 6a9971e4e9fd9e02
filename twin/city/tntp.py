"""Read networks of the TNTP collection; their units differ and are options with stated defaults."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.city.core import City
from twin.city.counts import describe_counts
from twin.city.regions import on_metre_grid
from twin.city.streets import Streets, identifiers, link_tables, lonlat, node_table
from twin.city.tntp_read import TntpNetwork, read_network, read_nodes, read_trips
from twin.errors import CityError

Floats = NDArray[np.float64]
TIME_UNITS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "hundredth of an hour": 36.0}
LENGTH_UNITS = {"metre": 1.0, "kilometre": 1000.0, "foot": 0.3048, "mile": 1609.344}
JAM_DENSITY, LANE_CAPACITY, USUAL_SPEED = 0.1333, 1800.0, 13.9
NO_RIVER = 1.0e6


@dataclass(frozen=True)
class TntpOptions:
    """State what a TNTP file leaves open.

    time_unit, length_unit  units of free-flow time and length; keys of TIME_UNITS, LENGTH_UNITS
    hours            duration that the trip table and the capacities stand for
    trips, nodes     paths of the trip table and of the coordinates; None takes the neighbours
                     of the network file named *_trips.tntp and *_node.tntp, where they exist
    crs              EPSG of x and y as written (4326 for degrees, 26771 for feet of Illinois East, 1927);
                     None lays the nodes on a ring and says so in the report
    driving_side, timezone, name, title  of the city
    """

    time_unit: str = "minute"
    length_unit: str = "mile"
    hours: float = 1.0
    trips: str | Path | None = None
    nodes: str | Path | None = None
    crs: int | None = None
    driving_side: str = "right"
    timezone: str = "Etc/UTC"
    name: str | None = None
    title: str | None = None


def build_tntp(path: str | Path, counts: str | Path | None = None, **options: Any) -> City:
    """Return the city of a `*_net.tntp` file; see TntpOptions for the options.

    The table `trips` holds origin zone, destination zone and trips as written. Speeds are
    length over free-flow time, so travel times are those of the file; columns `b` and `power`
    of the links keep the BPR parameters, `time` the free-flow time (s).
    Raises CityError with the line of the first thing that cannot be read.
    """
    path, chosen = Path(path), TntpOptions(**options)
    _check_units(chosen)
    network = read_network(path)
    report: dict[str, Any] = {"source": path.name, "defaulted": {}}
    xy, crs = _coordinates(path, network, chosen, report)
    tables = _tables(network, chosen, xy, crs, report)
    parameters: dict[str, Any] = {"tntp": {"hours": chosen.hours, "first_through_node": network.first_through}}
    trips = Path(chosen.trips) if chosen.trips else _neighbour(path, "_trips.tntp")
    if trips is not None:
        tables["trips"] = read_trips(trips, network.zones)
        report["trips"] = float(tables["trips"]["trips"].sum())
        parameters["demand"] = _demand(report["trips"] / chosen.hours)
    if counts is not None:
        report["counts"] = describe_counts(Path(counts))
    name = chosen.name or path.name.removesuffix("_net.tntp")
    return City(
        name=name,
        title=chosen.title or f"{name} (TNTP)",
        driving_side=chosen.driving_side,
        timezone=chosen.timezone,
        crs=crs,
        tables=tables,
        parameters=parameters,
        provenance=tuple(_provenance(path, chosen)),
        report=report,
    )


def _demand(per_hour: float) -> dict[str, Any]:
    """Return the demand of a day on which trips go on evenly at the rate of the table, all by car."""
    return {
        "trips_morning": 4 * per_hour, "profile": [1.0] * 24, "classes": {"car": 1.0}, "pcu": {"car": 1.0},
    }  # fmt: skip


def _check_units(chosen: TntpOptions) -> None:
    """Refuse units that are not known."""
    for option, given, known in (
        ("time_unit", chosen.time_unit, TIME_UNITS),
        ("length_unit", chosen.length_unit, LENGTH_UNITS),
    ):
        if given not in known:
            raise CityError(f"{option} ({given!r}) must be one of {', '.join(known)}")


def _neighbour(path: Path, suffix: str) -> Path | None:
    """Return the file beside the network with another suffix, if there is one."""
    other = path.with_name(path.name.removesuffix("_net.tntp") + suffix)
    return other if other.is_file() else None


def _coordinates(path: Path, network: TntpNetwork, chosen: TntpOptions, report: dict[str, Any]) -> tuple[Floats, int]:
    """Return node positions on a metre grid and the grid's EPSG number."""
    file = Path(chosen.nodes) if chosen.nodes else _neighbour(path, "_node.tntp")
    if file is None or chosen.crs is None:
        report["defaulted"]["coordinates"] = {"defaulted": network.nodes, "of": network.nodes}
        report["coordinates"] = "schematic ring: pass nodes=... and crs=EPSG to place the network"
        angle = 2.0 * np.pi * np.arange(network.nodes) / network.nodes
        ring = 500.0 + 3000.0 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        return ring + np.array([500000.0, 5000.0]), 32631
    xy = read_nodes(file, network.nodes)
    return on_metre_grid(xy, chosen.crs)


def _tables(
    network: TntpNetwork, chosen: TntpOptions, xy: Floats, crs: int, report: dict[str, Any]
) -> dict[str, dict[str, Any]]:
    """Return nodes, links, points, zones and zone_nodes."""
    flat = np.zeros(len(xy))
    tables = link_tables(_streets(network, chosen, xy, report), JAM_DENSITY)
    links, raw = tables["links"], network.links
    length, speed, time = _lengths_and_speeds(network, chosen, report)
    links.update(length=length, speed=speed, time=time, b=raw["b"], power=raw["power"])
    links["type"] = raw["type"].astype(np.int32)
    tables["nodes"] = node_table(xy, crs, flat, np.full(len(xy), NO_RIVER))
    zone = np.arange(network.zones, dtype=np.int32)
    lon, lat = lonlat(xy[zone], crs)
    tables["zones"] = {
        "id": identifiers("z", len(zone)),
        "name": np.char.add("Zone ", (zone + 1).astype(str)),
        "x": xy[zone, 0],
        "y": xy[zone, 1],
        "lon": lon,
        "lat": lat,
        "population": np.zeros(len(zone), dtype=np.int32),
        "jobs": np.zeros(len(zone), dtype=np.int32),
        "node": zone,
    }
    tables["zone_nodes"] = {"zone": zone, "node": zone, "weight": np.ones(len(zone))}
    return tables


def _lengths_and_speeds(
    network: TntpNetwork, chosen: TntpOptions, report: dict[str, Any]
) -> tuple[Floats, Floats, Floats]:
    """Return length (m), speed (m/s) and free-flow time (s); zero times and lengths are counted."""
    time = network.links["time"] * TIME_UNITS[chosen.time_unit]
    length = network.links["length"] * LENGTH_UNITS[chosen.length_unit]
    no_time, no_length = time <= 0.0, length <= 0.0
    length = np.where(no_length, np.maximum(time, 1.0) * USUAL_SPEED, length)
    speed = length / np.where(no_time, length / USUAL_SPEED, time)
    for name, flags in (("time", no_time), ("length", no_length)):
        report["defaulted"][name] = {"defaulted": int(flags.sum()), "of": len(flags)}
    return length, speed, time


def _streets(network: TntpNetwork, chosen: TntpOptions, xy: Floats, report: dict[str, Any]) -> Streets:
    """Return straight one-way streets; lanes are the capacity over that of a usual lane."""
    start = network.links["from"].astype(np.int32) - 1
    end = network.links["to"].astype(np.int32) - 1
    hourly = network.links["capacity"] / chosen.hours
    lanes = np.maximum(np.round(hourly / LANE_CAPACITY), 1.0).astype(np.int32)
    report["defaulted"]["lanes"] = {"defaulted": len(start), "of": len(start)}
    count = len(start)
    return Streets(
        node_xy=xy,
        start=start,
        end=end,
        shape_first=np.arange(0, 2 * count, 2, dtype=np.int32),
        shape_count=np.full(count, 2, dtype=np.int32),
        shape=np.stack([xy[start], xy[end]], axis=1).reshape(-1, 2),
        road_class=np.full(count, "road"),
        name=np.full(count, ""),
        lanes=lanes,
        speed=np.ones(count),
        capacity=hourly / 3600.0,
        oneway=np.ones(count, dtype=bool),
    )


def _provenance(path: Path, chosen: TntpOptions) -> list[dict[str, Any]]:
    """Return where the values come from, the chosen units among them."""
    source = "Transportation Networks for Research (TNTP), the SOURCE.md beside the network"
    rows = (
        ("network", path.name, "", source),
        ("time_unit", chosen.time_unit, "", "option; the collection's units differ per network"),
        ("length_unit", chosen.length_unit, "", "option; the collection's units differ per network"),
        ("hours", chosen.hours, "h", "option: what trips and capacities stand for"),
        ("demand", "trips at an even rate all day, by car", "", "assumption: the files give no time of day"),
        ("jam_density", JAM_DENSITY, "PCU/m per lane", "assumption: one car per 7.5 m of queue"),
        ("lane_capacity", LANE_CAPACITY, "PCU/h", "assumption: used to guess lanes from capacity"),
        ("driving_side", chosen.driving_side, "", "option"),
        ("timezone", chosen.timezone, "", "option"),
    )
    return [dict(zip(("item", "value", "unit", "source"), row, strict=True)) for row in rows]
