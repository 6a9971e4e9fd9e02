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
from numpy.typing import NDArray

from twin.kernels._jit import inline_jit, jit, lean_jit
from twin.kernels._machine import count_up, give_way, read_anew
from twin.kernels.traffic_arrays import (
    CODE_SHIFT,
    ENTRIES,
    EXITS,
    LOG_FULL,
    NEVER,
    NOW,
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
from twin.kernels.traffic_window import first_event, list_active, open_window

FIRST, FULL, MET = 0, 16, 32
"""Rows of `board`: when something happens next and whether the log is full, each
by thread, 8 rows apart so that no two share a cache line; meetings so far."""

BOARD_ROWS = 40
_SAMPLE = 10_000
_IDLE = 1e-3
"""Vehicles by which every link counts besides those of the sample."""
_SPARE = 0.98
"""The first thread gets so much of the rows of the log that it is to write: if its part is the one that is full
first, nothing need be moved (Chicago: 12 ms of 240)."""
_CONFIG: Any = numba.config
_LEAST_GROUPS = 2
_LEAST_ROWS = 64
_PATIENCE = 2000


def advance_pair(network: Network, demand: Demand, settings: Settings, state: State, log: Log, until: int) -> None:
    """Do as `traffic.advance` does, with two threads, as long as the log has room for both."""
    cut, share = _cut(network, demand, state)
    plan = new_plan(network, demand, settings)
    while state.clock[NOW] < until and _has_room(log):
        parts = _parts(log, share)
        tallies = [np.zeros_like(state.tally) for _ in parts]
        board = np.zeros(BOARD_ROWS, np.int64)
        loose = np.zeros(state.group_next.shape[0], np.int8)

        def drive(
            thread: int, parts: Any = parts, tallies: Any = tallies, board: Int = board, loose: Byte = loose
        ) -> int:
            own = (parts[thread], *new_desk(network), tallies[thread], thread)
            return _advance_part(network, demand, settings, state, *own, loose, board, *plan, cut, until)

        with ThreadPoolExecutor(1) as pool:
            other = pool.submit(drive, 1)
            done = max(drive(0), other.result())
        state.clock[NOW] = done
        state.tally[:] += tallies[0] + tallies[1]
        _join(log, parts)


def _has_room(log: Log) -> bool:
    """Say whether both threads can write to the log for a while."""
    n_row = log.vehicle.shape[0]
    return bool(n_row == 0 or n_row - log.written[0] >= _LEAST_ROWS)


def can_pair(network: Network) -> bool:
    """Say whether two threads can run, and whether there is enough for both to do."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return len(network.group_start) > _LEAST_GROUPS and cores > 1 and not _CONFIG.DISABLE_JIT


def _parts(log: Log, share: float) -> list[Log]:
    """Give each thread rows of the log of its own; share: how many of all traversals are the first thread's."""
    written, n_row = int(log.written[0]), log.vehicle.shape[0]
    middle = written + int(_SPARE * share * (n_row - written))
    return [_part(log, written, middle), _part(log, middle, n_row)]


def _part(log: Log, start: int, end: int) -> Log:
    """Give rows of a log a count of their own."""
    return Log(
        log.vehicle[start:end], log.link[start:end], log.entered[start:end], log.left[start:end], np.zeros(1, np.int64)
    )


def _join(log: Log, logs: list[Log]) -> None:
    """Close the gap between the rows that two threads have written."""
    first, second = (int(part.written[0]) for part in logs)
    start = int(log.written[0]) + first
    end = start + second
    if first < logs[0].vehicle.shape[0]:
        log.vehicle[start:end] = logs[1].vehicle[:second].copy()
        log.link[start:end] = logs[1].link[:second].copy()
        log.entered[start:end] = logs[1].entered[:second].copy()
        log.left[start:end] = logs[1].left[:second].copy()
    log.written[0] = end


def _cut(network: Network, demand: Demand, state: State) -> tuple[Cut, float]:
    """Cut the groups, in their order, where half of the work lies on either side; return the first side's share.

    The work of a link is how many of a sample of the vehicles have it on their given
    routes; without routes, all links count alike. It decides the speed only, no result.
    """
    n_group = len(network.group_start) - 1
    work = np.full(len(network.from_node), _IDLE)
    _count_use(demand, max(1, len(demand.origin_word) // _SAMPLE), work)
    of_group = np.bincount(network.group_of_node[network.to_node], work, n_group)
    first = int(np.searchsorted(np.cumsum(of_group), of_group.sum() / 2)) + 1
    side = network.group_of_node >= first
    split = side[network.from_node] != side[network.to_node]
    seen = [state.link[:, column].copy() for column in (ENTRIES, EXITS)]
    cut = Cut(np.array([first, n_group]), split.astype(np.int8), np.flatnonzero(split), *seen)
    return cut, float(of_group[:first].sum() / of_group.sum())


@jit
def _count_use(demand: Demand, step: int, use: NDArray[np.float64]) -> None:
    """Add to each link (n_link,) how many of every so many vehicles have it on their given routes."""
    for place in range(0, demand.origin_word.shape[0], step):
        code = demand.origin_word[place] >> CODE_SHIFT
        while 0 <= code < demand.routes.shape[0] and demand.routes[code] >= 0:
            use[demand.routes[code]] += 1
            code += 1


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
    for place in range(cut.links.shape[0]):
        target = cut.links[place] & INDEX
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
        board[FIRST + 8 * thread] = first_event(start, stop, state)
        met = meet(board, met)
        first = min(read_anew(board, FIRST), read_anew(board, FIRST + 8))
        now, end, last_pass = open_window(now, first, until, start, stop, loose, state)
        since = since_when(now, end, since, demand, state)
        n_active = list_active(start, stop, end, active, state)
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
