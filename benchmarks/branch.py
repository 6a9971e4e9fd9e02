"""How fast a running twin branches, next to the plain copy of its arrays.

The demo city in mid-flood, with at least 500 pending rows and 200 people who
decide. Timed is `branch()` and winding up the child's clock until its first
Python event is the next thing to happen, divided by the time of one numpy.copyto
of the same mutable bytes into memory that is already there.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from typing import Any

import numpy as np

from benchmarks.report import Report, Target

_PENDING, _DECIDERS = 500, 200


def measure(seed: int, quick: bool) -> Report:
    """Return the ratio to a copy, the branch time, and the time of a save and load."""
    from twin.contract import MINUTE
    from twin.world import World

    world, added = _crowded(seed)
    times = 15 if quick else 51
    copy, branch = _in_turn(world, times)
    figures = {
        "ratio_copy": statistics.median(branch) / statistics.median(copy),
        "branch_ms": 1000 * statistics.median(branch),
        "copy_ms": 1000 * statistics.median(copy),
        "state_mb": world.state.buffer.nbytes / 1e6,
        "pending_rows": float(world.state["pending.alive"].sum()),
        "deciders": float(_deciders(world)),
    }
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        World.load(world.save(folder).parent, world.assembly)
        figures["save_load_ms"] = 1000 * (time.perf_counter() - begun)
    begun = time.perf_counter()
    for _ in range(5 if quick else 20):
        with world.branch() as child:
            child.run(world.now + 30 * MINUTE)
    figures["branches_30min_s"] = time.perf_counter() - begun
    targets = (Target("ratio_copy", "<=", 4), Target("branch_ms", "<=", 5))
    return Report(
        figures,
        targets,
        {"median_of": times, "branches": 5 if quick else 20, "traversal_log": "off", "rows_added": added},
    )


def _crowded(seed: int) -> tuple[Any, int]:
    """Return the demo's world two hours in, with more dispatchers and planned work; and how many rows were added."""
    from dataclasses import replace

    import twin
    from twin.calendar import Plan
    from twin.contract import EVENT, HOUR
    from twin.execution.run import assemble
    from twin.world import World

    case = replace(twin.load("nusantara").cases()[0], seed=seed)
    options = {**case.options, "emergency": {**case.options.get("emergency", {}), "dispatchers": _DECIDERS}}
    world = World(assemble(replace(case, options=options))).run(2 * HOUR)
    missing = max(_PENDING - int(world.state["pending.alive"].sum()), 0)
    for i in range(missing):
        world.add_row(6 * HOUR + i, Plan("engine.begin", EVENT))
    return world, missing


def _deciders(world: Any) -> int:
    tables = [t for c in world.assembly.components for t in getattr(c, "deciders", ())]
    return sum(world.state.layout.rows[t] for t in tables)


def _in_turn(world: Any, times: int) -> tuple[list[float], list[float]]:
    """Time copies and branches in turn, so that a busy machine slows both alike."""
    target = np.empty_like(world.state.buffer)
    world.branch().close()
    copies, branches = [], []
    for _ in range(times):
        begun = time.perf_counter()
        np.copyto(target, world.state.buffer)
        copied = time.perf_counter()
        child = world.branch()
        child.calendar.peek()
        branches.append(time.perf_counter() - copied)
        copies.append(copied - begun)
        child.close()
    return copies, branches
