"""What an asset is worth, from the city alone: capacity, betweenness, and which pumps it feeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from twin.city.dependencies import supplier_of
from twin.models.assets import LINE, LINK, PIPE, PUMP, SUBSTATION, Assets, feeds

if TYPE_CHECKING:
    from twin.city import City

Array = np.ndarray[Any, Any]

_DESIGN_VELOCITY = 1.0
"""m/s in a main at design flow; assumption, only the order of pipes and pumps depends on it."""
_SOURCES = 48
"""Nodes whose shortest paths are counted in a large graph; all of them in a smaller one."""


def capacities(city: City, assets: Assets) -> Array:
    """Return what each asset carries when all works, (n,): W, m3/s or PCU/s; crews compare their own.

    Lines and substations carry the peak load behind them, pipes the flow of their section at the
    design velocity, pumps the flow of the first point of their curve, roads their saturation flow.
    Source: the handling capacity strategy of InfraRisk (github.com/srijithbalakrishnan/
    dreaminsg-integrated-model, recovery_strategies.py), which takes simulated flows instead.
    """
    out = np.zeros(assets.count)
    load = np.asarray(city["buses"]["p"], dtype=np.float64) if "p" in city["buses"] else np.zeros(city.rows("buses"))
    for kind, below in zip((SUBSTATION, LINE), feeds(city), strict=True):
        out[assets.kind == kind] = [load[buses].sum() for buses in below]
    if assets.has(PIPE):
        area = np.pi / 4 * np.asarray(city["pipes"]["diameter"], dtype=np.float64) ** 2
        out[assets.kind == PIPE] = _DESIGN_VELOCITY * area
    if assets.has(PUMP):
        out[assets.kind == PUMP] = _pump_flows(city)
    if assets.has(LINK):
        links = city["links"]
        out[assets.kind == LINK] = links.get("capacity", 1.0)
    return out


def _pump_flows(city: City) -> Array:
    curve = np.asarray(city["pumps"]["curve"], dtype=np.int64)
    first = np.asarray(city["water_curves"]["first"], dtype=np.int64) if "water_curves" in city else np.zeros(1, int)
    points = np.asarray(city["water_curve_points"]["x"], dtype=np.float64) if "water_curve_points" in city else [0.0]
    return np.where(curve >= 0, np.asarray(points)[first[np.maximum(curve, 0)]], 0.0)


def betweenness(city: City, assets: Assets) -> Array:
    """Return the share of shortest paths of its own network that lead through each asset, (n,).

    Source: Brandes, On variants of shortest-path betweenness centrality, Social Networks 30 (2008),
    with paths counted in links; in large graphs from evenly chosen nodes (Brandes, Pich 2007).
    """
    out = np.zeros(assets.count)
    lines = _edges(city, ("lines", "transformers"), "bus")
    nodes, edges = _central(lines, city.rows("buses"))
    out[assets.kind == LINE] = edges[: city.rows("lines")]
    if city.rows("substations"):
        out[assets.kind == SUBSTATION] = nodes[np.asarray(city["substations"]["bus"], dtype=np.int64)]
    if assets.has(PIPE) or assets.has(PUMP):
        count = sum(city.rows(table) for table in ("junctions", "reservoirs", "tanks"))
        _, edges = _central(_edges(city, ("pipes", "pumps", "valves"), "node"), count)
        pipes = city.rows("pipes")
        out[assets.kind == PIPE] = edges[:pipes]
        out[assets.kind == PUMP] = edges[pipes : pipes + city.rows("pumps")]
    if assets.has(LINK):
        out[assets.kind == LINK] = _central(_edges(city, ("links",), "node"), city.rows("nodes"))[1]
    return out


def _edges(city: City, tables: tuple[str, ...], end: str) -> Array:
    there = [city[table] for table in tables if table in city]
    return np.concatenate([np.column_stack([t[f"from_{end}"], t[f"to_{end}"]]) for t in there]).astype(np.int64)


def _central(ends: Array, count: int) -> tuple[Array, Array]:
    """Return betweenness of nodes and of edges; parallel edges share one value."""
    import networkx

    net = networkx.Graph()
    net.add_nodes_from(range(count))
    net.add_edges_from(ends.tolist())
    sources = np.unique(np.linspace(0, count - 1, min(count, _SOURCES)).astype(np.int64)).tolist()
    everyone = list(range(count))
    nodes = networkx.betweenness_centrality_subset(net, sources, everyone, normalized=False)
    edges = networkx.edge_betweenness_centrality_subset(net, sources, everyone, normalized=False)
    value = {frozenset(pair): share for pair, share in edges.items()}
    scale = 1.0 / max(len(sources) * (count - 1), 1)
    of_edges = np.array([value.get(frozenset(pair), 0.0) for pair in ends.tolist()])
    return np.array([nodes[i] for i in range(count)]) * scale, of_edges * scale


def pumps_fed(city: City, assets: Assets) -> Array:
    """Return which pumps get their power through each asset, (n, n_pump); a pump through itself."""
    pumps = city.rows("pumps")
    out = np.zeros((assets.count, pumps), dtype=bool)
    bus = supplier_of(city, "buses", "pumps", "bus")
    for kind, below in zip((SUBSTATION, LINE), feeds(city), strict=True):
        for asset, buses in zip(np.flatnonzero(assets.kind == kind).tolist(), below, strict=True):
            out[asset] = np.isin(bus, buses)
    own = np.flatnonzero(assets.kind == PUMP)
    out[own, np.arange(own.shape[0])] = True
    return out


def persons_per_pump(city: City) -> Array:
    """Return the persons with water that hang on each pump: an equal share of all, (n_pump,).

    An assumption for ranking only: which pump serves whom changes with the hour.
    """
    pumps = city.rows("pumps")
    counted = city["junctions"]["population"] if pumps and "population" in city["junctions"] else np.zeros(1)
    return np.full(pumps, float(np.asarray(counted).sum()) / max(pumps, 1))
