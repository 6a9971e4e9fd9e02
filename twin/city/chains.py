"""Follow edges through nodes that only pass them on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Chain = list[tuple[int, bool]]


def walk_chains(ends: NDArray[np.int64], through: NDArray[np.bool_]) -> list[Chain]:
    """Return the chains of edges between nodes that are not passed through.

    ends     (e, 2)  nodes of each edge
    through  (n,)    True for nodes with exactly two edges that are to be joined
    Each chain lists (edge, True if walked from its second to its first node). Rings that
    consist of passed nodes only appear in no chain.
    """
    flat = ends.ravel()
    edges_at = (np.argsort(flat, kind="stable") // 2).tolist()
    first = np.concatenate([[0], np.cumsum(np.bincount(flat, minlength=len(through)))]).tolist()
    pairs, passing = ends.tolist(), through.tolist()
    used = bytearray(len(pairs))
    chains: list[Chain] = []
    for edge, (a, b) in enumerate(pairs):
        if used[edge] or (passing[a] and passing[b]):
            continue
        used[edge] = 1
        backward = bool(passing[a])
        chain, at = [(edge, backward)], a if backward else b
        while passing[at]:
            one, other = edges_at[first[at] : first[at + 1]]
            following = other if one == chain[-1][0] else one
            if used[following]:
                break
            used[following] = 1
            backward = pairs[following][1] == at
            chain.append((following, backward))
            at = pairs[following][0 if backward else 1]
        chains.append(chain)
    return chains


def chain_ends(ends: NDArray[np.int64], chain: Chain) -> tuple[int, int]:
    """Return the first and the last node of a chain."""
    (head, head_back), (tail, tail_back) = chain[0], chain[-1]
    return int(ends[head][1 if head_back else 0]), int(ends[tail][0 if tail_back else 1])
