"""Figures, tables and invariants of traffic over a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import SECOND

if TYPE_CHECKING:
    from twin.models.traffic.model import Traffic
    from twin.view import View

Array = np.ndarray[Any, Any]


def kpis(model: Traffic, view: View) -> dict[str, float]:
    """Return vehicle hours and arrivals so far."""
    from twin.kernels.traffic_arrays import CANCELLED

    arrival = view["vehicle.arrival"]
    ended = np.where(arrival >= 0, arrival, view.now)
    time = np.maximum(ended - model.trips.depart, 0)
    left = view["vehicle.outcome"]
    time = time[left != CANCELLED].sum() / (3600 * SECOND)
    return {"vehicle_hours": float(time), "trips_arrived": float((arrival >= 0).sum())}


def measure(model: Traffic, view: View) -> dict[str, float]:
    """Return how many vehicles are under way, and how many links are slow."""
    from twin.kernels.traffic_arrays import DRIVING, WAITING

    departed = np.searchsorted(model.trips.depart, view.now)
    waiting = view["outcome.vehicles"][WAITING] - (model.trips.depart.shape[0] - departed)
    return {
        "vehicles_on_road": float(view["outcome.vehicles"][DRIVING] + max(waiting, 0)),
        "slow_links": float(view["link.slow"].sum()),
    }


def broken(model: Traffic, view: View) -> list[str]:
    """Return vehicles that were lost or made up, as sentences."""
    from twin.kernels.traffic_arrays import DRIVING, ENTRIES, EXITS

    count, queue = view["outcome.vehicles"], view["road.queue"]
    problems = []
    if count.sum() != model.trips.depart.shape[0]:
        problems.append(f"{model.trips.depart.shape[0]} trips, but outcomes sum to {count.sum()}")
    on_links = int((queue[:, ENTRIES] - queue[:, EXITS]).sum())
    if on_links != count[DRIVING]:
        problems.append(f"{count[DRIVING]} vehicles are driving, but {on_links} are on links")
    return problems


def tables(model: Traffic, view: View) -> dict[str, dict[str, Array]]:
    """Return the links with their traffic over the run."""
    from twin.kernels.traffic_arrays import EXITS, TRAVEL

    n_link = view.city.rows("links")
    queue = view["road.queue"][:n_link]
    free = model.built.settings.free_flow[:n_link] / SECOND
    exits, travel = queue[:, EXITS], queue[:, TRAVEL] / SECOND
    mean = np.divide(travel, exits, out=free.copy(), where=exits > 0)
    return {
        "links": {
            "id": view.city["links"]["id"],
            "vehicles": exits,
            "mean_time_s": mean,
            "free_flow_s": free,
            "time_ratio": mean / free,
            "delay_h": (travel - exits * free) / 3600,
            "open": view["link.open"],
        }
    }
