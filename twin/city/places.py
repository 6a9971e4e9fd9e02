"""Share what all utility generators need to know about the streets they build along."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.city.draws import stream

Floats = NDArray[np.float64]
Integers = NDArray[np.int32]


@dataclass(frozen=True)
class Places:
    """Describe the road nodes of a city that is being made, one value per node.

    nodes, links  tables in the making
    population, jobs  (n,)  persons and work places nearest to each node
    crs   EPSG number of the grid
    seed  seed of all draws
    """

    nodes: Mapping[str, Any]
    links: Mapping[str, Any]
    population: Floats
    jobs: Floats
    crs: int
    seed: int

    @cached_property
    def xy(self) -> Floats:
        """Return node positions (n, 2) in metres."""
        return np.stack([self.nodes["x"], self.nodes["y"]], axis=1)

    @cached_property
    def street_matrix(self) -> Any:
        """Return street lengths (m) between neighbouring nodes as a symmetric sparse matrix."""
        from scipy.sparse import csr_matrix

        a, b = self.links["from_node"].astype(np.int64), self.links["to_node"].astype(np.int64)
        low, high = np.minimum(a, b), np.maximum(a, b)
        order = np.lexsort((self.links["length"], high, low))
        low, high, length = low[order], high[order], self.links["length"][order]
        first = np.concatenate([[True], (np.diff(low) != 0) | (np.diff(high) != 0)])
        first &= low != high
        rows, columns = np.concatenate([low[first], high[first]]), np.concatenate([high[first], low[first]])
        return csr_matrix((np.tile(length[first], 2), (rows, columns)), shape=(len(self.xy),) * 2)

    @cached_property
    def link_between(self) -> dict[tuple[int, int], int]:
        """Map (from node, to node) to a link row, in both orders also where a street is one-way."""
        pairs = list(zip(self.links["from_node"].tolist(), self.links["to_node"].tolist(), strict=True))
        found = {(b, a): row for row, (a, b) in enumerate(pairs)}
        found.update({pair: row for row, pair in enumerate(pairs)})
        return found

    def nearest(self, xy: Floats, allowed: NDArray[np.bool_] | None = None) -> Integers:
        """Return the road node nearest to each point (k, 2), among the allowed ones."""
        from scipy.spatial import cKDTree

        rows = np.arange(len(self.xy)) if allowed is None else np.flatnonzero(allowed)
        _, near = cKDTree(self.xy[rows]).query(xy)
        return np.asarray(rows[near], dtype=np.int32)

    def spread(
        self, count: int, purpose: str, weight: Floats, avoid: NDArray[np.integer[Any]] | None = None
    ) -> Integers:
        """Return up to `count` distinct nodes spread over the weight by Lloyd's iteration.

        avoid  nodes that are taken already

        Source: S. Lloyd, Least squares quantization in PCM (1982), on weighted nodes.
        """
        if count < 1:
            return np.zeros(0, dtype=np.int32)
        centre = lloyd(self.xy, weight, count, stream(self.seed, purpose))
        free = weight > 0.0
        if avoid is not None and free.sum() > len(avoid):
            free[avoid] = False
        return np.unique(self.nearest(centre, free if free.any() else weight > 0.0))

    def columns_at(self, node: Integers) -> dict[str, Any]:
        """Return x, y, lon, lat, elevation, above_river and node of road nodes, as columns."""
        names = ("x", "y", "lon", "lat", "elevation", "above_river")
        return {**{name: self.nodes[name][node] for name in names}, "node": node.astype(np.int32)}


def lloyd(xy: Floats, weight: Floats, count: int, draw: np.random.Generator, rounds: int = 25) -> Floats:
    """Return up to `count` centres (k, 2) that divide weighted points into compact groups."""
    from scipy.spatial import cKDTree

    usable = np.flatnonzero(weight > 0.0)
    count = min(count, len(usable))
    keys = np.log(weight[usable]) + draw.gumbel(size=len(usable))
    centre = xy[usable[np.argsort(-keys, kind="stable")[:count]]]
    for _ in range(rounds):
        _, group = cKDTree(centre).query(xy[usable])
        total = np.bincount(group, weight[usable], minlength=count)
        filled = total > 0.0
        for axis in (0, 1):
            sums = np.bincount(group, weight[usable] * xy[usable, axis], minlength=count)
            centre[filled, axis] = sums[filled] / total[filled]
    return np.asarray(centre)


def share_out(total: int, weight: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
    """Split an integer total in proportion to weights, by largest remainders; the sum is exact."""
    exact = total * weight / weight.sum()
    whole: NDArray[np.int64] = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - whole), kind="stable")
    whole[order[: total - int(whole.sum())]] += 1
    return whole
