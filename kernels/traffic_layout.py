"""Lay out streets, trips and signals as the arrays of the traffic kernel."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from twin.kernels._machine import aligned_zeros
from twin.kernels.traffic import touch
from twin.kernels.traffic_arrays import (
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
    Network,
    Settings,
    State,
)
from twin.kernels.traffic_check import check, check_signals
from twin.kernels.traffic_columns import (
    MICROSECONDS,
    column_of,
    limit_headways,
    phase_counts,
    road_columns,
    ticks,
    trip_columns,
    whole,
)
from twin.kernels.traffic_describe import Classes, Roads, Signals, Trips
from twin.kernels.traffic_move import SOON
from twin.kernels.traffic_network import lay_demand, lay_network
from twin.kernels.traffic_turns import with_pockets

__all__ = [
    "MICROSECONDS",
    "MINIMUM_TIME",
    "Classes",
    "Roads",
    "Signals",
    "Traffic",
    "Trips",
    "build",
    "hop_columns",
]

_TIMES = [NEXT_IN, NEXT_OUT, LAST_RELEASE]
MINIMUM_TIME = 10_000
"""us; least free-flow time and wave time: 0.2 m at 20 m/s."""


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
    group_limit: int = 24,
) -> Traffic:
    """Lay out a simulation that starts, empty, at time 0.

    destinations  (n_destination,)  node of each destination
    group_limit   queues up to which nodes joined by short links form a group

    The next-hop tables are filled with -1: unless all routes are given, write
    them and call `touch`. Raises ValueError that lists every wrong row.
    """
    classes = classes or Classes()
    signals = signals or Signals()
    columns = road_columns(roads)
    vehicles = trip_columns(trips)
    targets = np.atleast_1d(whole(destinations, np.int32))
    check(roads.n_node, columns, vehicles, targets, classes)
    column = hop_columns(roads.n_node, columns["to_node"], roads.banned_turns)
    columns, vehicles, plan = with_pockets(columns, vehicles, signals)
    check_signals(roads.n_node, columns, plan, roads.gap, roads.late_turn)
    column = np.append(column, column[columns["pockets"][:, 0]])
    n_column = int(max(roads.n_node, column.max(initial=-1) + 1))
    settings = _settings(roads, columns, plan, classes, (len(targets), n_column))
    demand, origin_node = lay_demand(roads.n_node, columns, vehicles, destinations, classes)
    network = lay_network(roads.n_node, columns, settings, demand, origin_node, plan, group_limit)
    network = network._replace(hop_column=np.concatenate([column, origin_node]).astype(np.int32))
    state = _state(network, demand, len(vehicles["depart"]))
    touch(network, demand, settings, state)
    return Traffic(network, demand, settings, state)


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
    free_flow, wave = (ticks(columns["length"] / speed, MINIMUM_TIME) for speed in (columns["speed"], wave_speed))
    n_pocket = len(columns["pockets"])
    if n_pocket:
        free_flow[-n_pocket:] = wave[-n_pocket:] = 1
        storage[-n_pocket:] = columns["pocket_room"] * 1000
    n_phase = phase_counts(n_node, columns, signals)
    phase_node = np.repeat(np.arange(n_node), n_phase)
    return Settings(
        free_flow=free_flow,
        headway=limit_headways(ticks(1 / flow, 1), classes.headway_factor),
        wave=wave,
        storage=np.maximum(np.rint(storage).astype(np.int64), 1),
        closed=np.zeros(n_link, np.int8),
        control=column_of(signals.control, n_node, np.int8),
        stop_headway=ticks(column_of(signals.stop_headway, n_node, np.float64), 1),
        node_headway=ticks(1 / columns["node_capacity"], 0),
        green_cycle=ticks(column_of(signals.cycle, n_link, np.float64), 1),
        green_start=ticks(column_of(signals.start, n_link, np.float64), -NEVER),
        green_length=ticks(column_of(signals.length, n_link, np.float64), 0),
        minimum_green=ticks(column_of(signals.minimum_green, n_node, np.float64), 1)[phase_node],
        maximum_green=ticks(column_of(signals.maximum_green, n_node, np.float64), 1)[phase_node],
        extension=ticks(column_of(signals.extension, n_node, np.float64), 0),
        intergreen=ticks(column_of(signals.intergreen, n_node, np.float64), 0),
        gap=ticks(np.full(n_node, roads.gap), 0),
        late_turn=ticks(np.full(n_node, roads.late_turn), 0),
        rescue=np.append(
            round(max(classes.passing, 1.0) * 1000),
            ticks([classes.green_ahead, classes.green_clear, classes.green_most], 0),
        ),
        informed=np.full(hops, -1, np.int32),
        habitual=np.full(hops, -1, np.int32),
    )


def _state(network: Network, demand: Demand, n_vehicle: int) -> State:
    """Make the state of empty streets with all vehicles at their origins."""
    n_link, n_node = len(network.from_node), len(network.group_of_node)
    n_queue, n_origin = len(network.queue_node), len(demand.origin_start) - 1
    link = aligned_zeros(n_link, LINK_COLUMNS)
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
