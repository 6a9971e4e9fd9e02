"""Small cities with demand, and worlds of traffic alone."""

from __future__ import annotations

import numpy as np

from twin.assembly import Assembly
from twin.city import City
from twin.contract import SECOND, Setup
from twin.models.traffic import Traffic
from twin.world import World


def small_city(pairs, length=50.0, trips=40_000, classes=None, side="left", parameters=None, **tables):
    """Return a city of one-lane links (10 m/s), with a zone at every node.

    pairs    (from node, to node) of each link
    trips    in the four hours of the morning
    classes  share of each class
    side     on which vehicles drive
    parameters  beside those of the demand
    """
    ends = np.array(pairs, dtype=np.int32).T
    n_node, n_link = int(ends.max()) + 1, ends.shape[1]
    angle = 2 * np.pi * np.arange(n_node) / n_node
    every = np.arange(n_node, dtype=np.int32)
    at = {
        "id": np.array([f"n{i}" for i in range(n_node)]),
        "name": np.array([f"place {i}" for i in range(n_node)]),
        "x": 100 * np.cos(angle),
        "y": 100 * np.sin(angle),
        "lon": 0.001 * np.cos(angle),
        "lat": 0.001 * np.sin(angle),
    }
    made = {
        "nodes": at | {"elevation": np.zeros(n_node), "signal": np.zeros(n_node, dtype=bool)},
        "links": {
            "id": np.array([f"l{i}" for i in range(n_link)]),
            "from_node": ends[0],
            "to_node": ends[1],
            "length": np.full(n_link, float(length)),
            "speed": np.full(n_link, 10.0),
            "lanes": np.ones(n_link, np.int32),
            "capacity": np.full(n_link, 0.5),
            "jam_density": np.full(n_link, 0.15),
        },
        "zones": at
        | {"population": np.full(n_node, 100, np.int32), "jobs": np.full(n_node, 100, np.int32), "node": every},
        "signals": {"id": np.empty(0, "U1"), "node": np.empty(0, np.int32)},
        "zone_nodes": {"zone": every, "node": every, "weight": np.ones(n_node)},
    }
    demand = {
        "trips_morning": trips,
        "profile": [1.0] * 24,
        "gravity_beta": 1 / 600,
        "classes": classes or {"car": 1.0},
    }
    parameters = dict(parameters or {})
    demand |= parameters.pop("demand", {})
    return City("small", "A small city", side, "UTC", 32750, {**made, **tables}, {"demand": demand, **parameters})


def crossing(length=100.0, gap=None, turns=(), served=(0, 1, 0, 1), to_link=None, **other):
    """Return a crossing whose links 0 to 3 come from east, north, west and south, and 4 to 7 lead back there.

    East and west are green from 7 to 27 s of 60 s, the others from 32 to 62 s.

    gap    s, of turns that give way; None: the city has no such column
    turns  (link, next link, PCU) of pockets
    """
    pairs = [(1, 0), (2, 0), (3, 0), (4, 0), (0, 1), (0, 2), (0, 3), (0, 4)]
    place = {"x": np.array([0.0, 100, 0, -100, 0]), "y": np.array([0.0, 0, 100, 0, -100])}
    city = small_city(pairs)
    nodes = {name: np.asarray(column) for name, column in city["nodes"].items()} | place
    ends = np.array([turn[:2] for turn in turns], np.int64).reshape(-1, 2).T
    signal = {"id": np.array(["s0"]), "node": np.array([0]), "cycle": np.array([60.0]), "offset": np.array([7.0])}
    served = np.array(served)
    phase_links = {"phase": served, "link": np.append(np.arange(4), np.zeros(len(served) - 4, int))}
    tables = {
        "signals": signal | ({} if gap is None else {"gap": np.array([gap]), "late_turn": np.array([3.0])}),
        "phases": {"signal": np.array([0, 0]), "order": np.array([0, 1]), "green": np.array([20.0, 30.0])},
        "phase_links": phase_links | ({} if to_link is None else {"to_link": np.array(to_link)}),
    }
    if len(turns):
        tables["pockets"] = {"from_link": ends[0], "to_link": ends[1], "storage": np.array([t[2] for t in turns])}
    return small_city(pairs, length=length, nodes=nodes, **(tables | other))


def traffic_world(city, duration=1800, seed=1, policies=(), **options):
    """Return a world of traffic alone; duration in s."""
    setup = Setup(city, {}, seed, 1_768_460_400 * SECOND, duration * SECOND)
    return World(Assembly(city, [Traffic()], list(policies), setup, {"traffic": options}))


def ring(n_node=6):
    """Return the links of a one-way ring."""
    return [(i, (i + 1) % n_node) for i in range(n_node)]
