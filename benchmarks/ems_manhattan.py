"""How fast the emergency service is on Manhattan, next to simpy, and how soon calls are reached.

The roads, stations, hospitals, 12 ambulances and call distributions of JEMSS's Manhattan model
(`$TWIN_DATA/manhattan_ems`): 50,000 calls, nearest dispatch without re-dispatch, full
statistics and log of events, exact positions. Timed is the simulation with its statistics, in
CPU time of one thread, so that a busy machine matters less; simpy runs the same calls
on the same tables, and every response must be equal.

ratio_simpy                  simpy's time over ours, reading the tables as they are
ratio_simpy_tuned            the same with the small tables turned into Python lists beforehand
calls_per_s_<rule>           with the rule; redispatch: more urgent calls take units under way
calls_per_s_python_policy    the dispatch rule is a Python object
load_cold_s, load_warm_s     wall time to read the folder and build all tables, without and with the
                             cache; kernels compiled before
mean_response_min, late_share, and the same with DMEXCLP relocation
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.ems_simpy import Service
from benchmarks.report import Report, Target
from twin.models.emergency.alone import Generator, Result, Rules, Simulation, read_jemss
from twin.models.emergency.rules import Nearest

_CALLS = 50_000
_TARGETS = (
    Target("ratio_simpy", ">=", 50),
    Target("calls_per_s", ">=", 500_000),
    Target("calls_per_s_python_policy", ">=", 50_000),
    Target("load_cold_s", "<=", 30),
    Target("load_warm_s", "<=", 5),
)
_RULES = {
    "": Rules(redispatch=False),
    "_redispatch": Rules(),
    "_dmexclp_relocation": Rules(move_up="dmexclp", redispatch=False),
    "_python_policy": Rules(Nearest(), redispatch=False),
}


def measure(seed: int, quick: bool) -> Report:
    """Return speed, ratio and responses; quick: fewer rounds and simpy on 5,000 calls."""
    data = os.environ.get("TWIN_DATA")
    if not data:
        raise SystemExit("TWIN_DATA must name the folder of real data, with manhattan_ems in it")
    model, figures = _load(Path(data) / "manhattan_ems")
    calls = model.draw(_CALLS, seed)
    for rules in _RULES.values():
        Simulation(model.region, calls.iloc[:200], rules).run()
    walls: dict[str, list[float]] = {name: [] for name in _RULES}
    results: dict[str, Result] = {}
    peers: dict[bool, list[float]] = {False: [], True: []}
    n_peer = 5_000 if quick else _CALLS
    for turn in range(2 if quick else 5):
        for name, rules in _RULES.items():
            taken, results[name] = _timed(model, calls, rules)
            walls[name].append(taken)
        if turn < (1 if quick else 2):
            for tuned, taken in peers.items():
                wall, service = _simpy(model, calls.iloc[:n_peer], tuned)
                _same(results[""], service, n_peer, n_peer == _CALLS)
                taken.append(wall / n_peer)
    rate = {name: len(calls) / statistics.median(taken) for name, taken in walls.items()}
    figures |= {f"calls_per_s{name}": value for name, value in rate.items()}
    for tuned, ending in ((False, ""), (True, "_tuned")):
        per_call = statistics.median(peers[tuned])
        figures |= {f"ratio_simpy{ending}": per_call * rate[""], f"simpy{ending}_calls_per_s": 1 / per_call}
    for name in ("", "_redispatch", "_dmexclp_relocation"):
        found = results[name].figures
        figures[f"mean_response_min{name}"] = found["response_mean"] / 60
        figures[f"late_share{name}"] = found["late_share"]
    figures["utilisation"] = results[""].figures["utilisation"]
    setup = {"calls": _CALLS, "simpy_calls": n_peer, "event_log": "on in both", "load_average": os.getloadavg()[0]}
    return Report(figures, _TARGETS, setup)


def _load(folder: Path) -> tuple[Generator, dict[str, float]]:
    """Read the folder with an empty cache and with a full one."""
    times, before = [], os.environ.get("TWIN_CACHE")
    with tempfile.TemporaryDirectory() as cache:
        os.environ["TWIN_CACHE"] = cache
        try:
            for _ in range(2):
                begun = time.perf_counter()
                model = read_jemss(folder)
                times.append(time.perf_counter() - begun)
        finally:
            os.environ.pop("TWIN_CACHE")
            if before is not None:
                os.environ["TWIN_CACHE"] = before
    return model, {"load_cold_s": times[0], "load_warm_s": times[1]}


def _timed(model: Generator, calls: Any, rules: Rules) -> tuple[float, Result]:
    """Return the CPU time of a run with its statistics, and its result."""
    run = Simulation(model.region, calls, rules)
    begun = time.thread_time()
    result = Result(run.run())
    assert result.figures
    return time.thread_time() - begun, result


def _simpy(model: Generator, calls: Any, tuned: bool) -> tuple[float, Service]:
    """Return the CPU time of the peer with its statistics, and the peer."""
    case = Simulation(model.region, calls, Rules(redispatch=False)).case
    service = Service(case, model.region.units["station"].tolist(), len(model.region.stations), tuned)
    begun = time.thread_time()
    service.run()
    assert service.figures()
    return time.thread_time() - begun, service


def _same(result: Result, service: Service, count: int, whole: bool) -> None:
    """Compare every instant of every call; those a shorter run has in common with a longer."""
    ours = result.run.state.call[:count, 2:8]
    theirs = np.array(service.times)
    settled = count if whole else count - 200
    if not np.array_equal(ours[:settled], theirs[:settled]):
        row = int(np.flatnonzero((ours[:settled] != theirs[:settled]).any(axis=1))[0])
        raise AssertionError(f"call {row}: {ours[row].tolist()} here, {theirs[row].tolist()} in simpy")
