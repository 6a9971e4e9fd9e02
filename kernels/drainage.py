"""Route rain water over cells: each stands level, and drains to a lower one or to the river.

An explicit step. Cells are taken from the highest down, so that water passes through several in one
step as far as their channels can carry it. Whatever leaves a cell enters another or the river in the
same statement: nothing is lost.
"""

import numpy as np
from numpy.typing import NDArray

from twin.kernels._jit import jit

Float = NDArray[np.float64]
Int = NDArray[np.int64]


@jit
def level_of(volume: float, ground: Float, first: int, count: int, area: float) -> float:
    """Return the water level (m) at which a cell holds a volume (m3); its lowest ground when empty.

    ground  (n_node,)  m  elevations, those of one cell together and rising
    first, count       where the cell's elevations lie
    area    m2         ground that each elevation stands for
    """
    total = 0.0
    for k in range(count):
        total += ground[first + k]
        level: float = (volume / area + total) / (k + 1)
        if k == count - 1 or level <= ground[first + k + 1]:
            return level
    return 0.0


@jit
def route(
    order: Int,
    down: Int,
    capacity: Float,
    outlet: Float,
    river: float,
    step: float,
    ground: Float,
    first: Int,
    count: Int,
    area: Float,
    volume: Float,
    level: Float,
) -> float:
    """Drain all cells for one step; return what reached the river (m3).

    order     (n_cell,)  cells from the highest lowest ground down
    down      (n_cell,)  cell each drains to, -1 for the river
    capacity  (n_cell,)  m3/s  of its drain or channel
    outlet    (n_cell,)  m     lowest ground over the normal river level
    river     m          river over its normal level
    step      s
    ground    (n_node,)  m     see `level_of`; first, count  (n_cell,)
    area      (n_cell,)  m2    for each elevation
    volume    (n_cell,)  m3    changed in place
    level     (n_cell,)  m     changed in place

    A channel carries nothing while the water it leads to stands as high as its own: flap gates.
    """
    out = 0.0
    for place in range(order.shape[0]):
        cell = order[place]
        here = volume[cell]
        if here <= 0.0:
            continue
        level[cell] = level_of(here, ground, first[cell], count[cell], area[cell])
        below = down[cell]
        if below < 0:
            held = river >= outlet[cell] + level[cell] - ground[first[cell]]
        else:
            held = level_of(volume[below], ground, first[below], count[below], area[below]) >= level[cell]
        if held:
            continue
        moved = min(capacity[cell] * step, here)
        volume[cell] = here - moved
        if below < 0:
            out += moved
        else:
            volume[below] += moved
    for cell in range(order.shape[0]):
        level[cell] = level_of(volume[cell], ground, first[cell], count[cell], area[cell])
    return out
