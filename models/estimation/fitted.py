"""A city with another demand, or with slower minor streets, and where that comes from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from twin.city import City
    from twin.models.estimation.counters import Counters

Array = np.ndarray[Any, Any]

MINOR = ("residential", "living_street", "unclassified", "road")
MINOR_SPEED = 0.5
"""Share of their map speed that minor streets count with. Assumption: the map knows speed limits,
not humps, parked cars and giving way, without which traffic would leave the main roads for them."""


def trip_table(city: City) -> Array:
    """Return the trip table of a city as a matrix, (n_zone, n_zone)."""
    table = np.zeros((city.rows("zones"), city.rows("zones")))
    trips = city["trips"]
    table[trips["origin"], trips["destination"]] = trips["trips"]
    return table


def with_slow_minor_streets(city: City) -> City:
    """Return the city with minor streets at half their speed, once."""
    if any(entry["item"] == "minor_speed" for entry in city.provenance):
        return city
    tables = {name: dict(columns) for name, columns in city.tables.items()}
    minor = np.isin(city["links"]["road_class"], MINOR)
    tables["links"]["speed"] = np.where(minor, MINOR_SPEED, 1.0) * city["links"]["speed"]
    entry = {
        "item": "minor_speed",
        "value": MINOR_SPEED,
        "unit": "share of map speed",
        "source": "assumption: humps, parked cars and giving way, which the map does not state",
    }
    return replace(city, tables=tables, provenance=(*city.provenance, entry))


def with_demand(city: City, table: Array, profile: Array, counters: Counters) -> City:
    """Return the city with a trip table and a profile of the day."""
    origin, destination = (side.ravel() for side in np.indices(table.shape))
    trips = table.ravel()
    kept = trips > trips.sum() * 1e-9
    tables = {name: dict(columns) for name, columns in city.tables.items()}
    tables["trips"] = {
        "origin": origin[kept].astype(np.int32),
        "destination": destination[kept].astype(np.int32),
        "trips": trips[kept],
    }
    source = {"item": "demand", "value": round(float(trips.sum())), "unit": "trips 06-10"}
    entry = {**source, "source": f"fitted to {int(counters.training.sum())} counted approaches, mean weekday"}
    kept_entries = tuple(known for known in city.provenance if known["item"] != "demand")
    return _with_profile(replace(city, tables=tables, provenance=(*kept_entries, entry)), trips[kept], profile)


def _with_profile(city: City, trips: Array, profile: Array) -> City:
    tables = {name: dict(columns) for name, columns in city.tables.items()}
    tables["trips"]["trips"] = trips
    demand = {
        **city.parameters["demand"],
        "profile": (profile / profile.sum()).round(9).tolist(),
        "trips_morning": round(float(trips.sum())),
    }
    return replace(city, tables=tables, parameters={**city.parameters, "demand": demand})
