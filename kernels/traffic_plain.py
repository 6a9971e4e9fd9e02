"""Advance one group of plain nodes of the traffic kernel: room, fixed-time greens and shares, no other rule.

A visit keeps a list of the vehicles that can move in the window. TIME is when a
vehicle can move at the soonest; it is put off when another one enters the link it wants.
"""

import numpy as np

from twin.kernels._jit import inline_jit
from twin.kernels._soonest import (
    KEY,
    READY,
    SIGN,
    TAG,
    TIME,
    WANTED,
    soonest,
    soonest_by_tag,
    soonest_of_pairs,
    soonest_of_pairs_by_tag,
)
from twin.kernels.traffic_arrays import (
    AHEAD,
    CLASS_SHIFT,
    DONE,
    LOG_FULL,
    NEVER,
    VEHICLE_MASK,
    Byte,
    Cut,
    Demand,
    Int,
    Log,
    Network,
    Settings,
    State,
)
from twin.kernels.traffic_move import INDEX, head_word, movement_of
from twin.kernels.traffic_rules import FROM, TAG_BITS, UNTIL, find_green, next_green, note_share
from twin.kernels.traffic_step import is_full, put_in, take_out

QUEUE, WORD, GREEN_UNTIL = 5, 6, 7
"""Columns of the list, after those of `_soonest`: TIME us, when a vehicle can move at the soonest; READY us; KEY of the
vehicle, or both in READY, see `write_row`; WANTED, the link or sink it goes to; TAG, its rank and start tag at a merge.
Then its queue; its word; us, TIME is in a green that ends then."""
ROW_COLUMNS = 8

SPAN = 1 << (63 - CLASS_SHIFT)
"""us, 19 hours: where all are ready within this, when they are and who they are is compared as one number, which saves
one fifteenth of a run."""

CALLED = 2
"""Status of a visit that an emergency vehicle has ended: the rules are to go on with it."""


@inline_jit
def visit_plain(
    group: int, now: int, end: int, since: int, shares: bool, network: Network, demand: Demand, settings: Settings,
    state: State, log: Log, rows: Int, loose: Byte, tally: Int, kinds: Byte | None, greens: Int | None, cut: Cut | None,
) -> int:  # fmt: skip
    """Make the moves of a group in [now, end); return DONE, LOG_FULL or CALLED.

    since   see `since_when`
    shares  links of unequal weight or rank merge in the group
    Unless it returns DONE, `group_next` of the group says how far it has come.
    """
    n_link = network.from_node.shape[0]
    inner = network.inner[group] > 0
    n_row = write_rows(rows, group, now, end, since, inner, shares, network, demand, settings, state, greens)
    wanted, opens = -1, 0
    while True:
        place = first_row(rows, n_row, wanted, opens, shares, since)
        if place < 0:
            break
        place &= INDEX
        time = rows[place, TIME]
        if time >= end:
            break
        queue = rows[place, QUEUE] & INDEX
        target = rows[place, WANTED] & INDEX
        if greens is not None and time >= rows[place, GREEN_UNTIL]:
            # The green that it was listed with is over.
            time = next_green(queue, time, 0, settings)
            rows[place, TIME] = time
            rows[place, GREEN_UNTIL] = time + 1
            wanted = -1
            continue
        word = rows[place, WORD]
        if queue < n_link and is_full(log):
            state.group_next[group] = time
            return LOG_FULL
        was_full = inner and queue < n_link and state.link_open[queue] == NEVER
        take_out(queue, time, word, tally, network, demand, settings, state, log, loose, kinds, cut)
        if shares and target < n_link:
            note_share(queue, target, rows[place, TAG], network, state)
            for other in range(n_row):
                if rows[other, WANTED] == target:
                    rows[other, TAG] = tag_of(rows[other, QUEUE], target, network, state)
        ready, near = put_in(
            group, queue, target, time, word, tally, network, demand, settings, state, loose, kinds, cut
        )
        if kinds is not None and near:
            state.group_next[group] = time
            return CALLED
        wanted = target
        opens = state.link_open[target]
        if state.head_ready[queue] >= end or not write_row(
            rows, place, queue, now, end, since, inner, shares, network, demand, settings, state, greens
        ):
            n_row -= 1
            for column in range(ROW_COLUMNS):
                rows[place, column] = rows[n_row, column]
        if inner:
            if was_full:
                reopen(rows, n_row, queue, now, end, since, shares, network, demand, settings, state, greens)
            if ready < end and target != queue and state.link[target, AHEAD] == group:
                n_row += write_row(
                    rows, n_row, target, now, end, since, inner, shares, network, demand, settings, state, greens
                )
    return DONE


