"""Static travel times on a road network: contracted, all pairs, kept on disk by digest."""

from __future__ import annotations

import contextlib
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.caches import cache_folder
from twin.models.emergency.contraction import contract

if TYPE_CHECKING:
    from twin.kernels.emergency_arrays import Roads

Array = np.ndarray[Any, Any]

_BLOCK = 128
_FIELDS = ("chain_of", "place_of", "out_row", "in_row", "chain_start", "chain_node", "chain_arc", "chain_time")
_MORE = ("chain_total", "chain_from", "chain_to", "out_start", "time", "hop")


@dataclass(frozen=True)
class Network:
    """A road network with all its shortest ways, for one or more modes.

    x, y        (n_node,)  m
    from_node, to_node  (n_arc,)
    accessible  (n_node,)  bool: a place off the road may be joined here
    roads       arrays of the kernel; times in ticks of 100 us
    """

    x: Array
    y: Array
    from_node: Array
    to_node: Array
    accessible: Array
    roads: Roads

    def nearest(self, x: Any, y: Any) -> tuple[Array, Array]:
        """Return the nearest accessible node of each point (m) and the distance to it (m)."""
        from scipy.spatial import cKDTree

        joined = np.flatnonzero(self.accessible)
        tree = cKDTree(np.column_stack([self.x[joined], self.y[joined]]))
        distance, found = tree.query(np.column_stack([np.atleast_1d(x), np.atleast_1d(y)]))
        return joined[found], distance

    def seconds(self, start: int, end: int, mode: int = 0) -> float:
        """Return the shortest time between two nodes (s); inf where no way leads."""
        from twin.kernels.emergency_arrays import FAR, TICK
        from twin.kernels.emergency_travel import travel

        ticks = int(travel(self.roads, mode, start, end)[0])
        return ticks * TICK / 1e6 if ticks < FAR else float("inf")


def build_network(xy: Array, from_node: Any, to_node: Any, times: Any, accessible: Any = None) -> Network:
    """Build a network, or take its tables from the disk.

    xy     (n_node, 2)  m
    times  (n_mode, n_arc)  s, > 0: one table per mode or time of day, rounded to 100 us, at least that
    accessible  (n_node,)  by default all

    The tables lie in TWIN_CACHE or the user's cache folder under the digest of the
    graph, the times and this code. Raises ValueError that names every wrong arc.
    """
    tails, heads = np.asarray(from_node, np.int64), np.asarray(to_node, np.int64)
    drive = np.atleast_2d(np.asarray(times, np.float64))
    place = np.asarray(xy, np.float64)
    _check(place.shape[0], tails, heads, drive)
    ticks = np.maximum(1, np.round(drive * 1e4)).astype(np.int64)
    roads = _cached(place.shape[0], tails, heads, ticks)
    joined = np.ones(place.shape[0], np.bool_) if accessible is None else np.asarray(accessible, np.bool_)
    return Network(place[:, 0].copy(), place[:, 1].copy(), tails, heads, joined, roads)


def _check(n_node: int, tails: Array, heads: Array, times: Array) -> None:
    """Raise a ValueError that names every wrong arc."""
    problems = []
    if n_node == 0:
        problems.append("the network has no node")
    if times.shape[1] != len(tails) or len(tails) != len(heads):
        problems.append(f"{len(tails)} from_node, {len(heads)} to_node, {times.shape[1]} times: must be as many")
    else:
        for what, wrong in (
            (f"from_node must be in 0 .. {n_node - 1}", (tails < 0) | (tails >= n_node)),
            (f"to_node must be in 0 .. {n_node - 1}", (heads < 0) | (heads >= n_node)),
            ("time must be greater than 0 s and less than 24 h", ~((times > 0) & (times < 86_400)).all(axis=0)),
        ):
            rows = np.flatnonzero(wrong)
            if len(rows):
                problems.append(f"arc {', '.join(map(str, rows[:5].tolist()))} ({len(rows)} in all): {what}")
    if problems:
        raise ValueError("; ".join(problems))


def _cached(n_node: int, tails: Array, heads: Array, ticks: Array) -> Roads:
    """Return the tables from the disk, or make them and try to keep them there."""
    from twin.kernels.emergency_arrays import Roads

    folder = cache_folder("travel") / _digest(n_node, tails, heads, ticks)
    with contextlib.suppress(OSError, ValueError):
        return Roads(*(np.load(folder / f"{name}.npy") for name in (*_FIELDS, *_MORE)))
    roads = _make(n_node, tails, heads, ticks)
    with contextlib.suppress(OSError):
        making = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
        making.mkdir(parents=True, exist_ok=True)
        for name in (*_FIELDS, *_MORE):
            np.save(making / f"{name}.npy", getattr(roads, name))
        making.rename(folder)
    return roads


