"""Lay a radial distribution grid along streets: source, substations, feeders and open ties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.city.draws import stream
from twin.city.feeders import Feeders, lay_feeders
from twin.city.places import Floats, Integers, Places, share_out
from twin.city.streets import identifiers, lonlat

Tables = dict[str, dict[str, Any]]
GROUP = 4


@dataclass
class _Grid:
    """Collect the pieces from which the tables are written.

    station       (s,)   road node of each substation
    source_xy     (g, 2) place of each grid infeed; substation k belongs to infeed k // 4
    load_node     (b,)   road node of each load bus
    power, customers, served  (b,)  W, customers and zone of each load bus
    feeders              tree lines and ties between load buses
    """

    station: Integers
    source_xy: Floats
    load_node: Integers
    power: Floats
    customers: NDArray[np.int64]
    served: Integers
    feeders: Feeders

    @property
    def first_busbar(self) -> int:
        """Return the bus row of the first medium-voltage busbar."""
        return len(self.source_xy) + len(self.station)

    @property
    def first_load(self) -> int:
        """Return the bus row of the first load bus."""
        return len(self.source_xy) + 2 * len(self.station)


def power_tables(
    places: Places, zone_of_node: Integers, settings: Mapping[str, Any], sizes: Mapping[str, float]
) -> Tables:
    """Return buses, substations, transformers, sources and lines.

    zone_of_node  (n,)  zone of each road node
    settings      electrical values, see the `power` section of a city file
    sizes         buses, substations, load (W) of the whole city, households
    """
    weight = places.population * settings["weight_person"] + places.jobs * settings["weight_job"]
    station = _substations(places, weight, int(sizes["substations"]), settings)
    wanted = max(int(sizes["buses"]) - 2 * len(station) - -(-len(station) // GROUP), len(station))
    load_node = _load_nodes(places, weight, wanted)
    bus_of_node = _nearest_bus(places, load_node)
    power = np.bincount(bus_of_node, weight, minlength=len(load_node))
    power = np.round(power / power.sum() * sizes["load"], 0)
    people = np.bincount(bus_of_node, places.population + 0.15 * places.jobs, minlength=len(load_node))
    grid = _Grid(
        station=station,
        source_xy=_source_places(places, station),
        load_node=load_node,
        power=power,
        customers=share_out(int(sizes["households"]), people + 1e-9),
        served=zone_of_node[load_node],
        feeders=lay_feeders(places, station, load_node, power, settings),
    )
    return {
        "buses": _buses(places, grid, settings),
        "substations": _substation_table(places, grid, str(settings["name"])),
        "transformers": _transformers(grid, settings),
        "sources": _sources(grid, settings),
        "lines": _lines(places, grid, settings),
    }


def _substations(places: Places, weight: Floats, count: int, settings: Mapping[str, Any]) -> Integers:
    """Spread substations over the load; one moves to the low ground that the settings ask for."""
    chosen = places.spread(count, "substations", weight)
    above = np.asarray(places.nodes["above_river"])
    low = np.flatnonzero((above > settings["exposed_above"][0]) & (above < settings["exposed_above"][1]))
    low = np.setdiff1d(low, chosen)
    if len(low):
        lon, lat = settings["exposed_near"]
        away = np.hypot(places.nodes["lon"][low] - lon, places.nodes["lat"][low] - lat)
        site = low[away.argmin()]
        chosen[np.hypot(*(places.xy[chosen] - places.xy[site]).T).argmin()] = site
    return np.asarray(chosen[_compact_order(places.xy[chosen])], dtype=np.int32)


def _compact_order(xy: Floats) -> NDArray[np.intp]:
    """Order points so that each run of four lies close together, by halving the longer side."""
    order = np.arange(len(xy))
    if len(xy) <= GROUP:
        return order[np.lexsort((xy[:, 0], xy[:, 1]))]
    axis = int(np.ptp(xy, axis=0).argmax())
    order = np.argsort(xy[:, axis], kind="stable")
    half = GROUP * ((-(-len(xy) // GROUP)) // 2)
    parts = (order[:half], order[half:])
    return np.concatenate([part[_compact_order(xy[part])] for part in parts])


def _load_nodes(places: Places, weight: Floats, count: int) -> Integers:
    """Choose the road nodes that carry a load bus, by weighted sampling without replacement."""
    draw = stream(places.seed, "load buses")
    keys = 0.5 * np.log(np.maximum(weight, 1e-12)) + 0.5 * draw.gumbel(size=len(weight))
    order = np.argsort(-keys, kind="stable")
    return np.sort(order[: min(count, int((weight > 0).sum()))]).astype(np.int32)


def _nearest_bus(places: Places, load_node: Integers) -> NDArray[np.intp]:
    """Return for every road node the load bus that serves it."""
    from scipy.spatial import cKDTree

    return np.asarray(cKDTree(places.xy[load_node]).query(places.xy)[1])


def _source_places(places: Places, station: Integers) -> Floats:
    """Return where each group of four substations meets the transmission grid, south of them."""
    groups = [station[k : k + GROUP] for k in range(0, len(station), GROUP)]
    south = min(2500.0, 0.4 * float(np.ptp(places.xy[:, 1])))
    xy = [places.xy[group].mean(axis=0) - [0.0, south] for group in groups]
    return np.round(np.array(xy), 2)


def _buses(places: Places, grid: _Grid, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the bus table: infeeds, high-voltage and medium-voltage busbars, load buses."""
    sources, stations, loads = len(grid.source_xy), len(grid.station), len(grid.load_node)
    node = np.concatenate([places.nearest(grid.source_xy), np.tile(grid.station, 2), grid.load_node])
    place = places.columns_at(node)
    place["x"][:sources], place["y"][:sources] = grid.source_xy.T
    place["lon"][:sources], place["lat"][:sources] = lonlat(grid.source_xy, places.crs)
    none = np.zeros(sources + 2 * stations)
    substation = np.arange(stations)
    factor = np.tan(np.arccos(settings["power_factor"]))
    return {
        "id": identifiers("b", len(node)),
        **place,
        "u_rated": np.where(np.arange(len(node)) < grid.first_busbar, settings["u_high"], settings["u_medium"]),
        "kind": np.repeat(["grid", "substation", "load"], [sources + stations, stations, loads]),
        "zone": np.concatenate([np.full(len(none), -1), grid.served]).astype(np.int32),
        "customers": np.concatenate([none, grid.customers]).astype(np.int32),
        "p": np.concatenate([none, grid.power]),
        "q": np.concatenate([none, np.round(grid.power * factor, 0)]),
        "substation": np.concatenate([np.full(sources, -1), substation, substation, grid.feeders.substation]).astype(
            np.int32
        ),
    }


