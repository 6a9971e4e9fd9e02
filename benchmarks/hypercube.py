"""The hypercube model: how fast it is solved exactly, and how near ten million simulated calls come to it.

exact_10_s, exact_20_s  CPU seconds to solve 10 and 20 units, 40 zones at 70 % load
simulated_calls         calls of the compiled service in all; per case 10 million
calls_per_s             of them per CPU second, tables of calls and results included
gap_max                 largest distance of a simulated workload or loss from the exact one
error_ratio_max         the same in standard errors of 20 independent runs
"""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.report import Report, Target
from twin.models.emergency import alone
from twin.models.queues import hypercube

Array = np.ndarray[Any, Any]
Case = tuple[list[float], float, list[list[int]]]

CASES: dict[str, Case] = {
    "own first": ([1, 1, 1], 1.0, [[0, 1, 2], [1, 0, 2], [2, 0, 1]]),
    "cyclic": ([1, 0.5, 1.5], 1.5, [[0, 1, 2], [1, 2, 0], [2, 0, 1]]),
}
PARTS = 20
_UNIT_OF_TIME = 600.0
_TARGETS = (
    Target("exact_10_s", "<=", 0.05),
    Target("exact_20_s", "<=", 10),
    Target("gap_max", "<=", 0.002),
    Target("error_ratio_max", "<=", 4),
)


def measure(seed: int, quick: bool) -> Report:
    """Solve two sizes exactly and simulate the two cases of three units."""
    figures = {f"exact_{units}_s": _solving_time(units, seed) for units in ((10,) if quick else (10, 20))}
    size = 1_000_000 if quick else 10_000_000
    begun = time.process_time()
    found = [compare(case, size, 1_000 * seed) for case in CASES.values()]
    spent = time.process_time() - begun
    figures |= {"simulated_calls": float(size * len(CASES)), "calls_per_s": size * len(CASES) / spent}
    figures["gap_max"] = max(float(gap.max()) for gap, _ in found)
    figures["error_ratio_max"] = max(float((gap / error).max()) for gap, error in found)
    setup = {"parts": PARTS, "queue": "none", "load_average": round(os.getloadavg()[0], 1)}
    return Report(figures, tuple(target for target in _TARGETS if target.figure in figures), setup)


def city(units: int, atoms: int, load: float, seed: int = 1) -> tuple[Array, Array, Array]:
    """Return arrival rates, preference lists and travel times of units and zones at random places."""
    draw = np.random.Generator(np.random.Philox(seed))
    spots, homes = draw.random((atoms, 2)), draw.random((units, 2))
    travel = np.abs(homes[:, None] - spots).sum(axis=2)
    arrival = draw.random(atoms)
    return arrival * load * units / arrival.sum(), np.argsort(travel, axis=0).T, travel


def compare(case: Case, size: int, seed: int) -> tuple[Array, Array]:
    """Return how far workloads and loss lie from the exact model, and their standard errors; (n_unit + 1,) each."""
    exact = hypercube(*case)
    found = np.array([_simulated(case, size // PARTS, seed + part) for part in range(PARTS)])
    error = found.std(axis=0, ddof=1) / np.sqrt(PARTS)
    return np.abs(found.mean(axis=0) - np.r_[exact.workload, exact.blocked]), error


def _solving_time(units: int, seed: int) -> float:
    """Return the CPU seconds of one solution, compiled before."""
    hypercube([1.0], 1.0, [[0, 1]])
    arrival, preference, _ = city(units, 40, 0.7, seed)
    begun = time.process_time()
    hypercube(arrival, 1.0, preference)
    return time.process_time() - begun


def _simulated(case: Case, count: int, seed: int) -> Array:
    """Return workloads and share lost of one run of the compiled service."""
    arrival, service, preference = case
    calls = _calls(arrival, service, count, seed)
    rules = alone.Rules(dispatch="preference", preference=np.array(preference), queue_limit=0, log=False)
    served = alone.simulate(_one_place(len(preference[0])), calls, rules).calls
    unit = served["unit"].to_numpy(np.int64)
    busy = np.bincount(unit[unit >= 0], calls["scene"].to_numpy()[unit >= 0], len(preference[0]))
    return np.asarray(np.r_[busy / calls["arrive"].iloc[-1], (unit < 0).mean()])


def _one_place(units: int) -> alone.Region:
    """Return a service in which nobody has to drive."""
    network = alone.build_network(np.array([[0.0, 0.0], [1.0, 0.0]]), [0, 1], [1, 0], [[1.0, 1.0]])
    here = pd.DataFrame({"node": [0] * units, "walk": 0.0})
    priorities = pd.DataFrame({"name": ["all"], "target": [1.0]})
    driving = alone.Driving(np.array([0.0]), np.array([0.0]), np.zeros((1, 3), np.int64))
    stations = pd.DataFrame({"station": range(units)})
    return alone.Region(network, here, here, stations, priorities, driving, np.zeros((1, 1), np.bool_))


def _calls(arrival: list[float], service: float, count: int, seed: int) -> pd.DataFrame:
    """Draw calls of a Poisson process with zones and exponential service; one unit of time is 600 s."""
    draw = np.random.Generator(np.random.Philox(seed))
    rate = np.asarray(arrival, float)
    return pd.DataFrame(
        {
            "arrive": _UNIT_OF_TIME * np.cumsum(draw.exponential(1 / rate.sum(), count)),
            "node": 0,
            "priority": 0,
            "zone": draw.choice(rate.size, count, p=rate / rate.sum()),
            "scene": _UNIT_OF_TIME * draw.exponential(1 / service, count),
        }
    )
