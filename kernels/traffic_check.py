"""Check the tables of a traffic simulation; report all wrong rows at once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.kernels.traffic_arrays import DARK, NEVER
from twin.kernels.traffic_describe import Classes

Columns = dict[str, NDArray[Any]]
_SHOWN = 5
_MOST_CLASSES = 128
_MOST_FACTOR = 1e6
_MOST_WEIGHT = 16
_MOST_RANK = 15
_MOST_PHASES = 63
_LEAST = 1e-6
"""s; shorter times round to none."""
_SIGNALS = {
    "control": ("node", 0),
    "stop_headway": ("node", _LEAST),
    "minimum_green": ("node", _LEAST),
    "maximum_green": ("node", _LEAST),
    "extension": ("node", 0),
    "intergreen": ("node", 0),
    "cycle": ("link", _LEAST),
    "start": ("link", -np.inf),
    "length": ("link", 0),
    "phase": ("link", -1),
}
"""Table and least value of each column of `Signals`."""


def check(
    n_node: int,
    roads: Columns,
    trips: Columns,
    destinations: NDArray[np.int32],
    classes: Classes,
) -> None:
    """Raise a ValueError that names every wrong row of the tables."""
    problems = _wrong_roads(n_node, roads) + _wrong_classes(classes)
    problems += _wrong("destination", "unknown node", _outside(destinations, n_node))
    problems += _wrong_trips(n_node, roads, trips, len(destinations), np.size(classes.pcu))
    if problems:
        raise ValueError("; ".join(problems))


def _wrong_classes(classes: Classes) -> list[str]:
    """List the wrong rows of the classes, and what emergency vehicles cannot do."""
    factors = np.atleast_1d(np.asarray(classes.headway_factor, np.float64))
    units = np.atleast_1d(np.asarray(classes.pcu, np.float64))
    problems = _wrong("class", "pcu must be at least 0.001", ~(units >= 1e-3))
    problems += _wrong("class", "headway_factor must be greater than 0", ~(factors > 0))
    for name, values in (("pcu", units), ("headway_factor", factors)):
        problems += _wrong("class", f"{name} must be at most {_MOST_FACTOR:g}", values > _MOST_FACTOR)
    if not 0 < len(units) == len(factors) <= _MOST_CLASSES:
        problems.append(
            f"class: {len(units)} pcu and {len(factors)} headway_factor, must be as many, 1 to {_MOST_CLASSES}"
        )
    if np.size(classes.emergency) not in (1, len(units)):
        problems.append(
            f"emergency has {np.size(classes.emergency)} rows, must have {len(units)}, or one value for all"
        )
    if not np.isfinite(classes.passing):
        problems.append(f"passing ({classes.passing}) must be at least 1, and finite")
    for name in ("green_ahead", "green_clear", "green_most"):
        if not 0 <= getattr(classes, name) < np.inf:
            problems.append(f"{name} ({getattr(classes, name)}) must be 0 s or more, and finite")
    return problems


def _wrong_roads(n_node: int, roads: Columns) -> list[str]:
    """List the wrong rows of the links."""
    problems = []
    for name in ("length", "speed", "lanes", "jam_density", "reaction_time", "capacity"):
        wrong = ~(roads[name] > 0)
        if name != "capacity":
            wrong |= ~np.isfinite(roads[name])
        problems += _wrong("link", f"{name} must be greater than 0", wrong)
    for name in ("from_node", "to_node"):
        problems += _wrong("link", f"{name} is an unknown node", _outside(roads[name], n_node))
    weight = roads["weight"]
    wrong = (weight < 1) | (weight > _MOST_WEIGHT)
    problems += _wrong("link", f"weight must be in 1 .. {_MOST_WEIGHT}, and whole", wrong)
    problems += _wrong("link", f"rank must be in 0 .. {_MOST_RANK}, and whole", _outside(roads["rank"], _MOST_RANK + 1))
    problems += _wrong("node", "node_capacity must be greater than 0", ~(roads["node_capacity"] > 0))
    problems += _wrong("pocket", "pocket_room must be greater than 0", ~(roads["pocket_room"] > 0))
    _, first = np.unique(roads["pockets"], axis=0, return_index=True)
    problems += _wrong("pocket", "is given twice", ~np.isin(np.arange(len(roads["pockets"])), first))
    turns = [("banned turn", roads["banned_turns"]), ("pocket", roads["pockets"]), ("yield", roads["yields"][:, :2])]
    problems += [problem for table, rows in turns for problem in _wrong_turns(roads, table, rows)]
    return problems + _wrong_turns(roads, "yield", roads["yields"][:, [2, 1]])


def check_signals(n_node: int, roads: Columns, signals: Any, gap: float, late_turn: float) -> None:
    """Raise a ValueError that names every node, link and pocket whose control makes no sense.

    roads    links and pockets, as `with_pockets` leaves them
    signals  `traffic_layout.Signals` with rows for links and pockets
    """
    counts = {"node": n_node, "link": len(roads["from_node"])}
    problems, columns = [], {}
    for name, (table, least) in _SIGNALS.items():
        column, count = np.asarray(getattr(signals, name), np.float64), counts[table]
        if column.shape not in ((), (count,)):
            said = f", {len(roads['pockets'])} of them of pockets" if table == "link" else ""
            problems.append(f"signals: {name} has {column.size} rows, must have {count}{said}")
            continue
        columns[name] = np.broadcast_to(column, (count,))
        wrong = ~np.isfinite(column) | (column < least)
        problems += _wrong(table, f"{name} must be finite, at least {least:g}", np.broadcast_to(wrong, (count,)))
    problems += _wrong_controls(columns)
    if not 0 <= gap < np.inf or (len(roads["yields"]) and gap == 0):
        problems.append(f"gap ({gap}) must be greater than 0 s where a movement gives way, and finite")
    if not 0 <= late_turn < np.inf:
        problems.append(f"late_turn ({late_turn}) must be 0 s or more, and finite")
    if problems:
        raise ValueError("; ".join(problems))


def _wrong_controls(columns: Columns) -> list[str]:
    """List the nodes and links whose control, phase or bounds of green are none."""
    problems = []
    for name, table, most in (("control", "node", DARK), ("phase", "link", _MOST_PHASES)):
        if name in columns:
            wrong = (columns[name] > most) | (columns[name] != np.rint(columns[name]))
            problems += _wrong(table, f"{name} must be whole, at most {most}", wrong)
    if {"minimum_green", "maximum_green"} <= columns.keys():
        longer = columns["minimum_green"] > columns["maximum_green"]
        problems += _wrong("node", "minimum_green must not be longer than maximum_green", longer)
    return problems


def _wrong_turns(roads: Columns, table: str, turns: NDArray[Any]) -> list[str]:
    """List the turns (link, next link) that are none: unknown links, or links that do not meet."""
    n_link = len(roads["from_node"])
    unknown = _outside(turns[:, 0], n_link) | _outside(turns[:, 1], n_link)
    known = np.where(unknown[:, None], 0, turns)
    apart = ~unknown
    if n_link:
        apart &= roads["to_node"][known[:, 0]] != roads["from_node"][known[:, 1]]
    return _wrong(table, "unknown link", unknown) + _wrong(table, "the links do not meet", apart)


def _wrong_trips(n_node: int, roads: Columns, trips: Columns, n_destination: int, n_class: int) -> list[str]:
    """List the wrong rows of the vehicles."""
    given = trips["route_start"] >= 0
    n_link, n_step = len(roads["from_node"]), len(trips["routes"])
    problems = _wrong("trip", "depart must not be negative, and must be whole microseconds", trips["depart"] < 0)
    problems += _wrong("trip", "depart must be before the time that never comes", trips["depart"] >= NEVER >> 1)
    problems += _wrong("trip", "origin is an unknown node", _outside(trips["origin"], n_node))
    unknown = ~given & _outside(trips["destination"], n_destination)
    problems += _wrong("trip", "destination is an unknown row", unknown)
    strange = _outside(trips["vehicle_class"], n_class)
    problems += _wrong("trip", "vehicle_class is unknown", strange)
    first = trips["first_link"]
    known = (first >= 0) & (first < n_link)
    elsewhere = known & (np.append(roads["from_node"], 0)[np.where(known, first, n_link)] != trips["origin"])
    misplaced = ~given & (elsewhere | (first < -1) | (first >= n_link))
    problems += _wrong("trip", "first_link does not leave the origin", misplaced)
    _, first_row = np.unique(trips["key"], return_index=True)
    again = np.ones(len(trips["key"]), np.bool_)
    again[first_row] = False
    problems += _wrong("trip", "key must be unique", again)
    problems += _wrong(
        "trip", "route_start is outside of routes", (trips["route_start"] >= n_step) | (trips["route_start"] < -1)
    )
    return problems or _wrong_routes(roads, trips)


def _wrong_routes(roads: Columns, trips: Columns) -> list[str]:
    """List route steps that do not join, and vehicles that start elsewhere."""
    routes = trips["routes"].astype(np.int64)
    problems = _wrong("route step", "unknown link", (routes >= len(roads["from_node"])) | (routes < -1))
    if len(routes) and routes[-1] >= 0:
        problems.append("routes must end by -1")
    if problems or not len(routes):
        return problems
    both = (routes[:-1] >= 0) & (routes[1:] >= 0)
    gap = roads["to_node"][routes[:-1]] != roads["from_node"][routes[1:]]
    problems += _wrong("route step", "does not lead to the next link", both & gap)
    banned = {(int(a), int(b)) for a, b in roads["banned_turns"]}
    if banned:
        driven = np.array([turn in banned for turn in zip(routes[:-1].tolist(), routes[1:].tolist(), strict=True)])
        problems += _wrong("route step", "the turn to the next link is banned", driven)
    start = trips["route_start"]
    first = routes[np.maximum(start, 0)]
    moved = (start >= 0) & (first >= 0) & (roads["from_node"][first] != trips["origin"])
    return _wrong("trip", "route does not start at the origin", moved) + problems


def _outside(values: NDArray[Any], n: int) -> NDArray[np.bool_]:
    """Mark the values that are no row of a table of n rows."""
    return np.asarray((values < 0) | (values >= n))


def _wrong(table: str, what: str, wrong: NDArray[np.bool_]) -> list[str]:
    """Say what is wrong with which rows; nothing if none is."""
    rows = np.flatnonzero(wrong)
    if not len(rows):
        return []
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return [f"{table} {', '.join(map(str, rows[:_SHOWN].tolist()))}{more}: {what}"]
