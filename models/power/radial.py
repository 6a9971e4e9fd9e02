"""Solve radial feeders by sweeps: a tree made of arrays, then any number of load profiles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.models.power.network import BASE, Network

if TYPE_CHECKING:
    from twin.kernels.feeder import Feeder

Array = np.ndarray[Any, Any]

TOLERANCE = 1e-10
"""Bound on what is left of the error of a squared voltage, pu."""

ITERATIONS = 200
"""Sweeps after which a flow counts as unsolvable; near collapse, changes shrink slowly."""

_UNIT = 1.0 / BASE


@dataclass(frozen=True)
class Tree:
    """A radial grid in the order of the sweep: first its sources, then buses, parents before children.

    buses     number of buses of the grid, with and without supply
    sources   number of nodes that are sources
    parent    (n_node,)  node before it
    bus       (n_node,)  bus of a node; 0 for sources
    edge      (n_node,)  edge from the parent; -1 for sources and for the buses at them
    forward   (n_node,)  whether that edge's from-side is the parent
    resistance, reactance, conductance, susceptance  (n_node,)  pu on the scale of the node
    current_share, impedance_share  (n_node,)
    scale     (n_node,)  product of transformer ratios on the way
    held      (sources,)  pu  voltage of sources
    kind      terms that the sweep needs; see `twin.kernels.sweep`
    """

    buses: int
    sources: int
    parent: Array
    bus: Array
    edge: Array
    forward: Array
    resistance: Array
    reactance: Array
    conductance: Array
    susceptance: Array
    current_share: Array
    impedance_share: Array
    scale: Array
    held: Array
    kind: int

    @cached_property
    def feeder(self) -> Feeder:
        """Return the nodes as sweeps take them."""
        from twin.kernels.feeder import Feeder

        return Feeder(*(getattr(self, name) for name in Feeder._fields))


@dataclass(frozen=True)
class Sweep:
    """What the sweeps found.

    voltage     (n_profile, n_bus)  pu, 0 off the tree
    iterations  (n_profile,)  -1 where no solution was found
    squared     (n_node,)     pu  squared voltages of the last profile on the scale of each node
    flow        (3, n_node)   pu  of the last profile: active, reactive power and squared current
    """

    voltage: Array
    iterations: Array
    squared: Array
    flow: Array


@dataclass(frozen=True)
class Swept:
    """One flow with its currents.

    voltage  (n_bus,)      pu, 0 off the tree
    flow     (3, n_node)   as in `Sweep`
    current  (n_edge, 2)   pu  at from-side and to-side, 0 off the tree
    loading  (n_edge,)     larger current over its rating
    """

    voltage: Array
    flow: Array
    current: Array
    loading: Array


def plant(network: Network, order: Array, parent: Array, parent_edge: Array, edge_works: Array) -> Tree | None:
    """Return the tree of the parts with supply, None where rings or held voltages make it none.

    order, parent, parent_edge  (n_bus,)  from `twin.kernels.islands.spread`, from the sources
    edge_works  (n_edge,)  closed, not failed and fed at both ends
    """
    from twin.kernels.feeder import NO_TREE, PLAIN, Feeder
    from twin.kernels.feeder import plant as write

    buses = order[: int(np.searchsorted(order < 0, True))]
    fed = np.zeros(network.buses, bool)
    fed[buses] = True
    if fed[network.held_bus].any():
        return None
    rows = fed[network.source_bus].nonzero()[0]
    nodes = len(rows) + len(buses)
    above, bus, edge = np.empty((3, nodes), np.int64)
    forward = np.empty(nodes, np.bool_)
    resistance, reactance, conductance, susceptance, steady, resistive, scale = np.empty((7, nodes))
    values = (resistance, reactance, conductance, susceptance, steady, resistive, scale, network.source_voltage[rows])
    feeder = Feeder(above, bus, *values, PLAIN)
    kind = write(network.parts, buses, parent, parent_edge, edge_works, rows, feeder, edge, forward)
    if kind == NO_TREE:
        return None
    return Tree(network.buses, len(rows), above, bus, edge, forward, *values, kind)


def sweep_profiles(tree: Tree, active: Array, reactive: Array) -> Sweep:
    """Return the voltages under each profile of loads.

    active, reactive  (n_profile, n_bus)  W and var at rated voltage; negative where power is fed in
    """
    from twin.kernels.sweep import sweep

    profiles, nodes = active.shape[0], len(tree.edge)
    voltage = np.zeros((profiles, tree.buses))
    found = Sweep(voltage, np.empty(profiles, np.int64), np.empty(nodes), np.zeros((3, nodes)))
    written = (found.voltage, found.squared, found.flow, found.iterations)
    sweep(tree.feeder, active, reactive, _UNIT, TOLERANCE, ITERATIONS, *written)
    return found


def sweep_once(network: Network, tree: Tree, active: Array, reactive: Array) -> Swept | None:
    """Return the flow under one profile of loads, None where none was found.

    active, reactive  (n_bus,)  W and var at rated voltage
    """
    from twin.kernels.sweep import NOT_FOUND, Edges, solve_feeder

    nodes = len(tree.edge)
    voltage, squared, flow = np.zeros((1, network.buses)), np.empty(nodes), np.zeros((3, nodes))
    current, loading = np.zeros((network.edges, 2)), np.zeros(network.edges)
    written = (voltage, squared, flow, current, loading)
    edges = Edges(tree.edge, tree.forward, network.shunt, network.ratio, network.rating)
    asked = (active[None], reactive[None], _UNIT, TOLERANCE, ITERATIONS)
    found = solve_feeder(tree.feeder, edges, *asked, *written)
    return None if found == NOT_FOUND else Swept(voltage[0], flow, current, loading)
