"""How long a world with 100,000 vehicles on the road takes to save and to load.

A grid of one-lane streets of 1,000 m with one zone a node, traffic alone. Timed
are `save` (to disk, synced) and `load`, in turn; the median of their sums counts.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from typing import Any

import numpy as np

from benchmarks.report import Report, Target

_SIDE = 25
_ON_ROAD = 100_000
_TRIPS_MORNING = 2_400_000


def measure(seed: int, quick: bool) -> Report:
    """Return the time of a save and a load, and the size of what is saved."""
    from twin.world import World

    world = _crowded(seed)
    saves, loads = [], []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(3 if quick else 9):
            begun = time.perf_counter()
            path = world.save(folder)
            saved = time.perf_counter()
            again = World.load(path.parent, world.assembly)
            loads.append(time.perf_counter() - saved)
            saves.append(saved - begun)
            if not np.array_equal(again.state.buffer, world.state.buffer):
                raise RuntimeError("the loaded state differs from the saved one")
            again.close()
    both = [1000 * (save + load) for save, load in zip(saves, loads, strict=True)]
    figures = {
        "save_load_ms": statistics.median(both),
        "save_ms": 1000 * statistics.median(saves),
        "load_ms": 1000 * statistics.median(loads),
        "vehicles_on_road": float(_on_road(world)),
        "state_mb": world.state.buffer.nbytes / 1e6,
    }
    targets = (Target("save_load_ms", "<=", 50), Target("vehicles_on_road", ">=", _ON_ROAD))
    setup = {"median_of": len(both), "synced": True, "load_average": round(os.getloadavg()[0], 1)}
    return Report(figures, targets, setup)


def _on_road(world: Any) -> int:
    from twin.kernels.traffic_arrays import DRIVING

    return int(world.state["outcome.vehicles"][DRIVING])


def _crowded(seed: int) -> Any:
    """Run traffic on the grid until enough vehicles are under way."""
    from twin.assembly import Assembly
    from twin.contract import MINUTE, Setup
    from twin.models.traffic import Traffic
    from twin.world import World

    city = _grid_city()
    setup = Setup(city, {}, seed, 1_768_435_200_000_000, 60 * MINUTE)
    world = World(Assembly(city, [Traffic()], [], setup, {}))
    for minute in range(1, 60):
        world.run(minute * MINUTE)
        if _on_road(world) >= _ON_ROAD:
            break
    return world


def _grid_city() -> Any:
    """Make a city of streets and zones only; all have the same demand."""
    from twin.city import City

    n_node = _SIDE**2
    row, place = np.divmod(np.arange(n_node), _SIDE)
    pairs = [(a, b) for a in range(n_node) for b in (a - _SIDE, a - 1, a + 1, a + _SIDE) if _joined(a, b)]
    ends = np.array(pairs, np.int32).T
    names = np.array([f"n{i}" for i in range(n_node)])
    at = {"id": names, "name": names, "x": 1000.0 * place, "y": 1000.0 * row, "lon": place / 111.0, "lat": row / 111.0}
    every = np.arange(n_node, dtype=np.int32)
    links = {
        "id": np.array([f"l{i}" for i in range(len(pairs))]),
        "from_node": ends[0],
        "to_node": ends[1],
        "length": np.full(len(pairs), 1000.0),
        "speed": np.full(len(pairs), 20.0),
        "lanes": np.ones(len(pairs), np.int32),
        "capacity": np.full(len(pairs), 0.8),
        "jam_density": np.full(len(pairs), 0.2),
    }
    zones = {"population": np.full(n_node, 1000, np.int32), "jobs": np.full(n_node, 500, np.int32), "node": every}
    tables = {
        "nodes": at | {"elevation": np.zeros(n_node), "signal": np.zeros(n_node, dtype=bool)},
        "links": links,
        "zones": at | zones,
        "signals": {"id": np.empty(0, "U1"), "node": np.empty(0, np.int32)},
        "zone_nodes": {"zone": every, "node": every, "weight": np.ones(n_node)},
    }
    demand = {
        "trips_morning": _TRIPS_MORNING,
        "profile": [1.0] * 24,
        "gravity_beta": 1 / 600,
        "classes": {"car": 1.0},
    }
    return City("grid", "A grid of streets", "left", "UTC", 32750, tables, {"demand": demand})


def _joined(a: int, b: int) -> bool:
    """Say whether two numbers are neighbouring nodes."""
    inside = 0 <= b < _SIDE**2
    return inside and abs(a // _SIDE - b // _SIDE) + abs(a % _SIDE - b % _SIDE) == 1
