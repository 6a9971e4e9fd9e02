"""How fast the traffic kernel is with a million vehicles, next to UXsim in platoons of 30.

Chicago Sketch from $TWIN_DATA, about a million vehicles on their shortest ways,
the same in both engines. Timed is the simulation: ours with its event log on,
the peer's off, in turn. Two threads are timed where the kernel has them, and
must leave the same arrays. `peak_rss_mb` is that of a process of its own that
reads, lays out and runs the case. Where links merge none has priority, as in the
peer, unless said. The embedded city adds signals and classes,
two hours of the morning at 1, 10 and 100 times its size: streets, people and
trips together, as the city's generator scales them. (With 10 times the trips on
the same streets a ring of 18 full links stands still after half an hour, with
100 times one of 34 after twenty minutes, and 98 % of the trips never depart.)
"""

from __future__ import annotations

import inspect
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers import uxsim_peer
from benchmarks.peers.chicago import REACTION_TIME, ChicagoCase, chicago_case, found
from benchmarks.report import Report, Target

SECOND = 1_000_000
_END = 40 * 3600 * SECOND
_QUICK_SHARE = 0.2
_MORNING = 2 * 3600 * SECOND
_LOG_ROWS = 1 << 22
_WIDEST = 16
"""Most lanes that count at a merge."""
_TARGETS = (
    Target("ratio_uxsim_cpp_dn30", ">=", 7),
    Target("peak_rss_mb", "<=", 1000),
    Target("completed_share", "==", 1),
    Target("traversals_per_s_100x", ">=", 5e6),
    Target("ratio_threads2", ">=", 1.3),
)


def measure(seed: int, quick: bool) -> Report:
    """Return peer time over our time, memory, threads, and traversals per second; quick: a fifth of the trips."""
    scales = (1, 10) if quick else (1, 10, 100)
    figures: dict[str, float] = {}
    setup: dict[str, Any] = {"event_log": "ours on, peer's off", "load_average": round(os.getloadavg()[0], 1)}
    if found() is None:
        setup["left_out"] = "Chicago Sketch: TWIN_DATA names no folder with tntp/Chicago-Sketch"
    else:
        figures |= _chicago(chicago_case(seed, _QUICK_SHARE if quick else 1.0), 1 if quick else 3)
        figures["peak_rss_mb"] = _peak_rss(seed, _QUICK_SHARE if quick else 1.0)
    setup["merges"] = "all links alike, as in the peer (its merge_priority is 1); shares by lanes are a figure"
    setup["embedded_city"] = "scale of its generator, not demand on the same streets; given routes, fixed signals"
    for scale in scales:
        figures |= _embedded(seed, scale)
    if "ratio_threads2" not in figures:
        setup["threads"] = "the kernel runs on one"
    measured = tuple(t for t in _TARGETS if t.figure in figures or not quick)
    return Report(figures, measured, setup)


def lay_out(case: ChicagoCase, by_lanes: bool = False) -> Any:
    """Build the arrays of a run; by_lanes: links merge in the ratio of their lanes, else alike, as the peer's do."""
    from twin.kernels.traffic_layout import Roads, Trips, build

    weight = np.minimum(case.links["lanes"], _WIDEST) if by_lanes else 1
    roads = Roads(case.n_node, **case.links, reaction_time=REACTION_TIME, weight=weight)
    return build(roads, Trips(case.depart, case.origin, route_start=case.start, routes=case.routes))


def run(case: ChicagoCase, threads: int = 1, by_lanes: bool = False) -> tuple[float, Any, Any]:
    """Return seconds from the loaded case to the last result, the arrays, and the log; by_lanes: see `lay_out`."""
    from twin.kernels.traffic import advance
    from twin.kernels.traffic_arrays import DONE, new_log

    traffic, log = lay_out(case, by_lanes), new_log(case.traversals)
    for column in log:
        column.fill(0)
    engine: Any = advance
    more: dict[str, Any] = {} if threads == 1 else {"threads": threads}
    begun = time.perf_counter()
    status = engine(*traffic, log, _END, **more)
    taken = time.perf_counter() - begun
    if status != DONE or int(log.written[0]) != case.traversals:
        raise RuntimeError(f"the log holds {int(log.written[0])} of {case.traversals} traversals")
    return taken, traffic, log


