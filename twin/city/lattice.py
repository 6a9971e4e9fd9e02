"""Lay out the streets of a generated city: a bent lattice thinned into districts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.city.draws import stream
from twin.city.terrain import Terrain

Floats = NDArray[np.float64]
LOCAL, COLLECTOR, ARTERIAL = 0, 1, 2
SHAPE_POINTS = 5


@dataclass(frozen=True)
class Districts:
    """Place districts: centre (k, 2) m, radius (k,) m, turn of the lattice (k,) rad, kind (k,)."""

    centre: Floats
    radius: Floats
    turn: Floats
    kind: NDArray[np.str_]

    def density(self, xy: Floats) -> Floats:
        """Return how urban each point is: 1 in a district's centre, 0.5 near its edge."""
        from scipy.spatial import cKDTree

        _, nearest = cKDTree(self.centre).query(xy, k=min(4, len(self.centre)))
        nearest = nearest.reshape(len(xy), -1)
        away = np.linalg.norm(xy[:, None, :] - self.centre[nearest], axis=2) / self.radius[nearest]
        return np.asarray(np.exp(-0.693 * away**2.4).max(axis=1))

    def nearest(self, xy: Floats) -> NDArray[np.intp]:
        """Return the district whose centre is nearest, in units of its radius."""
        from scipy.spatial import cKDTree

        _, near = cKDTree(self.centre).query(xy, k=min(4, len(self.centre)))
        near = near.reshape(len(xy), -1)
        away = np.linalg.norm(xy[:, None, :] - self.centre[near], axis=2) / self.radius[near]
        return np.asarray(near[np.arange(len(xy)), away.argmin(axis=1)])


@dataclass
class Lattice:
    """Hold raw lattice edges before thinning and joining.

    node_xy  (n, 2)     m   junctions
    ends     (e, 2)         rows of both junctions
    rank     (e,)           0 local, 1 collector, 2 arterial
    line     (e,)           lattice line that the edge is a part of
    shape    (e, 5, 2)  m   polyline from first to second junction
    """

    node_xy: Floats
    ends: NDArray[np.int64]
    rank: NDArray[np.int64]
    line: NDArray[np.int64]
    shape: Floats

    def take(self, keep: NDArray[np.bool_]) -> Lattice:
        """Return the lattice with the chosen edges only; junctions keep their rows."""
        return Lattice(self.node_xy, self.ends[keep], self.rank[keep], self.line[keep], self.shape[keep])


def make_districts(settings: dict[str, Any], scale: float, half: float, seed: int) -> Districts:
    """Place the named districts, and for larger cities towns around them on a jittered grid."""
    named = settings["named"]
    centre = [(float(d["east"]), float(d["north"])) for d in named]
    radius = [float(d["radius"]) for d in named]
    turn = [np.radians(float(d["turn"])) for d in named]
    kind = [str(d["kind"]) for d in named]
    draw = stream(seed, "districts")
    count = max(round(2.0 * half / float(settings["pitch"])), 1)
    pitch = 2.0 * half / count
    cells = (np.arange(count) + 0.5) * pitch - half if scale > 1 else np.zeros(0)
    places = np.array(centre)
    for east in cells:
        for north in cells:
            spot = np.array([east, north]) + draw.uniform(-0.2, 0.2, 2) * pitch
            size, angle, lot = draw.uniform(0.31, 0.42), draw.uniform(-0.7, 0.7), draw.integers(3)
            if np.hypot(*(places - spot).T).min() > 0.68 * pitch:
                centre.append((float(spot[0]), float(spot[1])))
                radius.append(size * pitch)
                turn.append(angle)
                kind.append(("housing", "mixed", "industry")[lot])
    return Districts(np.array(centre), np.array(radius), np.array(turn), np.array(kind))


def bend(uv: Floats, districts: Districts, ring_radius: float) -> Floats:
    """Map lattice points (k, 2) to the ground: rings in the core, waves, a turn per district.

    Every step is one-to-one, so streets that do not cross in the lattice do not cross on the
    ground: the rings move points along rays only, the waves are gentle, and a turn keeps the
    distance to its centre.
    """
    square, circle = np.abs(uv).max(axis=1), np.hypot(uv[:, 0], uv[:, 1])
    share = np.exp(-((square / ring_radius) ** 4))
    x, y = ((1.0 - share + share * square / np.maximum(circle, 1e-9))[:, None] * uv).T
    x, y = (
        x + 170.0 * np.sin(2.0 * np.pi * y / 4700.0 + 0.6) + 60.0 * np.sin(2.0 * np.pi * y / 1900.0),
        y + 150.0 * np.sin(2.0 * np.pi * x / 5300.0 - 0.9) + 55.0 * np.sin(2.0 * np.pi * x / 2100.0 + 2.0),
    )
    for (cx, cy), radius, turn in zip(districts.centre, districts.radius, districts.turn, strict=True):
        near = np.flatnonzero((np.abs(x - cx) < 4.0 * radius) & (np.abs(y - cy) < 4.0 * radius))
        dx, dy = x[near] - cx, y[near] - cy
        angle = turn * np.exp(-((np.hypot(dx, dy) / (1.25 * radius)) ** 2))
        x[near] = cx + dx * np.cos(angle) - dy * np.sin(angle)
        y[near] = cy + dx * np.sin(angle) + dy * np.cos(angle)
    return np.stack([x, y], axis=1)


