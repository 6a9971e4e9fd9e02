"""Lay out streets, trips and signals as the arrays of the traffic kernel."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.kernels.traffic import touch
from twin.kernels.traffic_arrays import (
    CLASS_SHIFT,
    CODE_SHIFT,
    FREE_SLOT,
    IN_SLOT,
    LAST_RELEASE,
    LINK_COLUMNS,
    NEVER,
    NEXT_IN,
    NEXT_OUT,
    OUT_SLOT,
    RING_COLUMNS,
    WAITING,
    Demand,
    Int,
    Network,
    Settings,
    State,
)
from twin.kernels.traffic_check import check, check_signals
from twin.kernels.traffic_groups import counting_sort, gather_routes, join_short_links
from twin.kernels.traffic_move import SOON
from twin.kernels.traffic_turns import no_turns, with_pockets, with_turns

MICROSECONDS = 1_000_000
_TIMES = [NEXT_IN, NEXT_OUT, LAST_RELEASE]
MINIMUM_TIME = 10_000
"""us; least free-flow time and wave time: 0.2 m at 20 m/s."""


@dataclass(frozen=True)
class Roads:
    """Describe directed links by columns; a scalar holds for all links.

    n_node              number of nodes, named 0 .. n_node - 1
    from_node, to_node  (n_link,)
    length              m, > 0
    speed               m/s, > 0, free-flow
    lanes               > 0
    jam_density         vehicle/m per lane (PCU), > 0
    reaction_time       s, > 0; wave speed w = 1 / (jam_density * reaction_time)
    capacity            vehicle/s of the whole link, > 0; the least of this and
                        lanes * u w k / (u + w) counts
    weight              merge priority, whole, 1 .. 16; by default the lanes:
                        saturated links share the next one in this ratio
    rank                0 .. 15; where links merge, vehicles of a higher rank
                        let those of a lower one go first (1 at a yield sign)
    node_capacity       (n_node,)  vehicle/s from link to link through each
                        node, > 0; inf: only the links limit the flow
    banned_turns        (n_banned, 2)  pairs (link, next link) nobody may drive
    pockets             (n_pocket, 2)  pairs (link, next link) of movements with a
                        turn pocket; pocket i is link n_link + i of the arrays
    pocket_room         PCU, > 0, in each pocket
    yields              (n_yield, 3)  link, next link, and a link whose vehicles go
                        first unless they give way as well
    gap                 s, >= 0, who gives way wants to see the way free for so long
    late_turn           s, >= 0, after a fixed-time green in which he may still turn
    """

    n_node: int
    from_node: ArrayLike
    to_node: ArrayLike
    length: ArrayLike
    speed: ArrayLike
    lanes: ArrayLike = 1.0
    jam_density: ArrayLike = 0.2
    reaction_time: ArrayLike = 1.0
    capacity: ArrayLike = np.inf
    weight: ArrayLike | None = None
    rank: ArrayLike = 0
    node_capacity: ArrayLike = np.inf
    banned_turns: ArrayLike = ()
    pockets: ArrayLike = ()
    pocket_room: ArrayLike = 3.0
    yields: ArrayLike = ()
    gap: float = 4.5
    late_turn: float = 3.0


@dataclass(frozen=True)
class Trips:
    """Describe vehicles by columns; a scalar holds for all vehicles.

    depart         (n_vehicle,)  us, in any order
    origin         (n_vehicle,)  node
    destination    row in the `destinations` of `build`; not read for vehicles
                   with a given route
    first_link     the queue to wait in: the link that the vehicle is expected
                   to enter first, -1 if unknown. It is bound by the tables, not
                   by this; only vehicles of one queue delay each other
    vehicle_class  row in the classes
    informed       true: follows the informed table
    key            permanent identity, unique; by default the row
    route_start    (n_vehicle,)  place in `routes`, -1: follows the tables
    routes         links one after another, each route ended by -1
    """

    depart: ArrayLike
    origin: ArrayLike
    destination: ArrayLike = 0
    first_link: ArrayLike = -1
    vehicle_class: ArrayLike = 0
    informed: ArrayLike = True
    key: ArrayLike | None = None
    route_start: ArrayLike = -1
    routes: ArrayLike = field(default_factory=lambda: np.empty(0, np.int32))


@dataclass(frozen=True)
class Classes:
    """Describe vehicle classes.

    pcu              > 0, space on the road relative to a car
    headway_factor   > 0, headway relative to a car
    emergency        true: passes queues and asks for green
    passing          >= 1; an emergency vehicle passes all that are ahead of it this
                     multiple of the free-flow time after it has entered a link
    green_ahead      s before it is due at a fixed-time or actuated signal, at most
                     half of its way, from which on it asks for green; 0: never
    green_clear      s from then until it has green, if it has none by the plan
    green_most       s from then after which the plan goes on without it
    """

    pcu: ArrayLike = (1.0,)
    headway_factor: ArrayLike = (1.0,)
    emergency: ArrayLike = False
    passing: float = 1.5
    green_ahead: float = 15.0
    green_clear: float = 4.0
    green_most: float = 120.0


@dataclass(frozen=True)
class Signals:
    """Describe the control of nodes; a scalar holds for all.

    control        (n_node,)  UNCONTROLLED, FIXED, ACTUATED or DARK
    stop_headway   (n_node,)  s between vehicles at a dark node
    cycle, start, length  (n_link,)  s, green window of each link at its end; a
                   pocket has that of its link, or its own in rows behind the links
    phase          (n_link,)  rank of the phase that serves the link, -1: always
    minimum_green, maximum_green, extension, intergreen  (n_node,)  s
    """

    control: ArrayLike = 0
    stop_headway: ArrayLike = 3.0
    cycle: ArrayLike = 60.0
    start: ArrayLike = 0.0
    length: ArrayLike = 60.0
    phase: ArrayLike = -1
    minimum_green: ArrayLike = 7.0
    maximum_green: ArrayLike = 40.0
    extension: ArrayLike = 3.0
    intergreen: ArrayLike = 5.0


class Traffic(NamedTuple):
    """Hold all arrays of a simulation in the order `advance` takes them."""

    network: Network
    demand: Demand
    settings: Settings
    state: State


def build(
    roads: Roads,
    trips: Trips,
    destinations: ArrayLike = (),
    classes: Classes | None = None,
    signals: Signals | None = None,
    group_limit: int = 32,
) -> Traffic:
    """Lay out a simulation that starts, empty, at time 0.

    destinations  (n_destination,)  node of each destination
    group_limit   queues up to which nodes joined by short links form a group

    The next-hop tables are filled with -1: unless all routes are given, write
    them and call `touch`. Raises ValueError that lists every wrong row.
    """
    classes = classes or Classes()
    signals = signals or Signals()
    columns = _road_columns(roads)
    vehicles = _trip_columns(trips)
    targets = np.atleast_1d(np.asarray(destinations, np.int32))
    check(roads.n_node, columns, vehicles, targets, classes.pcu, classes.headway_factor)
    column = hop_columns(roads.n_node, columns["to_node"], roads.banned_turns)
    columns, vehicles, plan = with_pockets(columns, vehicles, signals)
    check_signals(roads.n_node, columns, plan, roads.gap, roads.late_turn)
    column = np.append(column, columns["to_node"][len(column) :])
    n_column = int(max(roads.n_node, column.max(initial=-1) + 1))
    settings = _settings(roads, columns, plan, classes, (len(targets), n_column))
    demand, origin_node = _demand(roads.n_node, columns, vehicles, destinations, classes)
    network = _network(roads.n_node, columns, settings, demand, origin_node, plan, group_limit)
    network = network._replace(hop_column=np.concatenate([column, origin_node]).astype(np.int32))
    state = _state(network, demand, len(vehicles["depart"]))
    touch(network, demand, settings, state)
    return Traffic(network, demand, settings, state)


def _road_columns(roads: Roads) -> dict[str, NDArray[Any]]:
    """Broadcast the columns of the links to full length."""
    n_link = len(np.atleast_1d(roads.from_node))
    columns = {
        "from_node": _column(roads.from_node, n_link, np.int32),
        "to_node": _column(roads.to_node, n_link, np.int32),
    }
    for name in ("length", "speed", "lanes", "jam_density", "reaction_time", "capacity"):
        columns[name] = _column(getattr(roads, name), n_link, np.float64)
    weight = np.maximum(np.rint(np.nan_to_num(columns["lanes"])), 1) if roads.weight is None else roads.weight
    columns["weight"] = _column(weight, n_link, np.int32)
    columns["rank"] = _column(roads.rank, n_link, np.int32)
    columns["node_capacity"] = _column(roads.node_capacity, roads.n_node, np.float64)
    columns["banned_turns"] = np.asarray(roads.banned_turns, np.int64).reshape(-1, 2)
    columns["pockets"] = np.asarray(roads.pockets, np.int64).reshape(-1, 2)
    columns["pocket_room"] = _column(roads.pocket_room, len(columns["pockets"]), np.float64)
    columns["yields"] = np.asarray(roads.yields, np.int64).reshape(-1, 3)
    return columns


def _trip_columns(trips: Trips) -> dict[str, NDArray[Any]]:
    """Broadcast the columns of the vehicles to full length."""
    n_vehicle = len(np.atleast_1d(trips.depart))
    key = np.arange(n_vehicle) if trips.key is None else trips.key
    return {
        "depart": _column(trips.depart, n_vehicle, np.int64),
        "origin": _column(trips.origin, n_vehicle, np.int32),
        "destination": _column(trips.destination, n_vehicle, np.int64),
        "first_link": _column(trips.first_link, n_vehicle, np.int64),
        "vehicle_class": _column(trips.vehicle_class, n_vehicle, np.int8),
        "informed": _column(trips.informed, n_vehicle, np.bool_),
        "key": _column(key, n_vehicle, np.int64),
        "route_start": _column(trips.route_start, n_vehicle, np.int64),
        "routes": np.ascontiguousarray(trips.routes, np.int32),
    }


def _column(values: Any, n: int, kind: Any) -> NDArray[Any]:
    """Copy a column, or a scalar for all rows, to an array of one kind; -1 for integers that it cannot hold."""
    given, wanted = np.asarray(values), np.dtype(kind)
    if given.dtype.kind == wanted.kind == "i" and given.dtype.itemsize > wanted.itemsize:
        bounds = np.iinfo(kind)
        given = np.where((given < bounds.min) | (given > bounds.max), -1, given)
    return np.ascontiguousarray(np.broadcast_to(given, (n,)).astype(kind))


def _ticks(seconds: Any, least: int) -> Int:
    """Convert seconds to whole microseconds, at least `least`."""
    bounded = np.minimum(np.asarray(seconds, np.float64) * MICROSECONDS, float(NEVER >> 2))
    return np.maximum(np.rint(bounded).astype(np.int64), least)


def hop_columns(n_node: int, to_node: NDArray[Any], banned_turns: ArrayLike) -> NDArray[np.int32]:
    """Give each link (n_link,) its column of the next-hop tables.

    A link's column is the node at its end; where a turn from it is banned it
    has one of its own, behind those of the nodes, in the order of the links.
    """
    column = np.asarray(to_node, np.int32).copy()
    bound = np.unique(np.asarray(banned_turns, np.int64).reshape(-1, 2)[:, 0])
    column[bound] = n_node + np.arange(len(bound))
    return column


def _settings(
    roads: Roads, columns: dict[str, NDArray[Any]], signals: Signals, classes: Classes, hops: tuple[int, int]
) -> Settings:
    """Convert physical quantities to the times and storages of the kernel; hops: shape of the tables."""
    n_link, n_node = len(columns["length"]), roads.n_node
    wave_speed = 1 / (columns["jam_density"] * columns["reaction_time"])
    per_lane = columns["speed"] * wave_speed * columns["jam_density"]
    flow = columns["lanes"] * per_lane / (columns["speed"] + wave_speed)
    flow = np.minimum(flow, columns["capacity"])
    storage = columns["length"] * columns["lanes"] * columns["jam_density"] * 1000
    free_flow, wave = (_ticks(columns["length"] / speed, MINIMUM_TIME) for speed in (columns["speed"], wave_speed))
    n_pocket = len(columns["pockets"])
    if n_pocket:
        free_flow[-n_pocket:] = wave[-n_pocket:] = 1
        storage[-n_pocket:] = columns["pocket_room"] * 1000
    n_phase = _phase_counts(n_node, columns, signals)
    phase_node = np.repeat(np.arange(n_node), n_phase)
    return Settings(
        free_flow=free_flow,
        headway=_ticks(1 / flow, 1),
        wave=wave,
        storage=np.maximum(np.rint(storage).astype(np.int64), 1),
        closed=np.zeros(n_link, np.int8),
        control=_column(signals.control, n_node, np.int8),
        stop_headway=_ticks(_column(signals.stop_headway, n_node, np.float64), 1),
        node_headway=_ticks(1 / columns["node_capacity"], 0),
        green_cycle=_ticks(_column(signals.cycle, n_link, np.float64), 1),
        green_start=_ticks(_column(signals.start, n_link, np.float64), -NEVER),
        green_length=_ticks(_column(signals.length, n_link, np.float64), 0),
        minimum_green=_ticks(_column(signals.minimum_green, n_node, np.float64), 1)[phase_node],
        maximum_green=_ticks(_column(signals.maximum_green, n_node, np.float64), 1)[phase_node],
        extension=_ticks(_column(signals.extension, n_node, np.float64), 0),
        intergreen=_ticks(_column(signals.intergreen, n_node, np.float64), 0),
        gap=_ticks(np.full(n_node, roads.gap), 0),
        late_turn=_ticks(np.full(n_node, roads.late_turn), 0),
        rescue=np.append(
            round(max(classes.passing, 1.0) * 1000),
            _ticks([classes.green_ahead, classes.green_clear, classes.green_most], 0),
        ),
        informed=np.full(hops, -1, np.int32),
        habitual=np.full(hops, -1, np.int32),
    )


def _phase_counts(n_node: int, columns: dict[str, NDArray[Any]], signals: Signals) -> NDArray[np.int64]:
    """Count the phases of each node: the highest rank used, at least one."""
    counts = np.ones(n_node, np.int64)
    phase = _column(signals.phase, len(columns["to_node"]), np.int64)
    np.maximum.at(counts, columns["to_node"], phase + 1)
    return counts


def _demand(
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
    rescue = _column(classes.emergency, len(np.atleast_1d(classes.pcu)), np.int8)
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


def _network(
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
    slots = settings.storage // demand.class_pcu.min() + 2
    group = np.empty(n_node, np.int32)
    time = np.minimum(settings.free_flow, settings.wave)
    by_time = np.argsort(time, kind="stable")
    n_group = join_short_links(by_time, time, from_node, to_node, n_in.astype(np.int64), group_limit, group)
    group_start, group_queue = _sorted_by(group[queue_node], n_group)
    least, most = np.full(n_node, 1 << 20), np.zeros(n_node, np.int64)
    np.minimum.at(least, to_node, columns["weight"])
    np.maximum.at(most, to_node, columns["weight"])
    phase = _column(signals.phase, len(to_node), np.int32)
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
        in_position=_rank(queue_node, n_node),
        out_position=_rank(from_node, n_node),
        out_degree=n_out.astype(np.int32),
        phase_of_link=phase,
        phase_start=_bounds(_phase_counts(n_node, columns, signals)).astype(np.int32),
        **no_turns(n_node, len(to_node)),
    )
    return with_turns(network, columns["pockets"], columns["yields"])


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


def _state(network: Network, demand: Demand, n_vehicle: int) -> State:
    """Make the state of empty streets with all vehicles at their origins."""
    n_link, n_node = len(network.from_node), len(network.group_of_node)
    n_queue, n_origin = len(network.queue_node), len(demand.origin_start) - 1
    link = np.zeros((n_link, LINK_COLUMNS), np.int64)
    link[:, [IN_SLOT, OUT_SLOT, FREE_SLOT]] = network.ring_start[:-1, None]
    link[:, _TIMES] = -NEVER >> 1
    head_ready = np.full(n_queue, NEVER)
    head_ready[n_link:] = demand.origin_depart[demand.origin_start[:-1]]
    tally = np.zeros(5, np.int64)
    tally[WAITING] = n_vehicle
    return State(
        clock=np.zeros(2, np.int64),
        head_ready=head_ready,
        head_next=np.full(n_queue, n_link),
        link_open=np.full(n_link + 2, -NEVER),
        link=link,
        ring=np.zeros((network.ring_start[-1] + SOON, RING_COLUMNS), np.int64),
        ring_ready=np.zeros(network.ring_start[-1] + SOON, np.int64),
        origin_next=demand.origin_start[:n_origin].copy(),
        group_next=np.zeros(network.group_start.shape[0] - 1, np.int64),
        movement_tag=np.zeros(network.movement_start[-1], np.int64),
        virtual_time=np.zeros(n_link, np.int64),
        phase=np.zeros(n_node, np.int32),
        phase_from=np.zeros(n_node, np.int64),
        phase_gap=np.zeros(n_node, np.int64),
        stop_free=np.zeros(n_node, np.int64),
        tally=tally,
        arrival=np.full(n_vehicle, -1, np.int64),
        outcome=np.zeros(n_vehicle, np.int8),
    )
