"""Give junctions fixed-time signals whose phases join opposite approaches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.city.streets import identifiers

Floats = NDArray[np.float64]
OPPOSITE_WITHIN, SAME_WITHIN = np.radians(50.0), np.radians(35.0)


def signal_tables(
    tables: Mapping[str, Mapping[str, Any]], wanted: NDArray[np.bool_], settings: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Return `signals`, `phases` and `phase_links` for the wanted nodes.

    wanted    (n_node,)  True where a signal stands; nodes with fewer than two phases get none
    settings  cycle (s) by number of phases, intergreen (s), green_least (s), progression (m/s)

    Opposite approaches share a phase. A cycle holds each green and one intergreen after it;
    green is shared in proportion to the widest approach of each phase (Webster, Traffic signal
    settings, RRL 39, 1958: in proportion to the critical flow ratios, here lanes). The offset
    follows the distance from the middle of the city at the progression speed.
    """
    nodes, links = tables["nodes"], tables["links"]
    bearing = _arrival_bearing(links, tables["points"])
    order = np.argsort(links["to_node"], kind="stable")
    first = np.searchsorted(links["to_node"][order], np.arange(len(nodes["id"]) + 1))
    middle = np.array([np.median(nodes["x"]), np.median(nodes["y"])])
    signals: dict[str, list[Any]] = {"node": [], "cycle": [], "offset": []}
    phases: dict[str, list[Any]] = {"signal": [], "order": [], "green": []}
    phase_links: dict[str, list[Any]] = {"phase": [], "link": []}
    for node in np.flatnonzero(wanted):
        groups = _opposites(order[first[node] : first[node + 1]], bearing)
        if len(groups) < 2:
            continue
        cycle = float(settings["cycle"].get(len(groups), max(settings["cycle"].values())))
        away = float(np.hypot(nodes["x"][node] - middle[0], nodes["y"][node] - middle[1]))
        for rank, group in enumerate(groups):
            phase_links["phase"] += [len(phases["order"])] * len(group)
            phase_links["link"] += group
            phases["signal"].append(len(signals["node"]))
            phases["order"].append(rank)
        widths = np.array([links["lanes"][group].max() for group in groups], dtype=np.float64)
        phases["green"] += _greens(widths, cycle, settings)
        signals["node"].append(node)
        signals["cycle"].append(cycle)
        signals["offset"].append(round(away / float(settings["progression"])) % cycle)
    return _as_columns(signals, phases, phase_links)


def _as_columns(
    signals: dict[str, list[Any]], phases: dict[str, list[Any]], phase_links: dict[str, list[Any]]
) -> dict[str, dict[str, Any]]:
    """Turn the lists into columns of the types that the schema names."""
    return {
        "signals": {
            "id": identifiers("s", len(signals["node"])),
            "node": np.array(signals["node"], dtype=np.int32),
            "cycle": np.array(signals["cycle"], dtype=np.float64),
            "offset": np.array(signals["offset"], dtype=np.float64),
        },
        "phases": {
            "signal": np.array(phases["signal"], dtype=np.int32),
            "order": np.array(phases["order"], dtype=np.int32),
            "green": np.array(phases["green"], dtype=np.float64),
        },
        "phase_links": {key: np.array(rows, dtype=np.int32) for key, rows in phase_links.items()},
    }


def _greens(widths: Floats, cycle: float, settings: Mapping[str, Any]) -> list[float]:
    """Share the cycle less intergreens by width, in whole seconds, none under the least green."""
    least = float(settings["green_least"])
    free = cycle - len(widths) * (float(settings["intergreen"]) + least)
    greens = np.floor(least + free * widths / widths.sum())
    greens[widths.argmax()] += cycle - len(widths) * float(settings["intergreen"]) - greens.sum()
    return [float(green) for green in greens]


def _opposites(rows: NDArray[np.intp], bearing: Floats) -> list[list[int]]:
    """Group approaches: those that arrive the same way, and those from the opposite side."""
    free = rows.tolist()
    groups = []
    while free:
        lead = free.pop(0)
        turn = {row: abs(_angle(bearing[row] - bearing[lead])) for row in free}
        group = [row for row in free if turn[row] < SAME_WITHIN or np.pi - turn[row] < OPPOSITE_WITHIN]
        free = [row for row in free if row not in group]
        groups.append([lead, *group])
    return groups


def _angle(value: float) -> float:
    """Return an angle in (-pi, pi]."""
    return float((value + np.pi) % (2.0 * np.pi) - np.pi)


def _arrival_bearing(links: Mapping[str, Any], points: Mapping[str, Any]) -> Floats:
    """Return the direction (rad, anticlockwise from east) in which each link arrives."""
    last = links["point_first"].astype(np.int64) + links["point_count"] - 1
    return np.asarray(np.arctan2(points["y"][last] - points["y"][last - 1], points["x"][last] - points["x"][last - 1]))
