"""A generated city at a hundred times its size: every trip to one of the nearest zones, on its shortest way.

At 100 times the scale a city has 27,000 destinations and 80,000 nodes, too many
for next-hop tables (9 GB each). Trips are therefore drawn by the city's own
gravity law among as many nearest zones as the city of scale 1 has, and follow
given routes, one a pair of zones.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from twin.random import uniform

SECOND = 1_000_000
BEGIN, END = 7, 9
"""Hours of the morning in which trips depart."""
NEAREST = 70
_STRAIGHT_SPEED = 8.0
"""m/s from zone to zone as the crow flies: for the gravity law only, the ways are those of least time."""


def lay_out(city: Any, seed: int) -> Any:
    """Return the kernel's arrays: the city's streets, signals and classes, and its morning's trips."""
    from twin.kernels.traffic_layout import Trips, build
    from twin.models import demand
    from twin.models.streets import build_streets
    from twin.models.traffic.streets import classes, roads, signals

    near, cumulated = _pairs(city)
    profile = demand.day_profile(city)
    hours = (np.arange(profile.size) + 0.5) * 24 / profile.size
    share = float(profile[(hours >= BEGIN) & (hours < END)].sum())
    number = np.arange(round(demand.trips_per_day(city) * share))
    pair = np.searchsorted(cumulated, uniform(seed, "trip.pair", number) * cumulated[-1], side="right")
    used, pair = np.unique(np.minimum(pair, cumulated.size - 1), return_inverse=True)
    origin, goal = city["zones"]["node"][used // near.shape[1]], city["zones"]["node"][near.ravel()[used]]
    start, routes = _routes(build_streets(city), origin, goal)
    kinds = tuple(sorted(city.parameters["demand"]["classes"]))
    shares = np.cumsum([city.parameters["demand"]["classes"][kind] for kind in kinds])
    kind = np.searchsorted(shares / shares[-1], uniform(seed, "trip.class", number), side="right")
    depart = (uniform(seed, "trip.depart", number) * (END - BEGIN) * 3600 * SECOND).astype(np.int64)
    order = np.flatnonzero(start[pair] >= 0)
    order = order[np.argsort(depart[order], kind="stable")]
    trips = Trips(
        depart[order],
        origin[pair[order]],
        vehicle_class=np.minimum(kind[order], len(kinds) - 1),
        route_start=start[pair[order]],
        routes=routes,
    )
    return build(roads(city), trips, (), classes(kinds, city), signals(city, 3.0))


def _pairs(city: Any) -> tuple[Any, Any]:
    """Return the nearest zones (n_zone, n_near) of each zone, and the trips of all pairs added up, unscaled."""
    from scipy.spatial import cKDTree

    zones = city["zones"]
    place = np.column_stack([zones["x"], zones["y"]])
    away, near = cKDTree(place).query(place, k=min(NEAREST + 1, zones.rows))
    away, near = away[:, 1:], near[:, 1:]
    deterrence = np.exp(-float(city.parameters["demand"]["gravity_beta"]) * away / _STRAIGHT_SPEED)
    pull = zones["jobs"][near] * deterrence
    trips = zones["population"][:, None] * pull / np.maximum(pull.sum(axis=1, keepdims=True), 1e-300)
    return near, np.cumsum(trips)


def _routes(streets: Any, origin: Any, goal: Any) -> tuple[Any, Any]:
    """Return where the route of each pair begins, -1 for none, and all routes, each ended by -1; pairs by origin."""
    from twin.kernels.routing import tree

    net, n_node = streets.graph, streets.nodes
    time, via = np.empty(n_node), np.empty(n_node, np.int32)
    start, parts, length = np.full(origin.size, -1), [], 0
    for rows in np.split(np.arange(origin.size), np.flatnonzero(np.diff(origin)) + 1):
        root = int(origin[rows[0]])
        apart = np.hypot(*(streets.node_xy[goal[rows]] - streets.node_xy[root]).T)
        # What is nearer than the farthest goal has its shortest way; a way to one behind it is still a way.
        farthest = int(goal[rows[apart.argmax()]])
        tree(net.out_start, net.out_link, net.to_node, streets.free_time, root, time, via, farthest)
        ways = _walk_back(via, net.from_node, goal[rows], root)
        there = (ways >= 0).any(axis=1)
        lengths = (ways >= 0).sum(axis=1)[there] + 1
        start[rows[there]] = length + np.append(0, np.cumsum(lengths)[:-1])
        ended = np.column_stack([ways[there], np.full(there.sum(), -1)])
        kept = np.column_stack([ways[there] >= 0, np.ones(there.sum(), bool)])
        parts.append(ended[kept].astype(np.int32))
        length += int(lengths.sum())
    return start, np.concatenate(parts)


def _walk_back(via: Any, from_node: Any, goal: Any, root: int) -> Any:
    """Return the links (n_goal, n_step) from the root to each goal, right-aligned, -1 before the first."""
    steps, here = [], goal.astype(np.int64)
    while True:
        link = np.where(here == root, -1, via[here])
        if (link < 0).all():
            return np.column_stack(steps[::-1]) if steps else np.full((goal.size, 1), -1)
        steps.append(link)
        here = np.where(link < 0, here, from_node[link])
