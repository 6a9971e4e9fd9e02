"""Turn a raw map into streets between junctions: join, merge, keep what is connected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.city.chains import chain_ends, walk_chains
from twin.city.osm_read import RawMap
from twin.city.osm_tags import WayValues, way_values
from twin.city.streets import Streets
from twin.errors import CityError

Floats = NDArray[np.float64]
Report = dict[str, Any]


@dataclass
class _Net:
    """Hold streets in the making: ends (e, 2), way (e,), direction (e,) and polylines."""

    xy: Floats
    ends: NDArray[np.int64]
    way: NDArray[np.int64]
    oneway: NDArray[np.bool_]
    shapes: list[Floats]

    def take(self, keep: NDArray[np.bool_]) -> _Net:
        """Return the chosen streets; nodes keep their rows."""
        shapes = [shape for shape, kept in zip(self.shapes, keep.tolist(), strict=True) if kept]
        return _Net(self.xy, self.ends[keep], self.way[keep], self.oneway[keep], shapes)


def make_streets(raw: RawMap, crs: int, settings: Mapping[str, Any]) -> tuple[Streets, NDArray[np.bool_], Report]:
    """Return streets, which of their junctions have signals, and the counts of the import.

    settings  the `roads` section of the import file
    Raises CityError when nothing connected remains.
    """
    from pyproj import Transformer

    values, missing = way_values(raw.ways, settings)
    to_grid = Transformer.from_crs(4326, crs, always_xy=True)
    xy = np.stack(to_grid.transform(raw.lon, raw.lat), axis=1)
    net = _joined(xy, raw.segments, values)
    report: Report = {"segments": len(raw.segments), "ways": len(raw.ways), "streets_joined": len(net.ends)}
    net, merged = _merged(net, float(settings["merge_distance"]))
    report["junctions_merged"] = merged
    net, dropped = _connected(net)
    report["streets_outside_largest_part"], report["streets"] = dropped, len(net.ends)
    signals = xy[raw.signal]
    nodes, ends = np.unique(net.ends, return_inverse=True)
    net = _Net(net.xy[nodes], ends.reshape(-1, 2), net.way, net.oneway, net.shapes)
    signalled, lost = _signalled(net, signals, float(settings["signal_reach"]))
    report["signals"] = {"in_map": len(signals), "without_junction": lost, "junctions": int(signalled.sum())}
    report["defaulted"] = {
        name: {"defaulted": int(flags[net.way].sum()), "of": len(net.way)} for name, flags in missing.items()
    }
    return _as_streets(net, values), signalled, report


def _joined(xy: Floats, segments: NDArray[np.int64], values: WayValues) -> _Net:
    """Join segments where only two of the same kind meet and the direction goes on."""
    against = values.oneway[segments[:, 2]] < 0
    ends = np.where(against[:, None], segments[:, 1::-1], segments[:, :2])
    way = segments[:, 2]
    single = values.oneway[way] != 0
    kind = _kinds(values)[way]
    count = len(xy)
    degree = np.bincount(ends.ravel(), minlength=count)
    lowest, highest = np.full(count, np.iinfo(np.int64).max), np.full(count, -1)
    np.minimum.at(lowest, ends.ravel(), np.repeat(kind, 2))
    np.maximum.at(highest, ends.ravel(), np.repeat(kind, 2))
    flow = np.bincount(ends[single, 1], minlength=count) - np.bincount(ends[single, 0], minlength=count)
    through = (degree == 2) & (lowest == highest) & (flow == 0)
    rows, ways, oneway, shapes = [], [], [], []
    for walked in walk_chains(ends, through):
        against_flow = single[walked[0][0]] and walked[0][1]
        chain = [(edge, not back) for edge, back in reversed(walked)] if against_flow else walked
        a, b = chain_ends(ends, chain)
        path = [a] + [int(ends[edge][0 if back else 1]) for edge, back in chain]
        if a != b:
            rows.append((a, b))
            ways.append(way[chain[len(chain) // 2][0]])
            oneway.append(bool(single[chain[0][0]]))
            shapes.append(xy[path])
    ends_of = np.array(rows, dtype=np.int64).reshape(-1, 2)
    return _Net(xy, ends_of, np.array(ways, dtype=np.int64), np.array(oneway, dtype=bool), shapes)


def _kinds(values: WayValues) -> NDArray[np.int64]:
    """Return a number per kind of way: class, lanes, speed, one-way or not."""
    columns = (values.road_class, values.lanes, values.speed, np.abs(values.oneway))
    codes = [np.unique(column, return_inverse=True)[1] for column in columns]
    return np.unique(np.stack(codes, axis=1), axis=0, return_inverse=True)[1].ravel()


def _merged(net: _Net, reach: float) -> tuple[_Net, int]:
    """Merge junctions joined by streets shorter than `reach`; return how many went."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    count = len(net.xy)
    degree = np.bincount(net.ends.ravel(), minlength=count)
    length = np.array([np.hypot(*np.diff(shape, axis=0).T).sum() for shape in net.shapes])
    short = (length < reach) & (degree[net.ends] >= 2).all(axis=1)
    pairs = net.ends[short]
    matrix = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    groups, group = connected_components(matrix, directed=False)
    used = np.unique(net.ends)
    size = np.bincount(group[used], minlength=groups)
    sums = np.stack([np.bincount(group[used], net.xy[used, k], groups) for k in (0, 1)], axis=1)
    centre: Floats = sums / np.maximum(size, 1)[:, None]
    ends = group[net.ends].astype(np.int64)
    for shape, (a, b) in zip(net.shapes, ends.tolist(), strict=True):
        shape[0], shape[-1] = centre[a], centre[b]
    result = _Net(centre, ends, net.way, net.oneway, net.shapes)
    return result.take(ends[:, 0] != ends[:, 1]), int(len(used) - (size > 0).sum())


