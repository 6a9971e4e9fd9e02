"""Broadcast what describes streets and trips to columns of full length, in the units of the traffic kernel."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.kernels.traffic_arrays import NEVER, Int
from twin.kernels.traffic_describe import Roads, Signals, Trips

MICROSECONDS = 1_000_000
NONE = -2
"""No row, no time and no end of a route: what is checked refuses it."""

_OF_TRIPS = {
    "depart": np.int64,
    "origin": np.int32,
    "destination": np.int64,
    "first_link": np.int64,
    "vehicle_class": np.int8,
    "informed": np.bool_,
    "key": np.int64,
    "route_start": np.int64,
}


def road_columns(roads: Roads) -> dict[str, NDArray[Any]]:
    """Broadcast the columns of the links to full length."""
    n_link = len(np.atleast_1d(roads.from_node))
    columns = {
        "from_node": column_of(roads.from_node, n_link, np.int32, "from_node"),
        "to_node": column_of(roads.to_node, n_link, np.int32, "to_node"),
    }
    for name in ("length", "speed", "lanes", "jam_density", "reaction_time", "capacity"):
        columns[name] = column_of(getattr(roads, name), n_link, np.float64, name)
    weight = np.maximum(np.rint(np.nan_to_num(columns["lanes"])), 1) if roads.weight is None else roads.weight
    columns["weight"] = column_of(weight, n_link, np.int32, "weight")
    columns["rank"] = column_of(roads.rank, n_link, np.int32, "rank")
    columns["node_capacity"] = column_of(roads.node_capacity, roads.n_node, np.float64, "node_capacity")
    columns["banned_turns"] = whole(roads.banned_turns, np.int64).reshape(-1, 2)
    columns["pockets"] = whole(roads.pockets, np.int64).reshape(-1, 2)
    columns["pocket_room"] = column_of(roads.pocket_room, len(columns["pockets"]), np.float64, "pocket_room")
    columns["yields"] = whole(roads.yields, np.int64).reshape(-1, 3)
    return columns


def trip_columns(trips: Trips) -> dict[str, NDArray[Any]]:
    """Broadcast the columns of the vehicles to full length."""
    n_vehicle = len(np.atleast_1d(trips.depart))
    key = np.arange(n_vehicle) if trips.key is None else trips.key
    columns = {
        name: column_of(key if name == "key" else getattr(trips, name), n_vehicle, kind, name)
        for name, kind in _OF_TRIPS.items()
    }
    if not (columns["key"] == np.asarray(key)).all():
        raise ValueError("key must be whole numbers, one a vehicle")
    return {**columns, "routes": np.ascontiguousarray(whole(trips.routes, np.int32))}


def column_of(values: Any, n: int, kind: Any, name: str = "a column") -> NDArray[Any]:
    """Copy a column, or a scalar for all rows, to an array of one kind, see `whole`.

    Raises ValueError that names a column of another length.
    """
    given = np.asarray(values)
    if given.size not in (1, n) or given.ndim > 1:
        raise ValueError(f"{name} has {given.size} rows, must have {n}, or one value for all")
    return np.array(np.broadcast_to(whole(given, kind), (n,)), order="C")


def whole(values: Any, kind: Any) -> NDArray[Any]:
    """Return values as one kind; NONE in place of numbers that whole numbers of this kind cannot hold."""
    given, wanted = np.asarray(values), np.dtype(kind)
    if wanted.kind != "i" or given.dtype == wanted or given.dtype.kind not in "iuf":
        return np.asarray(given.astype(wanted))
    bounds = np.iinfo(wanted)
    if given.dtype.kind == "f":
        held = (given >= bounds.min) & (given < 2.0 ** (bounds.bits - 1)) & (given == np.rint(given))
    else:
        held = (given >= bounds.min) & (given <= bounds.max)
    return np.asarray(np.where(held, given, NONE).astype(wanted))


def limit_headways(headway: Int, headway_factor: Any) -> Int:
    """Return headways (us) that stay times when they are multiplied by the factor of a class."""
    most = (NEVER >> 3) / max(1.0, float(np.max(headway_factor)))
    return np.minimum(headway, int(most))


def ticks(seconds: Any, least: int) -> Int:
    """Convert seconds to whole microseconds, at least `least`."""
    bounded = np.minimum(np.asarray(seconds, np.float64) * MICROSECONDS, float(NEVER >> 2))
    return np.maximum(np.rint(bounded).astype(np.int64), least)


def phase_counts(n_node: int, columns: dict[str, NDArray[Any]], signals: Signals) -> NDArray[np.int64]:
    """Count the phases of each node: the highest rank used, at least one."""
    counts = np.ones(n_node, np.int64)
    phase = column_of(signals.phase, len(columns["to_node"]), np.int64)
    np.maximum.at(counts, columns["to_node"], phase + 1)
    return counts