@inline_jit
def first_row(rows: Int, n_row: int, link: int, opens: int, shares: bool, since: int) -> int:
    """Put off the rows that want a link until it opens, and find the one that comes first; -1: none."""
    if since < NEVER:
        if shares:
            return soonest_of_pairs_by_tag(rows, n_row, link, opens)
        return soonest_of_pairs(rows, n_row, link, opens)
    if shares:
        return soonest_by_tag(rows, n_row, link, opens)
    return soonest(rows, n_row, link, opens)


@inline_jit
def since_when(now: int, end: int, since: int, demand: Demand, state: State) -> int:
    """Give a time before which no first vehicle is ready, from which SPAN reaches to the end; NEVER: there is none.

    since  that of the window before, NEVER at first
    Where keys are given there is none, either.
    """
    if demand.key.shape[0] > 0:
        return NEVER
    if since == NEVER or end - since > SPAN:
        since = now
        for queue in range(state.head_ready.shape[0]):
            since = min(since, state.head_ready[queue])
    return since if end - since <= SPAN else NEVER


@inline_jit
def write_rows(
    rows: Int, group: int, now: int, end: int, since: int, inner: bool, shares: bool, network: Network,
    demand: Demand, settings: Settings, state: State, greens: Int | None,
) -> int:  # fmt: skip
    """Write the first vehicles of the queues of a group that can move before the end; return how many there are."""
    n_row = 0
    for rank in range(network.group_start[group], network.group_start[group + 1]):
        queue = network.group_queue[rank] & INDEX
        if state.head_ready[queue] < end:
            n_row += write_row(
                rows, n_row, queue, now, end, since, inner, shares, network, demand, settings, state, greens
            )
    return n_row


@inline_jit
def write_row(
    rows: Int, place: int, queue: int, now: int, end: int, since: int, inner: bool, shares: bool, network: Network,
    demand: Demand, settings: Settings, state: State, greens: Int | None,
) -> bool:  # fmt: skip
    """Write the first vehicle of a queue to a row; return False if it cannot move before the end.

    since  NEVER: READY and KEY are written; else READY counts from then, with the vehicle's number behind it
    inner  a link that is full may open in the window
    """
    n_link = network.from_node.shape[0]
    ready = state.head_ready[queue]
    target = state.head_next[queue] & INDEX
    time = max(ready, state.link_open[target], now)
    green_until = NEVER
    if greens is not None and queue < n_link and target < n_link:
        # Who arrives, and who starts, needs no green.
        find_green(queue, max(ready, now), greens, settings)
        if greens[queue, FROM] >= end:
            return False
        time = max(time, greens[queue, FROM])
        green_until = greens[queue, UNTIL]
    # A link that others empty and that takes nobody before the end does not do so sooner.
    if time >= end and not inner:
        return False
    rows[place, TIME] = time
    rows[place, WANTED] = target
    rows[place, QUEUE] = queue
    word = head_word(queue, n_link, demand, state)
    vehicle = word & VEHICLE_MASK
    rows[place, WORD] = word
    if since < NEVER:
        rows[place, READY] = (ready - since) << CLASS_SHIFT | vehicle
    else:
        rows[place, READY] = ready
        rows[place, KEY] = (vehicle if demand.key.shape[0] == 0 else demand.key[vehicle]) ^ SIGN
    if shares:
        rows[place, TAG] = tag_of(queue, target, network, state)
    if greens is not None:
        rows[place, GREEN_UNTIL] = green_until
    return True


@inline_jit
def reopen(
    rows: Int, n_row: int, link: int, now: int, end: int, since: int, shares: bool, network: Network,
    demand: Demand, settings: Settings, state: State, greens: Int | None,
) -> None:  # fmt: skip
    """Look again at the vehicles that want a link that was full."""
    for place in range(n_row):
        if rows[place, WANTED] == link:
            queue = rows[place, QUEUE] & INDEX
            write_row(rows, place, queue, now, end, since, True, shares, network, demand, settings, state, greens)


@inline_jit
def tag_of(queue: int, target: int, network: Network, state: State) -> int:
    """Give the tag by which a movement has its share of a merge, its rank above; 0 where there are no shares."""
    if target >= network.from_node.shape[0] or not network.weighted[network.queue_node[queue & INDEX] & INDEX]:
        return 0
    movement = movement_of(queue & INDEX, target & INDEX, network)
    tag = max(state.virtual_time[target], state.movement_tag[movement])
    return int(tag + (np.int64(network.rank[queue]) << TAG_BITS))
