"""Legs of units on streets whose travel times are known beforehand, as the model `travel` drives them."""

import numpy as np

from twin.kernels._jit import inline_jit, lean_jit
from twin.kernels.routing import Graph, _tree
from twin.kernels.standstill_arrays import (
    FAILED,
    NOW,
    RETIME,
    ROAD,
    SERVICE,
    TIED,
    U_COUNT,
    U_GOAL,
    U_NODE,
    U_STUCK,
    Case,
    Flag,
    Float,
    Int,
    Int32,
    Reel,
    State,
    Ways,
)


@lean_jit
def wound(reel: Reel, clock: Int, place: int, order: int) -> int:
    """Return the row of a reel that an event at the present instant reads; a tie is noted.

    place  of `State.clock`, how far the reel has come
    order  of the event within the instant
    """
    row = clock[place]
    now = clock[NOW]
    while row + 1 < reel.at.shape[0]:
        at = reel.at[row + 1]
        if at > now or (at == now and reel.order[row + 1] >= order):
            if at == now and reel.order[row + 1] == order:
                clock[FAILED] = TIED
            break
        row += 1
    clock[place] = row
    return int(row)


@lean_jit
def grow(streets: Graph, weight: Float, root: int, backward: bool, row: int, ways: Ways) -> None:
    """Grow the tree of a root unless it is there for this row of the reel.

    weight    (n_link,)  s, inf for a closed link
    backward  ways to the node, not from it; their links are not kept
    """
    if ways.stamp[root] == row:
        return
    ways.stamp[root] = row
    time = ways.time[root]
    if backward:
        ends = streets.in_start, streets.in_link, streets.from_node
        _tree(ends[0], ends[1], ends[2], weight, root, time, ways.link[0], ways.work, -1)
    else:
        ends = streets.out_start, streets.out_link, streets.to_node
        _tree(ends[0], ends[1], ends[2], weight, root, time, ways.link[root], ways.work, -1)


@inline_jit
def is_moving(units: Int, entry: Int, clock: Int, unit: int) -> bool:
    """Tell whether a unit is between two nodes or has links ahead."""
    count = units[unit, U_COUNT]
    return bool(count > 0 and clock[NOW] < entry[unit, count])


@lean_jit
def place_of(units: Int, entry: Int, clock: Int, unit: int) -> int:
    """Return which link of its leg a unit is on, the last one when the leg is over."""
    passed = 0
    while passed < units[unit, U_COUNT] and entry[unit, passed] <= clock[NOW]:
        passed += 1
    return max(passed - 1, 0)


@lean_jit
def next_node(to_node: Int32, units: Int, path: Int32, entry: Int, clock: Int, unit: int) -> int:
    """Return the node a unit stands on or can turn at next."""
    if not is_moving(units, entry, clock, unit):
        return int(units[unit, U_NODE])
    return int(to_node[path[unit, place_of(units, entry, clock, unit)]])


@inline_jit
def _has_arrived(case: Case, state: State, unit: int, goal: int) -> bool:
    if is_moving(state.unit, state.entry, state.clock, unit):
        return False
    count = state.unit[unit, U_COUNT]
    if count > 0:
        _stand(state.unit, unit, int(case.streets.to_node[state.path[unit, count - 1]]))
    return bool(state.unit[unit, U_NODE] == goal)


@inline_jit
def _stand(units: Int, unit: int, node: int) -> None:
    units[unit, U_NODE] = node
    units[unit, U_COUNT] = 0
    units[unit, U_GOAL] = -1
    units[unit, U_STUCK] = 0


@lean_jit
def _is_open(times: Float, leg: Int32, first: int, count: int) -> bool:
    """Tell whether every link of a leg from a place on can be driven."""
    drivable = True
    for index in range(first, count):
        drivable = drivable and times[leg[index]] < np.inf
    return drivable


@lean_jit
def is_barred(open_links: Flag, leg: Int32, first: int, count: int) -> bool:
    """Tell whether a link of a leg from a place on is closed."""
    barred = False
    for index in range(first, count):
        barred = barred or not open_links[leg[index]]
    return barred


@lean_jit
def _write_leg(case: Case, state: State, unit: int, count: int, road: int) -> None:
    """Time the `count` links in `State.links` from now, behind the link being driven."""
    start = state.clock[NOW]
    longest = state.path.shape[1]
    filled = 0
    if is_moving(state.unit, state.entry, state.clock, unit):
        index = place_of(state.unit, state.entry, state.clock, unit)
        current = state.path[unit, index]
        entered = state.entry[unit, index]
        takes = state.entry[unit, index + 1] - entered
        fraction = (start - entered) / takes
        if case.road_time[road, current] < np.inf:
            takes = case.road_us[road, current]
        start += max(np.int64(np.rint((1.0 - fraction) * takes)), 1) - takes
        state.path[unit, 0] = current
        state.entry[unit, 0] = start
        start += takes
        filled = 1
    else:
        state.entry[unit, 0] = start
    for step in range(count):
        if filled == longest:
            break
        link = state.links[step]
        state.path[unit, filled] = link
        state.entry[unit, filled] = start
        start += case.road_us[road, link]
        filled += 1
    state.entry[unit, filled] = start
    state.unit[unit, U_COUNT] = filled
    state.unit[unit, U_NODE] = next_node(case.streets.to_node, state.unit, state.path, state.entry, state.clock, unit)


@inline_jit
def _has_way(case: Case, state: State, unit: int, goal: int, road: int) -> bool:
    """Plan a leg from the next node of a unit; False when no way leads to the goal."""
    start = next_node(case.streets.to_node, state.unit, state.path, state.entry, state.clock, unit)
    grow(case.streets, case.road_time[road], start, False, road, state.ways)
    state.unit[unit, U_GOAL] = goal
    found = state.ways.time[start, goal] < np.inf
    state.unit[unit, U_STUCK] = 0 if found else 1
    if not found:
        if is_moving(state.unit, state.entry, state.clock, unit):
            _write_leg(case, state, unit, 0, road)
        return False
    count = 0
    node = goal
    while node != start:
        node = int(case.streets.from_node[state.ways.link[start, node]])
        count += 1
    node = goal
    for step in range(count - 1, -1, -1):
        state.links[step] = state.ways.link[start, node]
        node = int(case.streets.from_node[state.links[step]])
    _write_leg(case, state, unit, count, road)
    return True


@lean_jit
def follow(case: Case, state: State, unit: int, goal: int) -> int:
    """Drive on towards a node; return the us until the next look, 0 when there, -1 without a way."""
    if _has_arrived(case, state, unit, goal):
        _stand(state.unit, unit, goal)
        return 0
    road = wound(case.road, state.clock, ROAD, SERVICE)
    same = state.unit[unit, U_GOAL] == goal and state.unit[unit, U_STUCK] == 0
    first = place_of(state.unit, state.entry, state.clock, unit) + 1
    ahead = same and is_moving(state.unit, state.entry, state.clock, unit)
    if ahead and _is_open(case.road_time[road], state.path[unit], first, state.unit[unit, U_COUNT]):
        count = state.unit[unit, U_COUNT] - first
        for step in range(count):
            state.links[step] = state.path[unit, first + step]
        _write_leg(case, state, unit, count, road)
    elif not _has_way(case, state, unit, goal, road):
        return -1
    left = state.entry[unit, state.unit[unit, U_COUNT]] - state.clock[NOW]
    return max(min(int(left), int(case.number[RETIME])), 0)
