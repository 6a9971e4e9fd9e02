"""Find what makes a water network unsolvable, before a solver is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.models.water.fault_rows import rows_elsewhere
from twin.models.water.units import FLOWS

if TYPE_CHECKING:
    from twin.city import City
    from twin.models.water.network import Network

Array = np.ndarray[Any, Any]

_POSITIVE = (("pipes", "length"), ("pipes", "diameter"), ("pipes", "roughness"), ("valves", "diameter"))
_FROM_ZERO = (
    *(("junctions", "emitter"), ("pipes", "minor_loss"), ("valves", "minor_loss")),
    *(("pumps", "power"), ("pumps", "speed"), ("tanks", "min_volume")),
)


def faults(network: Network, city: City) -> list[str]:
    """Return every fault as a sentence that names table, id and value; none is an empty list."""
    found = [*_rows(network), *rows_elsewhere(network, city)]
    if found:
        return found
    parts = (_values, _series, _tanks, _pumps, _valves, _graph)
    return [sentence for part in parts for sentence in part(network)]


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
    for table, series in (("water_patterns", network.patterns), ("water_curves", network.curves)):
        wrong = (series.first < 0) | (series.count < 1) | (series.first + series.count > len(series.x))
        for row in np.flatnonzero(wrong).tolist():
            span = f"first ({series.first[row]}) and count ({series.count[row]})"
            yield f"{table} {series.identifier[row]}: {span} leave its {len(series.x)} values, or there are none"


def _values(network: Network) -> Iterator[str]:
    """Find impossible sizes."""
    for table, column in _POSITIVE:
        values = np.asarray(network.column(table, column), dtype=np.float64)
        for row in np.flatnonzero(~((values > 0) & (values < np.inf))).tolist():
            yield f"{table} {network.identifiers[table][row]}: {column} ({values[row]:g}) must be greater than 0"
    for table, column in _FROM_ZERO:
        values = np.asarray(network.column(table, column, 0.0), dtype=np.float64)
        for row in np.flatnonzero(~((values >= 0) & (values < np.inf))).tolist():
            yield f"{table} {network.identifiers[table][row]}: {column} ({values[row]:g}) must be a number from 0"
    finite = np.isfinite(network.demand_base)
    for row in np.flatnonzero(~finite).tolist():
        yield f"water_demands row {row}: base ({network.demand_base[row]}) is not a number"
    for row in np.flatnonzero(~np.isfinite(network.elevation)).tolist():
        yield f"{network.place_of_node(row)} has no elevation"
    if network.hydraulics.headloss not in ("H-W", "D-W", "C-M"):
        yield f"headloss ({network.hydraulics.headloss!r}) must be H-W, D-W or C-M"
    if network.hydraulics.units not in FLOWS:
        yield f"units ({network.hydraulics.units!r}) must be one of {', '.join(FLOWS)}"


def _series(network: Network) -> Iterator[str]:
    """Find multipliers and points that are no numbers."""
    for table, series in (("water_patterns", network.patterns), ("water_curves", network.curves)):
        for row in range(len(series.first)):
            span = slice(series.first[row], series.first[row] + series.count[row])
            if not (np.isfinite(series.x[span]) & np.isfinite(series.y[span])).all():
                yield f"{table} {series.identifier[row]} holds a value that is not a number"


def _tanks(network: Network) -> Iterator[str]:
    """Find tanks whose levels contradict each other, or whose volume does not grow with the level."""
    names = network.identifiers["tanks"]
    low, start, high = (np.asarray(network.column("tanks", f"{n}_level"), float) for n in ("min", "initial", "max"))
    for row in np.flatnonzero(~((start >= low) & (start <= high) & (low >= 0))).tolist():
        yield f"tanks {names[row]}: initial_level ({start[row]:g}) must lie between {low[row]:g} and {high[row]:g} m"
    for row in np.flatnonzero(~((high > low) & (high < np.inf))).tolist():
        yield f"tanks {names[row]}: max_level ({high[row]:g}) must be greater than min_level ({low[row]:g})"
    curve, diameter = network.column("tanks", "curve", -1), np.asarray(network.column("tanks", "diameter"), float)
    for row in np.flatnonzero((curve < 0) & ~((diameter > 0) & (diameter < np.inf))).tolist():
        yield f"tanks {names[row]} has neither a diameter nor a volume curve"
    for row in np.flatnonzero(curve >= 0).tolist():
        x, y = _points(network, curve[row])
        if len(x) < 2 or (np.diff(x) <= 0).any() or (np.diff(y) <= 0).any():
            told = f"the volume curve {network.curves.identifier[curve[row]]}"
            yield f"tanks {names[row]}: {told} needs two points or more whose volume rises with the level"


def _points(network: Network, curve: int) -> tuple[Array, Array]:
    """Return x and y of a curve."""
    span = slice(network.curves.first[curve], network.curves.first[curve] + network.curves.count[curve])
    return network.curves.x[span], network.curves.y[span]


def _pumps(network: Network) -> Iterator[str]:
    """Find pumps that cannot pump."""
    bare = (network.column("pumps", "curve", -1) < 0) & ~(network.column("pumps", "power", 0.0) > 0)
    for row in np.flatnonzero(bare).tolist():
        yield f"pumps {network.identifiers['pumps'][row]} has neither a head curve nor a power"
    curves = np.asarray(network.column("pumps", "curve", -1), dtype=np.int64)
    for row in np.flatnonzero(curves >= 0).tolist():
        x, y = _points(network, curves[row])
        told = f"pumps {network.identifiers['pumps'][row]}: the head of its curve"
        if (np.diff(y) >= 0).any() or (np.diff(x) <= 0).any():
            yield f"{told} {network.curves.identifier[curves[row]]} must fall as its flow rises"
        elif (x < 0).any() or (y < 0).any():
            yield f"{told} {network.curves.identifier[curves[row]]}, and its flow, must be from 0"


def _valves(network: Network) -> Iterator[str]:
    """Find valves of unknown kind or without their curve."""
    from twin.models.water.network import VALVE_KINDS

    kinds, curve = network.column("valves", "kind"), network.column("valves", "curve", -1)
    setting = np.asarray(network.column("valves", "setting"), dtype=np.float64)
    for row, kind in enumerate(kinds.tolist()):
        name = network.identifiers["valves"][row]
        if kind not in VALVE_KINDS:
            yield f"valves {name}: kind ({kind!r}) must be one of {', '.join(VALVE_KINDS)}"
        elif kind == "GPV" and curve[row] < 0:
            yield f"valves {name} is a GPV and has no curve of its loss"
        state = str(network.column("valves", "state")[row])
        if state not in ("active", "open", "closed"):
            yield f"valves {name}: state ({state!r}) must be active, open or closed"
        elif state == "active" and kind != "GPV" and not 0 <= setting[row] < np.inf:
            yield f"valves {name}: setting ({setting[row]:g}) must be a number from 0"


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
