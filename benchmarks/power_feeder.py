"""How fast radial power flow is, next to power-grid-model and pandapower.

The 33-bus feeder of Baran and Wu (1989) and generated feeders of 1,000 and 10,000 buses. Timed
is one update of all loads and one solve, giving node voltages only, one thread: our sweep against
the faster of power-grid-model's newton_raphson and iterative_current (threading off, only
`u_pu` asked for) and pandapower's `runpp` with its numba on and results initialised flat.
Grids are built before; engines take turns, the median counts. The loads of each turn differ.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.report import Report, Target
from tests.verification.utilities.pandapower_grids import (
    feeder,
    net_of_feeder,
    network_of_feeder,
    network_of_net,
)
from twin.models.power.network import Network
from twin.models.power.radial import Tree, sweep_profiles
from twin.models.power.solver import FlowSolver

_SIZES = (33, 1_000, 10_000)
_OURS_PER_TURN = 5
_PEERS = ("newton_raphson", "iterative_current")
_TARGETS = (
    Target("ratio_pgm_min", ">=", 10),
    Target("ratio_pandapower_min", ">=", 200),
    Target("max_dv_pu", "<=", 1e-8),
)
Loads = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]
Turn = Callable[[Loads], tuple[float, np.ndarray[Any, Any]]]


def measure(seed: int, quick: bool) -> Report:
    """Return peer time over our time per size, the least of them, and the largest difference of voltages."""
    figures: dict[str, float] = {}
    worst = 0.0
    for buses in _SIZES:
        network, net, loads = _case(buses, seed)
        engines = _engines(network, net)
        times, difference = _in_turn(engines, loads, _rounds(buses, quick))
        worst = max(worst, difference)
        middle = {name: statistics.median(values) for name, values in times.items()}
        pgm = min(middle[name] for name in _PEERS)
        figures |= {f"{name}_{buses}_us": 1e6 * value for name, value in middle.items()}
        figures[f"ratio_pgm_{buses}"] = pgm / middle["sweep"]
        figures[f"ratio_pandapower_{buses}"] = middle["pandapower"] / middle["sweep"]
    for peer in ("pgm", "pandapower"):
        figures[f"ratio_{peer}_min"] = min(figures[f"ratio_{peer}_{buses}"] for buses in _SIZES)
    figures["max_dv_pu"] = worst
    setup = {"sizes": list(_SIZES), "threads": 1, "load_average": round(os.getloadavg()[0], 1)}
    return Report(figures, _TARGETS, setup)


def _rounds(buses: int, quick: bool) -> int:
    """Return how often the engines take turns."""
    return 3 if quick else 7 if buses > 5_000 else 25


def _case(buses: int, seed: int) -> tuple[Network, Any, Loads]:
    """Return our network, pandapower's, and the loads."""
    import pandapower
    import pandapower.networks

    if buses == 33:
        net = pandapower.networks.case33bw()
        pandapower.runpp(net, numba=False)
        network, works, active, reactive = network_of_net(net)
        kept = np.flatnonzero(works)
        return _radial(network, kept), net, (active, reactive)
    grid = feeder(buses, seed)
    return network_of_feeder(*grid[:3]), net_of_feeder(*grid), grid[3:]


def _radial(network: Network, kept: np.ndarray[Any, Any]) -> Network:
    """Return a network with some of its edges only."""
    from dataclasses import replace

    names = ("from_bus", "to_bus", "impedance", "shunt", "ratio", "rating")
    return replace(network, **{name: getattr(network, name)[kept] for name in names})


def _engines(network: Network, net: Any) -> dict[str, Turn]:
    """Return per engine a call that updates the loads, solves, and gives time and voltages."""
    tree = FlowSolver(network).connect(np.ones(network.buses, bool), np.ones(network.edges, bool))[2]
    assert tree is not None
    model = _model(network)
    engines: dict[str, Turn] = {"sweep": lambda loads: _sweep(tree, loads)}
    for name in _PEERS:
        engines[name] = lambda loads, name=name: _grid_model(model, name, loads)  # type: ignore[misc]
    engines["pandapower"] = lambda loads: _pandapower(net, loads)
    return engines


