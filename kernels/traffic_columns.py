"""Broadcast what describes streets and trips to columns of full length, in the units of the traffic kernel."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.kernels.traffic_arrays import NEVER, Int
from twin.kernels.traffic_describe import Roads, Signals, Trips

MICROSECONDS = 1_000_000


def road_columns(roads: Roads) -> dict[str, NDArray[Any]]:
    """Broadcast the columns of the links to full length."""
    n_link = len(np.atleast_1d(roads.from_node))
    columns = {
        "from_node": column_of(roads.from_node, n_link, np.int32),
        "to_node": column_of(roads.to_node, n_link, np.int32),
    }
    for name in ("length", "speed", "lanes", "jam_density", "reaction_time", "capacity"):
        columns[name] = column_of(getattr(roads, name), n_link, np.float64)
    weight = np.maximum(np.rint(np.nan_to_num(columns["lanes"])), 1) if roads.weight is None else roads.weight
    columns["weight"] = column_of(weight, n_link, np.int32)
    columns["rank"] = column_of(roads.rank, n_link, np.int32)
    columns["node_capacity"] = column_of(roads.node_capacity, roads.n_node, np.float64)
    columns["banned_turns"] = np.asarray(roads.banned_turns, np.int64).reshape(-1, 2)
    columns["pockets"] = np.asarray(roads.pockets, np.int64).reshape(-1, 2)
    columns["pocket_room"] = column_of(roads.pocket_room, len(columns["pockets"]), np.float64)
    columns["yields"] = np.asarray(roads.yields, np.int64).reshape(-1, 3)
    return columns


def trip_columns(trips: Trips) -> dict[str, NDArray[Any]]:
    """Broadcast the columns of the vehicles to full length."""
    n_vehicle = len(np.atleast_1d(trips.depart))
    key = np.arange(n_vehicle) if trips.key is None else trips.key
    return {
        "depart": column_of(trips.depart, n_vehicle, np.int64),
        "origin": column_of(trips.origin, n_vehicle, np.int32),
        "destination": column_of(trips.destination, n_vehicle, np.int64),
        "first_link": column_of(trips.first_link, n_vehicle, np.int64),
        "vehicle_class": column_of(trips.vehicle_class, n_vehicle, np.int8),
        "informed": column_of(trips.informed, n_vehicle, np.bool_),
        "key": column_of(key, n_vehicle, np.int64),
        "route_start": column_of(trips.route_start, n_vehicle, np.int64),
        "routes": np.ascontiguousarray(trips.routes, np.int32),
    }


def column_of(values: Any, n: int, kind: Any) -> NDArray[Any]:
    """Copy a column, or a scalar for all rows, to an array of one kind; -1 for integers that it cannot hold."""
    given, wanted = np.asarray(values), np.dtype(kind)
    if given.dtype.kind == wanted.kind == "i" and given.dtype.itemsize > wanted.itemsize:
        bounds = np.iinfo(kind)
        given = np.where((given < bounds.min) | (given > bounds.max), -1, given)
    return np.ascontiguousarray(np.broadcast_to(given, (n,)).astype(kind))


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
