"""Chicago Sketch: the same streets, vehicles and routes for every engine.

Network and trips: Chicago Area Transportation Study, by way of Transportation
Networks for Research (TNTP), read from $TWIN_DATA/tntp/Chicago-Sketch.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

PLATOON = 30
"""Vehicles that an engine of platoons moves as one; every pair of zones has a multiple of it."""
REACTION_TIME = 1.0
DURATION = 3600
"""s over which the trip table departs: the hour that the capacities of the file stand for. As all take
their shortest way, some queues last half a day."""


@dataclass(frozen=True)
class ChicagoCase:
    """Streets as columns of links, and vehicles sorted by departure.

    links        from_node, to_node, length (m), speed (m/s), lanes, capacity
                 (veh/s), jam_density (veh/m per lane)
    depart       (n_vehicle,)  us
    origin, destination  (n_vehicle,)  nodes
    start        (n_vehicle,)  place of its route in `routes`
    routes       links one after another, each route ended by -1; one a pair of zones
    traversals   links that all vehicles drive
    """

    n_node: int
    links: dict[str, Any]
    depart: Any
    origin: Any
    destination: Any
    start: Any
    routes: Any
    traversals: int

    def route(self, vehicle: int) -> list[int]:
        """List the links of a vehicle."""
        begin = int(self.start[vehicle])
        end = begin + int(np.argmax(self.routes[begin : begin + 1000] < 0))
        return [int(link) for link in self.routes[begin:end]]


def found() -> Path | None:
    """Return the network file, or None where there are no data."""
    path = Path(os.environ.get("TWIN_DATA", "")) / "tntp" / "Chicago-Sketch" / "ChicagoSketch_net.tntp"
    return path if os.environ.get("TWIN_DATA") and path.is_file() else None


@cache
def chicago_case(seed: int, share: float = 1.0) -> ChicagoCase:
    """Draw the vehicles: each pair of zones departs evenly, from an instant of its own, on its shortest way.

    Vehicles start and end where the connectors of their zones meet the streets.

    share  multiplies the trips; each pair is rounded to whole platoons
    """
    from twin.city.tntp import build_tntp
    from twin.random import uniform

    city = build_tntp(str(found()))
    names = ("from_node", "to_node", "length", "speed", "lanes", "capacity", "jam_density")
    links = {name: np.asarray(city["links"][name]) for name in names}
    table = city["trips"]
    count = (np.rint(table["trips"] * share / PLATOON) * PLATOON).astype(np.int64)
    zone = city["zones"]["node"]
    origin, destination = zone[table["origin"]], zone[table["destination"]]
    used = (count > 0) & (origin != destination)
    origin, destination, count = origin[used], destination[used], count[used]
    routes, start, steps = _routes(city.rows("nodes"), links, origin, destination)
    origin, destination = links["from_node"][routes[start]], links["to_node"][routes[start + steps - 1]]
    first = np.cumsum(count) - count
    pair = np.repeat(np.arange(len(count)), count)
    phase = uniform(seed, "pair.phase", np.arange(len(count)))
    depart = (np.arange(count.sum()) - first[pair] + phase[pair]) * (DURATION * 1e6 / count[pair])
    order = np.argsort(depart, kind="stable")
    pair = pair[order]
    return ChicagoCase(
        n_node=city.rows("nodes"),
        links=links,
        depart=depart[order].astype(np.int64),
        origin=origin[pair],
        destination=destination[pair],
        start=start[pair],
        routes=routes,
        traversals=int((count * steps).sum()),
    )


def _routes(n_node: int, links: dict[str, Any], origin: Any, destination: Any) -> tuple[Any, Any, Any]:
    """Return the shortest ways one after another, the place of each and its number of links.

    The first and last link of a way join the streets to the middle of a zone; nobody drives them.
    """
    from twin.kernels.routing import graph, next_hop_table

    net = graph(n_node, links["from_node"], links["to_node"])
    ends, row = np.unique(destination, return_inverse=True)
    table = np.empty((len(ends), n_node), np.int32)
    weight = np.ascontiguousarray(links["length"] / links["speed"])
    next_hop_table(
        net.in_start, net.in_link, net.from_node, weight, ends.astype(np.int32), table, np.empty((0, n_node))
    )
    node, live, columns = origin.copy(), np.arange(len(origin)), []
    while live.size:
        step = np.full(len(origin), -1, np.int64)
        step[live] = table[row[live], node[live]]
        node[live] = links["to_node"][step[live]]
        columns.append(step)
        live = live[node[live] != destination[live]]
    ways = np.stack([*columns, np.full(len(origin), -1)], axis=1)
    steps = (ways >= 0).sum(axis=1) - 2
    place = np.arange(ways.shape[1])[None, :]
    ways[np.arange(len(ways)), steps + 1] = -1
    kept = (place > 0) & (place <= steps[:, None] + 1)
    return ways[kept].astype(np.int32), np.cumsum(steps + 1) - (steps + 1), steps
