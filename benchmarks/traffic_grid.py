"""How fast the traffic kernel is on a congested grid, next to UXsim and SUMO.

11 x 11 nodes, 440 links of 1,000 m, about 61,000 vehicles on fixed random
staircase routes; the same vehicles and routes in every engine, one core. Timed
is the simulation, from loaded network and demand to the last result in memory:
ours with its event log on, the peers with theirs off. The engines take turns.
Times with loading are printed as well: net and vehicles built or read, then run.
"""

from __future__ import annotations

import importlib.util
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import ours, sumo_peer, uxsim_peer
from benchmarks.peers.grid import GridCase, grid_case
from benchmarks.report import Report, Target

_OURS_PER_TURN = 3
_TARGETS = (
    Target("ratio_uxsim_cpp_dn1", ">=", 130),
    Target("ratio_uxsim_cpp_dn5", ">=", 11),
    Target("ratio_sumo_meso", ">=", 250),
    Target("completed_share", "==", 1),
    Target("mean_trip_s", ">=", 1190),
    Target("mean_trip_s", "<=", 1310),
)


def measure(seed: int, quick: bool) -> Report:
    """Return peer time over our time, and what the vehicles did; quick: one round, no single-vehicle UXsim."""
    case = grid_case(seed)
    ours.run(case)
    missing = [name for name in ("uxsim", "libsumo") if importlib.util.find_spec(name) is None]
    with tempfile.TemporaryDirectory() as folder:
        peers = _peers(case, Path(folder), quick, missing)
        times, said = _in_turn(case, peers, 1 if quick else 3)
        if "sumo_meso" in peers and not quick:
            trip, wait = sumo_peer.mean_trip(Path(folder))
            said |= {"mean_trip_s_sumo_meso": trip + wait, "mean_wait_s_sumo_meso": wait}
    wall = statistics.median(times["ours"])
    medians = {name: statistics.median(values) for name, values in times.items() if name != "ours"}
    figures = {"wall_s": wall, "traversals_per_s": case.traversals / wall, "traversals": float(case.traversals)}
    figures |= {f"ratio_{name}": median / wall for name, median in medians.items()}
    figures |= {f"{name}_s": median for name, median in medians.items()} | said
    setup = {
        "vehicles": len(case.depart),
        "rounds": 1 if quick else 3,
        "event_log": "ours on, peers' off",
        "every_engine": "0.8 veh/s a lane (headway 1.25 s), 0.2 veh/m, 20 m/s, free-flow start, one core, routes given",
        "uxsim": "C++ engine; print, save, show and vehicle log off; no search for routes",
        "sumo": "libsumo, meso, net tau 1 s + 5 m / 20 m/s, one queue a link, no junction control, no teleport, no "
        "output; all routes read before the clock starts; waits to depart without limit",
        "load_average": round(os.getloadavg()[0], 1),
        "not_installed": missing,
    }
    measured = tuple(t for t in _TARGETS if t.figure in figures or not quick)
    return Report(figures, measured, setup)


def _peers(
    case: GridCase, folder: Path, quick: bool, missing: list[str]
) -> dict[str, Callable[[], tuple[float, dict[str, float]]]]:
    """Return, per peer that is installed, a call that gives its time and what it says of the trips."""

    def uxsim(platoon: int) -> tuple[float, dict[str, float]]:
        taken, share, trip = uxsim_peer.run(case, platoon)
        name = f"uxsim_cpp_dn{platoon}"
        return taken, {f"completed_share_{name}": share, f"mean_trip_s_{name}": trip}

    def sumo() -> tuple[float, dict[str, float]]:
        taken, left = sumo_peer.run(folder)
        return taken, {"completed_share_sumo_meso": 1 - left / len(case.depart)}

    peers: dict[str, Callable[[], tuple[float, dict[str, float]]]] = {}
    if "uxsim" not in missing:
        peers["uxsim_cpp_dn5"] = lambda: uxsim(5)
        if not quick:
            peers["uxsim_cpp_dn1"] = lambda: uxsim(1)
    if "libsumo" not in missing:
        sumo_peer.write(case, folder)
        peers["sumo_meso"] = sumo
    return peers


def _in_turn(case: GridCase, peers: dict[str, Any], rounds: int) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Run every engine once a round, ours before each peer, so that a busy machine slows all alike."""
    times: dict[str, list[float]] = {"ours": []}
    said: dict[str, float] = {}
    for _ in range(rounds):
        for name, peer in [*peers.items(), ("", None)]:
            for _ in range(_OURS_PER_TURN):
                begun = time.perf_counter()
                taken, traffic, _ = ours.run(case)
                times["ours"].append(taken)
                said["with_loading_s"] = time.perf_counter() - begun
            if peer is not None:
                begun = time.perf_counter()
                taken, words = peer()
                times.setdefault(name, []).append(taken)
                said |= words | {f"{name}_with_loading_s": time.perf_counter() - begun}
    said["completed_share"] = float(np.mean(traffic.state.arrival >= 0))
    said["mean_trip_s"] = ours.mean_trip(case, traffic)
    return times, said
