"""Index the queues, movements and vehicles of the traffic kernel."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.kernels.traffic_arrays import CLASS_MASK, CLASS_SHIFT, CODE_SHIFT, Demand, Int, Network, Settings
from twin.kernels.traffic_columns import column_of, phase_counts
from twin.kernels.traffic_describe import Classes, Signals
from twin.kernels.traffic_groups import counting_sort, gather_routes, join_short_links
from twin.kernels.traffic_turns import no_turns, with_turns


def lay_demand(
    n_node: int,
    columns: dict[str, NDArray[Any]],
    vehicles: dict[str, NDArray[Any]],
    destinations: ArrayLike,
    classes: Classes,
) -> tuple[Demand, NDArray[np.int32]]:
    """Queue the vehicles at their origins; return also each queue's node."""
    n_link = len(columns["from_node"])
    given = vehicles["route_start"] >= 0
    first = vehicles["first_link"].copy()
    first[given] = vehicles["routes"][vehicles["route_start"][given]]
    place = np.where(first >= 0, first, n_link + vehicles["origin"])
    rescue = column_of(classes.emergency, len(np.atleast_1d(classes.pcu)), np.int8)
    n_place = n_link + n_node
    place += n_place * rescue[vehicles["vehicle_class"]].astype(np.int64)
    used, origin_of_vehicle = np.unique(place, return_inverse=True)
    sooner = np.arange(len(place))
    if np.any(np.diff(vehicles["depart"]) <= 0) or np.any(np.diff(vehicles["key"]) <= 0):
        sooner = np.lexsort((vehicles["key"], vehicles["depart"]))
    start = np.empty(len(used) + 1, np.int64)
    order = np.empty(len(place), np.int64)
    counting_sort(origin_of_vehicle[sooner].astype(np.int64), len(used), start, order)
    order = sooner[order]
    routes, route_start = np.empty_like(vehicles["routes"]), np.empty(len(place), np.int64)
    n_step = gather_routes(order, vehicles["route_start"], vehicles["routes"], routes, route_start)
    if n_step < 0:
        n_step, routes, route_start = len(routes), vehicles["routes"], vehicles["route_start"]
    code = np.where(given, route_start, -1 - (2 * vehicles["destination"] + vehicles["informed"]))
    word = code << CODE_SHIFT | vehicles["vehicle_class"].astype(np.int64) << CLASS_SHIFT | np.arange(len(place))
    demand = Demand(
        key=vehicles["key"] if np.any(np.diff(vehicles["key"]) < 0) else np.empty(0, np.int64),
        origin_start=start,
        origin_vehicle=order.astype(np.int32),
        origin_depart=vehicles["depart"][order],
        origin_word=word[order],
        routes=routes[:n_step],
        destination_node=np.atleast_1d(np.asarray(destinations, np.int32)),
        class_pcu=np.rint(np.atleast_1d(np.asarray(classes.pcu)) * 1000).astype(np.int64),
        class_factor=np.atleast_1d(np.asarray(classes.headway_factor, np.float64)),
        class_rescue=rescue if rescue.any() else np.empty(0, np.int8),
    )
    starts = np.concatenate([columns["from_node"], np.arange(n_node)])
    return demand, starts[used % n_place].astype(np.int32)


def lay_network(
    n_node: int,
    columns: dict[str, NDArray[Any]],
    settings: Settings,
    demand: Demand,
    origin_node: NDArray[np.int32],
    signals: Signals,
    group_limit: int,
) -> Network:
    """Index queues by node and group, and movements by node."""
    from_node, to_node = columns["from_node"], columns["to_node"]
    queue_node = np.concatenate([to_node, origin_node]).astype(np.int32)
    weight = np.concatenate([columns["weight"], np.ones(len(origin_node), np.int32)])
    rank = np.concatenate([columns["rank"], np.zeros(len(origin_node), np.int32)])
    n_in = np.bincount(queue_node, minlength=n_node)
    n_out = np.bincount(from_node, minlength=n_node)
    slots = settings.storage // _least_pcu(demand) + 2
    group = np.empty(n_node, np.int32)
    time = np.minimum(settings.free_flow, settings.wave)
    by_time = np.argsort(time, kind="stable")
    n_group = join_short_links(by_time, time, from_node, to_node, n_in.astype(np.int64), group_limit, group)
    group_start, group_queue = _sorted_by(group[queue_node], n_group)
    least, most = np.full(n_node, 1 << 20), np.zeros(n_node, np.int64)
    np.minimum.at(least, queue_node, weight)
    np.maximum.at(most, queue_node, weight)
    in_position = _rank(queue_node, n_node)
    phase = column_of(signals.phase, len(to_node), np.int32)
    ranked = np.bincount(queue_node, rank > 0, n_node) > 0
    network = Network(
        from_node=from_node,
        to_node=to_node,
        weight=weight,
        rank=rank,
        hop_column=queue_node,
        queue_node=queue_node,
        group_of_node=group,
        group_start=group_start.astype(np.int32),
        group_queue=group_queue.astype(np.int32),
        inner=np.bincount(group[from_node], group[from_node] == group[to_node], n_group).astype(bool).astype(np.int8),
        ring_start=_bounds(slots),
        weighted=((most > least) | ranked).astype(np.int8),
        movement_start=_bounds(n_in * n_out),
        first_movement=_bounds(n_in * n_out)[queue_node] + in_position * n_out[queue_node],
        in_position=in_position,
        out_position=_rank(from_node, n_node),
        out_degree=n_out.astype(np.int32),
        phase_of_link=phase,
        phase_start=_bounds(phase_counts(n_node, columns, signals)).astype(np.int32),
        **no_turns(n_node, len(to_node)),
    )
    return with_turns(network, columns["pockets"], columns["yields"])


def _least_pcu(demand: Demand) -> int:
    """Return the space of the smallest vehicle there is, 1/1000 PCU."""
    n_class = len(demand.class_pcu)
    there = np.bincount(demand.origin_word >> CLASS_SHIFT & CLASS_MASK, minlength=n_class) > 0
    return int(demand.class_pcu[there].min(initial=demand.class_pcu.max()))


def _bounds(counts: NDArray[Any]) -> Int:
    """Turn counts into bounds: 0 and the running sums."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _sorted_by(group: NDArray[Any], n_group: int) -> tuple[Int, Int]:
    """Sort rows by group; return the bounds of the groups and the rows."""
    start = np.empty(n_group + 1, np.int64)
    order = np.empty(len(group), np.int64)
    counting_sort(group.astype(np.int64), n_group, start, order)
    return start, order


def _rank(group: NDArray[Any], n_group: int) -> NDArray[np.int32]:
    """Rank the rows of each group from 0."""
    start, order = _sorted_by(group, n_group)
    rank = np.empty(len(group), np.int32)
    rank[order] = np.arange(len(group)) - start[group[order]]
    return rank
