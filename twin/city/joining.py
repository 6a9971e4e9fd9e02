"""Turn thinned lattice edges into streets: prune stubs, keep one piece, join at bends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.city.chains import Chain, chain_ends, walk_chains
from twin.city.draws import stream
from twin.city.lattice import LOCAL, Lattice

Floats = NDArray[np.float64]


@dataclass
class Joined:
    """Hold junctions (n, 2) and, per street, ends (e, 2), rank (e,), line (e,) and polylines."""

    node_xy: Floats
    ends: NDArray[np.int64]
    rank: NDArray[np.int64]
    line: NDArray[np.int64]
    shapes: list[Floats]


def prune(lattice: Lattice, stub_share: float, seed: int) -> Lattice:
    """Remove dead ends of through roads and a share of local ones; keep the largest piece."""
    lattice = lattice.take(_in_largest_piece(lattice))
    draw = stream(seed, "stubs")
    spared = draw.uniform(size=len(lattice.node_xy)) > stub_share
    while True:
        degree = np.bincount(lattice.ends.ravel(), minlength=len(lattice.node_xy))
        loose = (degree == 1) & ~spared
        through = (degree[lattice.ends] == 1).any(axis=1) & (lattice.rank > LOCAL)
        drop = loose[lattice.ends].any(axis=1) | through
        if not drop.any():
            return lattice
        lattice = lattice.take(~drop)


def _in_largest_piece(lattice: Lattice) -> NDArray[np.bool_]:
    """Return which edges lie in the largest connected piece."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    count = len(lattice.node_xy)
    ones = np.ones(len(lattice.ends))
    matrix = coo_matrix((ones, (lattice.ends[:, 0], lattice.ends[:, 1])), shape=(count, count))
    _, piece = connected_components(matrix, directed=False)
    sizes = np.bincount(piece[lattice.ends[:, 0]], minlength=1)
    return np.asarray(piece[lattice.ends[:, 0]] == sizes.argmax())


def join(lattice: Lattice) -> Joined:
    """Join the edges that meet two at a time in one rank, so that junctions remain."""
    count = len(lattice.node_xy)
    degree = np.bincount(lattice.ends.ravel(), minlength=count)
    ranks = np.zeros((count, 3), dtype=np.int64)
    np.add.at(ranks, (lattice.ends.ravel(), np.repeat(lattice.rank, 2)), 1)
    through = (degree == 2) & (ranks.max(axis=1) == 2)
    return _from_chains(lattice, walk_chains(lattice.ends, through))


def _from_chains(lattice: Lattice, chains: list[Chain]) -> Joined:
    """Build streets from chains of (edge, reversed), drop loops, renumber the junctions."""
    ends, rank, line, shapes = [], [], [], []
    for chain in chains:
        parts = [lattice.shape[edge][::-1] if back else lattice.shape[edge] for edge, back in chain]
        a, b = chain_ends(lattice.ends, chain)
        if a == b:
            continue
        ends.append((a, b))
        rank.append(lattice.rank[chain[0][0]])
        line.append(lattice.line[chain[len(chain) // 2][0]])
        shapes.append(np.concatenate([parts[0], *(part[1:] for part in parts[1:])]))
    table = np.array(ends, dtype=np.int64)
    kept, rows = np.unique(table, return_inverse=True)
    return Joined(lattice.node_xy[kept], rows.reshape(table.shape), np.array(rank), np.array(line), shapes)
