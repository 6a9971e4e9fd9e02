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
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.kernels._jit import inline_jit, jit, lean_jit
from twin.kernels.traffic_arrays import (
    CODE_SHIFT,
    ENTRIES,
    EXITS,
    LINK_COLUMNS,
    OUT_SLOT,
    RING_COLUMNS,
    ROW_WORD,
    VEHICLE_MASK,
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
_NO_ROOM, _CLOSED = -1, -2
_LOW_WORD = (1 << CODE_SHIFT) - 1


class Memory(NamedTuple):
    """Hold what is remembered of each vehicle.

    own    (n_vehicle,)  code by which it follows the tables, see CODE_SHIFT;
           >= 0: it has a given route, and stays on it
    home   (n_vehicle,)  queue it starts in
    start  (n_vehicle,)  place of its record in `Demand.routes`, -1: none yet
    given  places of `Demand.routes` before the first record
    """

    own: Int
    home: Int32
    start: Int32
    given: int


def new_memory(network: Network, demand: Demand) -> Memory:
    """Remember nothing yet of any vehicle; all of `Demand.routes` is given routes."""
    n_vehicle, n_link = len(demand.origin_word), len(network.from_node)
    own, home = np.empty(n_vehicle, np.int64), np.empty(n_vehicle, np.int32)
    own[demand.origin_vehicle] = demand.origin_word >> CODE_SHIFT
    origins = np.arange(len(demand.origin_start) - 1)
    home[demand.origin_vehicle] = n_link + np.repeat(origins, np.diff(demand.origin_start))
    return Memory(own, home, np.full(n_vehicle, -1, np.int32), len(demand.routes))


def keep_ways(traffic: Traffic, after: Settings, memory: Memory) -> Int32:
    """Say which vehicles keep the way they are on when the tables change; return the new records.

    after  the settings with the tables that will hold from now on; its closed
           links count, not those of `traffic`

    Changes the words of vehicles and `memory.start` at once. The caller writes
    the records into `Demand.routes`, behind the given routes and in place of those
    before, writes the new tables, and calls `traffic.touch`.
    """
    network, demand, before, state = traffic
    changed = np.empty((2, len(before.informed)), np.bool_)
    for kind, name in enumerate(("habitual", "informed")):
        compare(getattr(before, name), getattr(after, name), changed[kind])
    steps = np.empty(max(_FIRST_ROOM, len(demand.routes) - memory.given), np.int32)
    seen = np.zeros(len(network.group_of_node), np.int64)
    cursor = np.zeros(4, np.int64)
    while not _keep_ways(network, demand, before, after, state, memory, changed, steps, seen, cursor):
        steps = np.append(steps, np.empty_like(steps))
    return steps[: cursor[_USED]]


@jit
def compare(one: Int32, other: Int32, differs: NDArray[np.bool_]) -> None:
    """Say which rows of two tables differ; (n_row, n_column) each, differs (n_row,)."""
    for row in range(one.shape[0]):
        differs[row] = False
        for column in range(one.shape[1]):
            if one[row, column] != other[row, column]:
                differs[row] = True
                break


@lean_jit
def _keep_ways(
    network: Network,
    demand: Demand,
    before: Settings,
    after: Settings,
    state: State,
    memory: Memory,
    changed: NDArray[np.bool_],
    steps: Int32,
    seen: Int,
    cursor: Int,
) -> bool:
    """Go through all vehicles under way, link by link; False: no room is left, go on with a longer `steps`.

    changed  (2, n_destination)  whether the way to each may have changed, of habitual and informed drivers
    steps    (n_step,)  written: the records
    seen     (n_node,)  work, at first 0: the last vehicle that had met the node
    cursor   (4,)  at first 0: where to go on
    """
    if state.link.shape[1] != LINK_COLUMNS or state.ring.shape[1] != RING_COLUMNS:
        # Never so; it tells the compiler the widths of the rows.
        return False
    used, given = cursor[_USED], memory.given
    for link in range(cursor[_LINK], network.from_node.shape[0]):
        bottom, top = network.ring_start[link], network.ring_start[link + 1]
        slot = state.link[link, OUT_SLOT] + cursor[_RANK]
        for rank in range(cursor[_RANK], state.link[link, ENTRIES] - state.link[link, EXITS]):
            place = slot if slot < top else bottom + slot - top
            slot += 1
            word = state.ring[place & INDEX, ROW_WORD]
            code = word >> CODE_SHIFT
            if 0 <= code < given:
                continue
            vehicle = word & VEHICLE_MASK
            own = memory.own[vehicle]
            begin, choice = used, -1 - own
            if code < 0 and not changed[choice & 1, choice >> 1]:
                used = _copied(memory.start[vehicle], demand, steps, used)
                code = own
            else:
                cursor[_SERIAL] += 1
                used, code = _chosen(
                    code, vehicle, link, network, demand, before, after, memory, steps, used, seen, cursor[_SERIAL]
                )
            if used < 0:
                cursor[_LINK], cursor[_RANK], cursor[_USED] = link, rank, begin
                return False
            if used > begin:
                memory.start[vehicle] = given + begin
            if code >= 0:
                code += given
            state.ring[place & INDEX, ROW_WORD] = code << CODE_SHIFT | word & _LOW_WORD
        cursor[_RANK] = 0
    cursor[_USED] = used
    return True


@inline_jit
def _copied(start: int, demand: Demand, steps: Int32, used: int) -> int:
    """Copy a record as it is, if there is one; return the end of `steps`, or _NO_ROOM."""
    place = start
    while place >= 0:
        if used == steps.shape[0]:
            return _NO_ROOM
        step = demand.routes[place & INDEX]
        steps[used & INDEX] = step
        used += 1
        place = place + 1 if step >= 0 else -1
    return used


@inline_jit
def _chosen(
    code: int,
    vehicle: int,
    link: int,
    network: Network,
    demand: Demand,
    before: Settings,
    after: Settings,
    memory: Memory,
    steps: Int32,
    used: int,
    seen: Int,
    serial: int,
) -> tuple[int, int]:
    """Write the record of a vehicle and choose its way; return the end of `steps`, or _NO_ROOM, and its code.

    A code >= 0 is the place in `steps` of the next link of a kept way.
    """
    own, begin = memory.own[vehicle], used
    used = _trail(code, vehicle, link, network, demand, before, memory, steps, used)
    if used < 0:
        return used, own
    seen[network.queue_node[memory.home[vehicle]]] = serial
    for place in range(begin, used):
        seen[network.queue_node[steps[place & INDEX]]] = serial
    following = used
    if not _is_free(own, link, network, demand, after, seen, serial):
        used = _rest(code, own, link, network, demand, before, after, steps, used)
        if used == _CLOSED:
            steps[begin & INDEX] = link
            following = begin + 1
        elif used >= 0:
            own = following
            following = used
    if used == _NO_ROOM or following == steps.shape[0]:
        return _NO_ROOM, own
    steps[following & INDEX] = -1
    return following + 1, own


@inline_jit
def _trail(
    code: int,
    vehicle: int,
    link: int,
    network: Network,
    demand: Demand,
    before: Settings,
    memory: Memory,
    steps: Int32,
    used: int,
) -> int:
    """Append the trail of a vehicle up to the link it is on; return the end of `steps`, or _NO_ROOM."""
    begin, place, queue = used, memory.start[vehicle], memory.home[vehicle]
    while place >= 0 and place != code and demand.routes[place & INDEX] >= 0:
        if used == steps.shape[0]:
            return _NO_ROOM
        queue = demand.routes[place & INDEX]
        steps[used & INDEX] = queue
        used += 1
        place += 1
    while queue != link:
        if used == steps.shape[0]:
            return _NO_ROOM
        queue = next_link(memory.own[vehicle], queue, network, demand, before)
        if queue >= network.from_node.shape[0] or used - begin > network.queue_node.shape[0]:
            # The tables were changed without `keep_ways`: what is not known is not remembered.
            used, queue = begin, link
        steps[used & INDEX] = queue
        used += 1
    return used


@inline_jit
def _is_free(own: int, link: int, network: Network, demand: Demand, after: Settings, seen: Int, serial: int) -> bool:
    """Say whether new tables lead from the end of a link to the destination, and by no node of the trail."""
    queue = link
    for _ in range(network.queue_node.shape[0]):
        queue = next_link(own, queue, network, demand, after)
        if queue >= network.from_node.shape[0]:
            return bool(queue == network.from_node.shape[0])
        if network.pocket_target[queue] < 0 and seen[network.to_node[queue]] == serial:
            return False
    return False


@inline_jit
def _rest(
    code: int,
    own: int,
    link: int,
    network: Network,
    demand: Demand,
    before: Settings,
    after: Settings,
    steps: Int32,
    used: int,
) -> int:
    """Append what is left of the old way; return the end of `steps`, _NO_ROOM, or _CLOSED if it cannot be driven."""
    n_link = network.from_node.shape[0]
    begin, queue = used, link
    while used - begin <= network.queue_node.shape[0]:
        if code >= 0:
            queue = demand.routes[code & INDEX]
            code += 1
            if queue < 0:
                return used
        else:
            queue = next_link(own, queue, network, demand, before)
            if queue == n_link:
                return used
        if queue > n_link or after.closed[queue]:
            return _CLOSED
        if used == steps.shape[0]:
            return _NO_ROOM
        steps[used & INDEX] = queue
        used += 1
    return _CLOSED
