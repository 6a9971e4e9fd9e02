"""Read recorded water levels of a river gauge, and tell the level at any instant of a run."""

from __future__ import annotations

import csv
import difflib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from twin.contract import SECOND
from twin.errors import DataError

Array = np.ndarray[Any, Any]

_STATION, _TIME, _LEVEL, _STATUS = "nama_pintu_air", "tanggal", "tinggi_air", "status_siaga"
_NORMAL = "normal"


@dataclass(frozen=True)
class Gauge:
    """Levels of one station, by its own clock.

    time    (n,)  us since 1970 as the station's clock reads, rising
    level   (n,)  m
    normal  m     median of what the publisher calls normal, else of all
    gap     us    longest time between two readings
    """

    station: str
    time: Array
    level: Array
    normal: float
    gap: int

    def rise(self, instant: int) -> float:
        """Return the level over normal (m), straight between readings and held beyond both ends."""
        return float(np.interp(instant, self.time, self.level)) - self.normal


def read_gauge(path: str | Path, station: str) -> Gauge:
    """Return one station of a table in the layout of DKI Jakarta's open water levels (mm, local time).

    Of several readings at one instant the last counts. Raises DataError that names file, line and
    value: a column that is missing, a station that does not exist (with the nearest name), a time or
    level that is none.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.DictReader(stream)
            lacking = [n for n in (_STATION, _TIME, _LEVEL) if n not in (reader.fieldnames or ())]
            rows = list(enumerate(reader, 2))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as water levels ({error})") from None
    if lacking:
        raise DataError(f"{path}:1: column {', '.join(lacking)} is missing")
    ours = [(line, row) for line, row in rows if (row[_STATION] or "").strip() == station.strip()]
    if not ours:
        names = sorted({(row[_STATION] or "").strip() for _, row in rows})
        near = difflib.get_close_matches(station, names, 1, 0.3)
        raise DataError(f"{path}: no station is called {station!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    return _gauge(path, station, ours)


def _gauge(path: Path, station: str, rows: list[tuple[int, dict[str, Any]]]) -> Gauge:
    found: dict[int, float] = {}
    normal = []
    for line, row in rows:
        time, level = clock(row[_TIME], f"{path}:{line}"), _metres(row[_LEVEL], f"{path}:{line}")
        found[time] = level
        if _NORMAL in (row.get(_STATUS) or "").lower():
            normal.append(level)
    instants = np.array(sorted(found), dtype=np.int64)
    levels = np.array([found[instant] for instant in instants.tolist()])
    longest = int(np.diff(instants).max(initial=0))
    return Gauge(station, instants, levels, float(np.median(normal or levels)), longest)


def clock(text: str, place: str) -> int:
    """Return a clock reading such as `2020-01-01 06:30` as us since 1970 of that clock."""
    try:
        return int(datetime.fromisoformat(text.strip()).replace(tzinfo=UTC).timestamp()) * SECOND
    except (ValueError, AttributeError):
        raise DataError(f"{place}: {text!r} is no time such as '2020-01-01 06:30'") from None


def _metres(text: str, place: str) -> float:
    try:
        value = float(text) / 1000.0
    except (TypeError, ValueError):
        value = float("nan")
    if not np.isfinite(value):
        raise DataError(f"{place}: level ({text!r}) must be a number of mm")
    return value
