"""Solve grids with held voltages or closed switches in rings, for which power-grid-model has no answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.models.power.network import BASE, Network

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix

Array = np.ndarray[Any, Any]

LEAST_IMPEDANCE = 1e-8
"""Taken for an edge or source without impedance, pu."""

_TOLERANCE = 1e-9
_ITERATIONS = 30


def solve_held(
    network: Network, fed: Array, edge_works: Array, active: Array, reactive: Array, start: Array | None = None
) -> tuple[Array, Array] | None:
    """Return bus voltages and edge currents, None where no solution was found.

    fed         (n_bus,)   connected to a source
    edge_works  (n_edge,)  closed, not failed, fed at both ends
    active, reactive  (n_bus,)  W, var  load, ignored where not fed
    start       (n_bus,)   pu  voltages without load to begin with, see `idle_voltages`; None for 1 pu
    result      voltage (n_bus,) pu, 0 where not fed; currents (n_edge, 2) pu at from- and to-side

    Newton's method in polar coordinates; a generator beyond a limit of its reactive power is set to
    the limit and lets go of the voltage. Pivoting in the sparse factors copes with edges of hardly any
    impedance, but not with a start that stands against the tap of one: then it ends at voltages that no
    grid works at, or nowhere.
    Source: Tinney, Hart, Power flow solution by Newton's method, IEEE Transactions on Power
    Apparatus and Systems 86 (1967).
    """
    equations = _Equations(network, fed, edge_works, active, reactive)
    start = np.ones(network.buses) if start is None else start
    free = fed[network.held_bus].copy()
    given = np.zeros(len(free))
    while True:
        voltage = equations.newton(network.held_bus[free], network.held_voltage[free], given, start)
        if voltage is None:
            return None
        found = equations.surplus(voltage)[network.held_bus]
        beyond = free & ((found < network.held_low - _TOLERANCE) | (found > network.held_high + _TOLERANCE))
        if not beyond.any():
            size = np.where(fed, np.abs(voltage[: network.buses]), 0.0)
            return size, equations.currents(voltage)
        given[beyond] = np.clip(found, network.held_low, network.held_high)[beyond]
        free &= ~beyond


def idle_voltages(network: Network, order: Array, parent: Array, parent_edge: Array) -> Array:
    """Return the voltages (pu) of a tree in the grid without load, 1 where there is no supply.

    order, parent, parent_edge  (n_bus,)  from `twin.kernels.islands.spread`, from the sources
    """
    voltage = np.ones(network.buses)
    voltage[network.source_bus] = network.source_voltage
    from_bus, ratio = network.from_bus.tolist(), network.ratio.tolist()
    for bus in order[order >= 0].tolist():
        edge, above = int(parent_edge[bus]), int(parent[bus])
        if edge >= 0:
            voltage[bus] = voltage[above] / ratio[edge] if from_bus[edge] == above else voltage[above] * ratio[edge]
    return voltage


class _Equations:
    """Balance of power at each bus; the nodes are buses, then the inner nodes of sources."""

    def __init__(self, network: Network, fed: Array, edge_works: Array, active: Array, reactive: Array) -> None:
        self._network, self._fed, self._works = network, fed, edge_works
        self._load = np.where(fed, active + 1j * reactive, 0.0) / BASE
        self._nodes = network.buses + len(network.source_bus)
        self._matrix = self._admittance()

    def _ends(self) -> tuple[Array, Array, Array, Array]:
        """Return the four admittances of every edge: from-from, from-to, to-from, to-to."""
        network = self._network
        series = 1.0 / np.where(np.abs(network.impedance) < LEAST_IMPEDANCE, LEAST_IMPEDANCE * 1j, network.impedance)
        own = series + network.shunt / 2
        return own / network.ratio**2, -series / network.ratio, -series / network.ratio, own

    def _admittance(self) -> csc_matrix:
        from scipy.sparse import coo_matrix

        network, rows = self._network, self._works
        size = network.source_impedance
        source = 1.0 / np.where(np.abs(size) < LEAST_IMPEDANCE, LEAST_IMPEDANCE * 1j, size)
        inner, outer = np.arange(network.buses, self._nodes), network.source_bus
        start, end = network.from_bus[rows], network.to_bus[rows]
        every = np.arange(network.buses)
        values = [*(part[rows] for part in self._ends()), source, -source, -source, source, network.bus_shunt]
        at = [start, start, end, end, inner, inner, outer, outer, every]
        to = [start, end, start, end, inner, outer, inner, outer, every]
        places = (np.concatenate(at), np.concatenate(to))
        return coo_matrix((np.concatenate(values), places), shape=(self._nodes, self._nodes)).tocsc()

    def _demand(self, size: Array) -> tuple[Array, Array]:
        """Return the load of every node at its voltage, and its change with the voltage."""
        network, extra = self._network, self._nodes - self._network.buses
        resistive, steady = network.impedance_share, network.current_share
        at = size[: network.buses]
        factor = 1.0 - resistive - steady + steady * at + resistive * at**2
        slope = steady + 2.0 * resistive * at
        return np.pad(self._load * factor, (0, extra)), np.pad(self._load * slope, (0, extra))

    def surplus(self, voltage: Array) -> Array:
        """Return the reactive power (pu) that generators give at each node."""
        sent = voltage * np.conj(self._matrix @ voltage)
        return np.asarray((sent + self._demand(np.abs(voltage))[0]).imag)

    def newton(self, held: Array, wanted: Array, given: Array, start: Array) -> Array | None:
        """Return the complex voltages (n_node,) with some buses held, None where the steps do not settle.

        held, wanted  buses whose voltage is held, and their voltages (pu)
        given  (n_held,)  pu  reactive power of all generators; does not matter where held
        start  (n_bus,)   pu  voltages to begin with
        """
        from scipy.sparse.linalg import splu

        network = self._network
        live = np.flatnonzero(self._fed)
        loose = np.setdiff1d(live, held)
        size, angle = np.concatenate([start, network.source_voltage]), np.zeros(self._nodes)
        size[held] = wanted
        supply = np.zeros(self._nodes, complex)
        np.add.at(supply, network.held_bus, 1j * given)
        for _ in range(_ITERATIONS):
            voltage = size * np.exp(1j * angle)
            demand, slope = self._demand(size)
            gap = voltage * np.conj(self._matrix @ voltage) + demand - supply
            wrong = np.concatenate([gap.real[live], gap.imag[loose]])
            if not np.isfinite(wrong).all():
                return None
            try:
                step = splu(self._jacobian(voltage, slope, live, loose)).solve(wrong)
            except RuntimeError:
                return None
            angle[live] -= step[: len(live)]
            size[loose] -= step[len(live) :]
            if np.abs(step).max(initial=0.0) <= _TOLERANCE:
                return np.asarray(size * np.exp(1j * angle)) if size.min() > 0 else None
        return None

    def _jacobian(self, voltage: Array, slope: Array, live: Array, loose: Array) -> csc_matrix:
        from scipy.sparse import bmat, diags

        current, unit = diags(self._matrix @ voltage), voltage / np.abs(voltage)
        by_angle = 1j * diags(voltage) @ (current - self._matrix @ diags(voltage)).conj()
        by_size = diags(voltage) @ (self._matrix @ diags(unit)).conj() + current.conj() @ diags(unit) + diags(slope)
        by_angle, by_size = by_angle.tocsr(), by_size.tocsr()
        upper = [by_angle[live][:, live].real, by_size[live][:, loose].real]
        lower = [by_angle[loose][:, live].imag, by_size[loose][:, loose].imag]
        return bmat([upper, lower], format="csc")

    def currents(self, voltage: Array) -> Array:
        """Return the size of the current (pu) at from-side and to-side of every edge, 0 where open."""
        network = self._network
        start, end = voltage[network.from_bus], voltage[network.to_bus]
        own, forth, back, far = self._ends()
        flows = np.stack([own * start + forth * end, back * start + far * end], axis=1)
        return np.where(self._works[:, None], np.abs(flows), 0.0)
