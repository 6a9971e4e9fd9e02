"""UXsim with its C++ engine on a case: Seo, UXsim, J. Open Source Software 10 (2025)."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.peers import chicago
from benchmarks.peers.chicago import ChicagoCase
from benchmarks.peers.grid import JAM_DENSITY, LENGTH, REACTION_TIME, SIDE, SPEED, GridCase

_END = 12_000
_CHICAGO_END = 16 * 3600
"""s; all vehicles have arrived by then, also in platoons."""


def run(case: GridCase, platoon: int) -> tuple[float, float, float]:
    """Return seconds of the simulation, completed share and mean trip, s.

    platoon  vehicles that move as one; the few that fill no platoon are left out
    """
    return _timed(*_world(case, platoon), _END - 10 * platoon)


def run_chicago(case: ChicagoCase) -> tuple[float, float, float]:
    """Return seconds of the simulation in platoons, completed share and mean trip, s."""
    return _timed(*_chicago_world(case), _CHICAGO_END - 10 * chicago.PLATOON)


def _timed(world: Any, vehicles: list[Any], until: int) -> tuple[float, float, float]:
    world.finalize_scenario()
    begun = time.perf_counter()
    world.exec_simulation(until_t=until)
    taken = time.perf_counter() - begun
    arrived = np.array([float(v.arrival_time) * world.DELTAT for v in vehicles])
    departed = np.array([float(v.departure_time_in_second) for v in vehicles])
    done = np.array([v.state == "end" for v in vehicles])
    return taken, float(done.mean()), float((arrived - departed)[done].mean())


def _world(case: GridCase, platoon: int) -> tuple[Any, list[Any]]:
    world = _empty_world(platoon, REACTION_TIME, _END)
    for node in range(SIDE**2):
        world.addNode(str(node), node % SIDE, node // SIDE)
    links = [
        world.addLink(f"l{i}", str(a), str(b), LENGTH, free_flow_speed=SPEED, jam_density=JAM_DENSITY)
        for i, (a, b) in enumerate(zip(case.from_node.tolist(), case.to_node.tolist(), strict=True))
    ]
    rows = np.arange(len(case.depart))
    if platoon > 1:
        in_platoon = np.flatnonzero(case.platoon >= 0)
        last = len(in_platoon) - 1 - np.unique(case.platoon[in_platoon][::-1], return_index=True)[1]
        rows = np.sort(in_platoon[last])
    vehicles = []
    for row in rows.tolist():
        ends = str(case.origin[row]), str(case.destination[row])
        vehicle = world.addVehicle(*ends, float(case.depart[row]))
        vehicle.enforce_route([links[i] for i in case.route(row)])
        vehicles.append(vehicle)
    return world, vehicles


def _chicago_world(case: ChicagoCase) -> tuple[Any, list[Any]]:
    """Build a world of platoons: successive vehicles of a pair of zones, at the departure of the last."""
    world = _empty_world(chicago.PLATOON, chicago.REACTION_TIME, _CHICAGO_END)
    for node in range(case.n_node):
        world.addNode(str(node), 0, 0)
    columns = [case.links[name].tolist() for name in case.links]
    links = [
        world.addLink(
            f"l{i}", str(a), str(b), length, free_flow_speed=speed, number_of_lanes=lanes,
            jam_density_per_lane=density, capacity_out=capacity, capacity_in=capacity,
        )
        for i, (a, b, length, speed, lanes, capacity, density) in enumerate(zip(*columns, strict=True))
    ]  # fmt: skip
    pair = np.argsort(case.start, kind="stable")
    last = np.sort(pair[chicago.PLATOON - 1 :: chicago.PLATOON])
    routes = {start: [links[i] for i in case.route(row)] for row, start in zip(last, case.start[last], strict=True)}
    vehicles = []
    for row in last.tolist():
        ends = str(case.origin[row]), str(case.destination[row])
        vehicle = world.addVehicle(*ends, float(case.depart[row]) / 1e6)
        vehicle.enforce_route(routes[case.start[row]])
        vehicles.append(vehicle)
    return world, vehicles


def _empty_world(platoon: int, reaction_time: float, end: float) -> Any:
    """Make a world without any log; routes are given, so it never looks for one."""
    from uxsim import World

    return World(
        cpp=True,
        deltan=platoon,
        reaction_time=reaction_time,
        tmax=end,
        duo_update_time=10 * end,
        print_mode=0,
        save_mode=0,
        show_mode=0,
        show_progress=0,
        vehicle_logging_timestep_interval=0,
        random_seed=0,
    )
