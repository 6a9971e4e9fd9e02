"""Numbers that can be driven with, but look like those of another unit: each is warned of."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.models.traffic.inputs import numbers

if TYPE_CHECKING:
    from twin.models.traffic.frames import Frames

Array = np.ndarray[Any, Any]

_FASTEST = 45.0
"""m/s, 162 km/h: above the speed limits of all motorways that have one."""
_DENSEST = 1.0
"""veh/m per lane: no vehicle is shorter than this leaves room for."""
_TIMES = 10.0
"""Capacity over what the street can carry from which it is no cautious rounding up."""
_APART = 1000.0
"""Lengths over distances between the nodes, or the other way round, that no drawing out of scale explains."""


class UnitWarning(UserWarning):
    """Numbers that look like those of another unit."""


def warn_of_units(frames: Frames) -> None:
    """Warn of speeds, capacities, densities and lengths that look like those of another unit."""
    for said in (*_speeds(frames), *_densities(frames), *_capacities(frames), *_lengths(frames)):
        warnings.warn(said, UnitWarning, stacklevel=3)


def _speeds(frames: Frames) -> list[str]:
    tables = [("links", frames.links), ("changes", frames.changes)]
    return [
        said
        for name, table in tables
        if "speed" in table
        for said in _first(name, table, "speed", numbers(table, "speed") > _FASTEST, "m/s; is it km/h?")
    ]


def _densities(frames: Frames) -> list[str]:
    links = frames.links
    if "jam_density" not in links:
        return []
    wrong = numbers(links, "jam_density") > _DENSEST
    return _first("links", links, "jam_density", wrong, "veh/m per lane; is it veh/km?")


def _capacities(frames: Frames) -> list[str]:
    """Name capacities far above what speed, jam density, reaction time and lanes allow."""
    links = frames.links
    if "capacity" not in links:
        return []
    capacity, speed = numbers(links, "capacity"), numbers(links, "speed")
    lanes, density, reaction = (frames.column(name) for name in ("lanes", "jam_density", "reaction_time"))
    most = lanes * speed * density / (1 + speed * density * reaction)
    wrong = np.isfinite(capacity) & (capacity > _TIMES * most)
    allowed = most[np.flatnonzero(wrong)[:1]]
    return [
        f"{said} Its speed, jam_density, reaction_time and lanes allow {allowed[0]:.2g} veh/s"
        for said in _first("links", links, "capacity", wrong, "veh/s and has no effect; is it veh/h?")
    ]


def _lengths(frames: Frames) -> list[str]:
    """Tell that lengths and positions are not of one unit, by their median."""
    from twin.models.traffic.frames import rows_of

    if frames.positions is None or not len(frames.links):
        return []
    ends = [frames.positions.iloc[rows_of(frames.links[end], frames.positions.index)] for end in ("from", "to")]
    apart = np.hypot(*(numbers(ends[0], axis) - numbers(ends[1], axis) for axis in ("x", "y")))
    length = numbers(frames.links, "length")[apart > 0]
    ratio = float(np.median(length / apart[apart > 0])) if len(length) else 1.0
    if 1 / _APART < ratio < _APART:
        return []
    return [f"links are {ratio:.2g} times as long as their nodes are apart (median); both must be m, not km or degrees"]


def _first(table: str, frame: Any, name: str, wrong: Array, what: str) -> list[str]:
    """Name the first row that is wrong and count the others."""
    rows = np.flatnonzero(wrong)
    if not rows.size:
        return []
    more = f", and {rows.size - 1} more rows" if rows.size > 1 else ""
    return [f"{table} row {frame.index[rows[0]]}{more}: {name} is {frame[name].iloc[rows[0]]} {what}"]
