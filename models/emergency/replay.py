"""Replay real calls from a table: time, place, priority and kind of each.

A row that cannot be used (no time, off the map, an unknown kind) is named with its line and
reason; a scenario says whether such rows forbid the run or are left out and listed.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from twin.contract import SECOND
from twin.errors import DataError
from twin.units import parse_local

if TYPE_CHECKING:
    from twin.contract import Setup

Array = np.ndarray[Any, Any]

COLUMNS = ("time", "lon", "lat", "priority")
FARTHEST = 1000.0
"""m from the nearest road node beyond which a call lies outside the city (assumption)."""
_EARTH = 6_371_008.8
_MOST_TOLD = 10


@dataclass(frozen=True)
class Replay:
    """Usable calls of a table, by time, and the rows left out.

    time      (n_call,)  us since the start of the run
    node      (n_call,)  nearest road node
    priority  (n_call,)  1 to 3
    kind      (n_call,)  row among the kinds of incidents, -1 where the table names none
    left_out  (line, reason) of each row that is not used
    """

    time: Array
    node: Array
    priority: Array
    kind: Array
    left_out: tuple[tuple[int, str], ...] = ()


class _RowError(ValueError):
    """A row that cannot be used; its text is the reason."""


def read_replay(path: str, setup: Setup, kinds: Sequence[str], *, leave_out: bool) -> Replay:
    """Read calls of a CSV table with columns time (local), lon, lat, priority and perhaps kind.

    leave_out  list rows that cannot be used instead of refusing the table

    Raises DataError when the file or a column is missing, or a row cannot be used.
    """
    rows, bad = [], []
    reader = _Reader(setup, kinds)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            lacking = [name for name in COLUMNS if name not in (table.fieldnames or ())]
            if lacking:
                raise DataError(f"{path}:1 has no column {', '.join(lacking)}; it needs {', '.join(COLUMNS)}")
            for given in table:
                try:
                    rows.append(reader.read(given))
                except _RowError as error:
                    bad.append((table.line_num, str(error)))
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    if bad and not leave_out:
        more = f"\n... and {len(bad) - _MOST_TOLD} more" if len(bad) > _MOST_TOLD else ""
        told = "\n".join(f"{path}:{line} {reason}" for line, reason in bad[:_MOST_TOLD])
        raise DataError(f"{told}{more}; mend the rows, or set bad_calls: leave_out")
    columns = np.array(sorted(rows), dtype=np.int64).reshape(-1, 4).T
    return Replay(columns[0], columns[1], columns[2], columns[3], tuple(bad))


class _Reader:
    """Reads rows of one table against the roads and hours of a run."""

    def __init__(self, setup: Setup, kinds: Sequence[str]) -> None:
        from scipy.spatial import KDTree

        nodes = setup.city["nodes"]
        lon, lat = np.radians(nodes["lon"]), np.radians(nodes["lat"])
        self.middle = float(lat.mean())
        self.tree = KDTree(np.column_stack([lon * np.cos(self.middle), lat]) * _EARTH)
        self.setup, self.kinds = setup, list(kinds)

    def read(self, given: Mapping[str, Any]) -> tuple[int, int, int, int]:
        """Return time (us), node, priority and kind of a row."""
        return self._time(given["time"]), self._node(given), self._priority(given["priority"]), self._kind(given)

    def _time(self, text: Any) -> int:
        try:
            time = parse_local(str(text), self.setup.city.timezone) - self.setup.start
        except ValueError as error:
            raise _RowError(f"time: {error}") from None
        if not 0 <= time < self.setup.duration:
            hours = self.setup.duration / SECOND / 3600
            raise _RowError(f"time ({text}) lies outside the run of {hours:g} h")
        return time

    def _node(self, given: Mapping[str, Any]) -> int:
        lon, lat = (_number(given[name], name) for name in ("lon", "lat"))
        place = np.radians([lon * np.cos(self.middle), lat]) * _EARTH
        apart, node = self.tree.query(place)
        if not apart <= FARTHEST:
            raise _RowError(f"the call at lon {lon:g}, lat {lat:g} is {apart / 1000:.1f} km from any road of the city")
        return int(node)

    @staticmethod
    def _priority(text: Any) -> int:
        if str(text).strip() not in {"1", "2", "3"}:
            raise _RowError(f"priority ({text}) must be 1, 2 or 3")
        return int(text)

    def _kind(self, given: Mapping[str, Any]) -> int:
        name = str(given.get("kind") or "").strip()
        if not name:
            return -1
        if name not in self.kinds:
            raise _RowError(
                f"kind ({name}) is not an incident of the service plan: {', '.join(self.kinds) or 'no plan'}"
            )
        return self.kinds.index(name)


def _number(text: Any, name: str) -> float:
    try:
        value = float(text)
    except (TypeError, ValueError):
        raise _RowError(f"{name} ({text}) is not a number") from None
    if not np.isfinite(value):
        raise _RowError(f"{name} ({text}) is not finite")
    return value