def _connected(net: _Net) -> tuple[_Net, int]:
    """Keep the largest part in which every junction reaches every other; return streets lost."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    both = ~net.oneway
    start = np.concatenate([net.ends[:, 0], net.ends[both, 1]])
    end = np.concatenate([net.ends[:, 1], net.ends[both, 0]])
    count = len(net.xy)
    matrix = coo_matrix((np.ones(len(start)), (start, end)), shape=(count, count))
    _, part = connected_components(matrix, directed=True, connection="strong")
    sizes = np.bincount(part[net.ends.ravel()], minlength=1)
    keep = (part[net.ends] == sizes.argmax()).all(axis=1)
    if keep.sum() < 2:
        raise CityError("the extract holds no connected street network; take a larger extract")
    return net.take(keep), int((~keep).sum())


def _signalled(net: _Net, signals: Floats, reach: float) -> tuple[NDArray[np.bool_], int]:
    """Give each signal of the map to the nearest junction of three or more arms within reach."""
    from scipy.spatial import cKDTree

    flags = np.zeros(len(net.xy), dtype=bool)
    junctions = np.flatnonzero(np.bincount(net.ends.ravel(), minlength=len(net.xy)) >= 3)
    if not len(signals) or not len(junctions):
        return flags, len(signals)
    away, near = cKDTree(net.xy[junctions]).query(signals)
    flags[junctions[near[away <= reach]]] = True
    return flags, int((away > reach).sum())


def _as_streets(net: _Net, values: WayValues) -> Streets:
    """Return the street columns."""
    counts = np.array([len(shape) for shape in net.shapes], dtype=np.int32)
    return Streets(
        node_xy=net.xy,
        start=net.ends[:, 0].astype(np.int32),
        end=net.ends[:, 1].astype(np.int32),
        shape_first=np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int32),
        shape_count=counts,
        shape=np.concatenate(net.shapes),
        road_class=values.road_class[net.way],
        name=values.name[net.way],
        lanes=values.lanes[net.way],
        speed=values.speed[net.way],
        capacity=values.capacity[net.way],
        oneway=net.oneway,
    )
