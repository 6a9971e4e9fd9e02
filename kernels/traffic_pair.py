"""Advance the traffic kernel with two threads, to the same bits as with one.

Each thread has the groups on its side of a cut. Within a window nothing that
happens on one side matters on the other, so each reads of the other only what
it saw when both last met, and both meet after every window.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np

from twin.kernels._jit import inline_jit, lean_jit
from twin.kernels._machine import count_up, give_way, read_anew
from twin.kernels.traffic_arrays import (
    ENTRIES,
    EXITS,
    LOG_FULL,
    NEVER,
    NOW,
    WINDOW,
    Byte,
    Cut,
    Demand,
    Int,
    Log,
    Network,
    Settings,
    State,
)
from twin.kernels.traffic_fetch import fetch
from twin.kernels.traffic_move import INDEX
from twin.kernels.traffic_plain import since_when
from twin.kernels.traffic_rescue import first_rescue
from twin.kernels.traffic_step import call_ahead, wake_entry, wake_exit
from twin.kernels.traffic_visit import new_desk, new_plan, visit

FIRST, FULL, MET = 0, 16, 32
"""Rows of `board`: when something happens next and whether the log is full, each
by thread, 8 rows apart so that no two share a cache line; meetings so far."""

BOARD_ROWS = 40
_SAMPLE = 100_000
_CONFIG: Any = numba.config
_LEAST_GROUPS = 2
_LEAST_ROWS = 64
_PATIENCE = 2000


def advance_pair(network: Network, demand: Demand, settings: Settings, state: State, log: Log, until: int) -> None:
    """Do as `traffic.advance` does, with two threads, as long as the log has room for both."""
    cut = _cut(network, demand, state)
    plan = new_plan(network, demand, settings)
    while state.clock[NOW] < until and _has_room(log):
        written, n_row = int(log.written[0]), log.vehicle.shape[0]
        middle = (written + n_row) // 2
        logs = [_part(log, written, middle), _part(log, middle, n_row)]
        tallies = [np.zeros_like(state.tally) for _ in logs]
        board = np.zeros(BOARD_ROWS, np.int64)
        loose = np.zeros(state.group_next.shape[0], np.int8)

        def drive(
            thread: int, logs: Any = logs, tallies: Any = tallies, board: Int = board, loose: Byte = loose
        ) -> int:
            own = (logs[thread], *new_desk(network), tallies[thread], thread)
            return _advance_part(network, demand, settings, state, *own, loose, board, *plan, cut, until)

        with ThreadPoolExecutor(1) as pool:
            other = pool.submit(drive, 1)
            done = max(drive(0), other.result())
        state.clock[NOW] = done
        state.tally[:] += tallies[0] + tallies[1]
        _join(log, logs)


def _has_room(log: Log) -> bool:
    """Say whether both threads can write to the log for a while."""
    n_row = log.vehicle.shape[0]
    return bool(n_row == 0 or n_row - log.written[0] >= _LEAST_ROWS)


def can_pair(network: Network) -> bool:
    """Say whether two threads can run, and whether there is enough for both to do."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return len(network.group_start) > _LEAST_GROUPS and cores > 1 and not _CONFIG.DISABLE_JIT


def _part(log: Log, start: int, end: int) -> Log:
    """Give a thread rows of the log of its own."""
    return Log(
        log.vehicle[start:end], log.link[start:end], log.entered[start:end], log.left[start:end], np.zeros(1, np.int64)
    )


def _join(log: Log, logs: list[Log]) -> None:
    """Close the gap between the rows that two threads have written."""
    first, second = (int(part.written[0]) for part in logs)
    start = int(log.written[0]) + first
    end = start + second
    log.vehicle[start:end] = logs[1].vehicle[:second].copy()
    log.link[start:end] = logs[1].link[:second].copy()
    log.entered[start:end] = logs[1].entered[:second].copy()
    log.left[start:end] = logs[1].left[:second].copy()
    log.written[0] = end


