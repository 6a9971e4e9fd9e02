"""Figures, tables and invariants of traffic over a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import SECOND

if TYPE_CHECKING:
    from twin.kernels.traffic_layout import Traffic as Arrays
    from twin.models.traffic.model import Traffic
    from twin.view import View

Array = np.ndarray[Any, Any]


def kpis(model: Traffic, view: View) -> dict[str, float]:
    """Return vehicle hours, mean delay, arrivals so far, and vehicles that are under way."""
    from twin.kernels.traffic_arrays import CANCELLED

    arrival, depart = view["vehicle.arrival"], model.trips.depart
    ended = np.where(arrival >= 0, arrival, view.now)
    begun = (view["vehicle.outcome"] != CANCELLED) & (depart <= view.now)
    time = (ended - depart)[begun]
    delay = np.maximum(time - model.free_times[begun], 0)
    return {
        "vehicle_hours": time.sum() / (3600 * SECOND),
        "trip_delay": delay.mean() / SECOND if delay.size else np.nan,
        "trips_arrived": float((arrival >= 0).sum()),
        "vehicles_at_end": _under_way(model, view),
    }


def measure(model: Traffic, view: View) -> dict[str, float]:
    """Return how many vehicles are under way, and how many links are slow."""
    return {"vehicles_on_road": _under_way(model, view), "slow_links": float(view["link.slow"].sum())}


def _under_way(model: Traffic, view: View) -> float:
    """Count the vehicles on the road, and those that wait to enter."""
    from twin.kernels.traffic_arrays import DRIVING, WAITING

    departed = np.searchsorted(model.trips.depart, view.now)
    waiting = view["outcome.vehicles"][WAITING] - (model.trips.depart.shape[0] - departed)
    return float(view["outcome.vehicles"][DRIVING] + max(waiting, 0))


def free_times(built: Arrays, origin: Array, destination: Array) -> Array:
    """Return the time (n_trip,) us that the first way of each trip takes without other traffic; 0 without a way.

    origin       (n_trip,)  node
    destination  (n_trip,)  row of the next-hop tables
    """
    network, free, table = built.network, built.settings.free_flow, built.settings.habitual
    pairs, trip = np.unique(origin.astype(np.int64) * len(table) + destination, return_inverse=True)
    node, row = np.divmod(pairs, max(len(table), 1))
    goal = built.demand.destination_node[row]
    spent = np.zeros(pairs.size, np.int64)
    way = np.flatnonzero(node != goal)
    link = table[row[way], node[way]]
    while way.size:
        there = link >= 0
        way, link = way[there], link[there]
        spent[way] += free[link]
        further = network.to_node[link] != goal[way]
        way = way[further]
        link = table[row[way], network.hop_column[link[further]]]
    return spent[trip]


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


def warn_of_waits(model: Traffic, view: View, arrays: Arrays) -> None:
    """Warn of queues that nothing lets go, by the names in the city."""
    from twin.models.traffic.standing import Names, warn_of_waits

    links, nodes = view.city["links"], view.city["nodes"]["id"]
    called = np.array(
        [f"{id_} ({name})" if name else str(id_) for id_, name in zip(links["id"], _streets(links), strict=True)]
    )
    goal = model.trips.destination
    names = Names(called[model.link_of_queue], nodes, lambda row: f"a vehicle to {nodes[goal[row]]}")
    warn_of_waits(names, arrays)


def tables(model: Traffic, view: View) -> dict[str, dict[str, Array]]:
    """Return the links with their traffic over the run, as `simulate` counts it.

    Who is still on a link counts with the time so far, at least the free-flow
    time; time in a pocket is time on the link it belongs to.
    """
    from twin.kernels.traffic_arrays import ENTRIES, TRAVEL

    links, nodes, queue = view.city["links"], view.city["nodes"], view["road.queue"]
    free = model.built.settings.free_flow[: view.city.rows("links")]
    row, so_far = _times_so_far(model, view, free)
    ticks = np.zeros(len(free), np.int64)
    np.add.at(ticks, model.link_of_queue, queue[:, TRAVEL])
    np.add.at(ticks, row, so_far)
    vehicles, free_time = queue[: len(free), ENTRIES], free / SECOND
    mean = np.divide(ticks / SECOND, vehicles, out=free_time.copy(), where=vehicles > 0)
    return {
        "links": {
            "id": links["id"],
            "name": _streets(links),
            "from_node": nodes["id"][links["from_node"]],
            "to_node": nodes["id"][links["to_node"]],
            "vehicles": vehicles,
            "still_there": np.bincount(row, minlength=len(free)),
            "mean_time_s": mean,
            "free_flow_s": free_time,
            "time_ratio": mean / free_time,
            "delay_h": (ticks - vehicles * free) / (3600 * SECOND),
            "open": view["link.open"],
        }
    }


def _times_so_far(model: Traffic, view: View, free: Array) -> tuple[Array, Array]:
    """Return link and time so far (us) of all vehicles on links and in their pockets (n_vehicle,)."""
    from twin.models.traffic.columns import kernel_state
    from twin.models.traffic.standing import on_links

    there = on_links(model.built._replace(state=kernel_state(view)))
    link, so_far = model.link_of_queue[there.link], view.now - there.entered
    return link, np.where(there.link < len(free), np.maximum(so_far, free[link]), so_far)


def _streets(links: Mapping[str, Array]) -> Array:
    """Return the names of the streets of links, empty where the city has none."""
    return links.get("name", np.full(links["id"].shape, ""))
