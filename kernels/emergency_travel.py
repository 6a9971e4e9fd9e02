"""Ways on the contracted road graph and where a unit is on its way, exactly."""

from twin.kernels._jit import inline_jit, lean_jit
from twin.kernels.emergency_arrays import (
    FAR,
    OFF_ROAD,
    ON_NODE,
    TICK,
    U_AT,
    U_AT_TIME,
    U_END,
    U_FROM,
    U_HEAD,
    U_IN,
    U_MODE,
    U_OUT,
    U_START,
    U_TO,
    UNKNOWN,
    Int,
    Places,
    Roads,
)


@inline_jit
def lead(roads: Roads, mode: int, node: int, way: int) -> int:
    """Return the ticks from a node to the decision node it reaches by one of its chains."""
    chain = roads.chain_of[node, way]
    if chain < 0:
        return 0
    return int(
        roads.chain_total[mode, chain] - roads.chain_time[mode, roads.chain_start[chain] + roads.place_of[node, way]]
    )


@inline_jit
def tail(roads: Roads, mode: int, node: int, way: int) -> int:
    """Return the ticks to a node from the decision node at the start of one of its chains."""
    chain = roads.chain_of[node, way]
    if chain < 0:
        return 0
    return int(roads.chain_time[mode, roads.chain_start[chain] + roads.place_of[node, way]])


@lean_jit
def travel(roads: Roads, mode: int, start: int, end: int) -> tuple[int, int, int]:
    """Find the quickest way between two nodes: ticks, way out of the first, way into the last.

    Way out -1: the nodes are the same; 2 or 3: straight along chain 0 or 1 of the
    first node. FAR ticks where no way leads.
    """
    if start == end:
        return 0, -1, -1
    best, best_out, best_in = FAR, -1, -1
    for way in range(2):
        chain = roads.chain_of[start, way]
        if chain < 0:
            continue
        for other in range(2):
            if roads.chain_of[end, other] == chain and roads.place_of[end, other] > roads.place_of[start, way]:
                ticks = tail(roads, mode, end, other) - tail(roads, mode, start, way)
                if ticks < best:
                    best, best_out, best_in = ticks, 2 + way, other
    for way in range(2):
        row = roads.out_row[start, way]
        if row < 0:
            continue
        first = lead(roads, mode, start, way)
        for other in range(2):
            goal = roads.in_row[end, other]
            if goal < 0:
                continue
            middle = roads.time[mode, goal, row]
            if middle < FAR:
                ticks = first + middle + tail(roads, mode, end, other)
                if ticks < best:
                    best, best_out, best_in = ticks, way, other
    return best, best_out, best_in