def _sweep(tree: Tree, loads: Loads) -> tuple[float, np.ndarray[Any, Any]]:
    begun = time.perf_counter()
    voltage = sweep_profiles(tree, loads[0][None], loads[1][None]).voltage[0]
    return time.perf_counter() - begun, voltage


def _model(network: Network) -> Any:
    """Return the network for power-grid-model, with plain lines."""
    from power_grid_model import PowerGridModel, initialize_array

    buses, edges = network.buses, network.edges
    parts = {
        name: initialize_array("input", name, rows)
        for name, rows in (("node", buses), ("line", edges), ("source", 1), ("sym_load", buses))
    }
    first = 0
    for part in parts.values():
        part["id"] = np.arange(first, first + len(part))
        first += len(part)
    parts["node"]["u_rated"] = network.rated
    ohm = network.impedance * network.rated[network.to_bus] ** 2 / 1e6
    line = parts["line"]
    line["from_node"], line["to_node"], line["from_status"], line["to_status"] = network.from_bus, network.to_bus, 1, 1
    line["r1"], line["x1"], line["c1"], line["tan1"], line["i_n"] = ohm.real, ohm.imag, 0.0, 0.0, 1e4
    source = parts["source"]
    source["node"], source["status"], source["u_ref"], source["sk"] = (
        network.source_bus,
        1,
        network.source_voltage,
        1e20,
    )
    load = parts["sym_load"]
    load["node"], load["status"], load["type"] = np.arange(buses), 1, 0
    load["p_specified"] = load["q_specified"] = 0.0
    return PowerGridModel(parts)


def _grid_model(model: Any, method: str, loads: Loads) -> tuple[float, np.ndarray[Any, Any]]:
    from power_grid_model import CalculationMethod, initialize_array

    buses = len(loads[0])
    update = initialize_array("update", "sym_load", buses)
    update["id"] = 2 * buses + np.arange(buses)
    wanted = {"node": ["u_pu"]}
    chosen = CalculationMethod[method]
    begun = time.perf_counter()
    update["p_specified"], update["q_specified"] = loads
    model.update(update_data={"sym_load": update})
    result = model.calculate_power_flow(calculation_method=chosen, output_component_types=wanted)
    return time.perf_counter() - begun, result["node"]["u_pu"]


def _pandapower(net: Any, loads: Loads) -> tuple[float, np.ndarray[Any, Any]]:
    import pandapower

    place = net.load.bus.to_numpy()
    begun = time.perf_counter()
    net.load["p_mw"] = loads[0][place] / 1e6
    net.load["q_mvar"] = loads[1][place] / 1e6
    pandapower.runpp(net, numba=True, tolerance_mva=1e-8)
    return time.perf_counter() - begun, net.res_bus.vm_pu.to_numpy()


def _in_turn(engines: dict[str, Turn], loads: Loads, rounds: int) -> tuple[dict[str, list[float]], float]:
    """Run every engine once a round, ours before each peer, so that a busy machine slows all alike."""
    times: dict[str, list[float]] = {name: [] for name in engines}
    worst = 0.0
    for engine in engines.values():
        engine(loads)
    for turn in range(rounds):
        now = (loads[0] * (0.8 + 0.2 * turn / rounds), loads[1] * (0.8 + 0.2 * turn / rounds))
        for name, engine in engines.items():
            if name == "sweep":
                continue
            for _ in range(_OURS_PER_TURN):
                taken, ours = engines["sweep"](now)
                times["sweep"].append(taken)
            taken, theirs = engine(now)
            times[name].append(taken)
            worst = max(worst, float(np.abs(ours - theirs).max()))
    return times, worst
