"""Find how far the coordinates of counters are off, by laying them over major roads.

Counters stand on roads. If all of them are off by one vector, the vector that
brings their median distance to a major road to its least is found by trying a
grid of shifts, and finer grids around the best ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.models.estimation.pieces import Pieces, to_grid

if TYPE_CHECKING:
    from twin.city import City

Array = np.ndarray[Any, Any]

REACH = 0.005
"""Largest shift looked for, deg (about 500 m): more would let points fall on other streets."""

_COARSE = 0.00025
_REFINEMENTS = (0.00005, 0.00001)
_CANDIDATES = 5
_MOST_POINTS = 300
_LEAST_POINTS = 10
_LEAST_GAIN = 5.0
_LEAST_RATIO = 0.5


@dataclass(frozen=True)
class Shift:
    """What is to be added to coordinates.

    lon, lat       deg
    before, after  median distance to a major road without and with it, m
    points         points it was found with
    """

    lon: float
    lat: float
    before: float
    after: float
    points: int

    def __str__(self) -> str:
        return (
            f"shift {self.lon:+.5f} deg lon, {self.lat:+.5f} deg lat: "
            f"median distance to a major road {self.before:.1f} m -> {self.after:.1f} m ({self.points} points)"
        )


def find_shift(lon: Array, lat: Array, city: City, pieces: Pieces | None = None) -> Shift:
    """Return the shift of points (n,) that lays them best on major roads.

    It is zero unless it at least halves the median distance and gains 5 m, so points
    that lie well stay; and for fewer than ten places, which some shift always suits.
    Points far outside the city are not used.
    """
    pieces = Pieces.of(city) if pieces is None else pieces
    xy = _inside(to_grid(city, lon, lat), pieces)
    if not xy.shape[0]:
        return Shift(0.0, 0.0, float("nan"), float("nan"), 0)
    scale = _scale(city, float(np.mean(lon)), float(np.mean(lat)))
    before = _median(pieces, xy, np.zeros((1, 2)), scale)[0]
    best, after = _search(pieces, xy, scale)
    few = xy.shape[0] < _LEAST_POINTS
    if few or before - after < _LEAST_GAIN or after > _LEAST_RATIO * before:
        best, after = np.zeros(2), before
    return Shift(round(float(best[0]), 6), round(float(best[1]), 6), float(before), float(after), int(xy.shape[0]))


def _inside(xy: Array, pieces: Pieces) -> Array:
    """Return the points within reach of the streets' bounding box, thinned evenly to 300."""
    margin = REACH * 111_320
    low, high = pieces.begin.min(axis=0) - margin, pieces.begin.max(axis=0) + margin
    xy = np.unique(xy[((xy >= low) & (xy <= high)).all(axis=1)], axis=0)
    every = -(-max(xy.shape[0], 1) // _MOST_POINTS)
    return np.asarray(xy[::every])


def _scale(city: City, lon: float, lat: float) -> Array:
    """Return the grid vectors (m per deg) of a step east and a step north, rows (2, 2)."""
    corner = to_grid(city, np.array([lon, lon + 0.001, lon]), np.array([lat, lat, lat + 0.001]))
    return np.asarray((corner[1:] - corner[0]) / 0.001)


def _search(pieces: Pieces, xy: Array, scale: Array) -> tuple[Array, float]:
    steps = round(REACH / _COARSE)
    centres, step = np.zeros((1, 2)), _COARSE
    for finer in (_COARSE, *_REFINEMENTS):
        axis = np.arange(-steps, steps + 1) * finer
        around = np.array([(east, north) for east in axis for north in axis])
        tried = np.unique(np.round((centres[:, None, :] + around[None, :, :]).reshape(-1, 2), 7), axis=0)
        tried = tried[np.abs(tried).max(axis=1) <= REACH + 1e-9]
        cost = _median(pieces, xy, tried, scale)
        order = np.lexsort((np.hypot(tried[:, 0], tried[:, 1]), np.round(cost, 3)))
        centres, step = tried[order[:_CANDIDATES]], finer
        steps = round(step / _next(finer)) if finer != _REFINEMENTS[-1] else 0
    return centres[0], float(cost[order[0]])


def _next(step: float) -> float:
    finer = [candidate for candidate in _REFINEMENTS if candidate < step]
    return finer[0] if finer else step


def _median(pieces: Pieces, xy: Array, shifts: Array, scale: Array) -> Array:
    """Return the median distance (m) to a major road under each shift, deg (n, 2)."""
    moved = xy[None, :, :] + (shifts @ scale)[:, None, :]
    distance = pieces.distance(moved.reshape(-1, 2)).reshape(moved.shape[:2])
    return np.asarray(np.median(distance, axis=1))