def _cut(network: Network, demand: Demand, state: State) -> Cut:
    """Cut the groups, in their order, where half of the work lies on either side.

    The work of a link is how often a sample of the given routes uses it; without
    routes, all links count alike. It decides the speed only, no result.
    """
    n_link, n_group = len(network.from_node), len(network.group_start) - 1
    sample = demand.routes[:: max(1, len(demand.routes) // _SAMPLE)]
    work = np.bincount(sample[sample >= 0], minlength=n_link) + 1e-3
    of_group = np.bincount(network.group_of_node[network.to_node], work, n_group)
    first = int(np.searchsorted(np.cumsum(of_group), of_group.sum() / 2)) + 1
    side = network.group_of_node >= first
    split = side[network.from_node] != side[network.to_node]
    seen = [state.link[:, column].copy() for column in (ENTRIES, EXITS)]
    return Cut(np.array([first, n_group]), split.astype(np.int8), *seen)


@inline_jit
def meet(board: Int, met: int) -> int:
    """Wait until both threads are here; return how often they have met."""
    count_up(board, MET)
    met += 1
    looks = 0
    while read_anew(board, MET) < 2 * met:
        looks += 1
        if looks > _PATIENCE:
            # The other has no processor at present.
            give_way()
    return met


@inline_jit
def look_across(
    start: int, network: Network, demand: Demand, settings: Settings, state: State, loose: Byte, end: int, cut: Cut
) -> None:
    """Take note of what the other thread did at the far ends of the links cut.

    start, end  groups of this thread
    """
    for target in range(network.from_node.shape[0]):
        if cut.split[target] == 0:
            continue
        if start <= network.group_of_node[network.to_node[target] & INDEX] < end:
            new = cut.entries[target] < state.link[target, ENTRIES]
            cut.entries[target] = state.link[target, ENTRIES]
            if state.head_ready[target] == NEVER and state.link[target, EXITS] < state.link[target, ENTRIES]:
                wake_exit(target, network, demand, settings, state, loose)
            if new and demand.class_rescue.shape[0] > 0:
                asks = first_rescue(target, network, demand, settings, state, cut)[0]
                if asks < NEVER:
                    call_ahead(target, asks, state, loose)
        else:
            cut.exits[target] = state.link[target, EXITS]
            if state.link_open[target] == NEVER:
                wake_entry(target, demand, state, loose)


@lean_jit
def _advance_part(
    network: Network,
    demand: Demand,
    settings: Settings,
    state: State,
    log: Log,
    rows: Int,
    waiting: Int,
    active: Int,
    tally: Int,
    thread: int,
    loose: Byte,
    board: Int,
    kinds: Byte | None,
    greens: Int | None,
    cut: Cut,
    until: int,
) -> int:
    """Advance the groups of one thread; return the time before which all is done.

    See `traffic._advance`. tally (5,) changes by outcome; board, see FIRST.
    """
    group_next = state.group_next
    start = cut.group_end[0] if thread > 0 else 0
    stop = cut.group_end[thread]
    now = state.clock[NOW]
    met = 0
    stopped, reached, since = -1, now, NEVER
    look_across(start, network, demand, settings, state, loose, stop, cut)
    while True:
        first = NEVER
        for group in range(start, stop):
            first = min(first, group_next[group])
        board[FIRST + 8 * thread] = first
        met = meet(board, met)
        first = min(read_anew(board, FIRST), read_anew(board, FIRST + 8))
        last_pass = first >= until or now >= until
        end = until
        if last_pass:
            for group in range(start, stop):
                if loose[group]:
                    group_next[group] = until - 1
        else:
            now = max(now, first)
            end = min(now + state.clock[WINDOW], until)
        since = since_when(now, end, since, demand, state)
        n_active = 0
        for group in range(start, stop):
            if group_next[group] < end:
                active[n_active] = group
                n_active += 1
        for place in range(n_active):
            group = active[place] & INDEX
            fetch(place, active, n_active, end, network, demand, state, kinds, greens)
            status = visit(
                group, now, end, since, network, demand, settings, state, log, rows, waiting, loose, tally, kinds,
                greens, cut,
            )  # fmt: skip
            if status == LOG_FULL:
                board[FULL + 8 * thread] = 1
                stopped, reached = group, group_next[group]
                break
        met = meet(board, met)
        if last_pass:
            return until
        look_across(start, network, demand, settings, state, loose, stop, cut)
        if read_anew(board, FULL) + read_anew(board, FULL + 8) > 0:
            # Those advanced to the end of the window do not begin it again.
            for group in range(start, stop):
                group_next[group] = end - 1 if stopped < 0 or group < stopped else now
            if stopped >= 0:
                group_next[stopped] = reached
            return int(now)
        now = end
