"""Solve the power flow of a grid as a function of its inputs, by the fastest method that fits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.errors import DataError
from twin.models.power.general import GeneralSolver
from twin.models.power.held import idle_voltages, solve_held
from twin.models.power.network import BASE, Network, network_of
from twin.models.power.radial import Tree, plant, sweep_once

if TYPE_CHECKING:
    from twin.city import City

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Flow:
    """A solved power flow.

    voltage  (n_bus,)   pu, 0 where not fed
    current  (n_edge, 2)  pu  at from-side and to-side of lines, then transformers
    loading  (n_edge,)  larger current over its rating, 0 without a rating
    method   "sweep" or "newton"
    tree, flow  the tree and the power (pu) into each node of it, when swept
    """

    voltage: Array
    current: Array
    loading: Array
    method: str
    tree: Tree | None = None
    flow: Array | None = None

    def loss(self) -> complex:
        """Return the loss in series impedances (W, var) of a swept flow.

        Raises ValueError for a flow that was not swept.
        """
        if self.tree is None or self.flow is None:
            raise ValueError(f"loss() needs a radial grid; this one was solved by {self.method}")
        inner = self.tree.edge >= 0
        impedance = (self.tree.resistance + 1j * self.tree.reactance)[inner]
        return complex((impedance * self.flow[2, inner]).sum() * BASE)


class FlowSolver:
    """Power flow of a network under any switching, whose answers do not depend on earlier calls."""

    def __init__(self, network: Network) -> None:
        from twin.kernels.islands import build_adjacency

        self.network = network
        self._first = np.zeros(network.buses + 1, np.int64)
        self._neighbour, self._edge = (np.zeros(2 * network.edges, np.int64) for _ in range(2))
        build_adjacency(network.from_bus, network.to_bus, self._first, self._neighbour, self._edge)
        self._roots = np.unique(network.source_bus)
        self._last: tuple[bytes, tuple[Array, Array, Tree | None]] | None = None

    @cached_property
    def _general(self) -> GeneralSolver:
        return GeneralSolver(self.network)

    def __getstate__(self) -> dict[str, Any]:
        return {"network": self.network}

    def __setstate__(self, state: dict[str, Any]) -> None:
        FlowSolver.__init__(self, state["network"])

    def connect(self, bus_works: Array, edge_works: Array) -> tuple[Array, Array, Tree | None]:
        """Return what has supply, which edges carry power, and the tree where they form one; all read-only.

        bus_works   (n_bus,)   False where nothing passes
        edge_works  (n_edge,)  closed and not failed

        The last answer is kept beside its question: loads change far more often than switches.
        """
        key = bus_works.tobytes() + edge_works.tobytes()
        last = self._last
        if last is None or last[0] != key:
            last = self._last = (key, self._connect(bus_works, edge_works))
        return last[1]

    def _connect(self, bus_works: Array, edge_works: Array) -> tuple[Array, Array, Tree | None]:
        fed, ways = self._spread(bus_works, edge_works)
        carries = edge_works & fed[self.network.from_bus] & fed[self.network.to_bus]
        fed.flags.writeable = carries.flags.writeable = False
        return fed, carries, plant(self.network, *ways, carries)

    def _spread(self, bus_works: Array, edge_works: Array) -> tuple[Array, tuple[Array, Array, Array]]:
        """Return what has supply, and how: order, parent and edge from the parent."""
        from twin.kernels.islands import spread

        fed = np.zeros(self.network.buses, bool)
        parent, parent_edge, order = (np.zeros(self.network.buses, np.int64) for _ in range(3))
        graph = (self._first, self._neighbour, self._edge)
        spread(*graph, bus_works, edge_works, self._roots, fed, parent, parent_edge, order)
        return fed, (order, parent, parent_edge)

    def solve(self, bus_works: Array, edge_works: Array, active: Array, reactive: Array) -> Flow | None:
        """Return the flow, None where none was found.

        bus_works, edge_works  as for `connect`
        active, reactive  (n_bus,)  W, var  load, negative where power is fed in; ignored without supply

        Radial grids are swept; rings, several sources on one island and flows that the sweep does not
        find go to power-grid-model; held voltages, and what that does not find, to `solve_held`. All are
        within 1e-8 pu of the exact voltages. Raises DataError that names the first bus with a load that is
        no finite number.
        """
        from twin.kernels.sweep import first_wild

        bus = first_wild(active, reactive)
        if bus >= 0:
            raise DataError(f"bus {bus} has a load of {active[bus]:g} W, {reactive[bus]:g} var: give finite numbers")
        fed, carries, tree = self.connect(bus_works, edge_works)
        if tree is not None:
            swept = sweep_once(self.network, tree, active, reactive)
            if swept is not None:
                return Flow(swept.voltage, swept.current, swept.loading, "sweep", tree, swept.flow)
        held = fed[self.network.held_bus].any()
        inputs = (fed, carries, active, reactive)
        general = None if held else self._general.solve(*inputs)
        if general is None:
            start = idle_voltages(self.network, *self._spread(bus_works, edge_works)[1])
            general = solve_held(self.network, *inputs, start)
        if general is None:
            return None
        return Flow(general[0], general[1], self._loading(general[1]), "newton")

    def _loading(self, currents: Array) -> Array:
        share = currents / self.network.rating
        return np.maximum(share[:, 0], share[:, 1])


class GridSolver:
    """Power flow of a city's grid for the search of `twin.models.power.grid`."""

    def __init__(self, city: City) -> None:
        self.flows = FlowSolver(network_of(city))
        self._lines = city.rows("lines")

    def solve(self, fed: Array, edge_works: Array, active: Array, reactive: Array) -> tuple[Array, Array] | None:
        """Return bus voltages and line loadings, None where no solution was found.

        fed         (n_bus,)          bus is connected to a source
        edge_works  (n_line + n_transformer,)  closed, not failed, fed at both ends
        active, reactive  (n_bus,)  W, var  load of each bus; ignored where not fed
        result      voltage (n_bus,) pu, 0 where not fed; loading (n_line,) share of rated current
        """
        flow = self.flows.solve(fed, edge_works, active, reactive)
        return None if flow is None else (flow.voltage, flow.loading[: self._lines])
