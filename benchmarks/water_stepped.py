"""Step a water network through a day in which a pump or pipe is switched every hour, pressure-driven.

Ours is the water model stepped alone: each solution starts afresh from arrays. Peers run in the same
call: wntr's own simulator, stopped and resumed at each switching as a coupled simulator must be
(`uninterrupted`: in one run that knows all switching beforehand), and EPANET's toolkit that keeps the
flows of the step before ("warm") on the very states ours went through. Loading is not timed; every
engine ends with heads and flows of each step in memory.
"""

from __future__ import annotations

import os
import statistics
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import Report, Target, seconds

_HOURS = 24
_SETTINGS = {"pressure_driven": True, "required_pressure": 20.0, "accuracy": 1e-6}


@dataclass(frozen=True)
class Case:
    """A network, its file and the links that are switched, one after the other, an hour each."""

    name: str
    path: Path
    switched: tuple[int, ...]


def measure(seed: int, quick: bool) -> Report:
    """Return the ratios; networks whose files are not there are left out and said so."""
    from benchmarks.peers.water_peers import warm_epanet, wntr_day
    from twin.models.water.inp import read_inp
    from twin.models.water.network import Network

    figures: dict[str, float] = {}
    overheads = []
    repeats = 3 if quick else 7
    for name, path in _files().items():
        city = read_inp(path)
        city = replace(city, parameters={"water": {**city.parameters["water"], **_SETTINGS}})
        network = Network(city)
        case = Case(name, path, _links(network, seed))
        states: list[Any] = []
        ours(network, city, case, states)
        times: dict[str, list[float]] = {"ours": [], "warm": [], "world": []}
        warm = warm_epanet(network, states)
        for _ in range(repeats):
            times["ours"].append(ours(network, city, case))
            times["warm"].append(warm())
            times["world"].append(world_day(city, case))
        wntr, whole = (wntr_day(path, network, case.switched, stepped) for stepped in (True, False))
        median = {key: statistics.median(values) for key, values in times.items()}
        figures[f"ratio_wntrsim_{name}"] = wntr / median["ours"]
        figures[f"ratio_wntrsim_uninterrupted_{name}"] = whole / median["ours"]
        figures[f"ratio_wntrsim_world_{name}"] = wntr / median["world"]
        figures[f"overhead_vs_warm_{name}"] = median["ours"] / median["warm"]
        figures[f"ours_{name}_ms"] = 1000 * median["ours"]
        figures[f"world_{name}_ms"] = 1000 * median["world"]
        figures[f"solves_{name}"] = float(len(states))
        overheads.append(median["ours"] / median["warm"])
    figures["overhead_vs_warm_epanet"] = max(overheads)
    targets = [Target("ratio_wntrsim_net3", ">=", 60), Target("overhead_vs_warm_epanet", "<=", 2.5)]
    if "ratio_wntrsim_ctown" in figures:
        targets.append(Target("ratio_wntrsim_ctown", ">=", 20))
    setup = {"hours": _HOURS, "median_of": repeats, "load_average": round(os.getloadavg()[0], 1), **_SETTINGS}
    return Report(figures, tuple(targets), setup)


def _files() -> dict[str, Path]:
    import wntr

    found = {"net3": Path(wntr.__file__).parent / "library" / "networks" / "Net3.inp"}
    data = os.environ.get("TWIN_DATA")
    if data:
        found["ctown"] = Path(data) / "ctown" / "ctown_map.inp"
    return found


def _links(network: Any, seed: int) -> tuple[int, ...]:
    """Draw a pump or pipe for each hour: those whose loss leaves everybody joined to a source."""
    from twin.kernels.water_solution import reach
    from twin.models.water.constants import graph_of

    draw = np.random.Generator(np.random.Philox(seed))
    graph, joined = graph_of(network), np.empty(network.n_node, bool)
    kept = []
    for link in draw.permutation(network.first_valve).tolist():
        passes = network.initial_status != 0
        passes[link] = False
        reach(graph, passes, graph.low + 1.0, joined)
        if not network.check_valve[link] and joined.all():
            kept.append(link)
        if len(kept) == _HOURS:
            break
    return tuple(kept)


def ours(network: Any, city: Any, case: Case, states: list[Any] | None = None) -> float:
    """Step the model alone through the day and return the time (s); `states` collects the inputs of its solves."""
    from twin.models.water.engine import SECOND, WaterEngine
    from twin.models.water.state import NEXT, WaterState

    engine = WaterEngine(network, city)
    state = WaterState.start_of(network)
    engine.solve(state.copy(), 0)
    solve = engine.backend.solve

    def noting(inputs: Any) -> Any:
        states.append(replace(inputs, **{name: part.copy() for name, part in vars(inputs).items()}))
        return solve(inputs)

    if states is not None:
        engine.backend.solve = noting  # type: ignore[method-assign]

    def day() -> None:
        for hour, link in enumerate(case.switched):
            now = hour * 3600 * SECOND
            state.works[:] = True
            state.works[link] = False
            engine.fill(state, now)
            engine.solve(state, now)
            while state.clock[NEXT] < now + 3600 * SECOND:
                engine.tick(state, int(state.clock[NEXT]))

    return seconds(day)


def world_day(city: Any, case: Case) -> float:
    """Return the time (s) of the same day in a World of the water model alone."""
    from twin.assembly import Assembly
    from twin.calendar import Plan
    from twin.contract import EVENT, HOUR, Setup
    from twin.models.water import Water
    from twin.world import World

    setup = Setup(city, {}, 1, 0, _HOURS * HOUR)
    world = World(Assembly(city, [Water()], [], setup, {"water": {"pressure_driven": True}}))
    pumps = world.assembly.by_name["water"].network.first_pump  # type: ignore[attr-defined]
    for hour, link in enumerate(case.switched):
        for at, on in ((hour, 0.0), (hour + 1, 1.0)):
            kind, row = ("pump_switch", link - pumps) if link >= pumps else ("pipe_switch", link)
            world.add_row(at * HOUR, Plan(kind, EVENT, row, on, -1))
    return seconds(lambda: world.run(_HOURS * HOUR))
