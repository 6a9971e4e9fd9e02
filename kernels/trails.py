"""Drivers under way remember the nodes they have met, and meet none of them again when the tables change.

As long as the tables of next links stay nobody meets a node twice: the links of
a table towards one destination form a tree. So all is done at a change of the
tables. The old ones tell which links each vehicle has driven since the change
before: they are added to its trail. Its way by the new tables counts if it meets
no node of the trail. Else the vehicle keeps the way it was on, by the old
tables, as a route of its own, which meets none either. At each change it is
asked anew whether it can follow the tables again. Who has to turn back because
a road on the old way has closed follows the tables, and starts a new trail, on
which only its origin stays.

A *record* is what `Demand.routes` holds of one vehicle: the links of its trail,
the one it is on included, then what is left of a kept way, then -1.

Few need to be asked. Along the way of a table the links left to the destination
grow fewer: it meets none of the nodes that have as many or more. At four changes
on the grid of the benchmark `traffic_full` none of 7,325 drivers had met a node
with fewer.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.kernels._jit import inline_jit, lean_jit
from twin.kernels.traffic_arrays import (
    CODE_SHIFT,
    ENTRIES,
    EXITS,
    LINK_COLUMNS,
    OUT_SLOT,
    RING_COLUMNS,
    ROW_WORD,
    VEHICLE_MASK,
    Byte,
    Demand,
    Int,
    Int32,
    Network,
    Settings,
    State,
)
from twin.kernels.traffic_layout import Traffic
from twin.kernels.traffic_move import INDEX, next_link

_FIRST_ROOM = 1 << 12
_LINK, _RANK, _USED, _SERIAL = 0, 1, 2, 3
_UNKNOWN, _NOT_YET = -1, -2
_LOW_WORD = (1 << CODE_SHIFT) - 1


class Memory(NamedTuple):
    """Hold what is remembered of each vehicle.

    own     (n_vehicle,)  code by which it follows the tables, see CODE_SHIFT;
            >= 0: it has a given route, and stays on it
    home    (n_vehicle,)  queue it starts in
    start   (n_vehicle,)  place of its record in `Demand.routes`, -1: none yet
    given   places of `Demand.routes` before the first record
    parted  (n,)  nodes for which the tables have more than one column
    """

    own: Int
    home: Int32
    start: Int32
    given: int
    parted: Int


def new_memory(network: Network, demand: Demand) -> Memory:
    """Remember nothing yet of any vehicle; all of `Demand.routes` is given routes."""
    n_vehicle, n_link = len(demand.origin_word), len(network.from_node)
    own, home = np.empty(n_vehicle, np.int64), np.empty(n_vehicle, np.int32)
    own[demand.origin_vehicle] = demand.origin_word >> CODE_SHIFT
    origins = np.arange(len(demand.origin_start) - 1)
    home[demand.origin_vehicle] = n_link + np.repeat(origins, np.diff(demand.origin_start))
    parted = np.unique(network.to_node[network.hop_column[:n_link] != network.to_node]).astype(np.int64)
    return Memory(own, home, np.full(n_vehicle, -1, np.int32), len(demand.routes), parted)


def keep_ways(traffic: Traffic, habitual: Int32, informed: Int32, closed: Byte, memory: Memory) -> Int32:
    """Say which vehicles keep the way they are on when the tables change; return the new records.

    habitual, informed, closed  tables and closed links that will be from now on, see `Settings`

    Changes the words of vehicles and `memory.start` at once. The caller writes
    the records into `Demand.routes`, behind the given routes and in place of those
    before, writes the new tables and closed links, and calls `traffic.touch`.
    """
    network, demand, settings, _ = traffic
    left, changed = np.zeros((2, *informed.shape), np.int32), np.zeros((2, len(informed)), np.bool_)
    streets = network.to_node, network.hop_column, demand.destination_node, memory.parted
    for table, (before, after) in enumerate(((settings.habitual, habitual), (settings.informed, informed))):
        if after is not before:
            _count_links(before, after, *streets, left[table], changed[table])
    longest = 2 * len(network.queue_node) + 4
    steps = np.empty(max(_FIRST_ROOM, len(demand.routes) - memory.given) + longest, np.int32)
    seen = np.zeros(len(network.group_of_node), np.int64)
    cursor = np.zeros(4, np.int64)
    while not _keep_ways(*traffic, memory, habitual, informed, closed, left, changed, steps, longest, seen, cursor):
        steps = np.append(steps, np.empty_like(steps))
    return steps[: cursor[_USED]]


@lean_jit
def _count_links(
    before: Int32,
    after: Int32,
    to_node: Int32,
    hop_column: Int32,
    goals: Int32,
    parted: Int,
    left: Int32,
    changed: NDArray[np.bool_],
) -> None:
    """Count the links on the way from each column to the destination, for the rows of a table that change.

    before, after        (n_destination, n_column)  next links
    to_node, hop_column  (n_link,), (n_queue,)  see `Network`
    goals                (n_destination,)  nodes
    parted               (n,)  see `Memory`
    left                 (n_destination, n_column)  written where the row changes: the count, _UNKNOWN where
                         there is no way, and for nodes that are parted
    changed              (n_destination,)  written
    """
    n_column = after.shape[1]
    for row in range(after.shape[0]):
        differs = False
        for column in range(n_column):
            differs |= before[row, column] != after[row, column]
        changed[row] = differs
        if not differs:
            continue
        goal = goals[row]
        for column in range(n_column):
            left[row, column] = _NOT_YET
        left[row, goal] = 0
        for first in range(n_column):
            column, count = first, 0
            while left[row, column] == _NOT_YET:
                link = after[row, column]
                if link < 0 or count == n_column:
                    left[row, column] = _UNKNOWN
                    break
                column = goal if to_node[link] == goal else hop_column[link]
                count += 1
            end = left[row, column]
            column = first
            for step in range(count):
                left[row, column] = end + count - step if end >= 0 else _UNKNOWN
                link = after[row, column]
                column = goal if to_node[link] == goal else hop_column[link]
        for place in range(parted.shape[0]):
            left[row, parted[place]] = _UNKNOWN


@lean_jit
def _keep_ways(
    network: Network,
    demand: Demand,
    settings: Settings,
    state: State,
    memory: Memory,
    habitual: Int32,
    informed: Int32,
    closed: Byte,
    left: Int32,
    changed: NDArray[np.bool_],
    steps: Int32,
    longest: int,
    seen: Int,
    cursor: Int,
) -> bool:
    """Go through all vehicles under way, link by link; False: no room is left, go on with a longer `steps`.

    habitual, informed  (n_destination, n_column)  the new tables
    closed   (n_link,)  the new closed links
    left, changed       see `_count_links`, of habitual and informed drivers
    steps    (n_step,)  written: the records
    longest  bound of a record: trail and kept way have each link once, or the trail is forgotten
    seen     (n_node,)  work, at first 0: the last vehicle asked that had met the node
    cursor   (4,)       at first 0: where to go on
    """
    if state.link.shape[1] != LINK_COLUMNS or state.ring.shape[1] != RING_COLUMNS:
        # Never so; it tells the compiler the widths of the rows.
        return False
    n_link, n_queue, given = network.from_node.shape[0], network.queue_node.shape[0], memory.given
    used, room = cursor[_USED], steps.shape[0] - longest
    for link in range(cursor[_LINK], n_link):
        bottom, top = network.ring_start[link], network.ring_start[link + 1]
        slot = state.link[link, OUT_SLOT] + cursor[_RANK]
        turn = network.pocket_target[link]
        turned = turn >= 0 and closed[turn] != settings.closed[turn]
        for rank in range(cursor[_RANK], state.link[link, ENTRIES] - state.link[link, EXITS]):
            at = (slot if slot < top else bottom + slot - top) & INDEX
            slot += 1
            word = state.ring[at, ROW_WORD]
            code = word >> CODE_SHIFT
            if 0 <= code < given:
                continue
            if used > room:
                cursor[_LINK], cursor[_RANK], cursor[_USED] = link, rank, used
                return False
            vehicle = word & VEHICLE_MASK
            own = code if code < 0 else memory.own[vehicle]
            table, row = (-1 - own) & 1, ((-1 - own) >> 1) & INDEX
            news = changed[table, row] or turned
            here = left[table, row, network.hop_column[link]] if news and turn < 0 else _UNKNOWN
            begin, place, queue = used, memory.start[vehicle], int(memory.home[vehicle])
            doubt = here < 0 or left[table, row, network.queue_node[queue]] < here
            while place >= 0 and place != code and demand.routes[place & INDEX] >= 0 and used - begin <= n_queue:
                queue = int(demand.routes[place & INDEX])
                steps[used & INDEX] = queue
                used += 1
                place += 1
                doubt |= left[table, row, network.queue_node[queue]] < here
            if news or code >= 0:
                while queue != link:
                    queue = next_link(own, queue, network, demand, settings)
                    if queue >= n_link or used - begin > n_queue:
                        # The tables were changed without `keep_ways`: what is not known is not remembered.
                        used, queue = begin, link
                    steps[used & INDEX] = queue
                    used += 1
                    doubt |= left[table, row, network.queue_node[queue]] < here
                way = own
                if doubt:
                    cursor[_SERIAL] += 1
                    used, way = _asked(
                        code, own, vehicle, link, network, demand, settings, memory, habitual, informed, closed, steps,
                        begin, used, seen, cursor[_SERIAL],
                    )  # fmt: skip
                code = way if way < 0 else way + given
            if used > begin:
                steps[used & INDEX] = -1
                used += 1
                memory.start[vehicle] = given + begin
            state.ring[at, ROW_WORD] = code << CODE_SHIFT | word & _LOW_WORD
        cursor[_RANK] = 0
    cursor[_USED] = used
    return True


@inline_jit
def _asked(
    code: int,
    own: int,
    vehicle: int,
    link: int,
    network: Network,
    demand: Demand,
    settings: Settings,
    memory: Memory,
    habitual: Int32,
    informed: Int32,
    closed: Byte,
    steps: Int32,
    begin: int,
    used: int,
    seen: Int,
    serial: int,
) -> tuple[int, int]:
    """Choose the way of a vehicle; return the end of its record in `steps`, and its code.

    begin, used  bounds of its trail in `steps`

    A code >= 0 is the place in `steps` of the next link of a kept way.
    """
    seen[network.queue_node[memory.home[vehicle]]] = serial
    for place in range(begin, used):
        seen[network.queue_node[steps[place & INDEX]]] = serial
    if _is_free(own, link, network, demand, habitual, informed, closed, seen, serial):
        return used, own
    n_link, queue, end = network.from_node.shape[0], link, used
    while True:
        if code >= 0:
            queue = int(demand.routes[code & INDEX])
            code += 1
            if queue < 0:
                return end, used
        else:
            queue = next_link(own, queue, network, demand, settings)
            if queue == n_link:
                return end, used
        if queue > n_link or closed[queue] or end - used > network.queue_node.shape[0]:
            # The old way cannot be driven.
            steps[begin & INDEX] = link
            return begin + 1, own
        steps[end & INDEX] = queue
        end += 1


@inline_jit
def _is_free(
    own: int,
    link: int,
    network: Network,
    demand: Demand,
    habitual: Int32,
    informed: Int32,
    closed: Byte,
    seen: Int,
    serial: int,
) -> bool:
    """Say whether new tables lead from the end of a link to the destination, and by no node of the trail."""
    row = ((-1 - own) >> 1) & INDEX
    queue, following = link, network.pocket_target[link]
    if following >= 0 and closed[following]:
        following = -1
    for _ in range(network.queue_node.shape[0]):
        if following < 0:
            if network.queue_node[queue] == demand.destination_node[row]:
                return True
            column = network.hop_column[queue]
            following = informed[row, column] if (-1 - own) & 1 else habitual[row, column]
        if following < 0 or seen[network.to_node[following]] == serial:
            return False
        queue, following = following, -1
    return False
