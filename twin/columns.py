"""Columns: one array of a state, and what a write to it needs at hand.

Most writes of a run set a number or two; looking their field up and asking numpy about a single number costs
more than the write, so a column knows these things beforehand.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from twin.fields import State

Array = np.ndarray[Any, Any]

WHOLE = frozenset((int, np.int64))
_TRUTH = frozenset((bool, np.bool_))
_TAKES: dict[str, tuple[type, frozenset[type]]] = {
    "float64": (float, WHOLE | _TRUTH | {float, np.float64}),
    "int64": (int, WHOLE | _TRUTH),
    "bool": (bool, WHOLE | _TRUTH | {float, np.float64}),
}
_NO_TYPE: frozenset[type] = frozenset()

NONE = np.empty(0, np.int64)
NONE.flags.writeable = False


class Column:
    """One array of a state, its causes, and how a single number is written to it.

    field   name of the field, which a change must be told of
    array   (n, ...)  values
    causes  (n,)      event that last changed each, None for a field that is not traced
    takes   types of a number that one cell takes as numpy would; none where numpy must convert
    """

    __slots__ = ("_cause_cells", "_cells", "_float", "_plain", "array", "causes", "field", "takes")

    def __init__(self, state: State, name: str, field: str) -> None:
        self.field = field
        self.array = state[name]
        companion = f"{field}@cause"
        traced = companion in state
        self.causes = state[companion] if traced else None
        self._float = self.array.dtype.kind == "f"
        self._plain, takes = _TAKES.get(self.array.dtype.name, (float, _NO_TYPE))
        self.takes = takes if self.array.ndim == 1 else _NO_TYPE
        self._cells = state.cells[name] if self.takes else None
        self._cause_cells = state.cells[companion] if traced else None

    def put_cell(self, row: int, value: Any, cause: int) -> Array:
        """Write one number of a type that it takes to one row; return the row if it changed."""
        cells: Any = self._cells
        new, old = self._plain(value), cells[row]
        if new == old or (self._float and math.isnan(new) and math.isnan(old)):
            return NONE
        cells[row] = new
        if self._cause_cells is not None:
            self._cause_cells[row] = cause
        return np.array([row])

    def put_all(self, values: Any, cause: Any) -> Array:
        """Write a value to every row of one dimension; return the rows that changed."""
        array = self.array
        new = np.asarray(values, dtype=array.dtype)
        differs = array != new
        if self._float and _holds_nan(new):
            differs &= ~(np.isnan(array) & np.isnan(new))
        changed: Array = differs.nonzero()[0]
        if changed.shape[0]:
            np.copyto(array, new, where=differs)
            if self.causes is not None:
                np.copyto(self.causes, cause, where=differs)
        return changed

    def put_rows(self, index: Array, values: Any, cause: Any) -> Array:
        """Write a value to each of some rows; return those that changed."""
        array = self.array
        new = np.asarray(values, dtype=array.dtype)
        old = array[index]
        differs = old != new
        if self._float:
            differs &= ~(np.isnan(old) & np.isnan(new))
        if differs.ndim > 1:
            differs = differs.reshape(differs.shape[0], -1).any(axis=1)
        changed: Array = index[differs]
        if changed.shape[0]:
            array[changed] = new[differs] if new.ndim == array.ndim and new.shape[0] > 1 else new
            if self.causes is not None:
                causes = np.asarray(cause)
                self.causes[changed] = causes[differs] if causes.ndim else causes
        return changed


def _holds_nan(values: Array) -> bool:
    """Tell whether a number is NaN: then so is the sum of squares, at a third of the cost of asking each (measured)."""
    return math.isnan(values.dot(values)) if values.ndim else math.isnan(values)
