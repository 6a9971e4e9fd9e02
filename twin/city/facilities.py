"""Place hospitals, ambulance stations, repair depots and telecom sites, and what feeds them."""

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


def dependency_table(
    tables: Mapping[str, Mapping[str, Any]], bus_of_node: Integers, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Return who needs power from which bus, and for how long it works without.

    settings  hospital_backup (s): autonomy of hospitals; source: where the rules come from
    rule      dark: a signal goes dark at once; battery: a site lives on for `delay`;
              generator: a hospital lives on for `delay`
    """
    buses = tables["buses"]["id"]
    sources: list[tuple[str, NDArray[np.int32], str, Floats]] = [
        ("signals", bus_of_node[tables["signals"]["node"]], "dark", np.zeros(len(tables["signals"]["id"]))),
        ("sites", tables["sites"]["bus"], "battery", tables["sites"]["battery"]),
        (
            "hospitals",
            tables["hospitals"]["bus"],
            "generator",
            np.full(len(tables["hospitals"]["id"]), float(settings["hospital_backup"])),
        ),
    ]
    size = sum(len(rows) for _, rows, _, _ in sources)
    return {
        "from_table": np.full(size, "buses"),
        "from_id": np.concatenate([buses[rows] for _, rows, _, _ in sources]),
        "from_row": np.concatenate([rows for _, rows, _, _ in sources]).astype(np.int32),
        "to_table": np.concatenate([np.full(len(rows), name) for name, rows, _, _ in sources]),
        "to_id": np.concatenate([tables[name]["id"] for name, _, _, _ in sources]),
        "to_row": np.concatenate([np.arange(len(rows)) for _, rows, _, _ in sources]).astype(np.int32),
        "kind": np.full(size, "power"),
        "rule": np.concatenate([np.full(len(rows), rule) for _, rows, rule, _ in sources]),
        "delay": np.concatenate([delay for _, _, _, delay in sources]),
        "source": np.full(size, str(settings["source"])),
    }


def _between(limits: Sequence[float], share: Floats) -> Floats:
    """Return values at the given shares of the way from the lower to the upper limit."""
    return limits[0] + (limits[1] - limits[0]) * share


def _nearest_of(places: Places, node: Integers) -> NDArray[np.intp]:
    """Return for every road node which of the given nodes is nearest."""
    from scipy.spatial import cKDTree

    return np.asarray(cKDTree(places.xy[node]).query(places.xy)[1])
