"""The event log and the series: output that only grows, shared by branches."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class Segment:
    """Append-only rows with named columns; a branch sees its parent's rows.

    columns  name -> numpy dtype ("object" for text)
    """

    def __init__(self, columns: dict[str, str], base: Segment | None = None, base_rows: int = 0) -> None:
        self.columns = columns
        self._base = base
        self._base_rows = base_rows
        self._rows: list[tuple[Any, ...]] = []

    def __len__(self) -> int:
        return self._base_rows + len(self._rows)

    def append(self, *values: Any) -> None:
        """Add one row."""
        self._rows.append(values)

    def branch(self) -> Segment:
        """Return a segment that continues this one without copying it."""
        return Segment(self.columns, self, len(self))

    def truncate(self, rows: int) -> None:
        """Forget own rows beyond `rows`."""
        del self._rows[max(rows - self._base_rows, 0) :]

    def rows(self, first: int = 0) -> list[tuple[Any, ...]]:
        """Return rows `first` and later as tuples."""
        if self._base is not None and first < self._base_rows:
            return self._base.rows(first)[: self._base_rows - first] + self._rows
        return self._rows[max(first - self._base_rows, 0) :]

    def arrays(self) -> dict[str, Array]:
        """Return every column as an array."""
        rows = self.rows()
        out: dict[str, Array] = {}
        for i, (name, dtype) in enumerate(self.columns.items()):
            values = [row[i] for row in rows]
            out[name] = np.array(values, dtype=str) if dtype == "object" else np.array(values, dtype=dtype)
        return out

    def restore(self, arrays: dict[str, Array]) -> None:
        """Replace all rows with the columns of `arrays`."""
        names = list(self.columns)
        self._base, self._base_rows = None, 0
        self._rows = list(zip(*(arrays[name].tolist() for name in names), strict=True))


def event_log() -> Segment:
    """Return an empty event log: id is the row number."""
    return Segment({"time": "int64", "kind": "object", "target": "int64", "value": "float64", "data": "int64"})


def parent_log() -> Segment:
    """Return an empty table of causes: event `event` happened because of `parent`."""
    return Segment({"event": "int64", "parent": "int64"})


def series_log() -> Segment:
    """Return an empty table of measured figures over time."""
    return Segment({"time": "int64", "name": "object", "value": "float64"})
