"""Read a grid of weights from a GeoTIFF of one band, uncompressed float64 on degrees.

Source: TIFF revision 6.0 (Adobe, 1992); GeoTIFF 1.1 (OGC 19-008r4), tags
ModelPixelScale and ModelTiepoint.
"""

from __future__ import annotations

import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_FORMATS = {3: ("H", 2), 4: ("I", 4), 12: ("d", 8)}
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _STRIPS, _BYTES, _SAMPLE = 256, 257, 258, 259, 273, 279, 339
_CELL, _TIE = 33550, 33922


@dataclass(frozen=True)
class Raster:
    """A grid of weights on longitude and latitude (degrees).

    weight  (n_row, n_column)  >= 0, the first row is the northernmost
    corner  longitude and latitude of the grid's north-west corner
    cell    width and height of a cell
    """

    weight: Array
    corner: tuple[float, float]
    cell: tuple[float, float]

    def _filled(self) -> tuple[Array, Array]:
        row, column = np.nonzero(self.weight > 0)
        return row, column

    def weights(self) -> Array:
        """Return the weights of the cells that have one."""
        return np.asarray(self.weight[self._filled()])

    def centres(self) -> tuple[Array, Array]:
        """Return longitude and latitude of the cells that have a weight."""
        row, column = self._filled()
        return self._place(row + 0.5, column + 0.5)

    def places(self, pick: Array, across: Array, down: Array) -> tuple[Array, Array]:
        """Turn three numbers in (0, 1) each into a place: a cell by weight, a point in it."""
        row, column = self._filled()
        share = np.cumsum(self.weights())
        cell = np.minimum(np.searchsorted(share, pick * share[-1], side="right"), len(share) - 1)
        return self._place(row[cell] + down, column[cell] + across)

    def _place(self, row: Array, column: Array) -> tuple[Array, Array]:
        return self.corner[0] + column * self.cell[0], self.corner[1] - row * self.cell[1]


def read_raster(path: Path) -> Raster:
    """Read a .tif, or the first one in a .zip; ValueError if it is of another kind."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as packed:
            data = packed.read(next(name for name in packed.namelist() if name.endswith(".tif")))
    else:
        data = path.read_bytes()
    tags = _tags(data)
    if tags[_COMPRESSION][0] != 1 or tags[_BITS] != (64,) or tags[_SAMPLE][0] != 3:
        raise ValueError(f"{path.name}: only uncompressed float64 of one band is read")
    strips = zip(tags[_STRIPS], tags[_BYTES], strict=True)
    raw = b"".join(data[int(begin) : int(begin + size)] for begin, size in strips)
    values = np.frombuffer(raw, "<f8").reshape(int(tags[_HEIGHT][0]), int(tags[_WIDTH][0]))
    weight = np.where(np.isfinite(values) & (values > 0), values, 0.0)
    column, row, _, lon, lat, _ = tags[_TIE]
    width, height, _ = tags[_CELL]
    return Raster(weight, (lon - column * width, lat + row * height), (width, height))


def _tags(data: bytes) -> dict[int, tuple[float, ...]]:
    """Return the numeric tags of the first image of a little-endian TIFF."""
    if data[:4] != b"II*\0":
        raise ValueError("not a little-endian TIFF")
    (start,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, start)
    tags: dict[int, tuple[float, ...]] = {}
    for entry in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, number = struct.unpack_from("<HHI", data, entry)
        if kind in _FORMATS:
            letter, size = _FORMATS[kind]
            place = entry + 8 if size * number <= 4 else struct.unpack_from("<I", data, entry + 8)[0]
            tags[tag] = struct.unpack_from(f"<{number}{letter}", data, place)
    return tags
