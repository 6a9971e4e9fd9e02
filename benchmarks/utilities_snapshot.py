"""How long a snapshot and a restore of power and water take: a 10,000-bus feeder and the network Net6 of EPANET.

A running World of both is branched, which copies its whole state, and the copy is made ready to run: its next
event is looked up. `snapshot_restore_ms` is the median of that. Beside it the time of a save to disk with a load.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import Report, Target, seconds

_BUSES = 10_000


def measure(seed: int, quick: bool) -> Report:
    """Return the times, and whether a restored copy ends as the original does."""
    from twin.contract import HOUR
    from twin.world import World

    world = _world(seed).run(HOUR)
    times = []
    for _ in range(11 if quick else 51):
        begun = time.perf_counter()
        child = world.branch()
        child.calendar.peek()
        times.append(time.perf_counter() - begun)
        child.close()
    with tempfile.TemporaryDirectory() as folder:
        found: list[Any] = []
        disk = seconds(lambda: found.append(World.load(world.save(folder).parent, world.assembly)))
    same = found[0].run(3 * HOUR).digest() == world.branch().run(3 * HOUR).digest()
    figures = {
        "snapshot_restore_ms": 1000 * statistics.median(times),
        "save_load_ms": 1000 * disk,
        "state_mb": world.state.buffer.nbytes / 1e6,
        "restored_is_same": float(same),
    }
    targets = (Target("snapshot_restore_ms", "<=", 10), Target("restored_is_same", "==", 1))
    return Report(figures, targets, {"buses": _BUSES, "load_average": round(os.getloadavg()[0], 1)})


def _world(seed: int) -> Any:
    """Return a world of power and water on Net6 and a generated feeder."""
    import wntr

    from twin.assembly import Assembly
    from twin.city import City
    from twin.contract import HOUR, Setup
    from twin.models.power import Power
    from twin.models.water import Water
    from twin.models.water.inp import read_inp
    from twin.world import World

    net6 = read_inp(Path(wntr.__file__).parent / "library" / "networks" / "Net6.inp")
    tables = {**{name: dict(table) for name, table in net6.tables.items()}, **_feeder(seed)}
    city = City("net6", "Net6 and a feeder", "left", "UTC", 32750, tables, net6.parameters)
    return World(Assembly(city, [Power(), Water()], [], Setup(city, {}, seed, 0, 24 * HOUR)))


def _feeder(seed: int) -> dict[str, dict[str, Any]]:
    """Return a radial feeder at 20 kV: each bus hangs on one of the twenty before it."""
    draw = np.random.Generator(np.random.Philox(seed))
    end = np.arange(1, _BUSES)
    begin = np.maximum(end - draw.integers(1, 20, _BUSES - 1), 0)
    load = np.r_[0.0, draw.uniform(200.0, 1500.0, _BUSES - 1)]
    identifier = np.char.add("b", np.arange(_BUSES).astype(np.str_))
    return {
        "buses": {
            "id": identifier,
            "u_rated": np.full(_BUSES, 20e3),
            "zone": np.full(_BUSES, -1),
            "customers": np.r_[0, np.ones(_BUSES - 1, np.int64)],
            "p": load,
            "q": 0.3 * load,
        },
        "lines": {
            "id": np.char.add("l", end.astype(np.str_)),
            "from_bus": begin,
            "to_bus": end,
            "r": np.full(_BUSES - 1, 0.01),
            "x": np.full(_BUSES - 1, 0.01),
            "c": np.zeros(_BUSES - 1),
            "i_n": np.full(_BUSES - 1, 400.0),
            "length": np.full(_BUSES - 1, 100.0),
            "closed": np.ones(_BUSES - 1, bool),
        },
        "sources": {"id": np.array(["g"]), "bus": np.zeros(1, np.int64), "u_ref": np.ones(1), "sk": np.full(1, 1e10)},
    }
