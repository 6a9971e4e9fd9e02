"""Hold one frozen table of a city: named columns of equal length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin.errors import CityError

Column = NDArray[Any]


class Table(Mapping[str, Column]):
    """Map column names to read-only arrays of one length."""

    def __init__(self, name: str, columns: Mapping[str, Column]) -> None:
        """Freeze the columns; arrays that can still be written elsewhere are copied.

        Raises CityError when columns differ in length or are not one-dimensional plain arrays.
        """
        self.name = name
        self._columns = {key: _frozen(name, key, column) for key, column in columns.items()}
        lengths = {key: len(column) for key, column in self._columns.items()}
        if len(set(lengths.values())) > 1:
            raise CityError(f"table {name} has columns of different lengths: {lengths}")
        self.rows = next(iter(lengths.values()), 0)

    def __getitem__(self, column: str) -> Column:
        try:
            return self._columns[column]
        except KeyError:
            raise CityError(f"table {self.name} has no column {column!r}; it has {', '.join(self._columns)}") from None

    def get(self, column: str, default: Any = None) -> Any:
        """Return a column, or the default where the table has none of that name."""
        return self._columns.get(column, default)

    def __contains__(self, column: object) -> bool:
        return column in self._columns

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        return f"Table({self.name}: {self.rows} rows; {', '.join(self._columns)})"


def _frozen(table: str, name: str, column: Column) -> Column:
    """Return a read-only, little-endian, contiguous array of the column."""
    array = np.array(column, order="C")
    if array.ndim != 1 or array.dtype.kind not in "biufU":
        raise CityError(f"{table}.{name} must be a plain one-dimensional column, not {array.dtype} {array.shape}")
    if array.dtype.byteorder == ">":
        array = array.astype(array.dtype.newbyteorder("<"))
    array.flags.writeable = False
    return array
