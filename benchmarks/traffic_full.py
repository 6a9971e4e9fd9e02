"""What signals, classes and rerouting cost the traffic kernel on the grid.

The grid of `traffic_grid` at a share of its demand. Plain: cars on fixed routes
and nothing else. Full: the same vehicles, with a fixed-time signal at every
node, three classes, and 30 % that follow present travel times, renewed every
300 s. Timed is the simulation with its event log on; in the full run that
includes the travel times, the trees and the reading of the new tables. A third
run also lets drivers remember where they have been, so that nobody meets a node
twice. They take turns. The shares compare traversals per second with the plain run.
"""

from __future__ import annotations

import os
import statistics
import time
from typing import Any

import numpy as np

from benchmarks.peers import ours
from benchmarks.peers.grid import LENGTH, SIDE, SPEED, GridCase, grid_case
from benchmarks.report import Report, Target

_DEMAND_SHARE = 0.4
_INFORMED_SHARE = 0.3
_EVERY = 300 * ours.SECOND
_CLASS_SHARES = (0.6, 0.3, 0.1)
_PCU = (1.0, 0.25, 2.0)
"""Cars, motorcycles and trucks; units as in `twin.models.traffic.streets`."""
_CYCLE, _GREEN = 60.0, 25.0
"""s; two phases, each followed by 5 s of amber and all-red."""
_LAST = 40 * 3600 * ours.SECOND


def measure(seed: int, quick: bool) -> Report:
    """Return what share of the plain engine's traversals per second is left with everything on."""
    case = grid_case(seed, _DEMAND_SHARE)
    rounds = 2 if quick else 7
    _full(case, seed, remembering=True)
    _full(case, seed)
    ours.run(case)
    speeds: dict[str, list[float]] = {"plain": [], "full": [], "remembering": []}
    for _ in range(rounds):
        taken, plain, _ = ours.run(case)
        speeds["plain"].append(case.traversals / taken)
        taken, full, traversals = _full(case, seed)
        speeds["full"].append(traversals / taken)
        taken, careful, remembered = _full(case, seed, remembering=True)
        speeds["remembering"].append(remembered / taken)
    middle = {name: statistics.median(values) for name, values in speeds.items()}
    shares = [float(np.mean(traffic.state.arrival >= 0)) for traffic in (plain, full, careful)]
    figures = {
        "share_of_plain": middle["full"] / middle["plain"],
        "share_of_plain_remembering": middle["remembering"] / middle["plain"],
        "completed_share": min(shares),
        "plain_traversals_per_s": middle["plain"],
        "full_traversals_per_s": middle["full"],
        "full_traversals": float(traversals),
        "plain_mean_trip_s": ours.mean_trip(case, plain),
        "full_mean_trip_s": ours.mean_trip(case, full),
    }
    setup = {
        "vehicles": len(case.depart),
        "demand_share": _DEMAND_SHARE,
        "rounds": rounds,
        "event_log": "on in both",
        "load_average": round(os.getloadavg()[0], 1),
    }
    targets = (Target("share_of_plain", ">=", 0.5), Target("completed_share", "==", 1))
    return Report(figures, targets, setup)


def _full(case: GridCase, seed: int, remembering: bool = False) -> tuple[float, Any, int]:
    """Run with everything on; return seconds, the arrays and the traversals.

    remembering  drivers under way keep their way rather than meet a node twice
    """
    from twin.kernels.traffic import advance
    from twin.kernels.traffic_arrays import DONE, DRIVING, WAITING, new_log
    from twin.kernels.trails import new_memory
    from twin.models.traffic.trails import Drivers

    traffic, net = _lay_out(case, seed)
    drivers = Drivers(traffic, new_memory(traffic.network, traffic.demand)) if remembering else None
    log = new_log(2 * case.traversals)
    for column in log:
        column.fill(0)
    seen = np.zeros((len(case.from_node), 2), np.int64)
    begun = time.perf_counter()
    for until in range(_EVERY, _LAST, _EVERY):
        if advance(*traffic, log, until) != DONE:
            raise RuntimeError("the log is too short")
        if traffic.state.tally[[WAITING, DRIVING]].sum() == 0:
            break
        traffic = _reroute(traffic, net, seen, drivers)
    return time.perf_counter() - begun, traffic, int(log.written[0])


