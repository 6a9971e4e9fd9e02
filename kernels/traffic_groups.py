"""Order queues and vehicles for the traffic kernel (compiled helpers)."""

import numpy as np

from twin.kernels._jit import jit
from twin.kernels.traffic_arrays import Int, Int32


@jit
def counting_sort(group: Int, n_group: int, start: Int, order: Int) -> None:
    """Sort rows by group, keeping their order within a group.

    group  (n,)           group of each row, 0 .. n_group - 1
    start  (n_group + 1,) written: bounds of the groups in `order`
    order  (n,)           written: rows by group
    """
    start[:] = 0
    for row in range(group.shape[0]):
        start[group[row] + 1] += 1
    for rank in range(n_group):
        start[rank + 1] += start[rank]
    place = start[:n_group].copy()
    for row in range(group.shape[0]):
        order[place[group[row]]] = row
        place[group[row]] += 1


@jit
def gather_routes(order: Int, start: Int, routes: Int32, gathered: Int32, new_start: Int) -> int:
    """Copy the routes in use in the order of the vehicles; return the length of the copy.

    Returns -1 if the copy would be longer, as it may be where routes start
    inside of others.

    order      (n_vehicle,)  vehicles
    start      (n_vehicle,)  place of the vehicle's route in `routes`, -1: none
    routes     (n_step,)     links, each route ended by -1
    gathered   (n_step,)     written: as `routes`; vehicles that share a route still do
    new_start  (n_vehicle,)  written: place of the vehicle's route in `gathered`, -1: none

    Vehicles that drive at the same time then read neighbouring memory.
    """
    place_of = np.full(routes.shape[0], -1)
    end = 0
    for rank in range(order.shape[0]):
        vehicle = order[rank]
        step = start[vehicle]
        if step < 0:
            new_start[vehicle] = -1
            continue
        if place_of[step] < 0:
            place_of[step] = end
            while end < gathered.shape[0]:
                gathered[end] = routes[step]
                end += 1
                if routes[step] < 0:
                    break
                step += 1
            else:
                return -1
        new_start[vehicle] = place_of[start[vehicle]]
    return end


@jit
def _root(parent: Int, node: int) -> int:
    """Find the root of a node, halving the path on the way."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@jit
def join_short_links(
    order: Int,
    time: Int,
    from_node: Int32,
    to_node: Int32,
    n_queue: Int,
    limit: int,
    group: Int32,
) -> int:
    """Join the ends of links, shortest first; return the number of groups.

    order    (n_link,)  links by rising time
    time     (n_link,)  us, least of free-flow time and wave time
    n_queue  (n_node,)  queues at each node
    limit    the first link that would join more queues than this stops the
             joining; links no shorter than it join nothing
    group    (n_node,)  written: groups numbered by their first node

    The time of the link that stops the joining bounds the window of the kernel;
    any grouping gives the same results, only the speed differs.
    """
    n_node = group.shape[0]
    parent = np.arange(n_node)
    size = n_queue.copy()
    bound = np.int64(1 << 62)
    for attempt in range(2):
        for node in range(n_node):
            parent[node] = node
            size[node] = n_queue[node]
        for i in range(order.shape[0]):
            if time[order[i]] >= bound:
                break
            one = _root(parent, from_node[order[i]])
            two = _root(parent, to_node[order[i]])
            if one == two:
                continue
            if attempt == 0 and size[one] + size[two] > limit:
                bound = time[order[i]]
                break
            parent[two] = one
            size[one] += size[two]
    group[:] = -1
    n_group = 0
    for node in range(n_node):
        root = _root(parent, node)
        if group[root] < 0:
            group[root] = n_group
            n_group += 1
        group[node] = group[root]
    return n_group
