"""Cut a city into square cells of ground, and say where the water of each goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from twin.city import City

Array = np.ndarray[Any, Any]

_UNKNOWN_RIVER = 1e5


@dataclass(frozen=True)
class Cells:
    """The cells of a city, constants only.

    of_node    (n_node,)  cell of each street node
    elevation  (n_node,)  m
    ground     (n_node,)  m   elevations by cell, rising; first, count  (n_cell,)
    area       (n_cell,)  m2  for each node of the cell
    bottom     (n_cell,)  m   lowest ground
    outlet     (n_cell,)  m   lowest ground over the normal river, large where none is known
    order      (n_cell,)      cells from the highest bottom down
    down       (n_cell,)      cell it drains to, -1 for the river
    upstream   (n_cell,)  m2  area that drains through it, its own included
    """

    of_node: Array
    elevation: Array
    ground: Array
    first: Array
    count: Array
    area: Array
    bottom: Array
    outlet: Array
    order: Array
    down: Array
    upstream: Array

    @classmethod
    def of(cls, city: City, edge: float) -> Cells:
        """Cut a city into square cells that hold at least one street node."""
        nodes = city["nodes"]
        elevation = np.asarray(nodes["elevation"], dtype=np.float64)
        column, row = (np.floor((nodes[axis] - nodes[axis].min()) / edge).astype(np.int64) for axis in "xy")
        keys, of_node = np.unique(np.column_stack([column, row]), axis=0, return_inverse=True)
        of_node = of_node.reshape(-1)
        count = np.bincount(of_node, minlength=keys.shape[0])
        first = np.cumsum(count) - count
        ground = elevation[np.lexsort((elevation, of_node))]
        bottom = ground[first]
        above = np.asarray(nodes["above_river"], np.float64) if "above_river" in nodes else np.full(len(elevation), 1e6)
        outlet = np.full(keys.shape[0], np.inf)
        np.minimum.at(outlet, of_node, above)
        order = np.lexsort((np.arange(keys.shape[0]), -bottom))
        down = _downhill(keys, bottom)
        area = edge**2 / count
        upstream = np.full(keys.shape[0], edge**2)
        for cell in order.tolist():
            if down[cell] >= 0:
                upstream[down[cell]] += upstream[cell]
        outlet = np.where(outlet > _UNKNOWN_RIVER, np.inf, outlet)
        return cls(of_node, elevation, ground, first, count, area, bottom, outlet, order, down, upstream)


def _downhill(keys: Array, bottom: Array) -> Array:
    """Return the lowest of the eight neighbours if it is lower, else -1; of equals the first."""
    at = {(int(x), int(y)): cell for cell, (x, y) in enumerate(keys)}
    down = np.full(keys.shape[0], -1, dtype=np.int64)
    for cell, (x, y) in enumerate(keys.tolist()):
        around = [at[x + i, y + j] for i in (-1, 0, 1) for j in (-1, 0, 1) if (i or j) and (x + i, y + j) in at]
        lowest = min(around, key=lambda other: (bottom[other], other), default=cell)
        if bottom[lowest] < bottom[cell]:
            down[cell] = lowest
    return down
