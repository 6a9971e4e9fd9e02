"""What coupling power and water costs over solving the same states warm, by the solvers alone.

Nusantara, and Nusantara at the size of the network ky4 (scale 4), for 24 hours in which 50 events fail and
mend lines, substations, pumps and pipes and draw from hydrants. Ours is the whole run of a World with power,
water and their dependencies. Its peers solve the very states that the run went through: EPANET stepped warm,
with the flows of the step before, and power-grid-model with its model kept, by the faster of its two methods.
Both are told only what differs from the state before, and read back what the run reads back: voltages and the
currents of lines; heads, flows, deliveries and link states.
`overhead_vs_warm` is the larger of our time over the sum of theirs. `solves_when_idle` counts solutions whose
inputs are those of the one before, at instants of which the log tells nothing. `wall_s_10x` is our time for
the city ten times as large.
"""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.report import Report, Target, seconds

_EVENTS, _HOURS = 50, 24
_SCALES = {"nusantara": 1.0, "ky4_size": 4.0}
_METHODS = ("newton_raphson", "iterative_current")
_READ = {"node": ["u_pu"], "generic_branch": ["i_from", "i_to"]}


def measure(seed: int, quick: bool) -> Report:
    """Return overheads, idle solutions and times; both cities run in the same call as their peers."""
    figures: dict[str, float] = {}
    idle, repeats = 0, 2 if quick else 5
    for name, scale in _SCALES.items():
        city = _city(scale)
        states = _States()
        states.run(_world(city, seed))
        peers = {"epanet": _warm_water(states), **_warm_power(states)}
        times: dict[str, list[float]] = {key: [] for key in ("ours", *peers)}
        for _ in range(repeats):
            world = _world(city, seed)
            times["ours"].append(seconds(world.run))
            for key, solve in peers.items():
                times[key].append(solve())
        middle = {key: statistics.median(values) for key, values in times.items()}
        grid = min(middle[method] for method in _METHODS)
        figures[f"overhead_vs_warm_{name}"] = middle["ours"] / (middle["epanet"] + grid)
        figures[f"{name}_s"], figures[f"{name}_warm_s"] = middle["ours"], middle["epanet"] + grid
        figures[f"solves_{name}"] = float(len(states.water) + len(states.power))
        idle += states.idle()
    ten = _world(_city(10.0), seed)
    figures |= {
        "overhead_vs_warm": max(figures[f"overhead_vs_warm_{name}"] for name in _SCALES),
        "solves_when_idle": float(idle),
        "wall_s": figures["nusantara_s"],
        "wall_s_10x": seconds(ten.run),
    }
    targets = (Target("overhead_vs_warm", "<=", 1.5), Target("solves_when_idle", "==", 0))
    setup = {"hours": _HOURS, "events": _EVENTS, "median_of": repeats, "load_average": round(os.getloadavg()[0], 1)}
    return Report(figures, targets, setup)


def _city(scale: float) -> Any:
    from twin.city import load_city

    return load_city("nusantara", scale=scale)


def _world(city: Any, seed: int) -> Any:
    """Return a world of power, water and dependencies with the events of the day, its solvers opened."""
    from twin.assembly import Assembly
    from twin.contract import HOUR, Setup
    from twin.models.dependencies import Dependencies
    from twin.models.power import Power
    from twin.models.water import Water
    from twin.world import World

    setup = Setup(city, {}, seed, 0, _HOURS * HOUR, _events(city, seed))
    return World(Assembly(city, [Power(), Water(), Dependencies()], [], setup)).run(1)


