"""Turn the tables of a network into the arguments of kernels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.kernels.water_controls import Controls
from twin.kernels.water_rules import Rules
from twin.kernels.water_solution import Graph, Patterns
from twin.kernels.water_tanks import Tanks, interpolate
from twin.models.water.inp_controls import WHEN
from twin.models.water.network import table_of

if TYPE_CHECKING:
    from twin.city import City
    from twin.models.water.network import Network

Array = np.ndarray[Any, Any]
_SECOND = 1_000_000
_RULE_COLUMNS = (("first_premise", "premises"), ("first_action", "actions"), ("first_else", "elses"))


def tanks_of(network: Network) -> Tanks:
    """Return the shape of the tanks; a cylinder's least volume is its own or what stands below its lowest level."""
    low, high, diameter = (
        np.asarray(network.column("tanks", name), np.float64) for name in ("min_level", "max_level", "diameter")
    )
    own = np.asarray(network.column("tanks", "min_volume", 0.0), np.float64)
    curve = np.asarray(network.column("tanks", "curve", -1), np.int64)
    area = np.pi * diameter**2 / 4
    least = np.where(own > 0, own, area * low)
    most = least + area * (high - low)
    curves = network.curves
    first, count = np.zeros(len(low), np.int64), np.zeros(len(low), np.int64)
    for i in np.flatnonzero(curve >= 0).tolist():
        first[i], count[i] = curves.first[curve[i]], curves.count[curve[i]]
        points = slice(first[i], first[i] + count[i])
        least[i] = interpolate(curves.x[points], curves.y[points], low[i])
        most[i] = interpolate(curves.x[points], curves.y[points], high[i])
    return Tanks(low, high, area, least, most, first, count, curves.x, curves.y)


def controls_of(network: Network, city: City) -> Controls:
    """Return the simple controls of a city."""
    table = table_of(city, "water_controls")
    node, limit = _whole(table, "node"), _real(table, "limit")
    return Controls(
        link=_whole(table, "link"),
        when=np.array([WHEN.index(str(word)) for word in table.get("when", ())], np.int8),
        junction=np.where((node >= 0) & (node < network.n_junction), node, -1),
        tank=np.where(node >= network.first_tank, node - network.first_tank, -1),
        limit=limit,
        time=np.where(node < 0, np.round(limit * _SECOND), 0).astype(np.int64),
        status=np.asarray(table.get("status", []), np.int8),
        setting=_real(table, "setting"),
    )


def rules_of(city: City) -> Rules:
    """Return the rule-based controls of a city."""
    rules, premises, actions = (table_of(city, f"water_{name}") for name in ("rules", "premises", "actions"))
    spans = [np.stack([_whole(rules, f), _whole(rules, c)], axis=1) for f, c in _RULE_COLUMNS]
    return Rules(
        priority=_real(rules, "priority"),
        premises=spans[0],
        actions=spans[1],
        elses=spans[2],
        either=np.asarray(premises.get("either", []), np.bool_),
        variable=np.asarray(premises.get("variable", []), np.int8),
        node=_whole(premises, "node"),
        link=_whole(premises, "link"),
        relation=np.asarray(premises.get("relation", []), np.int8),
        value=_real(premises, "value"),
        tolerance=_real(premises, "tolerance"),
        state=np.asarray(premises.get("state", []), np.int8),
        act_link=_whole(actions, "link"),
        act_status=np.asarray(actions.get("status", []), np.int8),
        act_setting=_real(actions, "setting"),
        act_tolerance=_real(actions, "tolerance"),
    )


def patterns_of(network: Network) -> Patterns:
    """Return demands, heads of reservoirs and speeds of pumps with their patterns."""
    return Patterns(
        x=network.patterns.x,
        first=network.patterns.first,
        periods=network.patterns.count,
        base=network.demand_base * network.hydraulics.demand_multiplier,
        junction=network.demand_junction,
        pattern=network.demand_pattern,
        head=np.asarray(network.column("reservoirs", "head"), np.float64),
        head_pattern=np.asarray(network.column("reservoirs", "pattern", -1), np.int64),
        pump_pattern=np.asarray(network.column("pumps", "pattern", -1), np.int64),
        first_pump=network.first_pump,
    )


def graph_of(network: Network) -> Graph:
    """Return the links at each node."""
    from twin.kernels.islands import build_adjacency

    first = np.zeros(network.n_node + 1, np.int64)
    neighbour, edge = np.zeros(2 * network.n_link, np.int64), np.zeros(2 * network.n_link, np.int64)
    build_adjacency(network.from_node, network.to_node, first, neighbour, edge)
    low = np.asarray(network.column("tanks", "min_level"), np.float64)
    return Graph(first, neighbour, edge, network.n_junction, low)


def kinds_of(network: Network) -> Array:
    """Return 0 for pipes, 1 for pumps, 2 for valves, 3 for general-purpose valves, per water link."""
    kind = np.zeros(network.n_link, np.int8)
    kind[network.first_pump : network.first_valve] = 1
    general = network.column("valves", "kind").astype(str) == "GPV"
    kind[network.first_valve :] = np.where(general, 3, 2)
    return kind


def _real(table: Mapping[str, Array], name: str) -> Array:
    return np.asarray(table.get(name, []), np.float64)


def _whole(table: Mapping[str, Array], name: str) -> Array:
    return np.asarray(table.get(name, []), np.int64)
