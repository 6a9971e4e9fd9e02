"""What the command centre believes of its service beforehand: mean durations, rates, free travel times.

Only the city's published figures are used, never the calls of a run. `Future` lets a rule of
dispatch try a decision out on calls that it imagines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.models.emergency.calls import emergency_settings, target_times
from twin.models.streets import build_streets, shortest_tree
from twin.random import uniform

if TYPE_CHECKING:
    from twin.city import City

Array = np.ndarray[Any, Any]

_WIDTH = 60.0
_MOST_IMAGINED = 1_000


@dataclass(frozen=True)
class Means:
    """Mean figures of a service; durations in s.

    talk     from the ring to the order
    prepare  from the order to a unit's departure
    scene    on scene, with the way to hospital and handover of those who are brought there
    service  from order to free
    back     from where a unit becomes free to its station
    target   response wanted for the most urgent calls
    calls_per_second  over the whole city, mean of the day
    """

    talk: float
    prepare: float
    scene: float
    service: float
    back: float
    target: float
    calls_per_second: float


@lru_cache(maxsize=8)
def zone_times(city: City) -> Array:
    """Return the seconds at free speed from every node to the middle of every zone; (n_zone, n_node)."""
    streets = build_streets(city)
    middles = np.asarray(city["zones"]["node"]).tolist()
    return np.array([shortest_tree(streets, streets.free_time, node, reverse=True).time for node in middles])


@lru_cache(maxsize=8)
def zone_of_nodes(city: City) -> Array:
    """Return the zone of every node: the one it is listed in, else the one of the nearest middle; (n_node,)."""
    from scipy.spatial import cKDTree

    zones, nodes, listed = city["zones"], city["nodes"], city["zone_nodes"]
    middles = np.column_stack([zones["x"], zones["y"]])
    found = np.asarray(cKDTree(middles).query(np.column_stack([nodes["x"], nodes["y"]]))[1], dtype=np.int64)
    found[np.asarray(listed["node"])] = listed["zone"]
    return found


@lru_cache(maxsize=8)
def believed_means(city: City, prepare: float) -> Means:
    """Return the mean figures of a city's service, travel at free speed from stations and to hospitals."""
    settings, times = emergency_settings(city), zone_times(city)
    people = np.asarray(city["zones"]["population"], dtype=np.float64)
    shares = np.asarray(settings["priority_shares"], dtype=np.float64)
    shares = shares / shares.sum()
    out, home = (_mean(times[:, np.asarray(city[name]["node"])], people) for name in ("stations", "hospitals"))
    carried = float(shares @ np.asarray(settings["transport_share"]))
    scene = float(shares @ np.asarray(settings["scene"])) + carried * (home + float(settings["handover"]))
    return Means(
        talk=float(shares @ np.asarray(settings["call_taking"])),
        prepare=prepare,
        scene=scene,
        service=prepare + out + scene,
        back=carried * home + (1.0 - carried) * out,
        target=float(target_times(city)[0]),
        calls_per_second=float(settings["calls_per_day"]) / 86_400.0,
    )


def _mean(times: Array, people: Array) -> float:
    """Return the mean way (s) between each zone and the site nearest to it, unreachable ones left out."""
    nearest = times.min(axis=1)
    known = np.isfinite(nearest)
    weight = np.maximum(people[known], 1e-9)
    return float(nearest[known] @ weight / weight.sum())


@lru_cache(maxsize=8)
def hospital_of_zones(city: City) -> Array:
    """Return the node of the hospital nearest to the middle of each zone at free speed; (n_zone,)."""
    nodes = np.asarray(city["hospitals"]["node"], dtype=np.int64)
    return np.asarray(nodes[zone_times(city)[:, nodes].argmin(axis=1)])


def burden(response: float, target: float) -> float:
    """Return what a response (s) is expected to cost: the chance to be late, and the hours of it.

    Real durations spread about their means, so a response near the target is late by chance: logistic, 60 s wide
    (assumption).
    """
    return 1.0 / (1.0 + math.exp(min((target - response) / _WIDTH, 50.0))) + response / 3600.0


@dataclass(frozen=True)
class Future:
    """Units as believed at one instant, and calls imagined after it; times in s from that instant.

    ready  (n_unit,)  when each unit is free
    node   (n_unit,)  where it is then
    home   (n_unit,)  node of its station, where it is a way back later
    time, zone  (n_call,)  imagined calls by time
    """

    ready: Array
    node: Array
    home: Array
    time: Array
    zone: Array


def follow(future: Future, times: Array, means: Means, hospital: Array) -> float:
    """Return the burden of all imagined calls when each gets the unit soonest there.

    times     (n_zone, n_node)  s
    hospital  (n_zone,)  node where units are free after a call of each zone
    """
    ready, node, cost = future.ready.copy(), future.node.copy(), 0.0
    for rung, zone in zip(future.time.tolist(), future.zone.tolist(), strict=True):
        start = np.maximum(ready, rung + means.talk)
        place = np.where(start - ready > means.back, future.home, node)
        arrive = start + means.prepare + times[zone, place]
        unit = int(arrive.argmin())
        response = float(arrive[unit]) - rung
        cost += burden(response, means.target)
        ready[unit], node[unit] = float(arrive[unit]) + means.scene, hospital[zone]
    return cost


def imagine(seed: int, key: tuple[int, int], rate: float, horizon: float, people: Array) -> tuple[Array, Array]:
    """Return times (s) and zones of calls imagined at a constant rate (1/s), by people.

    key  call that is decided and number of the future; the draws depend on it and on seed only
    """
    expected = rate * horizon
    draws = np.arange(min(int(expected + 10.0 * math.sqrt(expected) + 10.0), _MOST_IMAGINED))
    number = (np.int64(key[0]) * 1_000 + key[1]) * _MOST_IMAGINED + draws
    time = np.cumsum(-np.log(uniform(seed, "belief.gap", number)) / max(rate, 1e-12))
    weight = np.maximum(people, 1e-9)
    edges = np.cumsum(weight) / weight.sum()
    zone = np.searchsorted(edges, uniform(seed, "belief.zone", number), side="right")
    near = time < horizon
    return time[near], np.minimum(zone, people.shape[0] - 1)[near]
