"""Turn street tags into lanes, speeds and directions, counting what had to be assumed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MILE_PER_HOUR, KNOT = 1.609344, 1.852
LEAST_SAMPLE = 5


@dataclass
class WayValues:
    """Give one value per way.

    road_class, name  (w,)
    lanes     (w,)         in each driving direction
    speed     (w,)  m/s
    capacity  (w,)  PCU/s  of one driving direction
    oneway    (w,)         1 as drawn, -1 against the drawing, 0 both ways
    """

    road_class: NDArray[np.str_]
    name: NDArray[np.str_]
    lanes: NDArray[np.int32]
    speed: Floats
    capacity: Floats
    oneway: NDArray[np.int8]


def way_values(
    ways: list[dict[str, str]], settings: Mapping[str, Any]
) -> tuple[WayValues, dict[str, NDArray[np.bool_]]]:
    """Return the values of all ways and, per kind of value, which ways had none in the map.

    settings  the `roads` section of the import file: tables by road class

    A missing speed takes the median of the signed streets of its class in this extract when
    there are at least five, otherwise the table; missing lanes always take the table, because
    mappers mostly note unusual numbers. Capacity is never in the map.
    """
    road_class = np.array([way["highway"] for way in ways])
    oneway = np.array([_oneway(way) for way in ways], dtype=np.int8)
    lanes = np.array([_lanes(way, bool(side)) for way, side in zip(ways, oneway, strict=True)])
    speed = np.array([parse_speed(way.get("maxspeed", "")) for way in ways])
    missing = {
        "speed": np.isnan(speed),
        "lanes": np.isnan(lanes),
        "name": np.array([not way.get("name") for way in ways]),
        "capacity": np.ones(len(ways), dtype=bool),
        "jam_density": np.ones(len(ways), dtype=bool),
    }
    lanes = np.where(missing["lanes"], _table(settings["lanes"], road_class), lanes)
    usual = _usual_speeds(road_class, speed, settings["speed"])
    speed = np.where(missing["speed"], _table(usual, road_class), speed)
    values = WayValues(
        road_class=road_class,
        name=np.array([way.get("name", "") for way in ways]),
        lanes=lanes.astype(np.int32),
        speed=np.round(speed / 3.6, 4),
        capacity=lanes * _table(settings["lane_capacity"], road_class) / 3600.0,
        oneway=oneway,
    )
    return values, missing


def _table(values: Mapping[str, float], road_class: NDArray[np.str_]) -> Floats:
    """Look up one value per way by its class."""
    names, rows = np.unique(road_class, return_inverse=True)
    return np.array([float(values[name]) for name in names.tolist()])[rows]


def _usual_speeds(road_class: NDArray[np.str_], speed: Floats, table: Mapping[str, float]) -> dict[str, float]:
    """Return the speed (km/h) to assume per class."""
    usual = {}
    for name in np.unique(road_class).tolist():
        known = speed[(road_class == name) & ~np.isnan(speed)]
        usual[name] = float(np.median(known)) if len(known) >= LEAST_SAMPLE else float(table[name])
    return usual


def parse_speed(text: str) -> float:
    """Return a speed tag in km/h, nan when it states no number.

    >>> parse_speed("50"), parse_speed("30 mph"), parse_speed("none")
    (50.0, 48.28032, nan)

    Source: OpenStreetMap wiki, Key:maxspeed: km/h unless another unit is written.
    """
    match = re.match(r"^\s*(\d+(?:\.\d+)?)\s*(mph|knots|km/h|kmh)?\s*(?:;|$)", text)
    if not match or float(match[1]) <= 0.0:
        return float("nan")
    return float(match[1]) * {"mph": MILE_PER_HOUR, "knots": KNOT}.get(match[2] or "", 1.0)


def _oneway(way: dict[str, str]) -> int:
    """Return the direction of a way; motorways and roundabouts are one-way unless they say no."""
    text = way.get("oneway", "")
    if text in ("yes", "true", "1"):
        return 1
    if text in ("-1", "reverse"):
        return -1
    implied = way.get("junction") in ("roundabout", "circular") or way["highway"] == "motorway"
    return int(implied and text not in ("no", "false", "0"))


def _lanes(way: dict[str, str], single: bool) -> float:
    """Return lanes per driving direction, nan when the map has none."""
    total, forward = _number(way.get("lanes", "")), _number(way.get("lanes:forward", ""))
    if single:
        return max(total, 1.0) if not np.isnan(total) else forward
    backward = _number(way.get("lanes:backward", ""))
    if not np.isnan(forward) and not np.isnan(backward):
        return max(round((forward + backward) / 2.0), 1.0)
    return float("nan") if np.isnan(total) else max(total // 2.0, 1.0)


def _number(text: str) -> float:
    """Return a positive whole number written in a tag, else nan."""
    return float(text) if text.strip().isdigit() and int(text) > 0 else float("nan")
