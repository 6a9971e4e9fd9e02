"""Cut streets into short straight pieces and find those near a point."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.errors import DataError

if TYPE_CHECKING:
    from twin.city import City

Array = np.ndarray[Any, Any]

MAJOR = ("motorway", "trunk", "primary", "secondary", "tertiary")
"""OpenStreetMap highway values of roads that carry through traffic; their `_link` ramps count too."""

_LONGEST = 25.0


@dataclass(frozen=True)
class Pieces:
    """Straight pieces of links, at most 25 m long.

    link   (n_piece,)     row of the link
    begin  (n_piece, 2)   m, in driving direction
    end    (n_piece, 2)   m
    tree   cKDTree of the middles
    """

    link: Array
    begin: Array
    end: Array
    tree: Any

    @classmethod
    def of(cls, city: City, classes: Iterable[str] = MAJOR) -> Pieces:
        """Cut the links of some road classes; raises DataError when the city has none of them."""
        from scipy.spatial import cKDTree

        kinds = np.array([str(name).removesuffix("_link") for name in city["links"]["road_class"]])
        links = np.flatnonzero(np.isin(kinds, list(classes)))
        if not links.size:
            raise DataError(f"city {city.name} has no link of the classes {', '.join(classes)} to match counts with")
        link, begin, end = _segments(city, links)
        parts = np.maximum(np.ceil(np.hypot(*(end - begin).T) / _LONGEST).astype(np.int64), 1)
        number = np.arange(parts.sum()) - np.repeat(np.cumsum(parts) - parts, parts)
        step = np.repeat((end - begin) / parts[:, None], parts, axis=0)
        start = np.repeat(begin, parts, axis=0) + number[:, None] * step
        return cls(np.repeat(link, parts), start, start + step, cKDTree(start + step / 2))

    def distance(self, xy: Array, among: int = 6) -> Array:
        """Return the distance (m) of points (n, 2) from the nearest piece.

        among  pieces looked at per point, by their middles
        """
        _, rows = self.tree.query(xy, k=min(among, self.link.shape[0]))
        rows = rows.reshape(xy.shape[0], -1)
        return np.asarray(self._apart(xy[:, None, :], rows).min(axis=1))

    def around(self, x: float, y: float, reach: float) -> tuple[Array, Array]:
        """Return the pieces within `reach` m of a point, and their distances."""
        rows = np.array(self.tree.query_ball_point((x, y), reach + _LONGEST), dtype=np.int64)
        distance = self._apart(np.array([x, y]), rows)
        near = distance <= reach
        return rows[near], distance[near]

    def middle(self, rows: Array) -> Array:
        """Return the middles of pieces, (n, 2) m."""
        return np.asarray((self.begin[rows] + self.end[rows]) / 2)

    def heading(self, rows: Array) -> Array:
        """Return the unit vector of the driving direction of pieces, (n, 2)."""
        along = self.end[rows] - self.begin[rows]
        return np.asarray(along / np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None])

    def _apart(self, xy: Array, rows: Array) -> Array:
        begin, along = self.begin[rows], self.end[rows] - self.begin[rows]
        share = ((xy - begin) * along).sum(axis=-1) / np.maximum((along**2).sum(axis=-1), 1e-9)
        gap = xy - (begin + np.clip(share, 0, 1)[..., None] * along)
        return np.asarray(np.hypot(gap[..., 0], gap[..., 1]))


def _segments(city: City, links: Array) -> tuple[Array, Array, Array]:
    """Return link, begin and end of every straight segment of some links."""
    columns = city["links"]
    if "point_first" not in columns or "points" not in city:
        xy = np.column_stack([city["nodes"]["x"], city["nodes"]["y"]])
        return links, xy[columns["from_node"][links]], xy[columns["to_node"][links]]
    points = np.column_stack([city["points"]["x"], city["points"]["y"]]).astype(np.float64)
    count = np.maximum(columns["point_count"][links].astype(np.int64) - 1, 0)
    number = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    first = np.repeat(columns["point_first"][links].astype(np.int64), count) + number
    return np.repeat(links, count), points[first], points[first + 1]


def to_grid(city: City, lon: Array, lat: Array) -> Array:
    """Return points in degrees as metres on the city's grid, (n, 2)."""
    from pyproj import Transformer

    x, y = Transformer.from_crs(4326, city.crs, always_xy=True).transform(lon, lat)
    return np.column_stack([x, y])