def _substation_table(places: Places, grid: _Grid, name: str) -> dict[str, Any]:
    """Return the substations; `bus` is the medium-voltage busbar."""
    count = len(grid.station)
    return {
        "id": identifiers("ss", count),
        "name": np.char.add(f"{name} ", np.arange(1, count + 1).astype(str)),
        "bus": (grid.first_busbar + np.arange(count)).astype(np.int32),
        **places.columns_at(grid.station),
    }


def _transformers(grid: _Grid, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return one transformer per substation, in units large enough for its load."""
    count = len(grid.station)
    load = np.bincount(grid.feeders.substation, grid.power, minlength=count) / settings["power_factor"]
    units = np.maximum(np.ceil(load / (0.8 * settings["transformer"]["s_n"])), 1.0)
    return {
        "id": identifiers("t", count),
        "from_bus": (len(grid.source_xy) + np.arange(count)).astype(np.int32),
        "to_bus": (grid.first_busbar + np.arange(count)).astype(np.int32),
        "u1": np.full(count, float(settings["u_high"])),
        "u2": np.full(count, float(settings["u_medium"])),
        "s_n": units * settings["transformer"]["s_n"],
        "uk": np.full(count, float(settings["transformer"]["uk"])),
        "pk": units * settings["transformer"]["pk"],
        "i0": np.full(count, float(settings["transformer"]["i0"])),
        "p0": units * settings["transformer"]["p0"],
    }


def _sources(grid: _Grid, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the infeeds from the transmission grid."""
    count = len(grid.source_xy)
    return {
        "id": identifiers("g", count),
        "bus": np.arange(count, dtype=np.int32),
        "u_ref": np.full(count, float(settings["u_ref"])),
        "sk": np.full(count, float(settings["short_circuit_power"])),
    }


def _high_lines(places: Places, grid: _Grid) -> tuple[list[tuple[int, int]], list[float], list[bool]]:
    """Return pairs of buses, lengths and states of the open rings at high voltage.

    A group of four is fed by two chains of two; the ends of the chains are joined by a tie.
    """
    pairs, lengths, closed = [], [], []
    first = len(grid.source_xy)
    for group, source in enumerate(grid.source_xy):
        members = range(group * GROUP, min((group + 1) * GROUP, len(grid.station)))
        place = {first + k: places.xy[grid.station[k]] for k in members} | {group: source}
        rows = [first + k for k in members]
        chains = [rows[: len(rows) // 2], rows[len(rows) // 2 :]]
        wanted = [(a, b, True) for chain in chains for a, b in zip([group, *chain], chain, strict=False)]
        if len(rows) >= 2:
            wanted.append((chains[0][-1], chains[1][-1], False))
        for a, b, state in wanted:
            pairs.append((a, b))
            lengths.append(max(1.2 * float(np.hypot(*(place[a] - place[b]))), 50.0))
            closed.append(state)
    return pairs, lengths, closed


def _lines(places: Places, grid: _Grid, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return high-voltage cables, feeder cables and normally-open ties."""
    pairs, lengths, closed = _high_lines(places, grid)
    feeders = grid.feeders
    ends = np.concatenate([np.array(pairs).reshape(-1, 2), _bus_rows(feeders.ends, grid)])
    length = np.round(np.concatenate([lengths, feeders.length]), 1)
    high = np.arange(len(ends)) < len(pairs)
    kind = {name: np.where(high, settings["cable_high"][name], settings["cable_medium"][name]) for name in "rxci"}
    return {
        "id": identifiers("w", len(ends)),
        "from_bus": ends[:, 0].astype(np.int32),
        "to_bus": ends[:, 1].astype(np.int32),
        "r": kind["r"] * length / 1000.0,
        "x": kind["x"] * length / 1000.0,
        "c": kind["c"] * length / 1000.0,
        "i_n": kind["i"].astype(np.float64),
        "length": length,
        "closed": np.concatenate([closed, feeders.closed]).astype(bool),
        "link": np.concatenate([np.full(len(pairs), -1), feeders.link]).astype(np.int32),
    }


def _bus_rows(ends: NDArray[np.int64], grid: _Grid) -> NDArray[np.int64]:
    """Translate feeder ends (load bus, or -1 - substation) to rows of the bus table."""
    return np.where(ends >= 0, grid.first_load + ends, grid.first_busbar - 1 - ends)
