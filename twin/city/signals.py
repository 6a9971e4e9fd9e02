"""Give junctions fixed-time signals whose phases join opposite approaches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.city.junctions import Junctions, junctions_of_city
from twin.city.streets import identifiers

Floats = NDArray[np.float64]


def signal_tables(
    tables: Mapping[str, Mapping[str, Any]], wanted: NDArray[np.bool_], settings: Mapping[str, Any], left: bool
) -> dict[str, dict[str, Any]]:
    """Return `signals`, `phases` and `phase_links` for the wanted nodes.

    wanted    (n_node,)  True where a signal stands; nodes with fewer than two phases get none
    settings  cycle (s) by number of phases, intergreen (s), green_least (s), progression (m/s)
    left      vehicles keep to the left

    Approaches share a phase whose movements do not conflict, see `twin.city.junctions`; where several
    pairs may, those that face each other most do. A cycle holds each green and one intergreen after it;
    green is shared in proportion to the widest approach of each phase (Webster, Traffic signal
    settings, RRL 39, 1958: in proportion to the critical flow ratios, here lanes). The offset
    follows the distance from the middle of the city at the progression speed.
    """
    nodes, links = tables["nodes"], tables["links"]
    streets = junctions_of_city(tables, left)
    order = np.argsort(links["to_node"], kind="stable")
    first = np.searchsorted(links["to_node"][order], np.arange(len(nodes["id"]) + 1))
    middle = np.array([np.median(nodes["x"]), np.median(nodes["y"])])
    signals: dict[str, list[Any]] = {"node": [], "cycle": [], "offset": []}
    phases: dict[str, list[Any]] = {"signal": [], "order": [], "green": []}
    phase_links: dict[str, list[Any]] = {"phase": [], "link": []}
    for node in np.flatnonzero(wanted):
        groups = phase_groups(streets, order[first[node] : first[node + 1]].tolist())
        if len(groups) < 2:
            continue
        cycle = _cycle(len(groups), settings)
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


def phase_groups(streets: Junctions, approaches: list[int]) -> list[list[int]]:
    """Group the approaches of a junction so that no two of a group conflict.

    Each in turn takes to itself the others that do not conflict, the one nearest to straight ahead of it first.
    """
    free, groups = list(approaches), []
    while free:
        group = [free.pop(0)]
        for row in sorted(free, key=lambda other: (streets.bend(group[0], other), other)):
            if not any(streets.clash(row, other) for other in group):
                group.append(row)
        free = [row for row in free if row not in group]
        groups.append(group)
    return groups


def _cycle(phases: int, settings: Mapping[str, Any]) -> float:
    """Return the cycle for a number of phases, long enough for the least green of each."""
    wanted = float(settings["cycle"].get(phases, max(settings["cycle"].values())))
    return max(wanted, phases * (float(settings["intergreen"]) + float(settings["green_least"])))