def _lines(half: float, spacing: float, draw: np.random.Generator) -> tuple[Floats, NDArray[np.int64]]:
    """Return positions and ranks of parallel lattice lines: irregular, with regular arterials."""
    count = int(np.ceil(2.0 * half / spacing)) + 1
    count += count % 2 == 0
    gaps = spacing * draw.uniform(0.72, 1.28, count - 1)
    position = np.concatenate([[0.0], np.cumsum(gaps)])
    position -= position[count // 2]
    order = np.arange(count) - count // 2
    rank = np.where(order % 6 == 0, ARTERIAL, np.where(order % 3 == 0, COLLECTOR, LOCAL))
    return position, rank.astype(np.int64)


def make_lattice(settings: dict[str, Any], districts: Districts, half: float, seed: int) -> Lattice:
    """Return the full bent lattice over the square of half side `half` (m)."""
    draw = stream(seed, "lattice")
    u, rank_u = _lines(half, settings["spacing"], draw)
    v, rank_v = _lines(half, settings["spacing"], draw)
    shift = settings["jitter"] * settings["spacing"] * draw.uniform(-1.0, 1.0, (len(u), len(v), 2))
    shift[..., 0] *= np.where(rank_u > LOCAL, 0.25, 1.0)[:, None]
    shift[..., 1] *= np.where(rank_v > LOCAL, 0.25, 1.0)[None, :]
    uv = np.stack(np.meshgrid(u, v, indexing="ij"), axis=2) + shift
    row = np.arange(len(u) * len(v)).reshape(len(u), len(v))
    ends = np.concatenate(
        [
            np.stack([row[:-1, :].ravel(), row[1:, :].ravel()], axis=1),
            np.stack([row[:, :-1].ravel(), row[:, 1:].ravel()], axis=1),
        ]
    )
    line_v = np.broadcast_to(np.arange(len(v)), (len(u) - 1, len(v))).ravel()
    line_u = np.broadcast_to(np.arange(len(u))[:, None], (len(u), len(v) - 1)).ravel()
    rank = np.concatenate([rank_v[line_v], rank_u[line_u]])
    line = np.concatenate([line_v, len(v) + line_u])
    flat = uv.reshape(-1, 2)
    along = np.linspace(0.0, 1.0, SHAPE_POINTS)[None, :, None]
    straight = flat[ends[:, 0], None, :] * (1.0 - along) + flat[ends[:, 1], None, :] * along
    shape = bend(straight.reshape(-1, 2), districts, settings["ring_radius"])
    node_xy = bend(flat, districts, settings["ring_radius"])
    return Lattice(node_xy, ends, rank, line, shape.reshape(-1, SHAPE_POINTS, 2))


def thin(lattice: Lattice, settings: dict[str, Any], districts: Districts, terrain: Terrain, seed: int) -> Lattice:
    """Drop edges outside districts, on steep ground, over water, and some at random."""
    draw = stream(seed, "thinning")
    middle = lattice.shape[:, SHAPE_POINTS // 2]
    urban = districts.density(middle)
    local, arterial = lattice.rank == LOCAL, lattice.rank == ARTERIAL
    lot = draw.uniform(size=len(local))
    keep = np.where(local, (urban > 0.42) & (lot > settings["local_gaps"]), urban > 0.14)
    keep &= ~((lattice.rank == COLLECTOR) & (lot < settings["collector_gaps"]) & (urban < 0.5))
    keep |= arterial & (urban > settings["arterial_reach"])

    away = terrain.offset(lattice.shape[:, :, 0].ravel(), lattice.shape[:, :, 1].ravel())
    away = away.reshape(len(local), -1)
    crosses = (away.min(axis=1) < 0.0) & (away.max(axis=1) > 0.0)
    wet = np.abs(away).min(axis=1) < 0.5 * terrain.river_width + 15.0
    square = np.abs(away[:, 0] - away[:, -1]) > 0.62 * np.linalg.norm(
        lattice.shape[:, -1] - lattice.shape[:, 0], axis=1
    )
    bridge = crosses & square & (arterial | ((lattice.rank == COLLECTOR) & (lot > 0.55)))
    keep &= ~(wet | crosses) | bridge
    keep &= ~local | (terrain.steepness(middle[:, 0], middle[:, 1]) < settings["steepest_local"])
    return lattice.take(keep)
