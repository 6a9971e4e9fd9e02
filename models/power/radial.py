"""Solve radial feeders by sweeps: a tree made of arrays, then any number of load profiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.models.power.network import BASE, Network

Array = np.ndarray[Any, Any]

TOLERANCE = 1e-10
"""Bound on what is left of the error of a squared voltage, pu."""

ITERATIONS = 200
"""Sweeps after which a flow counts as unsolvable; near collapse, changes shrink slowly."""


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


def plant(network: Network, order: Array, parent: Array, parent_edge: Array, edge_works: Array) -> Tree | None:
    """Return the tree of the parts with supply, None where rings or held voltages make it none.

    order, parent, parent_edge  (n_bus,)  from `twin.kernels.islands.spread`, from the sources
    edge_works  (n_edge,)  closed, not failed and fed at both ends
    """
    bus = order[: int(np.searchsorted(order < 0, True))]
    fed = np.zeros(network.buses, bool)
    fed[bus] = True
    rows = np.flatnonzero(fed[network.source_bus])
    roots = network.source_bus[rows]
    rings = int(edge_works.sum()) != len(bus) - len(roots)
    if rings or (len(roots) > 1 and len(np.unique(roots)) < len(roots)) or fed[network.held_bus].any():
        return None
    sources = len(rows)
    node_of_bus = np.full(network.buses + 1, -1)
    node_of_bus[bus] = sources + np.arange(len(bus))
    above = node_of_bus[parent[bus]]
    above[node_of_bus[roots] - sources] = np.arange(sources)
    edge = np.concatenate([np.full(sources, -1), parent_edge[bus]])
    return _with_values(network, rows, np.concatenate([np.full(sources, -1), above]), bus, edge, edge_works)


def _with_values(network: Network, rows: Array, parent: Array, bus: Array, edge: Array, edge_works: Array) -> Tree:
    """Return the tree with impedances, shunts and shares, all on the scale of their node."""
    from twin.kernels.sweep import PLAIN, WITH_CURRENTS, WITH_SHUNTS, products_down

    sources, nodes = len(rows), len(parent)
    at = np.concatenate([np.zeros(sources, np.int64), bus])
    inner = np.flatnonzero(edge >= 0)
    forward = np.ones(nodes, bool)
    forward[inner] = network.to_bus[edge[inner]] == at[inner]
    impedance, factor = np.zeros(nodes, complex), np.ones(nodes)
    ratio = np.where(forward[inner], 1.0, network.ratio[edge[inner]])
    impedance[inner] = network.impedance[edge[inner]] * ratio**2
    factor[inner] = np.where(forward[inner], 1.0 / network.ratio[edge[inner]], ratio)
    first = sources + np.flatnonzero(edge[sources:] < 0)
    impedance[first] = network.source_impedance[rows][parent[first]]
    scale = np.ones(nodes)
    if (factor != 1.0).any():
        products_down(parent, sources, factor, scale)
    impedance /= scale**2
    shunt = shunts(network, edge_works)[at] * scale**2
    shunt[:sources] = 0.0
    shares = [
        np.where(np.arange(nodes) < sources, 0.0, s[at]) for s in (network.current_share, network.impedance_share)
    ]
    kind = WITH_CURRENTS if shares[0].any() else WITH_SHUNTS if shares[1].any() or shunt.any() else PLAIN
    return Tree(
        buses=network.buses,
        sources=sources,
        parent=parent,
        bus=at,
        edge=edge,
        forward=forward,
        resistance=np.ascontiguousarray(impedance.real),
        reactance=np.ascontiguousarray(impedance.imag),
        conductance=np.ascontiguousarray(shunt.real),
        susceptance=np.ascontiguousarray(shunt.imag),
        current_share=shares[0],
        impedance_share=shares[1],
        scale=scale,
        held=network.source_voltage[rows],
        kind=kind,
    )


def shunts(network: Network, edge_works: Array) -> Array:
    """Return the admittance to ground at each bus (pu), halves of the working edges included."""
    total = network.bus_shunt.astype(complex)
    half = np.where(edge_works, network.shunt / 2, 0.0)
    if half.any():
        np.add.at(total, network.from_bus, half / network.ratio**2)
        np.add.at(total, network.to_bus, half)
    return total


def sweep_profiles(tree: Tree, active: Array, reactive: Array) -> Sweep:
    """Return the voltages under each profile of loads.

    active, reactive  (n_profile, n_bus)  W and var at rated voltage; negative where power is fed in
    """
    from twin.kernels.sweep import sweep

    profiles, nodes = active.shape[0], len(tree.parent)
    found = Sweep(np.zeros((profiles, tree.buses)), np.empty(profiles, np.int64), np.empty(nodes), np.zeros((3, nodes)))
    sweep(
        tree.parent,
        tree.sources,
        tree.resistance,
        tree.reactance,
        tree.conductance,
        tree.susceptance,
        tree.bus,
        np.multiply(active, 1.0 / BASE),
        np.multiply(reactive, 1.0 / BASE),
        tree.current_share,
        tree.impedance_share,
        tree.scale,
        tree.kind,
        TOLERANCE,
        ITERATIONS,
        tree.held,
        found.voltage,
        found.squared,
        found.flow,
        found.iterations,
    )
    return found


def edge_currents(network: Network, tree: Tree, found: Sweep) -> Array:
    """Return the current (pu) at from-side and to-side of every edge, (n_edge, 2); 0 off the tree."""
    from twin.kernels.sweep import edge_currents as write_currents

    currents = np.zeros((network.edges, 2))
    branch = (tree.parent, tree.edge, tree.forward, tree.resistance, tree.reactance, tree.scale)
    write_currents(*branch, network.shunt, network.ratio, found.squared, found.flow, currents)
    return currents
