"""A county of towns in a plain as a city of the twin, and its service under any rule of dispatch."""

from __future__ import annotations

from functools import cache

import numpy as np

from tests.cities import line_city
from tests.models.roads import Mirror, assemble
from twin import registry
from twin.city import City
from twin.contract import Command, Policy
from twin.models.emergency.model import Emergency
from twin.world import World

SIDE, STEP, SPEED = 9, 2_000.0, 16.0
"""81 places 2 km apart, 125 s of road between neighbours."""

HOMES = ((3, 3), (6, 5))
HOSPITALS = ((4, 4), (7, 6))
HOURS = 20
CALLS = {"calls_factor": 1.0, "triage_error": 0.1, "track": 15.0}


def row(place):
    """Return the node at a column and a row of the grid."""
    return place[0] * SIDE + place[1]


@cache
def county() -> City:
    """Return the city: four towns hold most people, three ambulances stand at each of two stations between them."""
    i, j = (axis.ravel() for axis in np.meshgrid(np.arange(SIDE), np.arange(SIDE), indexing="ij"))
    begin, end = np.nonzero(np.abs(i[:, None] - i) + np.abs(j[:, None] - j) == 1)
    towns = ((4, 4, 6.0), (7, 6, 2.0), (1, 2, 2.0), (2, 7, 1.5))
    people = 0.03 + sum(size * np.exp(-((i - x) ** 2 + (j - y) ** 2) / 2) for x, y, size in towns)
    every = np.arange(SIDE**2, dtype=np.int32)
    stations, hospitals = (np.array([row(place) for place in places], np.int32) for places in (HOMES, HOSPITALS))
    many, three = len(begin), np.full(len(HOMES), 3, np.int32)
    city = line_city(
        nodes=_placed(every) | {"elevation": np.zeros(SIDE**2), "signal": np.zeros(SIDE**2, dtype=bool)},
        links={
            "id": np.array([f"l{k}" for k in range(many)]),
            "from_node": begin.astype(np.int32),
            "to_node": end.astype(np.int32),
            "length": np.full(many, STEP),
            "speed": np.full(many, SPEED),
            "lanes": np.ones(many, np.int32),
            "capacity": np.full(many, 0.5),
            "jam_density": np.full(many, 0.15),
        },
        zones=_placed(every)
        | {"population": np.round(people * 10_000).astype(np.int32), "jobs": 0 * every, "node": every},
        zone_nodes={"zone": every, "node": every, "weight": np.ones(SIDE**2)},
        stations=_placed(stations) | {"node": stations, "kind": np.full(len(HOMES), "ambulance"), "units": three},
        hospitals=_placed(hospitals) | {"node": hospitals, "bays": np.full(2, 6, np.int32)},
    )
    city.parameters["emergency"] |= {"calls_per_day": 110.0, "transport_share": [0.8, 0.8, 0.8]}
    return city


def _placed(node):
    x, y = STEP * (node // SIDE), STEP * (node % SIDE)
    ids = np.array([f"p{k}" for k in range(len(node))])
    return {"id": ids, "name": ids, "x": x, "y": y, "lon": x / 111_000.0, "lat": y / 111_000.0}


def world(policy: Policy, hours: int, seed: int = 1) -> World:
    """Return the service of the county under a policy, with everything reported at once; not yet run."""
    parts = [Emergency(), Mirror()]
    return World(assemble(county(), parts, [policy], [], hours * 3600, seed, {"emergency": CALLS}))


@cache
def served(name: str) -> tuple[World, list[tuple[int, Command]]]:
    """Return a day under a registered rule of dispatch, with its defaults, and its orders by instant (us)."""
    policy, trace = registry.get("policy", name)(), []
    decide = policy.decide

    def decide_and_write(observation):
        orders = decide(observation)
        trace.extend((observation.now, order) for order in orders)
        return orders

    policy.decide = decide_and_write
    return world(policy, HOURS).run(), trace