def _digest(n_node: int, tails: Array, heads: Array, ticks: Array) -> str:
    """Identify all that the tables depend on."""
    total = hashlib.sha256(f"{n_node} {ticks.shape}".encode())
    for values in (tails, heads, ticks):
        total.update(np.ascontiguousarray(values).tobytes())
    here = Path(__file__).parent
    kernels = Path(contract.__code__.co_filename).parents[2] / "kernels"
    for file in (here / "network.py", here / "contraction.py", kernels / "routing.py"):
        total.update(file.read_bytes() if file.exists() else b"")
    return total.hexdigest()[:24]


def _make(n_node: int, tails: Array, heads: Array, ticks: Array) -> Roads:
    """Contract the graph and find all shortest ways."""
    from twin.kernels.emergency_arrays import Roads

    chains = contract(n_node, tails, heads)
    row_of = np.full(n_node, -1, np.int32)
    row_of[chains.decision] = np.arange(len(chains.decision))
    lengths = [len(nodes) for nodes in chains.nodes]
    start = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    node = np.array([v for nodes in chains.nodes for v in nodes], np.int32)
    arc = np.array([a for arcs in chains.arcs for a in (-1, *arcs)], np.int32)
    first = row_of[node[start[:-1]]]
    last = row_of[node[start[1:] - 1]]
    sums = np.cumsum(np.where(arc >= 0, ticks[:, arc], 0), axis=1)
    time = sums - np.repeat(sums[:, start[:-1]], lengths, axis=1)
    inside = _inside(n_node, chains.nodes, row_of, (first, last))
    bounds = np.concatenate([[0], np.cumsum(np.bincount(first, minlength=len(chains.decision)))]).astype(np.int32)
    total = np.ascontiguousarray(time[:, start[1:] - 1], np.int32)
    pairs = [_all_pairs(len(chains.decision), first, last, bounds, w.astype(np.float64)) for w in total]
    whole = np.array([t for t, _ in pairs]), np.array([h for _, h in pairs])
    return Roads(*inside, start, node, arc, time.astype(np.int32), total, first, last, bounds, *whole)


def _inside(
    n_node: int, nodes: list[list[int]], row_of: Array, ends: tuple[Array, Array]
) -> tuple[Array, Array, Array, Array]:
    """Say of each node which chains it lies inside of, where, and what they join."""
    chain_of, place_of, out_row, in_row = (np.full((n_node, 2), -1, np.int32) for _ in range(4))
    out_row[:, 0] = in_row[:, 0] = row_of
    for chain, passed in enumerate(nodes):
        for place, node in enumerate(passed[1:-1], start=1):
            way = 0 if chain_of[node, 0] < 0 else 1
            chain_of[node, way], place_of[node, way] = chain, place
            out_row[node, way], in_row[node, way] = ends[1][chain], ends[0][chain]
    return chain_of, place_of, out_row, in_row


def _all_pairs(n_row: int, first: Array, last: Array, bounds: Array, weight: Array) -> tuple[Array, Array]:
    """Find ticks and next chain from every decision node to every other; (to, from) each."""
    from twin.kernels.emergency_arrays import FAR
    from twin.kernels.routing import graph, next_hop_table

    if len(first) and int(np.diff(bounds).max()) >= 255:
        raise ValueError("a node of the network has 255 or more ways out, the tables hold 254")
    roads = graph(n_row, first, last)
    time = np.empty((n_row, n_row), np.int32)
    hop = np.empty((n_row, n_row), np.uint8)

    def block(begin: int) -> None:
        rows = np.arange(begin, min(begin + _BLOCK, n_row), dtype=np.int32)
        via = np.empty((len(rows), n_row), np.int32)
        reached = np.empty((len(rows), n_row), np.float64)
        next_hop_table(roads.in_start, roads.in_link, roads.from_node, weight, rows, via, reached)
        longest = reached[np.isfinite(reached)].max()
        if longest >= FAR:
            raise ValueError(f"a way of the network takes {longest / 3.6e7:.1f} h, the tables hold 29.8 h")
        time[rows] = np.where(np.isfinite(reached), reached, FAR)
        hop[rows] = np.where(via >= 0, via - bounds[:-1], 255)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(block, range(0, n_row, _BLOCK)))
    return time, hop
