"""Lay a water network along streets: works, pumps, pressure zones, tanks, hydrants and demand.

One treatment works by the river lifts clear water into its pressure zone. Every other zone hangs on
one neighbour: by a booster pump if it lies higher, else by a pressure reducing valve. Zones of many
people have a tank; small ones are pumped to directly. Sizes follow from the demand of the busiest hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from twin.city.places import Integers, Places
from twin.city.streets import identifiers
from twin.city.water_design import Design
from twin.city.water_zones import lay_mains

Tables = dict[str, dict[str, Any]]
SHUT_OFF, RUN_OUT = 1.15, 0.75
"""Head of a pump without flow, and at 1.6 times its design flow, over its design head (assumption)."""


def water_tables(
    places: Places, zone_of_node: Integers, bus_of_node: Integers, settings: Mapping[str, Any], junctions: int
) -> Tables:
    """Return the water tables; `twin/models/water/network.py` lists them.

    zone_of_node, bus_of_node  (n,)  zone and nearest load bus of each road node
    settings   the `water` section of a city file
    junctions  wanted
    """
    mains = lay_mains(places, junctions, float(settings["band"]))
    design = Design(places, mains, settings)
    columns = places.columns_at(mains.node)
    count, stations = len(mains.node), design.stations
    junction = {
        "id": np.concatenate([identifiers("w", count), identifiers("ws", len(stations))]),
        **{name: np.concatenate([columns[name], columns[name][design.at]]) for name in ("x", "y", "elevation")},
        "emitter": np.zeros(count + len(stations)),
        "zone": np.concatenate([zone_of_node[mains.node], zone_of_node[mains.node[design.at]]]).astype(np.int32),
        "population": np.concatenate([design.persons, np.zeros(len(stations))]).round().astype(np.int64),
    }
    demand = {
        "junction": np.arange(count, dtype=np.int32),
        "base": design.mean,
        "pattern": np.zeros(count, np.int32),
    }
    day = np.asarray(settings["profile"], dtype=np.float64)
    tables: Tables = {
        "junctions": junction,
        "water_demands": demand,
        "water_patterns": {
            "id": np.array(["day"]),
            "first": np.zeros(1, np.int32),
            "count": np.full(1, len(day), np.int32),
        },
        "water_pattern_values": {"value": day},
        "hydrants": {
            "id": identifiers("y", count),
            "junction": np.arange(count, dtype=np.int32),
            "node": mains.node,
        },
    }
    tables.update(_sources(design, columns))
    tables.update(_links(design, bus_of_node))
    return tables


def _sources(design: Design, columns: Mapping[str, Any]) -> Tables:
    """Return the clear well of the works, and tanks above the highest ground of their zones."""
    mains, settings = design.mains, design.settings
    at, depth = design.tank_at, float(settings["tank_depth"])
    volume = np.maximum(design.through[design.tanked] * float(settings["tank_hours"]) * 3600.0, 50.0)
    count = len(at)
    return {
        "reservoirs": {
            "id": identifiers("r", 1),
            "x": columns["x"][[mains.works]],
            "y": columns["y"][[mains.works]],
            "head": np.round(design.ground[[mains.works]], 2),
            "pattern": np.full(1, -1, np.int32),
        },
        "tanks": {
            "id": identifiers("t", count),
            "x": columns["x"][at],
            "y": columns["y"][at],
            "elevation": design.head[design.tanked],
            "initial_level": np.full(count, 0.75 * depth),
            "min_level": np.zeros(count),
            "max_level": np.full(count, depth),
            "diameter": np.round(np.sqrt(4 * volume / (np.pi * depth)), 2),
            "min_volume": np.zeros(count),
            "curve": np.full(count, -1, np.int32),
            "overflow": np.zeros(count, bool),
        },
    }


def _links(design: Design, bus_of_node: Integers) -> Tables:
    """Return pipes, pumps with their curves and controls, and pressure reducing valves."""
    mains, stations = design.mains, design.stations
    count = len(mains.node)
    first_tank = count + len(stations) + 1
    station_node = count + np.arange(len(stations))
    tank_flow = design.through[design.tanked]
    begin = np.concatenate([mains.ends[:, 0], station_node, design.tank_at])
    end = np.concatenate([mains.ends[:, 1], mains.feed[stations, 1], first_tank + np.arange(len(design.tank_at))])
    length = np.concatenate([mains.length, mains.feed_length[stations], np.full(len(tank_flow), 50.0)])
    flow = np.concatenate([design.flows, design.through[stations], tank_flow])
    zone = np.concatenate([mains.zone[mains.ends[:, 0]], stations, design.tanked])
    pipes = {
        "id": identifiers("p", len(begin)),
        "from_node": begin.astype(np.int32),
        "to_node": end.astype(np.int32),
        "length": np.round(np.maximum(length, 5.0), 1),
        "diameter": design.diameter(flow, zone),
        "roughness": np.full(len(begin), float(design.settings["roughness"])),
        "minor_loss": np.zeros(len(begin)),
        "open": np.ones(len(begin), bool),
        "check_valve": np.zeros(len(begin), bool),
    }
    tables: Tables = {"pipes": pipes, **_pumps(design, bus_of_node, len(begin))}
    lowered = np.flatnonzero(~design.raised[stations])
    if len(lowered):
        zones = stations[lowered]
        tables["valves"] = {
            "id": identifiers("v", len(zones)),
            "from_node": design.at[lowered].astype(np.int32),
            "to_node": (count + lowered).astype(np.int32),
            "kind": np.full(len(zones), "PRV"),
            "diameter": design.diameter(design.through[zones], zones),
            "minor_loss": np.zeros(len(zones)),
            "setting": np.maximum(design.head[zones] - design.ground[design.at[lowered]], 0.0),
            "curve": np.full(len(zones), -1, np.int32),
            "state": np.full(len(zones), "active"),
        }
    return tables


def _pumps(design: Design, bus_of_node: Integers, first_pump: int) -> Tables:
    """Return two pumps at the works and one booster for each zone that lies higher than its feeder."""
    mains, stations, count = design.mains, design.stations, len(design.mains.node)
    root = int(mains.order[0])
    lifted = np.flatnonzero(design.raised[stations])
    zones = np.concatenate([[root, root], stations[lifted]]).astype(np.int64)
    begin = np.concatenate([np.full(2, count + len(stations)), design.at[lifted]])
    end = np.concatenate([np.full(2, mains.works), count + lifted])
    beside = mains.node[np.concatenate([[mains.works, mains.works], design.at[lifted]])]
    before = np.concatenate([np.full(2, design.ground[mains.works]), design.suction[lifted]])
    tanked = np.isin(zones, design.tanked)
    fire, depth = float(design.settings["fire_flow"]), float(design.settings["tank_depth"])
    rise = np.where(tanked, depth + design.settings["gradient"] * 1000.0, design.settings["gradient"] * 200.0)
    head = np.round(np.maximum(design.head[zones] + rise - before, 4.0), 1)
    busy = np.where(tanked, float(design.settings["pumping"]), design.busiest)
    share = np.where(zones == root, 0.5, 1.0)
    flow = np.round((design.through[zones] * busy + np.where(tanked, 0.0, fire)) * share, 5)
    count = len(zones)
    pumps = {
        "id": identifiers("u", count),
        "from_node": begin.astype(np.int32),
        "to_node": end.astype(np.int32),
        "curve": np.arange(count, dtype=np.int32),
        "power": np.zeros(count),
        "speed": np.ones(count),
        "pattern": np.full(count, -1, np.int32),
        "open": np.ones(count, bool),
        "bus": bus_of_node[beside].astype(np.int32),
    }
    return {"pumps": pumps, **_pump_curves(flow, head), "water_controls": _controls(design, zones, first_pump)}


def _pump_curves(flow: Any, head: Any) -> Tables:
    """Return a curve of three points for each pump, through its design flow (m3/s) and head (m)."""
    points, count = np.array([[0.0, SHUT_OFF], [1.0, 1.0], [1.6, RUN_OUT]]), len(flow)
    curves = {
        "id": identifiers("cu", count),
        "first": np.arange(0, 3 * count, 3, dtype=np.int32),
        "count": np.full(count, 3, np.int32),
    }
    curve_points = {"x": np.outer(flow, points[:, 0]).ravel(), "y": np.outer(head, points[:, 1]).ravel()}
    return {"water_curves": curves, "water_curve_points": curve_points}


def _controls(design: Design, zones: Any, first_pump: int) -> dict[str, Any]:
    """Return who starts and stops with the level of the own zone's tank; the second pump of a pair starts later."""
    depth = float(design.settings["tank_depth"])
    first_tank = len(design.mains.node) + len(design.stations) + 1
    tank_of = {zone: first_tank + row for row, zone in enumerate(design.tanked.tolist())}
    rows = []
    for pump, zone in enumerate(zones.tolist()):
        if zone in tank_of:
            start = (0.55 if pump == 1 else 0.7) * depth
            rows += [
                (first_pump + pump, "below", tank_of[zone], start, 1, 1.0),
                (first_pump + pump, "above", tank_of[zone], 0.93 * depth, 0, 0.0),
            ]
    link, when, node, limit, status, setting = zip(*rows, strict=True)
    return {
        "link": np.array(link, np.int32),
        "when": np.array(when),
        "node": np.array(node, np.int32),
        "limit": np.array(limit),
        "status": np.array(status, np.int8),
        "setting": np.array(setting),
    }
