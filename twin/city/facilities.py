"""Place hospitals, stations, repair depots and telecom sites, and say what feeds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.city.draws import stream
from twin.city.places import Floats, Integers, Places, share_out
from twin.city.streets import identifiers

Tables = dict[str, dict[str, Any]]


def hospital_table(
    places: Places, node: Integers, names: Sequence[str], bays: Sequence[int], bus: Integers
) -> dict[str, Any]:
    """Return the hospitals at the given road nodes; bus is the one that supplies each."""
    return {
        "id": identifiers("h", len(node)),
        "name": np.array(names, dtype=np.str_),
        **places.columns_at(node),
        "bays": np.array(bays, dtype=np.int32),
        "bus": bus.astype(np.int32),
    }


def station_table(places: Places, node: Integers, names: Sequence[str], units: int) -> dict[str, Any]:
    """Return ambulance stations that share `units` ambulances by the people around them."""
    people = np.bincount(_nearest_of(places, node), places.population, minlength=len(node))
    extra = share_out(max(units - len(node), 0), people + 1.0)
    return {
        "id": identifiers("a", len(node)),
        "name": np.array(names, dtype=np.str_),
        **places.columns_at(node),
        "kind": np.full(len(node), "ambulance"),
        "units": (1 + extra).astype(np.int32),
    }


def depot_table(places: Places, node: Integers, names: Sequence[str], crews: int) -> dict[str, Any]:
    """Return depots that share `crews` power repair crews evenly."""
    return {
        "id": identifiers("d", len(node)),
        "name": np.array(names, dtype=np.str_),
        **places.columns_at(node),
        "kind": np.full(len(node), "power"),
        "crews": share_out(crews, np.ones(len(node))).astype(np.int32),
    }


def site_table(places: Places, count: int, settings: Mapping[str, Any], bus_of_node: Integers) -> dict[str, Any]:
    """Return telecom sites spread over people and jobs.

    settings  battery, battery_short (s, s) ranges; short_share of sites with a short battery;
              radius (m) of the area that a site serves
    """
    node = places.spread(count, "telecom", places.population + places.jobs)
    draw = stream(places.seed, "batteries")
    long = _between(settings["battery"], draw.uniform(size=len(node)))
    short = _between(settings["battery_short"], draw.uniform(size=len(node)))
    weak = draw.permutation(len(node)) < round(settings["short_share"] * len(node))
    place = places.columns_at(node)
    return {
        "id": identifiers("c", len(node)),
        **place,
        "bus": bus_of_node[node].astype(np.int32),
        "battery": np.round(np.where(weak, short, long) / 60.0) * 60.0,
        "radius": np.full(len(node), float(settings["radius"])),
    }


def nearest_load_bus(places: Places, buses: Mapping[str, Any]) -> Integers:
    """Return for every road node the row of the nearest load bus."""
    from scipy.spatial import cKDTree

    rows = np.flatnonzero(buses["kind"] == "load")
    _, near = cKDTree(np.stack([buses["x"][rows], buses["y"][rows]], axis=1)).query(places.xy)
    return np.asarray(rows[near], dtype=np.int32)


def fire_station_at(places: Places, node: Integers, engines: int) -> dict[str, Any]:
    """Return fire stations at road nodes, which share `engines` fire engines evenly."""
    return {
        "id": identifiers("f", len(node)),
        "name": np.array([f"Fire station {row + 1}" for row in range(len(node))], dtype=np.str_),
        **places.columns_at(node),
        "engines": share_out(max(engines, len(node)), np.ones(len(node))).astype(np.int32),
    }


def dependency_table(
    tables: Mapping[str, Mapping[str, Any]], bus_of_node: Integers, settings: Mapping[str, Any], seed: int
) -> dict[str, Any]:
    """Return who needs what from whom, and for how long it works without; see `twin.city.dependencies`.

    settings  the `dependencies` section of a city file
    """
    signals = tables["signals"]
    hospitals, depots = tables["hospitals"], tables["depots"]
    battery = _signal_batteries(len(signals["id"]), settings, seed)
    parts = [
        _rows(tables, ("buses", "signals", "power"), bus_of_node[signals["node"]], battery, "battery"),
        _rows(tables, ("buses", "sites", "power"), tables["sites"]["bus"], tables["sites"]["battery"], "battery"),
        _rows(tables, ("buses", "hospitals", "power"), hospitals["bus"], settings["hospital_fuel"], "generator"),
        _rows(tables, ("nodes", "depots", "road"), depots["node"], 0.0, "access"),
    ]
    parts[0]["rule"] = np.where(battery > 0.0, parts[0]["rule"], "dark")
    if "pumps" in tables:
        hydrants = tables["hydrants"]
        near = _nearest_junction(tables, hospitals)
        parts += [
            _rows(tables, ("buses", "pumps", "power"), tables["pumps"]["bus"], 0.0, "dark"),
            _rows(tables, ("junctions", "hydrants", "water"), hydrants["junction"], 0.0, "pressure"),
            _rows(tables, ("junctions", "hospitals", "water"), near, settings["hospital_store"], "store"),
        ]
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return {**found, "source": np.full(len(found["kind"]), "assumption: each is supplied by what is nearest")}


def _rows(
    tables: Mapping[str, Mapping[str, Any]], names: tuple[str, str, str], supplier: Any, delay: Any, rule: str
) -> dict[str, Any]:
    """Return one dependency for each row of a table.

    names  table of the suppliers, of the dependents, and what is supplied
    """
    source, table, kind = names
    count = len(tables[table]["id"])
    return {
        "from_table": np.full(count, source),
        "from_id": np.asarray(tables[source]["id"])[supplier],
        "from_row": np.asarray(supplier).astype(np.int32),
        "to_table": np.full(count, table),
        "to_id": np.asarray(tables[table]["id"]),
        "to_row": np.arange(count, dtype=np.int32),
        "kind": np.full(count, kind),
        "rule": np.full(count, rule),
        "delay": np.broadcast_to(np.asarray(delay, dtype=np.float64), count).copy(),
    }


def _signal_batteries(count: int, settings: Mapping[str, Any], seed: int) -> Floats:
    """Return the autonomy of each signal (s), 0 for those without a battery."""
    draw = stream(seed, "signal batteries")
    time = np.round(_between(settings["signal_battery"], draw.uniform(size=count)) / 60.0) * 60.0
    has = draw.permutation(count) < round(settings["signal_battery_share"] * count)
    return np.where(has, time, 0.0)


def _nearest_junction(tables: Mapping[str, Mapping[str, Any]], places: Mapping[str, Any]) -> NDArray[np.int64]:
    """Return the water junction with a hydrant nearest to each place."""
    from scipy.spatial import cKDTree

    rows, water = tables["hydrants"]["junction"], tables["junctions"]
    tree = cKDTree(np.stack([water["x"][rows], water["y"][rows]], axis=1))
    return np.asarray(rows[tree.query(np.stack([places["x"], places["y"]], axis=1))[1]], dtype=np.int64)


def _between(limits: Sequence[float], share: Floats) -> Floats:
    """Return values at the given shares of the way from the lower to the upper limit."""
    return limits[0] + (limits[1] - limits[0]) * share


def _nearest_of(places: Places, node: Integers) -> NDArray[np.intp]:
    """Return for every road node which of the given nodes is nearest."""
    from scipy.spatial import cKDTree

    return np.asarray(cKDTree(places.xy[node]).query(places.xy)[1])