@inline_jit
def walk_time(places: Places, mode: int, walk: int) -> int:
    """Return the us a distance off the road takes (mm)."""
    return int(walk * places.pace[mode] // 1000)


@inline_jit
def set_leg(unit: Int, u: int, mode: int, leg: tuple[int, int, int, int, int]) -> None:
    """Send a unit from a node, which it leaves at an instant, to another.

    leg  node, us when it is there, node to go to, us when it is there, arc that it is on before
         (or ON_NODE, OFF_ROAD)

    Which way it goes is found when somebody looks, see `ahead`: most legs are driven unseen, and the
    tables of ways are too large for the caches (Manhattan: a sixth of the time of the kernel).
    """
    start, instant, end, reached, head = leg
    unit[u, U_MODE] = mode
    unit[u, U_FROM] = start
    unit[u, U_TO] = end
    unit[u, U_START] = instant
    unit[u, U_END] = reached
    unit[u, U_OUT] = UNKNOWN
    unit[u, U_IN] = UNKNOWN
    unit[u, U_HEAD] = head
    unit[u, U_AT] = -1
    unit[u, U_AT_TIME] = instant


@inline_jit
def _find_way(roads: Roads, unit: Int, u: int) -> None:
    """Write which way a unit goes on its leg."""
    mode = unit[u, U_MODE]
    start = unit[u, U_FROM]
    _, way, into = travel(roads, mode, start, unit[u, U_TO])
    unit[u, U_OUT] = way
    unit[u, U_IN] = into
    if 0 <= way <= 1:
        unit[u, U_AT] = roads.out_row[start, way]
        unit[u, U_AT_TIME] = unit[u, U_START] + lead(roads, mode, start, way) * TICK


@inline_jit
def _at_pace(left: int, places: Places, mode: int, other: int) -> int:
    """Turn a time off the road by one mode into that by another, rounded up."""
    if mode == other:
        return left
    return int((left * places.pace[other] + places.pace[mode] - 1) // places.pace[mode])


@inline_jit
def _arc_time(roads: Roads, mode: int, step: int) -> int:
    """Return the ticks of the arc that leads to a step of a chain."""
    return int(roads.chain_time[mode, step] - roads.chain_time[mode, step - 1])


@inline_jit
def _on_chain(roads: Roads, chain: int, offset: int, mode: int, other: int) -> tuple[int, int, int]:
    """Find the next node on a chain, us after its start: node, us until there by another mode, step."""
    step = roads.chain_start[chain]
    while roads.chain_time[mode, step] * TICK < offset:
        step += 1
    left = roads.chain_time[mode, step] * TICK - offset
    if left == 0:
        return roads.chain_node[step], 0, ON_NODE
    if mode != other:
        own = _arc_time(roads, mode, step)
        left = (left * _arc_time(roads, other, step) + own - 1) // own
    return roads.chain_node[step], left, step


@lean_jit
def ahead(roads: Roads, places: Places, unit: Int, u: int, now: int, mode: int) -> tuple[int, int, int]:
    """Find the node a unit on its way comes to next: node, us until there by a mode, step of a chain.

    The step (of `Roads.chain_node`) tells the arc it is on; it is ON_NODE or
    OFF_ROAD elsewhere. Beyond the road's end the next node is that end, behind
    it. The unit remembers the last decision node passed, so looking again is
    short; `now` must not be before an earlier look.
    """
    own = unit[u, U_MODE]
    if now <= unit[u, U_START]:
        left = unit[u, U_START] - now
        head = unit[u, U_HEAD]
        if left == 0 or head == ON_NODE:
            return unit[u, U_FROM], left, ON_NODE
        if head == OFF_ROAD:
            return unit[u, U_FROM], _at_pace(left, places, own, mode), OFF_ROAD
        if own != mode:
            ticks = _arc_time(roads, own, head)
            left = (left * _arc_time(roads, mode, head) + ticks - 1) // ticks
        return unit[u, U_FROM], left, head
    if now >= unit[u, U_END]:
        left = _at_pace(now - unit[u, U_END], places, own, mode)
        return unit[u, U_TO], left, OFF_ROAD if left > 0 else ON_NODE
    if unit[u, U_OUT] == UNKNOWN:
        _find_way(roads, unit, u)
    way = unit[u, U_OUT]
    if way >= 2 or now < unit[u, U_AT_TIME]:
        way = way & 1
        before = tail(roads, own, unit[u, U_FROM], way) * TICK
        return _on_chain(roads, roads.chain_of[unit[u, U_FROM], way], before + now - unit[u, U_START], own, mode)
    into = unit[u, U_IN]
    last = unit[u, U_END] - tail(roads, own, unit[u, U_TO], into) * TICK
    if now >= last and roads.chain_of[unit[u, U_TO], into] >= 0:
        return _on_chain(roads, roads.chain_of[unit[u, U_TO], into], now - last, own, mode)
    goal = roads.in_row[unit[u, U_TO], into]
    row = unit[u, U_AT]
    passed = unit[u, U_AT_TIME]
    while True:
        chain = roads.out_start[row] + roads.hop[own, goal, row]
        after = passed + roads.chain_total[own, chain] * TICK
        if after > now:
            break
        row = roads.chain_to[chain]
        passed = after
    unit[u, U_AT] = row
    unit[u, U_AT_TIME] = passed
    return _on_chain(roads, chain, now - passed, own, mode)


@lean_jit
def fill_places(roads: Roads, places: Places, n_station: int) -> None:
    """Write the times between all nodes and the places, and each node's nearest hospital.

    The nearest hospital is -1 where no way leads to any; of several the lowest.
    """
    for mode in range(places.out.shape[0]):
        for node in range(places.out.shape[1]):
            least = FAR * TICK
            places.hospital[mode, node] = -1
            for place in range(places.node.shape[0]):
                places.out[mode, node, place] = travel(roads, mode, places.node[place], node)[0]
                ticks = travel(roads, mode, node, places.node[place])[0]
                places.back[mode, node, place] = ticks
                reached = ticks * TICK + walk_time(places, mode, places.walk[place])
                if place >= n_station and ticks < FAR and reached < least:
                    least = reached
                    places.hospital[mode, node] = place - n_station
