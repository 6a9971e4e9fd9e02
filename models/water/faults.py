"""Find what makes a water network unsolvable, before a solver is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from twin.models.water.units import FLOWS

if TYPE_CHECKING:
    from twin.models.water.network import Network

_POSITIVE = (("pipes", "length"), ("pipes", "diameter"), ("pipes", "roughness"), ("valves", "diameter"))


def faults(network: Network) -> list[str]:
    """Return every fault as a sentence that names table, id and value; none is an empty list."""
    found = list(_rows(network))
    if found:
        return found
    return [*_values(network), *_tanks(network), *_pumps(network), *_valves(network), *_graph(network)]


def _rows(network: Network) -> Iterator[str]:
    """Find rows that point nowhere."""
    for table in ("pipes", "pumps", "valves"):
        for end in ("from_node", "to_node"):
            node = np.asarray(network.column(table, end), dtype=np.int64)
            for row in np.flatnonzero((node < 0) | (node >= network.n_node)).tolist():
                yield f"{table} {network.identifiers[table][row]}: {end} ({node[row]}) is no water node"
    n_pattern, n_curve = len(network.patterns.first), len(network.curves.first)
    limits = {("reservoirs", "pattern"): n_pattern, ("pumps", "pattern"): n_pattern, ("pumps", "curve"): n_curve}
    limits |= {("tanks", "curve"): n_curve, ("valves", "curve"): n_curve}
    for (table, column), limit in limits.items():
        rows = np.asarray(network.column(table, column, -1), dtype=np.int64)
        for row in np.flatnonzero((rows < -1) | (rows >= limit)).tolist():
            yield f"{table} {network.identifiers[table][row]}: {column} ({rows[row]}) does not exist"
    wrong = (network.demand_junction < 0) | (network.demand_junction >= network.n_junction)
    for row in np.flatnonzero(wrong).tolist():
        yield f"water_demands row {row}: junction ({network.demand_junction[row]}) does not exist"
    for row in np.flatnonzero((network.demand_pattern < -1) | (network.demand_pattern >= n_pattern)).tolist():
        yield f"water_demands row {row}: pattern ({network.demand_pattern[row]}) does not exist"
    for row in np.flatnonzero(network.patterns.count < 1).tolist():
        yield f"water_patterns {network.patterns.identifier[row]} is empty"


def _values(network: Network) -> Iterator[str]:
    """Find impossible sizes."""
    for table, column in _POSITIVE:
        values = np.asarray(network.column(table, column), dtype=np.float64)
        for row in np.flatnonzero(~(values > 0)).tolist():
            yield f"{table} {network.identifiers[table][row]}: {column} ({values[row]:g}) must be greater than 0"
    finite = np.isfinite(network.demand_base)
    for row in np.flatnonzero(~finite).tolist():
        yield f"water_demands row {row}: base ({network.demand_base[row]}) is not a number"
    for row in np.flatnonzero(~np.isfinite(network.elevation)).tolist():
        yield f"{network.place_of_node(row)} has no elevation"
    if network.hydraulics.headloss not in ("H-W", "D-W", "C-M"):
        yield f"headloss ({network.hydraulics.headloss!r}) must be H-W, D-W or C-M"
    if network.hydraulics.units not in FLOWS:
        yield f"units ({network.hydraulics.units!r}) must be one of {', '.join(FLOWS)}"


def _tanks(network: Network) -> Iterator[str]:
    """Find tanks whose levels contradict each other."""
    low, start, high = (network.column("tanks", f"{name}_level") for name in ("min", "initial", "max"))
    for row in np.flatnonzero((start < low) | (start > high) | (low < 0)).tolist():
        name = network.identifiers["tanks"][row]
        yield f"tanks {name}: initial_level ({start[row]:g}) must lie between {low[row]:g} and {high[row]:g} m"
    bare = (network.column("tanks", "curve", -1) < 0) & ~(network.column("tanks", "diameter") > 0)
    for row in np.flatnonzero(bare).tolist():
        yield f"tanks {network.identifiers['tanks'][row]} has neither a diameter nor a volume curve"


def _pumps(network: Network) -> Iterator[str]:
    """Find pumps that cannot pump."""
    bare = (network.column("pumps", "curve", -1) < 0) & ~(network.column("pumps", "power", 0.0) > 0)
    for row in np.flatnonzero(bare).tolist():
        yield f"pumps {network.identifiers['pumps'][row]} has neither a head curve nor a power"
    curves = network.curves
    for row, curve in enumerate(np.asarray(network.column("pumps", "curve", -1), dtype=np.int64).tolist()):
        points = slice(curves.first[curve], curves.first[curve] + curves.count[curve]) if curve >= 0 else slice(0)
        if (np.diff(curves.y[points]) >= 0).any() or (np.diff(curves.x[points]) <= 0).any():
            name = network.identifiers["pumps"][row]
            yield f"pumps {name}: the head of its curve {curves.identifier[curve]} must fall as its flow rises"


def _valves(network: Network) -> Iterator[str]:
    """Find valves of unknown kind or without their curve."""
    from twin.models.water.network import VALVE_KINDS

    kinds, curve = network.column("valves", "kind"), network.column("valves", "curve", -1)
    for row, kind in enumerate(kinds.tolist()):
        name = network.identifiers["valves"][row]
        if kind not in VALVE_KINDS:
            yield f"valves {name}: kind ({kind!r}) must be one of {', '.join(VALVE_KINDS)}"
        elif kind == "GPV" and curve[row] < 0:
            yield f"valves {name} is a GPV and has no curve of its loss"
        state = str(network.column("valves", "state")[row])
        if state not in ("active", "open", "closed"):
            yield f"valves {name}: state ({state!r}) must be active, open or closed"


def _graph(network: Network) -> Iterator[str]:
    """Find nodes without links and a network without a source."""
    if network.n_node == network.n_junction:
        yield "there is no reservoir and no tank"
    used = np.zeros(network.n_node, dtype=bool)
    used[network.from_node] = used[network.to_node] = True
    for node in np.flatnonzero(~used).tolist():
        yield f"{network.place_of_node(node)} has no pipe, pump or valve"
    for link in np.flatnonzero(network.from_node == network.to_node).tolist():
        yield f"{network.place_of_link(link)} starts and ends at one node"
