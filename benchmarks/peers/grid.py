"""The grid case: the same streets, vehicles and routes for every engine."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

SIDE = 11
LENGTH, SPEED, JAM_DENSITY, REACTION_TIME = 1000.0, 20.0, 0.2, 1.0
"""m, m/s, veh/m and s: backward wave 5 m/s, capacity 0.8 veh/s, headway 1.25 s."""
FLOW, DURATION = 0.035, 3600
"""veh/s of each pair of boundary nodes, s."""
PLATOON = 5
"""Successive vehicles of a pair that an engine of platoons moves as one, on the route of the last."""


@dataclass(frozen=True)
class GridCase:
    """Streets and vehicles of the grid; node = SIDE * row + column.

    from_node, to_node  (440,)
    depart              (n_vehicle,)  whole seconds, sorted
    origin, destination (n_vehicle,)  nodes
    start               (n_vehicle,)  place of its route in `routes`
    routes              links one after another, each route ended by -1
    platoon             (n_vehicle,)  its number, rising with departure within a
                        pair; -1 for the few that fill no platoon
    """

    from_node: Any
    to_node: Any
    depart: Any
    origin: Any
    destination: Any
    start: Any
    routes: Any
    platoon: Any

    def route(self, vehicle: int) -> list[int]:
        """List the links of a vehicle."""
        begin = int(self.start[vehicle])
        end = begin + int(np.argmax(self.routes[begin:] < 0))
        return [int(link) for link in self.routes[begin:end]]

    @property
    def traversals(self) -> int:
        """Count the links that all vehicles drive."""
        steps = np.diff(np.append(np.flatnonzero(self.routes < 0), -1)[:-1], prepend=-1) - 1
        ends = np.flatnonzero(self.routes < 0)
        return int(steps[np.searchsorted(ends, self.start)].sum())


def grid_case(seed: int, share: float = 1.0) -> GridCase:
    """Draw the grid case: every boundary pair of opposite sides, random staircase routes.

    seed   of the routes
    share  multiplies the flow of every pair
    """
    links = [(a, b) for a in range(SIDE**2) for b in range(SIDE**2) if _joined(a, b)]
    link_of = {ends: link for link, ends in enumerate(links)}
    rng = np.random.default_rng(seed)
    depart = np.floor(np.arange(round(FLOW * share * DURATION)) / (FLOW * share))
    whole = len(depart) // PLATOON * PLATOON
    rows: list[tuple[int, int, int, int, int]] = []
    routes: list[int] = []
    platoon = -1
    for origin, destination in _pairs():
        for rank, instant in enumerate(depart.tolist()):
            platoon += rank % PLATOON == 0 and rank < whole
            rows.append((int(instant), origin, destination, len(routes), platoon if rank < whole else -1))
            nodes = _staircase(origin, destination, rng)
            routes += [link_of[ends] for ends in pairwise(nodes)] + [-1]
    columns = np.array(rows, np.int64)
    columns = columns[np.argsort(columns[:, 0], kind="stable")].T
    ends = np.array(links, np.int32).T
    return GridCase(ends[0], ends[1], *columns[:4], np.array(routes, np.int32), columns[4])


def _joined(a: int, b: int) -> bool:
    return abs(a // SIDE - b // SIDE) + abs(a % SIDE - b % SIDE) == 1


def _pairs() -> list[tuple[int, int]]:
    """List the pairs (origin, destination) of opposite sides, both ways."""
    last = SIDE - 1
    across = [(SIDE * i, SIDE * j + last) for i in range(SIDE) for j in range(SIDE)]
    down = [(i, SIDE * last + j) for i in range(SIDE) for j in range(SIDE)]
    return [pair for one, two in across + down for pair in ((one, two), (two, one))]


def _staircase(origin: int, destination: int, rng: Any) -> list[int]:
    """Draw a shortest way as nodes: all orders of its steps are equally likely."""
    rows, columns = destination // SIDE - origin // SIDE, destination % SIDE - origin % SIDE
    steps = np.array([SIDE * np.sign(rows)] * abs(rows) + [np.sign(columns)] * abs(columns))
    nodes: list[int] = (origin + np.cumsum(rng.permutation(steps))).tolist()
    return [origin, *nodes]
