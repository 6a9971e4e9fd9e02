"""Lay the buses of an imported grid on a grid of metres, where the file says where they are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.city.regions import on_metre_grid

Array = NDArray[Any]

WGS84 = 4326
AS_WRITTEN = 3857
"""EPSG number of places whose file does not say what they are."""

_LIKELY = (0.3, 1.2)
"""Straight distance over length of a typical line of a real grid: a line is seldom shorter than the way it bridges."""
_SHORT = 1.0
"""Lines up to this length (m) are switches and the like."""


def lay_out(tables: dict[str, dict[str, Array]], crs: int | None) -> tuple[int, str]:
    """Put the buses on a metre grid, in place; return its EPSG number and what was done, in words.

    crs  EPSG number of x and y; None takes them as longitude and latitude where the lengths of the lines
         agree with that, and else as written, a scheme

    Raises CityError where there is no such number.
    """
    buses = tables["buses"]
    xy = np.stack([buses["x"], buses["y"]], axis=1).astype(np.float64)
    recognised = crs is None and _is_wgs84(xy, tables.get("lines", {}))
    given = WGS84 if recognised else crs
    if given is None or not np.ptp(xy, axis=0).any():
        return crs or AS_WRITTEN, ""
    placed, grid = on_metre_grid(xy, given)
    buses["x"], buses["y"] = placed[:, 0], placed[:, 1]
    if grid == given:
        return grid, ""
    why = "longitude and latitude, as the lengths of the lines agree with that" if recognised else f"EPSG:{given}"
    return grid, f"read as {why}; laid on EPSG:{grid}"


def _is_wgs84(xy: Array, lines: dict[str, Array]) -> bool:
    """Say whether places are degrees whose distances on the globe are those of the lines."""
    if not lines or (np.abs(xy) > (180.0, 90.0)).any():
        return False
    from pyproj import Geod

    rows = lines["length"] > _SHORT
    first, last = xy[lines["from_bus"][rows]], xy[lines["to_bus"][rows]]
    if not len(first):
        return False
    _, _, distance = Geod(ellps="WGS84").inv(first[:, 0], first[:, 1], last[:, 0], last[:, 1])
    return bool(_LIKELY[0] < np.median(distance / lines["length"][rows]) < _LIKELY[1])
