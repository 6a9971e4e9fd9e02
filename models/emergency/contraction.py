"""Contract a road graph: nodes where a way is chosen, and chains of arcs between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Chains:
    """The contracted graph.

    decision  (n_row,)        node of each decision row, ascending
    nodes     per chain, the nodes from one decision node to the next, both included
    arcs      per chain, the arcs between them; chains are sorted by their first node
    """

    decision: Array
    nodes: list[list[int]]
    arcs: list[list[int]]


def contract(n_node: int, from_node: Array, to_node: Array) -> Chains:
    """Find the decision nodes of a graph and the chains between them.

    from_node, to_node  (n_arc,)  0 .. n_node - 1; loops and parallel arcs are allowed

    A node is inside a chain if it is passed straight on: one arc in and one out on
    a street of one direction, or two neighbours and one arc each way to both.
    Rings without a decision node get one, their lowest.
    """
    ends = [(int(a), int(b)) for a, b in zip(from_node, to_node, strict=True)]
    leaving: list[list[int]] = [[] for _ in range(n_node)]
    coming: list[list[int]] = [[] for _ in range(n_node)]
    for arc, (tail, head) in enumerate(ends):
        leaving[tail].append(arc)
        coming[head].append(arc)
    decision = [
        not _passes([ends[a][1] for a in leaving[v]], [ends[a][0] for a in coming[v]], v) for v in range(n_node)
    ]
    chains: dict[int, list[tuple[list[int], list[int]]]] = {}
    covered = np.array(decision)
    for row in [*np.flatnonzero(covered).tolist(), *range(n_node)]:
        if row in chains or (not decision[row] and covered[row]):
            continue
        decision[row] = True
        chains[row] = [_chain(arc, ends, leaving, decision) for arc in leaving[row]]
        for nodes, _ in chains[row]:
            covered[nodes] = True
    rows = sorted(chains)
    found = [chain for row in rows for chain in chains[row]]
    return Chains(np.array(rows, np.int64), [nodes for nodes, _ in found], [arcs for _, arcs in found])


def _passes(heads: list[int], tails: list[int], node: int) -> bool:
    """Tell whether a node with these neighbours is passed straight on."""
    if node in heads:
        return False
    if len(heads) == len(tails) == 1:
        return heads[0] != tails[0]
    return len(heads) == len(tails) == 2 and heads[0] != heads[1] and set(heads) == set(tails)


def _chain(
    arc: int, ends: list[tuple[int, int]], leaving: list[list[int]], decision: list[bool]
) -> tuple[list[int], list[int]]:
    """Follow an arc straight on to the next decision node; return nodes and arcs."""
    before, node = ends[arc]
    nodes, arcs = [before, node], [arc]
    while not decision[node]:
        onward = [a for a in leaving[node] if len(leaving[node]) == 1 or ends[a][1] != before]
        arcs.append(onward[0])
        before, node = node, ends[onward[0]][1]
        nodes.append(node)
    return nodes, arcs
