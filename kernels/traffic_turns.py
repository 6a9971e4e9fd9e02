"""Lay out turn pockets and movements that give way for the traffic kernel."""

from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from twin.kernels.traffic_arrays import Network

Columns = dict[str, NDArray[Any]]
Plan = TypeVar("Plan", bound=Any)

_OF_LINK = ("length", "speed", "lanes", "jam_density", "reaction_time", "capacity", "weight", "rank")
_OF_PLAN = ("cycle", "start", "length", "phase")


def with_pockets(roads: Columns, trips: Columns, signals: Plan) -> tuple[Columns, Columns, Plan]:
    """Append the pockets to the links, and lead the given routes through them.

    A pocket begins and ends at the node where its movement is, and has the
    headway, the weight and the green of the link it belongs to.
    """
    pockets, n_link = roads["pockets"], len(roads["from_node"])
    if not len(pockets):
        return roads, trips, signals
    owner = pockets[:, 0]
    node = roads["to_node"][owner]
    roads = roads | {end: np.append(roads[end], node) for end in ("from_node", "to_node")}
    roads |= {name: np.append(roads[name], roads[name][owner]) for name in _OF_LINK}
    plan = {name: np.asarray(getattr(signals, name)) for name in _OF_PLAN}
    plan = {name: np.append(column, column[owner]) for name, column in plan.items() if column.shape == (n_link,)}
    return roads, _through_pockets(trips, pockets, n_link), replace(signals, **plan)


def _through_pockets(trips: Columns, pockets: NDArray[Any], n_link: int) -> Columns:
    """Put the pockets between the links of the given routes."""
    routes, start = trips["routes"], trips["route_start"]
    if not len(routes):
        return trips
    code = pockets[:, 0] * n_link + pockets[:, 1]
    order = np.argsort(code)
    turn = np.where(routes[1:] >= 0, routes[:-1].astype(np.int64) * n_link + routes[1:], -1)
    rank = np.minimum(np.searchsorted(code[order], turn), len(code) - 1)
    place = np.flatnonzero(code[order][rank] == turn)
    before = np.searchsorted(place + 1, np.maximum(start, 0), side="right")
    longer = np.insert(routes, place + 1, (n_link + order[rank[place]]).astype(routes.dtype))
    return trips | {"routes": longer, "route_start": np.where(start >= 0, start + before, start)}


def no_turns(n_node: int, n_link: int) -> dict[str, NDArray[Any]]:
    """Return the columns of `Network` of a city without pockets, where nobody gives way."""
    return {
        "pocket": np.empty(0, np.int32),
        "pocket_target": np.full(n_link, -1, np.int32),
        "approach": np.arange(n_link, dtype=np.int32),
        "turning": np.zeros(n_node, np.int8),
        "yield_start": np.empty(0, np.int64),
        "yield_to": np.empty(0, np.int32),
    }


def with_turns(network: Network, pockets: NDArray[Any], yields: NDArray[Any]) -> Network:
    """Index pockets, and whom a movement gives way to, by movement."""
    n_movement = int((np.bincount(network.queue_node, minlength=len(network.turning)) * network.out_degree).sum())
    pocket, target, approach = network.pocket, network.pocket_target, network.approach
    number = len(target) - len(pockets) + np.arange(len(pockets), dtype=np.int32)
    if len(pockets):
        pocket = np.full(n_movement, -1, np.int32)
        pocket[_movements(network, *pockets.T)] = number
        target, approach = target.copy(), approach.copy()
        approach[number], target[number] = pockets.T
    turning = network.turning.copy()
    turning[network.to_node[pockets[:, 0]]] = 1
    turning[network.to_node[yields[:, 0]]] = 1
    network = network._replace(pocket=pocket, pocket_target=target, approach=approach, turning=turning)
    return _with_yields(network, pockets, number, yields) if len(yields) else network


def _with_yields(network: Network, pockets: NDArray[Any], number: NDArray[Any], yields: NDArray[Any]) -> Network:
    """Index whom a movement gives way to; what holds of a link and a movement holds of its pocket."""
    of_turn = {(int(a), int(b)): int(p) for (a, b), p in zip(pockets, number, strict=True)}
    ahead: dict[int, set[int]] = {}
    for link, _ in of_turn:
        ahead.setdefault(link, set()).update(p for (one, _), p in of_turn.items() if one == link)
    pairs = set()
    for link, after, other in yields.tolist():
        for queue in {link, of_turn.get((link, after), link)}:
            movement = int(_movements(network, np.array([queue]), np.array([after]))[0])
            pairs |= {(movement, first) for first in {other} | ahead.get(other, set())}
    table = np.array(sorted(pairs), np.int64)
    n_movement = int((np.bincount(network.queue_node, minlength=len(network.turning)) * network.out_degree).sum())
    start = np.searchsorted(table[:, 0], np.arange(n_movement + 1))
    return network._replace(yield_start=start.astype(np.int64), yield_to=table[:, 1].astype(np.int32))


def _movements(network: Network, link: NDArray[Any], after: NDArray[Any]) -> NDArray[np.int64]:
    """Return the numbers of movements from links to links, see `traffic_move.movement_of`."""
    node = network.queue_node[link]
    first = network.movement_start[node] + network.in_position[link] * network.out_degree[node]
    return np.asarray(first + network.out_position[after], np.int64)
