"""Find what is connected to a source, and which event connected or cut it off.

Breadth-first search over a graph in compressed rows. The search is the island
pass of every utility: cut-off parts need no flow solution.

Source: Cormen, Leiserson, Rivest, Stein, Introduction to Algorithms, 3rd ed.
(2009), section 22.2.
"""

import numpy as np
from numpy.typing import NDArray

from twin.kernels._jit import jit


@jit
def build_adjacency(
    from_node: NDArray[np.int64],
    to_node: NDArray[np.int64],
    first: NDArray[np.int64],
    neighbour: NDArray[np.int64],
    edge: NDArray[np.int64],
) -> None:
    """List the edges at each node, in the order of edge numbers.

    from_node  (n_edge,)      node at one end
    to_node    (n_edge,)      node at the other end
    first      (n_node + 1,)  written: where each node's list starts
    neighbour  (2 n_edge,)    written: node at the far end
    edge       (2 n_edge,)    written: edge that leads there
    """
    n_node = first.shape[0] - 1
    first[:] = 0
    for k in range(from_node.shape[0]):
        first[from_node[k] + 1] += 1
        first[to_node[k] + 1] += 1
    for i in range(n_node):
        first[i + 1] += first[i]
    place = first[:n_node].copy()
    for k in range(from_node.shape[0]):
        a = from_node[k]
        b = to_node[k]
        neighbour[place[a]] = b
        edge[place[a]] = k
        place[a] += 1
        neighbour[place[b]] = a
        edge[place[b]] = k
        place[b] += 1


@jit
def spread(
    first: NDArray[np.int64],
    neighbour: NDArray[np.int64],
    edge: NDArray[np.int64],
    node_works: NDArray[np.bool_],
    edge_works: NDArray[np.bool_],
    roots: NDArray[np.int64],
    fed: NDArray[np.bool_],
    parent: NDArray[np.int64],
    parent_edge: NDArray[np.int64],
    order: NDArray[np.int64],
) -> int:
    """Mark every node that a root feeds; return how many there are.

    first, neighbour, edge  graph from `build_adjacency`
    node_works   (n_node,)  False where nothing passes, not even to the node itself
    edge_works   (n_edge,)  False for open or failed edges
    roots        (n_root,)  nodes with a source; one that does not work feeds nothing
    fed          (n_node,)  written: connected to a root
    parent       (n_node,)  written: node before it on the way from a root, -1 for none
    parent_edge  (n_node,)  written: edge from the parent, -1 for none
    order        (n_node,)  written: fed nodes, parents before children; then -1
    """
    fed[:] = False
    parent[:] = -1
    parent_edge[:] = -1
    order[:] = -1
    count = 0
    for i in range(roots.shape[0]):
        root = roots[i]
        if node_works[root] and not fed[root]:
            fed[root] = True
            order[count] = root
            count += 1
    done = 0
    while done < count:
        node = order[done]
        done += 1
        for k in range(first[node], first[node + 1]):
            other = neighbour[k]
            if edge_works[edge[k]] and node_works[other] and not fed[other]:
                fed[other] = True
                parent[other] = node
                parent_edge[other] = edge[k]
                order[count] = other
                count += 1
    return count


@jit
def latest_on_path(
    order: NDArray[np.int64],
    parent: NDArray[np.int64],
    parent_edge: NDArray[np.int64],
    node_event: NDArray[np.int64],
    edge_event: NDArray[np.int64],
    latest: NDArray[np.int64],
) -> None:
    """Find the newest event among all that each fed node's path consists of.

    order, parent, parent_edge  tree from `spread`
    node_event  (n_node,)  event that last changed the node's state, -1 for none
    edge_event  (n_edge,)  event that last changed the edge's state, -1 for none
    latest      (n_node,)  written: largest event id from root to node, -1 for none
    """
    latest[:] = -1
    for i in range(order.shape[0]):
        node = order[i]
        if node < 0:
            break
        newest = node_event[node]
        if parent[node] >= 0:
            newest = max(newest, latest[parent[node]], edge_event[parent_edge[node]])
        latest[node] = newest


@jit
def first_break_on_path(
    order: NDArray[np.int64],
    parent: NDArray[np.int64],
    parent_edge: NDArray[np.int64],
    node_works: NDArray[np.bool_],
    edge_works: NDArray[np.bool_],
    node_event: NDArray[np.int64],
    edge_event: NDArray[np.int64],
    broken: NDArray[np.bool_],
    blame: NDArray[np.int64],
) -> None:
    """Find, for each node, the break nearest the root on its normal path.

    order, parent, parent_edge  tree of normal operation, from `spread`
    node_works, edge_works      state now
    node_event, edge_event      events that last changed those states
    broken  (n_node,)  written: the normal path is interrupted
    blame   (n_node,)  written: event of the interruption nearest the root, -1 for none
    """
    broken[:] = False
    blame[:] = -1
    for i in range(order.shape[0]):
        node = order[i]
        if node < 0:
            break
        above = parent[node]
        if above >= 0 and broken[above]:
            broken[node] = True
            blame[node] = blame[above]
        elif above >= 0 and not edge_works[parent_edge[node]]:
            broken[node] = True
            blame[node] = edge_event[parent_edge[node]]
        elif not node_works[node]:
            broken[node] = True
            blame[node] = node_event[node]