def _chicago(case: ChicagoCase, rounds: int) -> dict[str, float]:
    """Run the engines in turn; return times, ratios and what the vehicles did."""
    run(case)
    engines: dict[str, Callable[[], Any]] = {"ours": lambda: run(case)}
    engines["by_lanes"] = lambda: run(case, by_lanes=True)
    if _has_threads():
        engines["threads2"] = lambda: run(case, threads=2)
    if _installed("uxsim"):
        engines["uxsim_cpp_dn30"] = lambda: uxsim_peer.run_chicago(case)
    times: dict[str, list[float]] = {name: [] for name in engines}
    said: dict[str, Any] = {}
    for _ in range(rounds):
        for name, engine in engines.items():
            for _ in range(1 if name.startswith("uxsim") else 3):
                taken, *said[name] = engine()
                times[name].append(taken)
    median = {name: statistics.median(values) for name, values in times.items()}
    traffic = said["ours"][0]
    figures = {
        "wall_s": median["ours"],
        "wall_s_shares_by_lanes": median["by_lanes"],
        "vehicles": float(len(case.depart)),
        "traversals": float(case.traversals),
        "traversals_per_s": case.traversals / median["ours"],
        "completed_share": float(np.mean(traffic.state.arrival >= 0)),
        "mean_trip_s": float(np.mean(traffic.state.arrival - case.depart) / SECOND),
    }
    if "uxsim_cpp_dn30" in median:
        share, trip = said["uxsim_cpp_dn30"]
        figures["ratio_uxsim_cpp_dn30"] = median["uxsim_cpp_dn30"] / median["ours"]
        figures |= {"uxsim_cpp_dn30_s": median["uxsim_cpp_dn30"]}
        figures |= {"completed_share_uxsim_cpp_dn30": share, "mean_trip_s_uxsim_cpp_dn30": trip}
    if "threads2" in median:
        _same(traffic, said["threads2"][0])
        figures["ratio_threads2"] = median["ours"] / median["threads2"]
    return figures


def _has_threads() -> bool:
    from twin.kernels.traffic import advance

    return "threads" in inspect.signature(advance).parameters


def _installed(name: str) -> bool:
    import importlib.util

    return importlib.util.find_spec(name) is not None


def _same(one: Any, two: Any) -> None:
    """Raise when two runs left different arrays."""
    different = [name for name, a in one.state._asdict().items() if not np.array_equal(a, getattr(two.state, name))]
    if different:
        raise RuntimeError(f"two threads left other arrays than one: {', '.join(different)}")


def _peak_rss(seed: int, share: float) -> float:
    """Return the most memory (MB) of a process that reads, lays out and runs the case."""
    work = f"from benchmarks.traffic_million import *; run(chicago_case({seed}, {share})); print(peak_mb())"
    done = subprocess.run(
        [sys.executable, "-c", work], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[1]
    )
    return float(done.stdout.split()[-1])


def peak_mb() -> float:
    """Return the most memory (MB) this process has had; of itself, unlike ru_maxrss, which its parent's start sets."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return float(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6


def _embedded(seed: int, scale: int) -> dict[str, float]:
    """Run the morning of the embedded city at a multiple of its size; return traversals per second."""
    from benchmarks.grown_city import lay_out
    from twin.city.loading import load_city

    traffic = lay_out(load_city("nusantara", scale=scale), seed)
    other = traffic._replace(state=type(traffic.state)(*(array.copy() for array in traffic.state)))
    taken, traversals = _morning(traffic, 1)
    taken_by_two, _ = _morning(other, 2)
    _same(traffic, other)
    return {
        f"traversals_per_s_{scale}x": traversals / taken,
        f"traversals_per_s_{scale}x_threads2": traversals / taken_by_two,
        f"traversals_{scale}x": float(traversals),
        f"vehicles_{scale}x": float(len(traffic.state.arrival)),
        f"arrived_share_{scale}x": float(np.mean(traffic.state.arrival >= 0)),
    }


def _morning(traffic: Any, threads: int) -> tuple[float, int]:
    """Return the seconds and the traversals of a morning; the log is emptied whenever it is full."""
    from twin.kernels.traffic import advance
    from twin.kernels.traffic_arrays import LOG_FULL, new_log

    log, traversals, status = new_log(_LOG_ROWS), 0, LOG_FULL
    for column in log:
        column.fill(0)
    advance(*traffic, log, 1, threads)
    begun = time.perf_counter()
    while status == LOG_FULL:
        status = advance(*traffic, log, _MORNING, threads)
        traversals += int(log.written[0])
        log.written[0] = 0
    return time.perf_counter() - begun, traversals
