"""Trips of a run: a gravity table by time of day, drawn with keyed numbers.

The table is doubly constrained: T_ij = a_i P_i b_j A_j exp(-beta c_ij), with
balancing factors a and b found by Furness iteration. Source: Ortuzar and
Willumsen, Modelling Transport, 4th ed. (2011), section 5.6, eq. 5.14 and 5.15.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.random import uniform

if TYPE_CHECKING:
    from twin.city import City
    from twin.contract import Setup

Array = np.ndarray[Any, Any]

_FURNESS_ROUNDS = 50


@dataclass(frozen=True)
class TripTable:
    """Trips of one run, one row a trip, sorted by departure.

    depart       (n_trip,)  us since the start of the run
    origin       (n_trip,)  node row
    destination  (n_trip,)  node row
    kind         (n_trip,)  row in `classes`
    number       (n_trip,)  permanent number, for keyed random numbers
    classes      names of the vehicle classes
    """

    depart: Array
    origin: Array
    destination: Array
    kind: Array
    number: Array
    classes: tuple[str, ...]


def gravity(production: Array, attraction: Array, cost: Array, beta: float) -> Array:
    """Balance a gravity table so that rows and columns meet their totals.

    production  (n_zone,)  trips that leave each zone
    attraction  (n_zone,)  trips that end in each zone, scaled to the same sum
    cost        (n_zone, n_zone)  travel time between zones, s; inf for none
    beta        1/s, deterrence
    """
    attraction = attraction * (production.sum() / max(attraction.sum(), 1e-300))
    with np.errstate(over="ignore"):
        deterrence = np.where(np.isfinite(cost), np.exp(-beta * cost), 0.0)
    b = np.ones_like(attraction)
    for _ in range(_FURNESS_ROUNDS):
        rows = deterrence @ (b * attraction)
        a = np.divide(1.0, rows, out=np.zeros_like(rows), where=rows > 0)
        columns = (a * production) @ deterrence
        b = np.divide(1.0, columns, out=np.zeros_like(columns), where=columns > 0)
    table: Array = (a * production)[:, None] * deterrence * (b * attraction)[None, :]
    return table


def day_profile(city: City) -> Array:
    """Return the share of the day's trips in each of equal slots of the day."""
    profile: Array = np.asarray(city.parameters["demand"]["profile"], dtype=float)
    profile /= profile.sum()
    return profile


def trips_per_day(city: City) -> float:
    """Return the trips of a day from those of the morning, 06 to 10 local."""
    profile = day_profile(city)
    hours = (np.arange(profile.size) + 0.5) * 24 / profile.size
    morning = profile[(hours >= 6) & (hours < 10)].sum()
    return float(city.parameters["demand"]["trips_morning"]) / float(morning)


def draw_trips(setup: Setup, cost: Array, factor: float = 1.0) -> TripTable:
    """Draw the trips that depart during a run.

    cost    (n_zone, n_zone)  free-flow travel time between zone nodes, s
    factor  multiplies the number of trips
    """
    city = setup.city
    edges, weights = _slots(setup)
    count = round(trips_per_day(city) * factor * float(weights.sum()))
    number = np.arange(count)
    depart = _departures(setup, number, edges, weights)
    origin_zone, destination_zone = _zones(setup, number, depart, cost)
    order = np.argsort(depart, kind="stable")
    classes = tuple(sorted(city.parameters["demand"]["classes"]))
    shares = np.array([city.parameters["demand"]["classes"][c] for c in classes], dtype=float)
    kind = _pick(shares, uniform(setup.seed, "trip.class", number))
    origin = _node_in(setup, origin_zone, uniform(setup.seed, "trip.origin", number))
    destination = _node_in(setup, destination_zone, uniform(setup.seed, "trip.destination", number))
    return TripTable(
        depart[order], origin[order], destination[order], kind[order].astype(np.int8), number[order], classes
    )


def _slots(setup: Setup) -> tuple[Array, Array]:
    """Cut the run into slots of the day profile; return edges (us) and shares of a day's trips."""
    profile = day_profile(setup.city)
    width = 24 * 3_600_000_000 // profile.size
    offset = int(setup.local_hour() * 3_600_000_000)
    first = offset // width
    last = (offset + setup.duration - 1) // width
    slots = np.arange(first, last + 1)
    edges = np.concatenate([slots * width - offset, [(last + 1) * width - offset]])
    edges = np.clip(edges, 0, setup.duration)
    return edges, profile[slots % profile.size] * np.diff(edges) / width


def _departures(setup: Setup, number: Array, edges: Array, weights: Array) -> Array:
    cumulative = np.concatenate([[0.0], np.cumsum(weights)])
    place = uniform(setup.seed, "trip.depart", number) * cumulative[-1]
    depart: Array = np.minimum(np.interp(place, cumulative, edges).astype(np.int64), setup.duration - 1)
    return depart


def _zones(setup: Setup, number: Array, depart: Array, cost: Array) -> tuple[Array, Array]:
    """Pick origin and destination zones; people go to work before noon and home after.

    A city with a table `trips` uses it as it stands before noon, and backwards after.
    """
    hour = (setup.local_hour() + depart / 3.6e9) % 24
    if "trips" in setup.city:
        table = setup.city["trips"]
        row = _pick(table["trips"], uniform(setup.seed, "trip.pair", number))
        here, there = table["origin"][row], table["destination"][row]
        return np.where(hour < 12, here, there), np.where(hour < 12, there, here)
    zones = setup.city["zones"]
    beta = float(setup.city.parameters["demand"]["gravity_beta"])
    homes, jobs = zones["population"].astype(float), zones["jobs"].astype(float)
    outward = gravity(homes, jobs + 0.1 * homes, cost, beta)
    pairs = _pick(outward.ravel(), uniform(setup.seed, "trip.pair", number))
    home, work = np.divmod(pairs, homes.size)
    to_work = uniform(setup.seed, "trip.direction", number) < np.where(hour < 12, 0.8, 0.3)
    return np.where(to_work, home, work), np.where(to_work, work, home)


def _node_in(setup: Setup, zone: Array, luck: Array) -> Array:
    table = setup.city["zone_nodes"]
    order = np.argsort(table["zone"], kind="stable")
    owner, node = table["zone"][order], table["node"][order]
    total = np.cumsum(table["weight"][order].astype(float))
    n_zone = setup.city.rows("zones")
    first = np.searchsorted(owner, np.arange(n_zone), side="left")
    last = np.searchsorted(owner, np.arange(n_zone), side="right")
    before = np.concatenate([[0.0], total])[first]
    width = np.concatenate([[0.0], total])[last] - before
    place = np.searchsorted(total, before[zone] + luck * width[zone], side="right")
    chosen: Array = node[np.clip(place, first[zone], last[zone] - 1)]
    return chosen


def _pick(weights: Array, luck: Array) -> Array:
    total = np.cumsum(weights)
    picked: Array = np.minimum(np.searchsorted(total, luck * total[-1], side="right"), weights.size - 1)
    return picked
