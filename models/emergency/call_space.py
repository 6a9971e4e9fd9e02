"""Where calls happen: a Gaussian kernel estimate on a grid, its width chosen by calls kept back.

The density is constant within a cell, so that what is drawn and what is scored is one model.
A small share spread evenly over the grid keeps every place possible.

Source: Silverman, Density Estimation for Statistics and Data Analysis (1986), chapters 3
and 4; width by cross-validated likelihood: section 3.4.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_FOLDS = 5
_PADDING = 3.0
_MOST_CELLS = 4_000_000


@dataclass(frozen=True)
class CallSpace:
    """Chance of each cell of a grid.

    corner     (2,)  m, x and y of the lower left corner
    cell       m, side of a cell
    shape      rows (y) and columns (x)
    share      (n_cell,)  chance of each cell, row by row; sums to 1
    bandwidth  m, standard deviation of the kernel
    """

    corner: tuple[float, float]
    cell: float
    shape: tuple[int, int]
    share: Array
    bandwidth: float

    def cell_of(self, xy: Any) -> Array:
        """Return the cell of each place, -1 outside of the grid; xy is (n, 2) in m."""
        place = np.floor((np.asarray(xy, dtype=np.float64) - self.corner) / self.cell).astype(np.int64)
        column, row = place[:, 0], place[:, 1]
        inside = (row >= 0) & (row < self.shape[0]) & (column >= 0) & (column < self.shape[1])
        return np.where(inside, row * self.shape[1] + column, -1)

    def log_density(self, xy: Any) -> Array:
        """Return the logarithm of the density (1/m2) at places; -inf outside of the grid."""
        cell = self.cell_of(xy)
        with np.errstate(divide="ignore"):
            return np.where(cell >= 0, np.log(self.share[cell]) - 2.0 * np.log(self.cell), -np.inf)

    def place(self, chance: Array, across: Array, along: Array) -> Array:
        """Return places (n, 2) from three uniform numbers each: cell, x and y within it."""
        edges = np.cumsum(self.share)
        cell = np.minimum(np.searchsorted(edges, chance * edges[-1], side="right"), self.share.shape[0] - 1)
        row, column = np.divmod(cell, self.shape[1])
        return np.column_stack(
            [self.corner[0] + (column + across) * self.cell, self.corner[1] + (row + along) * self.cell]
        )


def fit_space(
    xy: Any,
    cell: float = 250.0,
    bandwidths: Sequence[float] = (250.0, 500.0, 1000.0, 2000.0, 4000.0),
    even: float = 0.01,
) -> CallSpace:
    """Estimate where calls happen.

    xy          (n, 2)  m
    cell        m
    bandwidths  m, tried in turn; the one with the best likelihood of the folds kept back is taken
    even        share spread evenly over all cells, 0..1

    Every fifth call is kept back in turn. Raises ValueError for a bad row or too fine a grid.
    """
    places = checked_places(xy)
    pad = _PADDING * max(bandwidths) + cell
    low, high = places.min(axis=0) - pad, places.max(axis=0) + pad
    columns, rows = (np.ceil((high - low) / cell).astype(np.int64)).tolist()
    if rows * columns > _MOST_CELLS:
        raise ValueError(f"cell ({cell:g} m) makes {rows * columns} cells; {_MOST_CELLS} is the most: use a larger one")
    empty = CallSpace((float(low[0]), float(low[1])), float(cell), (rows, columns), np.empty(0), 0.0)
    number = empty.cell_of(places)
    fold = np.arange(places.shape[0]) % _FOLDS
    width = float(bandwidths[0])
    if len(bandwidths) > 1 and places.shape[0] >= 2 * _FOLDS:
        scores = [_score(empty, number, fold, float(width), even) for width in bandwidths]
        width = float(bandwidths[int(np.argmax(scores))])
    return CallSpace(empty.corner, empty.cell, empty.shape, _smooth(empty, number, width, even), width)


def checked_places(xy: Any) -> Array:
    """Return places as (n, 2); name the first that is not finite."""
    places = np.asarray(xy, dtype=np.float64)
    if places.ndim != 2 or places.shape[1] != 2 or not places.shape[0]:
        raise ValueError(f"xy has shape {places.shape} and must have one row of x and y for each of 1 or more calls")
    bad = ~np.isfinite(places).all(axis=1)
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(f"xy[{row}] ({places[row].tolist()}) must be finite metres; leave the call out or place it")
    return places


def _score(grid: CallSpace, number: Array, fold: Array, width: float, even: float) -> float:
    """Return the log-likelihood of the folds kept back, each under the others."""
    return float(
        sum(
            np.log(_smooth(grid, number[fold != kept], width, even)[number[fold == kept]]).sum()
            for kept in range(_FOLDS)
        )
    )


def _smooth(grid: CallSpace, number: Array, width: float, even: float) -> Array:
    from scipy.ndimage import gaussian_filter

    count = np.bincount(number, minlength=grid.shape[0] * grid.shape[1]).reshape(grid.shape).astype(np.float64)
    smooth = gaussian_filter(count, width / grid.cell, mode="constant").ravel()
    return np.asarray((1.0 - even) * smooth / smooth.sum() + even / smooth.shape[0])
