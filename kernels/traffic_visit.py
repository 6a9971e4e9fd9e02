"""Advance one group of nodes of the traffic kernel through one window, by the rules that it needs."""

from typing import NamedTuple

import numpy as np

from twin.kernels._jit import inline_jit, jit
from twin.kernels._machine import aligned_zeros
from twin.kernels.traffic_arrays import (
    ACTUATED,
    DONE,
    FIXED,
    LOG_FULL,
    NEVER,
    Byte,
    Cut,
    Demand,
    Int,
    Log,
    Network,
    Settings,
    State,
)
from twin.kernels.traffic_move import INDEX
from twin.kernels.traffic_plain import CALLED, ROW_COLUMNS, visit_plain
from twin.kernels.traffic_rescue import first_rescue, is_near
from twin.kernels.traffic_ruled import visit_ruled
from twin.kernels.traffic_rules import (
    FROM,
    UNTIL,
    WAITING_COLUMNS,
    has_rules,
    new_greens,
    next_green,
    passes,
    switch_time,
)

PLAIN, SHARED, RULED = 0, 1, 2
"""Kinds of groups: room and fixed times alone; with links of unequal weight or rank; with any other rule."""


class Plan(NamedTuple):
    """Hold what says which code a city needs.

    kinds   (n_group,)  PLAIN, SHARED or RULED; None: all are plain, and the code
            for others is left out
    greens  None: nor has any node a signal; else see `new_greens`
    """

    kinds: Byte | None
    greens: Int | None


class Desk(NamedTuple):
    """Hold the work arrays of a thread: none of it is state.

    rows     list of a plain visit, see `traffic_plain`
    waiting  (n_queue, WAITING_COLUMNS)  list of a ruled visit, see `traffic_rules`
    active   (n_group,)  groups to be visited in a window
    """

    rows: Int
    waiting: Int
    active: Int


def new_plan(network: Network, demand: Demand, settings: Settings) -> Plan:
    """Say which code a city needs as its settings are now."""
    greens = new_greens(network, demand, settings)
    if not has_rules(network, demand, settings):
        return Plan(None, greens)
    kinds = np.zeros(len(network.group_start) - 1, np.int8)
    find_kinds(network, settings, kinds)
    return Plan(kinds, greens)


def new_desk(network: Network) -> Desk:
    """Make the work arrays of a thread."""
    n_queue = len(network.queue_node)
    return Desk(
        aligned_zeros(n_queue, ROW_COLUMNS),
        np.empty((n_queue, WAITING_COLUMNS), np.int64),
        np.empty(len(network.group_start) - 1, np.int64),
    )


@jit
def find_kinds(network: Network, settings: Settings, kinds: Byte) -> None:
    """Write the kind of each group (n_group,)."""
    for node in range(network.group_of_node.shape[0]):
        kind = SHARED if network.weighted[node] else PLAIN
        if settings.control[node] > FIXED or network.turning[node] or settings.node_headway[node] > 0:
            kind = RULED
        group = network.group_of_node[node]
        kinds[group] = max(kinds[group], kind)


@inline_jit
def visit(
    group: int, now: int, end: int, since: int, network: Network, demand: Demand, settings: Settings, state: State,
    log: Log, rows: Int, waiting: Int, loose: Byte, tally: Int, kinds: Byte | None, greens: Int | None, cut: Cut | None,
) -> int:  # fmt: skip
    """Make all moves of a group in [now, end); return DONE or LOG_FULL; since: see `since_when`.

    After LOG_FULL `group_next` of the group says how far it has come.
    """
    kind, rescue = PLAIN, False
    if kinds is not None:
        kind = kinds[group]
        if demand.class_rescue.shape[0] > 0:
            rescue = is_near(group, end, network, demand, settings, state, cut)
    status = CALLED
    if kinds is None or (kind < RULED and not rescue):
        shares = kinds is not None and kind == SHARED
        status = visit_plain(
            group, now, end, since, shares, network, demand, settings, state, log, rows, loose, tally, kinds, greens,
            cut,
        )  # fmt: skip
        rescue = True
    if kinds is not None and status == CALLED:
        status = visit_ruled(
            group, now, end, rescue, network, demand, settings, state, log, waiting, loose, tally, kinds, cut
        )
    if status == LOG_FULL:
        return LOG_FULL
    if kinds is None or (kind < RULED and demand.class_rescue.shape[0] == 0):
        state.group_next[group] = next_plain(group, network, settings, state, greens)
    else:
        state.group_next[group] = next_ruled(group, network, demand, settings, state, cut)
    loose[group] = 0
    return DONE


@inline_jit
def next_plain(group: int, network: Network, settings: Settings, state: State, greens: Int | None) -> int:
    """Bound from below when anything happens in a plain group again, if no other group does anything."""
    n_link = network.from_node.shape[0]
    earliest = NEVER
    for rank in range(network.group_start[group], network.group_start[group + 1]):
        queue = network.group_queue[rank] & INDEX
        ready = state.head_ready[queue]
        if ready < earliest:
            target = state.head_next[queue] & INDEX
            time = max(ready, state.link_open[target])
            through = queue < n_link and target < n_link and time < earliest
            if greens is not None and through and not greens[queue, FROM] <= time < greens[queue, UNTIL]:
                time = next_green(queue, time, 0, settings)
            earliest = min(earliest, time)
    return earliest


@inline_jit
def next_ruled(group: int, network: Network, demand: Demand, settings: Settings, state: State, cut: Cut | None) -> int:
    """Do as `next_plain` does where other rules may hold."""
    n_link = network.from_node.shape[0]
    earliest = NEVER
    rescue = False
    if demand.class_rescue.shape[0] > 0:
        for rank in range(network.group_start[group], network.group_start[group + 1]):
            queue = network.group_queue[rank] & INDEX
            if queue < n_link:
                asks, passing = first_rescue(queue, network, demand, settings, state, cut)
                earliest = min(earliest, asks, passing)
        rescue = earliest < NEVER
    for rank in range(network.group_start[group], network.group_start[group + 1]):
        queue = network.group_queue[rank] & INDEX
        ready = state.head_ready[queue]
        if ready == NEVER:
            continue
        target = state.head_next[queue] & INDEX
        time = max(ready, state.link_open[target])
        if rescue:
            time = ready
        elif queue < n_link and target < n_link and network.pocket_target[target] < 0:
            node = network.queue_node[queue] & INDEX
            if settings.control[node] == FIXED:
                late = settings.late_turn[node] if network.turning[node] else 0
                time = next_green(queue, time, late, settings)
            else:
                time = passes(queue, node, time, NEVER, 0, False, network, demand, settings, state, cut)
                phase = network.phase_of_link[queue]
                if settings.control[node] == ACTUATED and phase >= 0 and phase != state.phase[node]:
                    time = switch_time(ready, node, network, settings, state)
        earliest = min(earliest, time)
    return earliest
