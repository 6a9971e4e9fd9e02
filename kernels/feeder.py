"""Plant the tree of a radial grid: what a sweep needs of it, in the order of the sweep."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from twin.kernels._jit import inline_jit, jit

PLAIN, WITH_SHUNTS, WITH_CURRENTS = 0, 1, 2
"""Kinds of feeder: no shunts and all loads of constant power; no constant currents; all terms."""

NO_TREE = -1
"""In place of a kind: rings, or two sources on one bus."""

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Complexes = NDArray[np.complex128]


class Feeder(NamedTuple):
    """A radial grid in the order of the sweep: first its sources, then buses, parents before children.

    parent   (n_node,)  node towards the source, always an earlier one; -1 for sources
    bus      (n_node,)  bus of a node; 0 for sources
    resistance, reactance     (n_node,)  pu  series impedance between a node and its parent
    conductance, susceptance  (n_node,)  pu  shunt admittance at the node
    current_share, impedance_share  (n_node,)  parts of the load that keep their current, or impedance
    scale    (n_node,)  voltage (pu) that counts as 1 here: product of transformer ratios on the way
    held     (sources,)  pu  voltage of each source
    kind     PLAIN, WITH_SHUNTS or WITH_CURRENTS
    """

    parent: Integers
    bus: Integers
    resistance: Floats
    reactance: Floats
    conductance: Floats
    susceptance: Floats
    current_share: Floats
    impedance_share: Floats
    scale: Floats
    held: Floats
    kind: int


class Parts(NamedTuple):
    """What the edges, buses and sources of a grid are made of; see `twin.models.power.network`.

    from_bus, to_bus  (n_edge,)
    impedance, shunt  (n_edge,)  pu
    ratio             (n_edge,)
    bus_shunt         (n_bus,)   pu
    current_share, impedance_share  (n_bus,)
    source_bus        (n_source,)
    source_impedance  (n_source,)  pu
    """

    from_bus: Integers
    to_bus: Integers
    impedance: Complexes
    shunt: Complexes
    ratio: Floats
    bus_shunt: Complexes
    current_share: Floats
    impedance_share: Floats
    source_bus: Integers
    source_impedance: Complexes


@jit
def plant(
    parts: Parts,
    order: Integers,
    parent_bus: Integers,
    parent_edge: Integers,
    carries: Flags,
    sources: Integers,
    feeder: Feeder,
    edge: Integers,
    forward: Flags,
) -> int:
    """Write the tree of the parts with supply; return its kind, NO_TREE where they form none.

    order        (n_fed,)   buses with supply, from `twin.kernels.islands.spread`, as are the next two
    parent_bus, parent_edge  (n_bus,)
    carries      (n_edge,)  closed, not failed and fed at both ends
    sources      (n,)       those that feed
    feeder       written, n nodes for the sources, then one for each bus; its kind and voltages are not looked at
    edge         (n_node,)  written: edge from the parent; -1 for sources and for the buses at them
    forward      (n_node,)  written: whether that edge's from-side is the parent
    """
    roots = sources.shape[0]
    node_of_bus = np.full(parent_bus.shape[0], -1)
    if not _rooted(parts, carries, order.shape[0], sources, node_of_bus):
        return NO_TREE
    _write_nodes(parts, order, parent_bus, parent_edge, sources, node_of_bus, feeder, edge, forward)
    shunt = _shunts(parts, carries)
    kind = PLAIN
    for i in range(edge.shape[0]):
        bus, square = feeder.bus[i], feeder.scale[i] * feeder.scale[i]
        inner = i >= roots
        feeder.conductance[i] = shunt[bus].real * square if inner else 0.0
        feeder.susceptance[i] = shunt[bus].imag * square if inner else 0.0
        feeder.current_share[i] = parts.current_share[bus] if inner else 0.0
        feeder.impedance_share[i] = parts.impedance_share[bus] if inner else 0.0
        if feeder.current_share[i] != 0.0:
            kind = WITH_CURRENTS
        elif feeder.impedance_share[i] != 0.0 or feeder.conductance[i] != 0.0 or feeder.susceptance[i] != 0.0:
            kind = max(kind, WITH_SHUNTS)
    return kind


@inline_jit
def _rooted(parts: Parts, carries: Flags, fed: int, sources: Integers, node_of_bus: Integers) -> bool:
    """Note the source of each bus that has one; return False for rings and for two sources on a bus."""
    for i in range(sources.shape[0]):
        bus = parts.source_bus[sources[i]]
        if node_of_bus[bus] >= 0:
            return False
        node_of_bus[bus] = i
    edges = 0
    for k in range(carries.shape[0]):
        edges += carries[k]
    return bool(edges == fed - sources.shape[0])


@inline_jit
def _write_nodes(
    parts: Parts,
    order: Integers,
    parent_bus: Integers,
    parent_edge: Integers,
    sources: Integers,
    node_of_bus: Integers,
    feeder: Feeder,
    edge: Integers,
    forward: Flags,
) -> None:
    """Write parents, edges, scales and impedances on the scale of each node."""
    roots = sources.shape[0]
    for i in range(roots):
        feeder.parent[i], feeder.bus[i], edge[i], forward[i] = -1, 0, -1, True
        feeder.resistance[i], feeder.reactance[i], feeder.scale[i] = 0.0, 0.0, 1.0
    for place in range(order.shape[0]):
        i, bus = roots + place, order[place]
        k = parent_edge[bus]
        above = node_of_bus[bus if k < 0 else parent_bus[bus]]
        node_of_bus[bus] = i
        feeder.parent[i], feeder.bus[i], edge[i], forward[i] = above, bus, k, True
        scale = 1.0
        if k < 0:
            impedance = parts.source_impedance[sources[above]]
        else:
            forward[i] = parts.to_bus[k] == bus
            ratio = 1.0 if forward[i] else parts.ratio[k]
            impedance = parts.impedance[k] * (ratio * ratio)
            scale = feeder.scale[above] * (1.0 / parts.ratio[k] if forward[i] else ratio)
        per_square = 1.0 / (scale * scale)
        feeder.resistance[i], feeder.reactance[i] = impedance.real * per_square, impedance.imag * per_square
        feeder.scale[i] = scale


@jit
def _shunts(parts: Parts, carries: Flags) -> Complexes:
    """Return the admittance to ground at each bus (pu), halves of the working edges included."""
    total = parts.bus_shunt.copy()
    for k in range(carries.shape[0]):
        if carries[k]:
            total[parts.from_bus[k]] += parts.shunt[k] * 0.5 * (1.0 / (parts.ratio[k] * parts.ratio[k]))
    for k in range(carries.shape[0]):
        if carries[k]:
            total[parts.to_bus[k]] += parts.shunt[k] * 0.5
    return total