def _lay_out(case: GridCase, seed: int) -> tuple[Any, Any]:
    """Build the arrays of a full run, and the graph that its trees grow on."""
    from twin.kernels.routing import graph
    from twin.kernels.traffic_layout import Classes, Roads, Trips, build
    from twin.random import uniform

    number = np.arange(len(case.depart))
    informed = uniform(seed, "trip.informed", number) < _INFORMED_SHARE
    luck = uniform(seed, "trip.class", number)
    kind = np.searchsorted(np.cumsum(_CLASS_SHARES)[:-1], luck, side="right")
    ends, destination = np.unique(case.destination, return_inverse=True)
    trips = Trips(
        case.depart * ours.SECOND,
        case.origin,
        destination=destination,
        first_link=case.routes[case.start],
        vehicle_class=kind,
        route_start=np.where(informed, -1, case.start),
        routes=case.routes,
    )
    roads = Roads(SIDE**2, case.from_node, case.to_node, LENGTH, SPEED)
    traffic = build(roads, trips, ends, Classes(_PCU, _PCU), _signals(case))
    net = graph(SIDE**2, case.from_node, case.to_node)
    _reroute(traffic, net, np.zeros((len(case.from_node), 2), np.int64))
    return traffic, net


def _signals(case: GridCase) -> Any:
    """Give the two directions of streets green in turn, at nodes in turn half a cycle apart."""
    from twin.kernels.traffic_arrays import FIXED
    from twin.kernels.traffic_layout import Signals

    across = np.abs(case.from_node - case.to_node) == 1
    row, column = np.divmod(case.to_node, SIDE)
    start = np.where(across, 0.0, _CYCLE / 2) + np.where((row + column) % 2, _CYCLE / 2, 0.0)
    return Signals(control=FIXED, cycle=_CYCLE, start=start, length=_GREEN)


def _reroute(traffic: Any, net: Any, seen: Any, drivers: Any = None) -> Any:
    """Give informed drivers the times of the last interval; return the arrays with the routes of those who keep theirs.

    seen     (n_link, 2)  vehicles that had left, and their total time, us; renewed
    drivers  who remember where they have been, or None
    """
    from twin.kernels.routing import next_hop_table
    from twin.kernels.traffic import touch
    from twin.kernels.traffic_arrays import ENTRIES, EXITS, OUT_SLOT, ROW_TIME, TRAVEL

    link, ring = traffic.state.link, traffic.state.ring
    exits, travel = link[:, EXITS] - seen[:, 0], link[:, TRAVEL] - seen[:, 1]
    seen[:] = link[:, [EXITS, TRAVEL]]
    times = np.maximum(np.divide(travel, exits, where=exits > 0, out=np.zeros(len(exits))), traffic.settings.free_flow)
    there = np.flatnonzero(link[:, ENTRIES] > link[:, EXITS])
    waited = traffic.state.clock[0] - ring[link[there, OUT_SLOT], ROW_TIME]
    times[there] = np.maximum(times[there], waited)
    table = np.empty_like(traffic.settings.informed)
    next_hop_table(
        net.in_start, net.in_link, net.from_node, times, traffic.demand.destination_node, table,
        np.empty((0, table.shape[1])),
    )  # fmt: skip
    if drivers is None:
        traffic.settings.informed[...] = table
    else:
        drivers.lead(traffic.settings.habitual, table, traffic.settings.closed)
        traffic = drivers.traffic
    touch(*traffic)
    return traffic
