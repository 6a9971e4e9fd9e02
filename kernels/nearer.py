"""Next links by present times that lead nearer to the destination by other times: nobody drives in a circle.

The links that may be taken towards a destination are those whose end is nearer
to it, by times that stay, than their beginning. They form no circle, whatever
the present times are, and whenever the table is made anew. Source: the
efficient paths of Dial, A probabilistic multipath traffic assignment model
which obviates path enumeration, Transp. Res. 5 (1971).
"""

import numpy as np
from numpy.typing import NDArray

from twin.kernels._jit import jit, lean_jit
from twin.kernels.routing import _FEW, _LANES, _complete, _nearest, _rows_by_node, _tree, _work
from twin.kernels.waves import fan_out, relax

Int32 = NDArray[np.int32]
Float = NDArray[np.float64]


@jit
def nearer_hop_table(
    in_start: Int32, in_link: Int32, from_node: Int32, lasting: Float, present: Float, destinations: Int32, table: Int32
) -> None:
    """Find the first link of the quickest way to each destination on which every link leads nearer to it.

    in_start, in_link, from_node  links by the node they reach, see `routing.Graph`
    lasting       (n_link,)  s, > 0 but for links that end at a destination; inf: closed.
                  They say what is nearer
    present       (n_link,)  s, >= 0; inf: closed. They say what is quickest
    destinations  (n_destination,)  nodes
    table         (n_destination, n_node)  written; -1 at the destination and where no way leads

    Of several such links the lowest is kept. Destinations near each other are relaxed together, see `waves`.
    """
    n_node, n_row = table.shape[1], destinations.shape[0]
    work = _work(n_node, in_link.shape[0])
    time, via = np.empty(n_node, np.float64), np.empty(n_node, np.int32)
    steady = fan_out(in_start, in_link, from_node, lasting)
    fans = fan_out(in_start, in_link, from_node, present)
    first, following = _rows_by_node(destinations, n_node)
    done = np.zeros(n_row, np.bool_)
    left, times = np.empty((n_node, _LANES), np.float64), np.empty((n_node, _LANES), np.float64)
    rows = np.empty(_LANES, np.int32)
    spare = np.empty(_LANES, np.float64)
    for row in range(n_row):
        if done[row]:
            continue
        found = _tree(in_start, in_link, from_node, lasting, destinations[row], time, via, work, -1)
        count = _nearest(work.order, found, first, following, done, rows)
        if count < _FEW:
            done[row] = True
            _one_row(fans.start, fans.link, fans.far, fans.weight, work.order, found, time, table[row])
            continue
        _complete(work.order, found, work.settled)
        left[:] = np.inf
        times[:] = np.inf
        for k in range(count):
            done[rows[k]] = True
            left[destinations[rows[k]], k] = 0.0
            times[destinations[rows[k]], k] = 0.0
        relax(
            steady.start, steady.far, steady.weight, in_start, in_link, from_node, work.order, left, work.settled, spare
        )
        for k in range(count):
            left[destinations[rows[k]], k] = -1.0
        _relax_nearer(
            fans.start,
            fans.far,
            fans.weight,
            in_start,
            in_link,
            from_node,
            work.order,
            left,
            times,
            work.settled,
            spare,
        )
        _choose_nearer(fans.start, fans.link, fans.far, fans.weight, left, times, rows, count, table, spare)


@jit
def _one_row(
    start: Int32, link: Int32, far: Int32, weight: Float, order: Int32, found: int, left: Float, table: Int32
) -> None:
    """Fill the row of one destination, of whose tree the order and the times left are known; left is overwritten."""
    table[:] = -1
    times = np.full(left.shape[0], np.inf)
    times[order[0]] = 0.0
    left[order[0]] = -1.0
    for j in range(1, found):
        node = order[j]
        for i in range(start[node], start[node + 1]):
            end = far[i]
            takes = times[end] + weight[i]
            if left[end] < left[node] and takes < times[node]:
                times[node] = takes
                table[node] = link[i]


@lean_jit
def _relax_nearer(
    start: Int32,
    far: Int32,
    weight: Float,
    in_start: Int32,
    in_link: Int32,
    from_node: Int32,
    order: Int32,
    left: Float,
    times: Float,
    stale: NDArray[np.bool_],
    least: Float,
) -> None:
    """Lower the times of all lanes, by links that lead nearer alone, until none is lowered; see `waves.relax`.

    left  (n_node, n_lane)  s, less where nearer; inf where no way leads
    """
    n_node, n_lane = times.shape
    stale[:] = True
    again = True
    while again:
        again = False
        for j in range(n_node):
            node = order[j]
            if not stale[node]:
                continue
            stale[node] = False
            for k in range(n_lane):
                least[k] = times[node, k]
            for i in range(start[node], start[node + 1]):
                end, takes = far[i], weight[i]
                for k in range(n_lane):
                    there = times[end, k] + takes
                    there = there if left[end, k] < left[node, k] else np.inf
                    least[k] = min(least[k], there)
            lower = 0
            for k in range(n_lane):
                lower |= least[k] < times[node, k]
                times[node, k] = least[k]
            if lower:
                again = True
                for i in range(in_start[node], in_start[node + 1]):
                    stale[from_node[in_link[i]]] = True


@lean_jit
def _choose_nearer(
    start: Int32,
    link: Int32,
    far: Int32,
    weight: Float,
    left: Float,
    times: Float,
    rows: Int32,
    count: int,
    table: Int32,
    best: Float,
) -> None:
    """Write the lowest link that leads nearer and takes each node its least time, -1 for none; see `waves.choose`."""
    n_lane = times.shape[1]
    for node in range(times.shape[0]):
        for k in range(n_lane):
            best[k] = -1.0
        for i in range(start[node + 1] - 1, start[node] - 1, -1):
            number, end, takes = float(link[i]), far[i], weight[i]
            for k in range(n_lane):
                here = times[node, k]
                right = (times[end, k] + takes == here) & (left[end, k] < left[node, k]) & (here < np.inf)
                best[k] = number if right else best[k]
        for k in range(count):
            table[rows[k], node] = np.int32(best[k])
