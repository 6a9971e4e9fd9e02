"""The event log and the series: output that only grows, shared by branches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_TEXT = "object"


class Segment:
    """Append-only rows with named columns; a branch sees its parent's rows.

    columns  name -> numpy dtype ("object" for text)

    New rows are tuples; whoever asks for arrays turns those since the last time into columns, text
    as numbers of words, so that a snapshot costs what is new (a million rows anew: 1 s).
    """

    def __init__(self, columns: dict[str, str], base: Segment | None = None, base_rows: int = 0) -> None:
        self.columns = columns
        self._base = base
        self._base_rows = base_rows
        self._rows: list[tuple[Any, ...]] = []
        self._done = {name: np.empty(0, _stored(dtype)) for name, dtype in columns.items()}
        self._words: dict[str, int] = {}

    def __len__(self) -> int:
        return self._base_rows + self._own() + len(self._rows)

    def _own(self) -> int:
        return len(next(iter(self._done.values())))

    def append(self, *values: Any) -> None:
        """Add one row."""
        self._rows.append(values)

    def branch(self) -> Segment:
        """Return a segment that continues this one without copying it."""
        if len(self) == self._base_rows:
            return Segment(self.columns, self._base, self._base_rows)
        return Segment(self.columns, self, len(self))

    def rows(self, first: int = 0) -> list[tuple[Any, ...]]:
        """Return rows `first` and later as tuples."""
        if first >= self._base_rows + self._own():
            return self._rows[first - self._base_rows - self._own() :]
        return list(zip(*(values[first:].tolist() for values in self.arrays().values()), strict=True))

    def arrays(self) -> dict[str, Array]:
        """Return every column as an array."""
        parts: list[dict[str, Array]] = []
        segment: Segment | None = self
        rows = len(self)
        while segment is not None:
            own = segment._columns()
            parts.append({name: values[: max(rows - segment._base_rows, 0)] for name, values in own.items()})
            rows = min(rows, segment._base_rows)
            segment = segment._base
        if len(parts) == 1:
            return parts[0]
        return {name: np.concatenate([part[name] for part in reversed(parts)]) for name in self.columns}

    def _columns(self) -> dict[str, Array]:
        """Return the rows of this segment alone."""
        self._settle()
        words = np.array(list(self._words), dtype=str)
        return {
            name: _spelled(values, words) if self.columns[name] == _TEXT else values
            for name, values in self._done.items()
        }

    def _settle(self) -> None:
        """Turn rows that are still tuples into columns."""
        if not self._rows:
            return
        for (name, dtype), values in zip(self.columns.items(), zip(*self._rows, strict=True), strict=True):
            new = self._numbers(values) if dtype == _TEXT else np.array(values, dtype)
            self._done[name] = np.concatenate([self._done[name], new])
        self._rows = []

    def _numbers(self, words: Sequence[str]) -> Array:
        """Return the number of each word, new ones added."""
        known = self._words
        return np.array([known.setdefault(word, len(known)) for word in words], _stored(_TEXT))

    def packed(self) -> dict[str, Array]:
        """Return what `restore` takes: columns, text as numbers of `words`, a matrix of UTF-8 bytes."""
        whole = self if self._base is None else Segment(self.columns)
        if whole is not self:
            whole._rows = self.rows()
        whole._settle()
        words = np.array([word.encode() for word in whole._words] or [b""], dtype=bytes)
        return {**whole._done, "words": words}

    def restore(self, packed: Mapping[str, Array]) -> None:
        """Replace all rows with what `packed` gave.

        Raises ValueError when columns differ in length, KeyError when one is missing.
        """
        words = [word.decode() for word in packed["words"].tolist()]
        done = {name: np.asarray(packed[name], _stored(dtype)) for name, dtype in self.columns.items()}
        text = [done[name] for name, dtype in self.columns.items() if dtype == _TEXT]
        if len({len(values) for values in done.values()}) > 1:
            raise ValueError("columns of a log differ in length")
        if any(len(codes) and not 0 <= codes.min() <= codes.max() < len(words) for codes in text):
            raise ValueError("a log names a word that it does not hold")
        self._base, self._base_rows = None, 0
        self._rows, self._done = [], done
        self._words = {word: i for i, word in enumerate(words)}


def _stored(dtype: str) -> str:
    return "int32" if dtype == _TEXT else dtype


def _spelled(codes: Array, words: Array) -> Array:
    """Return the words that numbers stand for."""
    return words[codes] if len(codes) else np.empty(0, dtype=str)


def event_log() -> Segment:
    """Return an empty event log: id is the row number."""
    return Segment({"time": "int64", "kind": "object", "target": "int64", "value": "float64", "data": "int64"})


def parent_log() -> Segment:
    """Return an empty table of causes: event `event` happened because of `parent`."""
    return Segment({"event": "int64", "parent": "int64"})


def series_log() -> Segment:
    """Return an empty table of measured figures over time."""
    return Segment({"time": "int64", "name": "object", "value": "float64"})