def _events(city: Any, seed: int) -> tuple[Any, ...]:
    """Draw what happens: kind, time, one row each, half an hour to three hours long."""
    from types import SimpleNamespace

    draw = np.random.Generator(np.random.Philox(seed))
    kinds = (
        ("line_failure", "lines", {}),
        ("substation_failure", "substations", {}),
        ("pump_failure", "pumps", {}),
        ("pipe_burst", "pipes", {"share": 0.02}),
        ("hydrant_draw", "hydrants", {"flow": 0.0315}),
    )
    found = []
    for at in np.sort(draw.integers(600, _HOURS * 3600 - 600, _EVENTS)).tolist():
        kind, table, more = kinds[int(draw.integers(len(kinds)))]
        params = {**more, "duration": float(draw.integers(1800, 10800))}
        row = int(draw.integers(city.rows(table)))
        found.append(SimpleNamespace(kind=kind, time=at * 1_000_000, targets=(row,), params=params, label="day"))
    return tuple(found)


class _States:
    """The inputs of every solution of a run, and when it was asked for (us)."""

    def __init__(self) -> None:
        self.water: list[Any] = []
        self.power: list[tuple[Any, ...]] = []
        self.asked: dict[str, list[int]] = {"water": [], "power": []}
        self.network: Any = None
        self.grid: Any = None

    def run(self, world: Any) -> None:
        """Run a world and note what its solvers are asked."""
        self.world = world
        water, power = (world.assembly.by_name[name] for name in ("water", "power"))
        self.network, self.grid = water.network, power.solver.flows.network
        water.engine.backend.solve = self._noted("water", water.engine.backend.solve)
        power.solver.solve = self._noted("power", power.solver.solve)
        world.run()

    def _noted(self, name: str, solve: Any) -> Any:
        def noting(*inputs: Any) -> Any:
            self.asked[name].append(self.world.now)
            if name == "water":
                self.water.append(replace(inputs[0], **{key: part.copy() for key, part in vars(inputs[0]).items()}))
            else:
                self.power.append(tuple(part.copy() for part in inputs))
            return solve(*inputs)

        return noting

    def idle(self) -> int:
        """Return how many solutions had the inputs of the one before though nothing had happened."""
        told = {row[0] for row in self.world.events.rows()}
        pictures = {
            "water": [b"".join(part.tobytes() for part in vars(one).values()) for one in self.water],
            "power": [b"".join(part.tobytes() for part in one) for one in self.power],
        }
        return sum(
            a == b and at not in told
            for name, kept in pictures.items()
            for (a, b), at in zip(pairwise(kept), self.asked[name][1:], strict=True)
        )


def _warm_water(states: _States) -> Any:
    from benchmarks.peers.water_peers import warm_epanet

    return warm_epanet(states.network, states.water)


def _warm_power(states: _States) -> dict[str, Any]:
    """Return, for each method of power-grid-model, a function that solves all states and returns its time (s)."""
    from power_grid_model import CalculationMethod

    from twin.models.power.general import GeneralSolver

    solver = GeneralSolver(states.grid)
    network = states.grid
    updates = []
    for fed, works, active, reactive in states.power:
        carries = works & fed[network.from_bus] & fed[network.to_bus]
        update = solver._update(fed, carries, active, reactive)
        updates.append({name: part[0] for name, part in update.items()})
    news = _news(updates)

    def day(method: str) -> float:
        begun = time.perf_counter()
        for update in news:
            solver._model.update(update_data=update)
            solver._model.calculate_power_flow(
                calculation_method=CalculationMethod[method], output_component_types=_READ
            )
        return time.perf_counter() - begun

    return {method: partial(day, method) for method in _METHODS}


def _news(updates: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of each update that differ from the one before; all of the first."""
    found = [updates[0]]
    for before, update in pairwise(updates):
        rows = {name: _differs(before[name], part) for name, part in update.items()}
        found.append({name: part[rows[name]] for name, part in update.items() if rows[name].any()})
    return found


def _differs(one: Any, other: Any) -> Any:
    """Return which rows of two structured arrays differ; two that are both NaN do not."""
    parts = [(one[name], other[name]) for name in one.dtype.names]
    return np.logical_or.reduce([(a != b) & ~((a != a) & (b != b)) for a, b in parts])  # noqa: PLR0124  NaN
